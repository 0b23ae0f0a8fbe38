"""Whether a kernel became slower, with the noise of both measurements considered. `pixel-lsp rule PX601` tells the criterion."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Final

import msgspec

from pixel_core.findings import Finding
from pixel_core.rules import RULES
from pixel_core.speed.baseline import Baseline, Entry, Quartiles, entries_by_key, entry_of
from pixel_core.speed.benchmark import CPU, TIMESTAMPS, Benchmark, Measurement

SLOWER, FASTER, SAME, UNKNOWN, CHANGED = "slower", "faster", "same", "unknown", "changed"
"""`unknown`: the baseline has no such entry. `changed`: it has, of other work or another roofline."""

DEFAULT_THRESHOLD: Final = 0.1

_CLOCK_WORDS: Final = {CPU: "CPU time", TIMESTAMPS: "by the device's timestamps"}


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """One measurement beside its entry in a baseline.

    Attributes:
        verdict: One of the words above.
        ratio: How many times the share of the roofline that is reached now was reached then: above 1 is slower. None without an entry
            that can be compared.
        finding: PX601 where it is slower.
    """

    verdict: str
    ratio: float | None = None
    finding: Finding | None = None


def compare_with_baseline(
    benchmark: Benchmark, baseline: Baseline, path: Path, *, threshold: float = DEFAULT_THRESHOLD
) -> tuple[Comparison, ...]:
    """Compare every measurement, in order.

    Args:
        benchmark: What was measured now.
        baseline: What was measured then.
        path: Where the baseline lies; its shaders are named relative to its folder.
        threshold: Least difference of the medians that counts: 0.1 is 10 %.
    """
    entries = entries_by_key(baseline)
    return tuple(
        _compare(benchmark, one, entries.get(entry_of(path, benchmark, one).key), path, threshold) for one in benchmark.measurements
    )


def _compare(benchmark: Benchmark, measurement: Measurement, then: Entry | None, path: Path, threshold: float) -> Comparison:
    if then is None:
        return Comparison(verdict=UNKNOWN)
    now = entry_of(path, benchmark, measurement)
    if (now.flops, now.bytes, now.roofline_sha256) != (then.flops, then.bytes, then.roofline_sha256):
        return Comparison(verdict=CHANGED)
    ratio = then.share.median / now.share.median
    if now.share.high < then.share.low and ratio > 1 + threshold:
        return Comparison(verdict=SLOWER, ratio=ratio, finding=_finding(benchmark, measurement, now, then, path))
    is_faster = now.share.low > then.share.high and 1 / ratio > 1 + threshold
    return Comparison(verdict=FASTER if is_faster else SAME, ratio=ratio)


def _finding(benchmark: Benchmark, measurement: Measurement, now: Entry, then: Entry, path: Path) -> Finding:
    ratio = then.share.median / now.share.median
    where = f"case {measurement.case}, {benchmark.adapter.name}"
    same = now.shader_sha256 == then.shader_sha256
    text = "the shader's text is the one of the baseline" if same else "the shader's text has changed since the baseline"
    clock = _CLOCK_WORDS.get(benchmark.clock, "wall time")
    again = [
        "pixel-lsp",
        "bench",
        str(measurement.shader),
        "--kernel",
        measurement.contract,
        "--case",
        measurement.case,
        "--baseline",
        str(path),
    ]
    return Finding(
        code="PX601",
        severity=RULES["PX601"].severity,
        message=f"`{measurement.contract}` is {ratio:.2f} times slower than the baseline ({where})",
        location=measurement.entry,
        notes=(
            f"{_percent(now.share)} of the roofline, and {_percent(then.share)} then; quartiles of {now.rounds} and {then.rounds} rounds",
            f"{_milliseconds(now.seconds)} a run, and {_milliseconds(then.seconds)} then, {clock}",
            text,
            f"re-run: {shlex.join(again)}",
        ),
        hint=f"if this is meant, save a new baseline: `--save-baseline {path}`",
    )


def _percent(share: Quartiles) -> str:
    return f"{share.median:.2%} ({share.low:.2%} to {share.high:.2%})".replace("%", " %")


def _milliseconds(seconds: Quartiles) -> str:
    return f"{seconds.median * 1e3:.3g} ms ({seconds.low * 1e3:.3g} to {seconds.high * 1e3:.3g})"
