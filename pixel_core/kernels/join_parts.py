"""One report of a contract that ran in parts, because its shader depends on the sizes of its cases."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from pixel_core.findings import Finding
from pixel_core.kernels.examine import ExaminedKernel
from pixel_core.kernels.report import FAILED, INCONCLUSIVE, PARTLY_PROVED, PASSED, SKIPPED, ValidationReport
from pixel_core.kernels.verdict import CaseRuns, report_kernel

_WORST_FIRST = (FAILED, INCONCLUSIVE, SKIPPED, PARTLY_PROVED, PASSED)


def join_parts(
    parts: Sequence[ValidationReport], ran: Sequence[tuple[ExaminedKernel, CaseRuns]], *, seed: int, all_cases: bool
) -> ValidationReport:
    """The report of the whole.

    Args:
        parts: Reports of the parts, in order; at least one.
        ran: The parts that could run, and the runs of their cases.
        seed: Base seed of the run.
        all_cases: Whether all cases were asked for.
    """
    cases = tuple(case for part in parts for case in part.cases)
    files = tuple(dict.fromkeys(path for part in parts for path in part.files))
    if len(ran) == len(parts) and all(part.status != FAILED for part in parts):
        # Nothing has to be placed in one text or another, and whether the cases tell right from dumb shows in all of them together.
        first = replace(ran[0][0], cases=tuple(case for examined, _ in ran for case in examined.cases))
        whole = report_kernel(first, [run for _, runs in ran for run in runs], seed=seed, all_cases=all_cases)
        return replace(whole, files=files)
    findings: dict[tuple[object, ...], Finding] = {}
    for part in parts:
        for found in part.findings:
            # Of an output that is wrong in several texts, the first finding is enough.
            findings.setdefault((found.code, found.location, "" if found.code == "PX401" else found.message), found)
    return replace(
        parts[0],
        status=min((part.status for part in parts), key=_WORST_FIRST.index),
        engine=next((part.engine for part in parts if part.engine), None),
        adapter=next((part.adapter for part in parts if part.adapter), None),
        cases=cases,
        findings=tuple(found for found in findings.values() if found.code != "PX391"),
        files=files,
    )
