"""A benchmark as a table: one row a kernel and size, then what the numbers mean.

kernel                           time a run  GFLOP/s     GB/s  of roofline   speed
M=512 N=512 K=512
  matmul                412 ms (408 to 416)    0.485  0.00243       1.70 %  1.00 x
  matmul_registers   61.0 ms (60.5 to 62.0)     3.28   0.0164       11.4 %  6.75 x
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import Final

from rich.cells import cell_len
from rich.text import Text

from pixel_core.speed.benchmark import CPU, TIMESTAMPS, Benchmark, Measurement, Refusal, Roofline
from pixel_core.speed.compare_with_baseline import CHANGED, FASTER, SLOWER, UNKNOWN, Comparison
from pixel_core.speed.spread import Spread, spread_of
from pixel_server.terminal.medium import Medium

_STYLES: Final = {SLOWER: "bold red", FASTER: "bold green", UNKNOWN: "dim", CHANGED: "yellow"}
_CLOCKS: Final = {
    CPU: "CPU time of all threads: a software adapter shares its cores with whatever else runs, and says little about a GPU",
    TIMESTAMPS: "by the device's timestamps",
}
_WALL: Final = "wall time from submission to the idle device, since the device has no timestamps"
_HEAD: Final = ("kernel", "time a run", "GFLOP/s", "GB/s", "of roofline", "speed")


def render_benchmark(benchmark: Benchmark, comparisons: Sequence[Comparison], medium: Medium) -> Text:
    """The table and its legend, without a final line break.

    Args:
        benchmark: What was measured.
        comparisons: One for each measurement, or none without a baseline.
        medium: What it is written to.
    """
    lines: list[Text] = []
    if benchmark.roofline is not None and benchmark.measurements:
        lines += [*_table(benchmark, comparisons, medium), Text()]
    lines += [_refusal(one, medium) for one in benchmark.refusals]
    lines += [Text()] if benchmark.refusals else []
    lines += _legend(benchmark, medium)
    return Text("\n").join(lines)


def _table(benchmark: Benchmark, comparisons: Sequence[Comparison], medium: Medium) -> list[Text]:
    heads = (*_HEAD, "baseline") if comparisons else _HEAD
    rows: list[tuple[tuple[str, ...], str] | str] = []
    paired = list(zip(benchmark.measurements, comparisons or [None] * len(benchmark.measurements), strict=True))
    for case, group in groupby(paired, key=lambda pair: pair[0].case):
        rows.append(medium.printable(case))
        members = list(group)
        first = members[0][0]
        for measurement, comparison in members:
            style = "" if comparison is None else _STYLES.get(comparison.verdict, "")
            cells = (*_cells(measurement, first, medium), *([] if comparison is None else [_words(comparison)]))
            rows.append((cells, style))
        rows += [((*_numpy_cells(one, first), *([""] if comparisons else [])), "dim") for one, _ in members if one.numpy_s]
    widths = [max(cell_len(row[0][place]) for row in [((heads), ""), *rows] if not isinstance(row, str)) for place in range(len(heads))]
    lines = [Text(row, "bold") if isinstance(row, str) else Text(_line(row[0], widths), row[1]) for row in rows]
    return [Text(_line(heads, widths), "bold"), *lines]


def _cells(measurement: Measurement, first: Measurement, medium: Medium) -> tuple[str, ...]:
    flops = measurement.flops_per_s
    return (
        f"  {medium.printable(measurement.contract)}",
        _time(measurement.time),
        "" if flops is None else f"{_short(flops / 1e9)}",
        f"{_short(measurement.bytes_per_s / 1e9)}",
        f"{_short(spread_of(measurement.share).median * 100)} %",
        f"{_short(first.time.median / measurement.time.median)} x",
    )


def _numpy_cells(measurement: Measurement, first: Measurement) -> tuple[str, ...]:
    numpy = spread_of(measurement.numpy_s)
    flops = measurement.work.flops
    rate = "" if flops is None else f"{_short(flops / numpy.median / 1e9)}"
    return (
        "  numpy, one thread",
        _time(numpy),
        rate,
        f"{_short(measurement.work.size_bytes / numpy.median / 1e9)}",
        "",
        f"{_short(first.time.median / numpy.median)} x",
    )


def _time(spread: Spread) -> str:
    """Median and quartiles in one unit."""
    unit, factor = next(((unit, factor) for unit, factor in (("s", 1.0), ("ms", 1e3)) if spread.median * factor >= 1), ("us", 1e6))
    return f"{_short(spread.median * factor)} {unit} ({_short(spread.low * factor)} to {_short(spread.high * factor)})"


def _short(value: float) -> str:
    """Three digits, and no power of ten for what fits."""
    return f"{value:#.3g}".rstrip(".") if 1e-4 < value < 999.5 else f"{value:,.0f}" if value > 1 else f"{value:.3g}"


def _words(comparison: Comparison) -> str:
    if comparison.ratio is None:
        return "no entry" if comparison.verdict == UNKNOWN else "other work"
    if comparison.verdict == FASTER:
        return f"{1 / comparison.ratio:.2f} times faster"
    return f"{comparison.ratio:.2f} times slower" if comparison.verdict == SLOWER else "as fast"


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    """Names to the left, numbers to the right."""
    parts = [
        cell + " " * (width - cell_len(cell)) if not place else " " * (width - cell_len(cell)) + cell
        for place, (cell, width) in enumerate(zip(cells, widths, strict=True))
    ]
    return "  ".join(parts).rstrip()


def _refusal(refusal: Refusal, medium: Medium) -> Text:
    sign, style = (medium.glyphs.failed, "bold red") if refusal.is_failure else (medium.glyphs.skipped, "dim")
    name = medium.printable(refusal.contract) if refusal.contract else medium.path(refusal.shader)
    case = f", {medium.printable(refusal.case)}" if refusal.case else ""
    return Text.assemble((f"{sign} ", style), (name, "bold"), f"{case}: {medium.printable(refusal.reason)}")


def _legend(benchmark: Benchmark, medium: Medium) -> list[Text]:
    adapter = benchmark.adapter
    if benchmark.roofline is None or not benchmark.measurements:
        return [Text("nothing was timed", "bold")]
    rounds = len(benchmark.measurements[0].seconds)
    return [
        Text(
            medium.printable(
                f"on {adapter.name} with {adapter.driver}; medians and quartiles of {rounds} rounds, {_CLOCKS.get(benchmark.clock, _WALL)}"
            )
        ),
        _roofline(benchmark.roofline, medium),
        Text(
            medium.printable(
                "GB/s: every bound storage buffer counted once, twice where it is read and written, whatever a kernel reads again"
            )
        ),
    ]


def _roofline(roofline: Roofline, medium: Medium) -> Text:
    text = (
        f"roofline, measured in the same rounds: {_rate(roofline.peak)} GFLOP/s in f32, "
        f"{_rate(roofline.bandwidth)} GB/s by a kernel that copies"
    )
    return Text(medium.printable(text))


def _rate(spread: Spread) -> str:
    """Median and quartiles in thousand millions."""
    return f"{_short(spread.median / 1e9)} ({_short(spread.low / 1e9)} to {_short(spread.high / 1e9)})"
