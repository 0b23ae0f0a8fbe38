"""New tasks from what is open: a comment that asks for something, a finding, a kernel that fails, a file to be reviewed."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pixel_coach.tasks import Action, NewTask
from pixel_coach.todo_comments import find_todo_comments
from pixel_core.findings import Finding
from pixel_core.kernels.report import FAILED
from pixel_server.features.diagnostics import findings_of
from pixel_server.session import Document, ShaderView

LONGEST_TITLE = 200


def comment_tasks(document: Document, workspace: Path) -> tuple[NewTask, ...]:
    """The tasks that the comments of a document ask for; `metadata["line"]` says where."""
    target = target_in(workspace, document.path)
    return () if target is None else find_todo_comments(document.content.text, target, workspace)


def repair_task(view: ShaderView, document: Document, workspace: Path, contract: str) -> NewTask | None:
    """The task to repair the kernel of a contract; None when that one does not fail now."""
    target = target_in(workspace, document.path)
    report = view.report_of(contract) if view.is_current else None
    if target is None or report is None or report.status != FAILED:
        return None
    worst = next((found for found in report.findings if found.code.startswith("PX4")), None)
    said = "" if worst is None else f"\n\n{worst.code}: {worst.message}"
    return NewTask(
        workspace=workspace,
        title=one_line(f"Repair {contract}"),
        action=Action.REPAIR_KERNEL,
        target=target,
        contract=contract,
        description=f"The kernel `{contract}` in {target} fails its contract. Find the mistake and mend it; leave the contract.{said}",
    )


def finding_task(finding: Finding, document: Document, workspace: Path) -> NewTask | None:
    """The task to mend what a finding says."""
    target = target_in(workspace, document.path)
    if target is None:
        return None
    line = 1 if finding.location.span is None else document.content.position(finding.location.span.start).line + 1
    notes = "\n".join(finding.notes)
    return NewTask(
        workspace=workspace,
        title=one_line(f"{finding.code}: {finding.message}"),
        action=Action.EDIT_FILE,
        target=target,
        description=f"In line {line} of {target}:\n\n{finding.code}: {finding.message}\n{notes}\n{finding.hint or ''}".strip(),
        metadata={"line": line, "finding": finding.code},
    )


def review_task(document: Document, workspace: Path) -> NewTask | None:
    """The task to review a file as it is."""
    target = target_in(workspace, document.path)
    if target is None:
        return None
    return NewTask(workspace=workspace, title=one_line(f"Review {target}"), action=Action.REVIEW, target=target)


def failing_contracts(view: ShaderView, codes: Sequence[Finding]) -> tuple[str, ...]:
    """The contracts whose failing results are among some findings."""
    if view.verdict is None or not view.is_current:
        return ()
    return tuple(
        kernel.contract
        for kernel in view.verdict.report.kernels
        if kernel.contract is not None
        and kernel.status == FAILED
        and any(found in codes and found.code.startswith("PX4") for found in kernel.findings)
    )


def find_finding(view: ShaderView, document: Document, code: str, line: int) -> Finding | None:
    """The finding of a code that begins on a line, counted from 1."""
    for found in findings_of(view):
        span = found.location.span
        if span is None or (found.code, found.location.path) != (code, document.path):
            continue
        if document.content.position(span.start).line + 1 == line:
            return found
    return None


def target_in(workspace: Path, path: Path) -> str | None:
    """A file as tasks name it; None when it lies outside of the workspace."""
    resolved = path.resolve()
    return resolved.relative_to(workspace).as_posix() if resolved.is_relative_to(workspace) else None


def one_line(text: str) -> str:
    """A title: one line, not too long."""
    line = " ".join(text.split())
    return line if len(line) <= LONGEST_TITLE else f"{line[: LONGEST_TITLE - 1]}…"
