"""The table of `prove`: a line for each kernel and set of sizes, sizes that run through a range as their ends, and one line for all.

✓ q4_1_matvec     1 case    tokens=1 groups=72 blocks=18 first=0 stride=576 add=1
✓ attention_tile  14 cases  tokens=1 kv_heads=3 group=3 width=64 position=0…223 tiles=1…7 space=9 window=0
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from rich.text import Text

from pixel_core.inference.messages import Observed
from pixel_core.kernels.fit_dispatches import FittedDispatches
from pixel_core.kernels.report import FAILED, INCONCLUSIVE, PASSED, STATUSES, CheckReport
from pixel_server.terminal.medium import Medium
from pixel_server.terminal.render_summary import status_sign
from pixel_server.verdict_words import count

_RUNNING: Final = 4
"""A size with more values than this in one kernel is shown as a range."""


@dataclass(frozen=True, slots=True)
class _Row:
    status: str
    kernel: str
    cases: int
    sizes: str


def render_proof(observed: Observed, fitted: FittedDispatches, report: CheckReport, medium: Medium) -> Text:
    """The lines of the table and the closing line, without a final line break."""
    rows = list(_rows(report))
    rows += [_Row(INCONCLUSIVE, one.dispatch.entry, 0, f"{one.dispatch.workgroups}: {one.reason}") for one in fitted.unfitted]
    name_width = max((len(row.kernel) for row in rows), default=0)
    counts = ["none" if not row.cases else count(row.cases, "case") for row in rows]
    count_width = max(map(len, counts), default=0)
    lines: list[Text] = []
    for row, cases in zip(rows, counts, strict=True):
        line = status_sign(row.status, medium.glyphs)
        line.append(row.kernel.ljust(name_width), "bold").append(f"  {cases.ljust(count_width)}  ")
        lines.append(line.append(medium.printable(row.sizes)))
    return Text("\n").join([*lines, Text(), _closing(observed, fitted, report, medium)])


def _rows(report: CheckReport) -> Iterator[_Row]:
    kernels: dict[str, list[tuple[dict[str, str], str]]] = {}
    for kernel in report.kernels:
        # What is wrong with a kernel beside its cases is wrong with all of them.
        spoilt = kernel.status if kernel.status != PASSED and all(case.status == PASSED for case in kernel.cases) else ""
        cases = kernels.setdefault(kernel.contract or kernel.shader.name, [])
        cases += [(dict(part.split("=", 1) for part in case.name.split()), spoilt or case.status) for case in kernel.cases]
    for name, cases in kernels.items():
        values = {key: {sizes[key] for sizes, _ in cases if key in sizes} for sizes, _ in cases for key in sizes}
        running = {key for key, found in values.items() if len(found) > _RUNNING}
        groups: dict[tuple[object, ...], list[tuple[dict[str, str], str]]] = {}
        for sizes, status in cases:
            fixed = tuple(item for item in sizes.items() if item[0] not in running)
            groups.setdefault((status, *fixed), []).append((sizes, status))
        for members in groups.values():
            yield _Row(members[0][1], name, len(members), _sizes([sizes for sizes, _ in members]))


def _sizes(cases: Sequence[dict[str, str]]) -> str:
    parts: list[str] = []
    for key, first in cases[0].items():
        values = {sizes[key] for sizes in cases}
        if len(values) == 1 or not all(value.isdecimal() for value in values):
            parts.append(f"{key}={first}" if len(values) == 1 else f"{key}={','.join(sorted(values))}")
        else:
            parts.append(f"{key}={min(map(int, values))}…{max(map(int, values))}")
    return " ".join(parts)


def _closing(observed: Observed, fitted: FittedDispatches, report: CheckReport, medium: Medium) -> Text:
    statuses = Counter(
        kernel.status if kernel.status not in (PASSED, FAILED) else case.status for kernel in report.kernels for case in kernel.cases
    )
    told = [f"{count(number, 'case') if not index else f'{number:,}'} {status}" for index, (status, number) in enumerate(_told(statuses))]
    if fitted.unfitted:
        told.append(f"{len(fitted.unfitted):,} without a case, so inconclusive")
    adapters = {f"{kernel.adapter.name}, {kernel.adapter.driver}" for kernel in report.kernels if kernel.adapter is not None}
    where = f" on {'; '.join(sorted(adapters))}" if adapters else ""
    head = f"{observed.name}, {observed.context_tokens:,} tokens of context: {fitted.dispatches:,} different dispatches"
    return Text(medium.printable(f"{head}; {', '.join(told)}{where}"))


def _told(statuses: Counter[str]) -> Iterator[tuple[str, int]]:
    return ((status.replace("_", " "), statuses[status]) for status in STATUSES if statuses[status])
