"""PX601: when a kernel became slower, decided on measurements that are made up."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
from msgspec.structs import replace

from pixel_core.speed.baseline import VERSION, Baseline, entry_of
from pixel_core.speed.benchmark import Work
from pixel_core.speed.compare_with_baseline import CHANGED, FASTER, SAME, SLOWER, UNKNOWN, Comparison, compare_with_baseline
from speed_testing import ENTRY, a_benchmark, a_measurement

PATH = Path("speed.json")
THEN = (0.098, 0.100, 0.102, 0.099, 0.101)


def baseline(share: Sequence[float] = THEN, **changed: object) -> Baseline:
    benchmark = a_benchmark(a_measurement((0.020, 0.021, 0.019, 0.020, 0.020), share=share))
    entry = entry_of(PATH, benchmark, benchmark.measurements[0])
    return Baseline(
        version=VERSION, entries=(type(entry)(**{**{name: getattr(entry, name) for name in entry.__struct_fields__}, **changed}),)
    )


def compare(share: Sequence[float], *, threshold: float = 0.1, known: Baseline | None = None) -> Comparison:
    benchmark = a_benchmark(a_measurement((0.030, 0.031, 0.029, 0.030, 0.030), share=share))
    (comparison,) = compare_with_baseline(benchmark, known or baseline(), PATH, threshold=threshold)
    return comparison


@pytest.mark.parametrize(
    ("share", "verdict"),
    [
        (THEN, SAME),
        ((0.07, 0.071, 0.069, 0.07, 0.07), SLOWER),
        # The medians are 30 % apart, and the noise is wider than that.
        ((0.05, 0.07, 0.069, 0.105, 0.11), SAME),
        # The quartiles are apart, and the difference is of no importance.
        ((0.095, 0.096, 0.094, 0.095, 0.095), SAME),
        # One slow round of five says nothing.
        ((0.01, 0.1, 0.099, 0.1, 0.101), SAME),
        ((0.13, 0.131, 0.129, 0.13, 0.13), FASTER),
        ((0.105, 0.106, 0.104, 0.105, 0.105), SAME),
    ],
)
def test_the_criterion(share: Sequence[float], verdict: str) -> None:
    comparison = compare(share)
    assert comparison.verdict == verdict
    assert (comparison.finding is not None) == (verdict == SLOWER)


def test_a_wide_baseline_forgives_as_well() -> None:
    known = baseline((0.05, 0.06, 0.1, 0.14, 0.15))
    assert compare((0.065, 0.066, 0.064, 0.065, 0.065), known=known).verdict == SAME


def test_the_threshold_is_the_users() -> None:
    share = (0.095, 0.096, 0.094, 0.095, 0.095)
    assert compare(share, threshold=0.05).verdict == SLOWER
    assert compare((0.07, 0.071, 0.069, 0.07, 0.07), threshold=0.5).verdict == SAME


def test_a_slow_moment_of_the_machine_does_not_count() -> None:
    """Seconds are half as many again, and so are those of the roofline: the share is what it was."""
    comparison = compare(THEN)
    assert (comparison.verdict, comparison.ratio) == (SAME, 1.0)


def test_other_work_is_not_compared() -> None:
    slow = (0.01, 0.01, 0.01)
    for changed in ({"flops": 3e8}, {"flops": None}, {"bytes": 5}, {"roofline_sha256": "0" * 64}):
        assert compare(slow, known=baseline(**changed)) == Comparison(verdict=CHANGED)


def test_other_machines_and_sizes_are_not_known() -> None:
    for changed in (
        {"adapter": "a GPU"},
        {"driver": "Mesa 23"},
        {"clock": "wall"},
        {"case": "M=8"},
        {"contract": "b"},
        {"shader": "c.wgsl"},
    ):
        assert compare((0.01,), known=baseline(**changed)) == Comparison(verdict=UNKNOWN)


def test_the_finding() -> None:
    finding = compare((0.07, 0.071, 0.069, 0.07, 0.07)).finding
    assert finding is not None
    assert (finding.code, finding.location) == ("PX601", ENTRY)
    assert finding.message == "`matmul` is 1.43 times slower than the baseline (case M=4 N=4, llvmpipe)"
    assert finding.notes == (
        "7.00 % (7.00 % to 7.00 %) of the roofline, and 10.00 % (9.90 % to 10.10 %) then; quartiles of 5 and 5 rounds",
        "30 ms (30 to 30) a run, and 20 ms (20 to 20) then, CPU time",
        "the shader's text is the one of the baseline",
        "re-run: pixel-lsp bench kernels/matmul.wgsl --kernel matmul --case 'M=4 N=4' --baseline speed.json",
    )
    assert finding.hint == "if this is meant, save a new baseline: `--save-baseline speed.json`"


def test_the_finding_says_that_the_text_changed() -> None:
    finding = compare((0.07, 0.07, 0.07), known=baseline(shader_sha256="b" * 64)).finding
    assert finding is not None
    assert finding.notes[2] == "the shader's text has changed since the baseline"


def test_each_measurement_has_its_own_entry() -> None:
    small, large = a_measurement(share=THEN), a_measurement(share=(0.01, 0.01), case="M=8 N=8", work=Work(flops=1, size_bytes=8))
    benchmark = a_benchmark(small, large)
    entries = tuple(entry_of(PATH, benchmark, replace(one, share=THEN)) for one in (large, small))
    comparisons = compare_with_baseline(benchmark, Baseline(version=VERSION, entries=entries), PATH)
    assert [one.verdict for one in comparisons] == [SAME, SLOWER]
