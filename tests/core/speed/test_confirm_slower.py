from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

import pytest

from pixel_core.speed import confirm_slower as module
from pixel_core.speed.baseline import VERSION, Baseline, entry_of
from pixel_core.speed.benchmark import Benchmark
from pixel_core.speed.choose_targets import Target, choose_targets
from pixel_core.speed.compare_with_baseline import SAME, SLOWER
from pixel_core.speed.confirm_slower import confirm_slower
from pixel_core.speed.roofline_kernels import COPY, roofline_kernels
from speed_testing import a_benchmark, a_measurement

PATH = Path("speed.json")
SHADER = Path("copy.wgsl")
CASES = ("n=1024", "n=2048")
AS_THEN, SLOW = (0.1, 0.1, 0.1), (0.05, 0.05, 0.05)


def benchmark(*shares: Sequence[float], cases: Sequence[str] = CASES) -> Benchmark:
    pairs = zip(shares, cases, strict=True)
    return a_benchmark(*(a_measurement(share=share, contract=COPY, case=case, shader=SHADER, numpy_s=(1.0,)) for share, case in pairs))


def confirmed(monkeypatch: pytest.MonkeyPatch, first: Benchmark, second: Benchmark | None) -> tuple[list[str], Any]:
    """The cases that were measured again, and the coroutine that does it."""
    asked: list[str] = []

    async def measure(_: object, targets: Sequence[Target], **options: object) -> Benchmark:
        asked.extend(target.case.name for target in targets)
        assert options["with_numpy"] is False
        assert second is not None
        return second

    monkeypatch.setattr(module, "measure", measure)
    then = benchmark(AS_THEN, AS_THEN)
    baseline = Baseline(version=VERSION, entries=tuple(entry_of(PATH, then, one) for one in then.measurements))
    targets, _ = choose_targets((roofline_kernels()[COPY],), kernel=None, cases=CASES)
    return asked, confirm_slower(cast("Any", None), targets, first, baseline, PATH, rounds=3, threshold=0.1)


async def test_what_is_as_fast_is_not_measured_again(monkeypatch: pytest.MonkeyPatch) -> None:
    asked, result = confirmed(monkeypatch, benchmark(AS_THEN, AS_THEN), None)
    _, comparisons = await result
    assert ([one.verdict for one in comparisons], asked) == ([SAME, SAME], [])


async def test_what_is_slower_twice_is_slower(monkeypatch: pytest.MonkeyPatch) -> None:
    first = benchmark(AS_THEN, SLOW)
    asked, result = confirmed(monkeypatch, first, benchmark(SLOW, cases=CASES[1:]))
    found, comparisons = await result
    assert ([one.verdict for one in comparisons], asked) == ([SAME, SLOWER], ["n=2048"])
    assert found == first


async def test_what_is_slower_once_stands_as_it_was_the_second_time(monkeypatch: pytest.MonkeyPatch) -> None:
    _, result = confirmed(monkeypatch, benchmark(SLOW, AS_THEN), benchmark((0.098, 0.098, 0.098), cases=CASES[:1]))
    found, comparisons = await result
    assert [one.verdict for one in comparisons] == [SAME, SAME]
    assert [one.finding for one in comparisons] == [None, None]
    assert [one.share[0] for one in found.measurements] == [0.098, 0.1]
    assert found.measurements[0].numpy_s == (1.0,)


async def test_what_does_not_run_the_second_time_stays_slower(monkeypatch: pytest.MonkeyPatch) -> None:
    _, result = confirmed(monkeypatch, benchmark(SLOW, AS_THEN), a_benchmark())
    _, comparisons = await result
    assert [one.verdict for one in comparisons] == [SLOWER, SAME]
