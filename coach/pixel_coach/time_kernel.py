"""How much faster a kernel is than the file as it is, measured side by side: new inputs in every run, and every timed output checked."""

from __future__ import annotations

from statistics import median, quantiles
from typing import Final

import msgspec
from msgspec.structs import replace

from pixel_coach.prove_contract_text import KernelCandidate, judge_contract
from pixel_core.kernels.load_shader import LoadedShader
from pixel_core.kernels.report import PASSED, CaseReport
from pixel_core.kernels.timed_cases import TimedCases, timed_cases, with_cases
from pixel_core.kernels.validate import Checker, Selection
from pixel_core.source import SourceText
from pixel_core.speed.roofline_kernels import COPY, roofline_kernels
from pixel_core.wgsl.lexer import lex
from pixel_core.wgsl.syntax import TokenKind

ROUNDS: Final = 7
WARM_UPS: Final = 1
TURNS: Final = ("current", "current", "candidate", "current")
"""Of a round. The first does not count: the truth of new inputs is evaluated in it, after which a kernel is a quarter slower."""

LEAST_SPEEDUP: Final = 1.05
"""Less is not worth a file's change, nor told apart from where in a round a kernel runs."""

IMPLAUSIBLE_SPEEDUP: Final = 10.0
"""Above it a result is measured again with other inputs, as KernelBench does; so is one below the floor."""

_COPIED_TOGETHER: Final = 1024
_MOST_COPIED: Final = 1024 * 65535
"""Words of the roofline's copy: a whole number of these, and no more."""


class SpeedRecord(msgspec.Struct, frozen=True, kw_only=True):
    """What was measured: seconds for two executions of the case, from submission to the last byte read.

    On a GPU they are seconds of the wall; on a software adapter CPU seconds of all threads, since whatever else the machine does would
    count otherwise.

    Attributes:
        case: Sizes that were timed.
        current_s: Of the file as it is, two a round: right before the candidate, and right after it.
        candidate_s: Of the candidate, one a round.
        floor_s: Median time of a kernel that only copies as many bytes as the case has.
        speedup: Median of the rounds' ratios mean of current / candidate; None when it does not count.
        low: Lower quartile of the ratios.
        high: Upper quartile.
        is_suspicious: Beyond what is plausible, so it was measured again with other inputs.
        problem: Why the speed-up does not count; empty when it does.
        engine: What ran it.
        is_software: Times of a software adapter say little about a GPU.
    """

    case: str
    current_s: tuple[float, ...]
    candidate_s: tuple[float, ...]
    floor_s: float = 0.0
    speedup: float | None = None
    low: float = 0.0
    high: float = 0.0
    is_suspicious: bool = False
    problem: str = ""
    engine: str = ""
    is_software: bool = False

    @property
    def is_faster(self) -> bool:
        """Faster by more than chance and more than the machine's moods.

        The candidate is faster than the current file both before and after it in all rounds but one: of two kernels that are equally fast,
        that happens in 15 of 3^7 = 2,187 measurements. And it is faster by more than two runs of the same file differ. A quartile above
        one would be no such criterion: noise alone gives that in a quarter of all measurements.
        """
        won = [candidate < min(pair) for pair, candidate in zip(self.pairs, self.candidate_s, strict=True)]
        return self.speedup is not None and self.speedup > max(self.spread, LEAST_SPEEDUP) and sum(won) >= len(won) - 1

    @property
    def pairs(self) -> tuple[tuple[float, float], ...]:
        """The seconds of the current file around each run of the candidate."""
        return tuple(zip(self.current_s[::2], self.current_s[1::2], strict=True))

    @property
    def spread(self) -> float:
        """By which factor two runs of the current file in one round differ: the median of the rounds."""
        return median(max(pair) / max(min(pair), 1e-9) for pair in self.pairs)


async def time_kernel(checker: Checker, candidate: KernelCandidate, *, seed: int) -> SpeedRecord:
    """Time a candidate and the file that it would replace, in turns.

    Args:
        checker: Runs every case anew.
        candidate: Must have been proved; its contract is the file's.
        seed: Drawn after the candidate was written.

    Raises:
        EngineUnavailable: There is no adapter.
    """
    judged = judge_contract(candidate)
    if candidate.base is None or judged.loaded is None or not judged.is_trusted:
        return SpeedRecord(case="", current_s=(), candidate_s=(), problem="there is no file with the same contract to compare with")
    if _is_same_program(candidate):
        return SpeedRecord(
            case="", current_s=(), candidate_s=(), problem="it is the same program as the file; only comments or layout differ"
        )
    record = await _measure(checker, candidate, judged.loaded, seed)
    if record.problem or record.speedup is None:
        return record
    if record.speedup <= IMPLAUSIBLE_SPEEDUP and median(record.candidate_s) >= record.floor_s:
        return record
    again = await _measure(checker, candidate, judged.loaded, seed + 1)
    problem = again.problem
    if not problem and again.speedup is not None and again.speedup < record.low:
        problem = f"{record.speedup:.1f} times faster in one measurement and {again.speedup:.1f} times in the next"
    return replace(record, is_suspicious=True, problem=problem, speedup=None if problem else min(record.speedup, again.speedup or 0.0))


def _is_same_program(candidate: KernelCandidate) -> bool:
    written, current = (_code(SourceText(candidate.path, text or "")) for text in (candidate.text, candidate.base))
    return written == current


def _code(source: SourceText) -> list[str]:
    prose = (TokenKind.BLANKSPACE, TokenKind.COMMENT)
    return [source.text[token.start : token.end] for token in lex(source)[0] if token.kind not in prose]


async def _measure(checker: Checker, candidate: KernelCandidate, loaded: LoadedShader, seed: int) -> SpeedRecord:
    assert candidate.base is not None
    timed = timed_cases(loaded, candidate.contract, seed=seed, rounds=ROUNDS + WARM_UPS)
    if timed is None:
        return SpeedRecord(case="", current_s=(), candidate_s=(), problem="no case of the contract can be timed")
    sides = {"current": timed.under(candidate.base), "candidate": timed.under(candidate.text)}
    seconds: dict[str, list[float]] = {"current": [], "candidate": []}
    engine, is_software = "", False
    for number, case in enumerate(timed.names):
        for turn, side in enumerate(TURNS):
            report = await checker.check_loaded([sides[side]], selection=Selection(contract=timed.contract, case=case))
            found = next((one for kernel in report.kernels for one in kernel.cases if one.name == case), None)
            if found is None or found.status != PASSED:
                whose = "the candidate" if side == "candidate" else "the file as it is"
                return SpeedRecord(case=timed.sizes, current_s=(), candidate_s=(), problem=f"{whose} is wrong in a timed run")
            adapter = next((kernel.adapter for kernel in report.kernels if kernel.adapter), None)
            if adapter is not None:
                engine, is_software = f"{adapter.engine} {adapter.name}, {adapter.driver}", adapter.is_software
            if number >= WARM_UPS and turn > 0:
                seconds[side].append(_seconds(found, is_software=is_software))
    current, new = seconds["current"], seconds["candidate"]
    ratios = [max(before + after, 1e-9) / max(2 * one, 1e-9) for before, after, one in zip(current[::2], current[1::2], new, strict=True)]
    low, _, high = quantiles(ratios, n=4, method="inclusive")
    return SpeedRecord(
        case=timed.sizes,
        current_s=tuple(current),
        candidate_s=tuple(new),
        floor_s=await _floor(checker, timed, is_software=is_software),
        speedup=median(ratios),
        low=low,
        high=high,
        engine=engine,
        is_software=is_software,
    )


async def _floor(checker: Checker, timed: TimedCases, *, is_software: bool) -> float:
    """Nothing that reads and writes all bytes of a case is faster than copying half of them; several rounds, the fastest counts."""
    words = min(timed.size_bytes // 8 // _COPIED_TOGETHER * _COPIED_TOGETHER, _MOST_COPIED)
    cases = [{"name": f"round {number}", "dims": {"n": words}, "seed": number} for number in range(3)]
    copy = with_cases(roofline_kernels()[COPY], COPY, cases) if words else None
    if copy is None:
        return 0.0
    report = await checker.check_loaded([copy])
    passed = [case for kernel in report.kernels for case in kernel.cases if case.status == PASSED]
    return min((_seconds(case, is_software=is_software) for case in passed), default=0.0)


def _seconds(case: CaseReport, *, is_software: bool) -> float:
    return case.timing.device_cpu_s if is_software else case.timing.device_s
