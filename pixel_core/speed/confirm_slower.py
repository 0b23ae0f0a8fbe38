"""A kernel that seems to have become slower is measured once more: only what is slower twice counts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from msgspec.structs import replace

from pixel_core.kernels.validate import Checker, Progress
from pixel_core.speed.baseline import Baseline
from pixel_core.speed.benchmark import Benchmark, Measurement
from pixel_core.speed.choose_targets import Target
from pixel_core.speed.compare_with_baseline import SLOWER, Comparison, compare_with_baseline
from pixel_core.speed.measure import measure


async def confirm_slower(
    checker: Checker,
    targets: Sequence[Target],
    benchmark: Benchmark,
    baseline: Baseline,
    path: Path,
    *,
    rounds: int,
    threshold: float,
    on_progress: Callable[[Progress], None] | None = None,
) -> tuple[Benchmark, tuple[Comparison, ...]]:
    """Compare with a baseline, and measure again what is slower.

    Neighbours on the same cores slow a kernel that loads much down more than one that only computes, for as long as they run; another
    measurement a while later tells that from a change of the kernel.

    Args:
        checker: As for `measure`.
        targets: Of the benchmark.
        benchmark: The first measurement.
        baseline: What it is compared with.
        path: Where the baseline lies.
        rounds: Of the second measurement.
        threshold: See `compare_with_baseline`.
        on_progress: Called before each step.

    Returns:
        The benchmark, in which what was slower once stands as it was measured the second time, and a comparison for each measurement.
    """
    comparisons = compare_with_baseline(benchmark, baseline, path, threshold=threshold)
    suspects = {_key(one) for one, comparison in zip(benchmark.measurements, comparisons, strict=True) if comparison.verdict == SLOWER}
    if not suspects:
        return benchmark, comparisons
    asked = [one for one in targets if (one.original.source.path, one.contract, one.case.name) in suspects]
    second = await measure(checker, asked, rounds=rounds, with_numpy=False, on_progress=on_progress)
    compared = compare_with_baseline(second, baseline, path, threshold=threshold)
    again = {_key(one): (one, comparison) for one, comparison in zip(second.measurements, compared, strict=True)}
    measurements = list(benchmark.measurements)
    verdicts = list(comparisons)
    for place, one in enumerate(benchmark.measurements):
        anew, verdict = again.get(_key(one), (one, verdicts[place]))
        if verdict.verdict != SLOWER:
            measurements[place], verdicts[place] = replace(anew, numpy_s=one.numpy_s), verdict
    return replace(benchmark, measurements=tuple(measurements)), tuple(verdicts)


def _key(measurement: Measurement) -> tuple[Path, str, str]:
    return (measurement.shader, measurement.contract, measurement.case)
