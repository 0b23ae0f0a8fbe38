"""What reviews remarked about the text that is open, as findings PX8xx: on lines that are still as they were reviewed, each once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import msgspec
from lsprotocol import types
from msgspec.structs import replace

from pixel_coach.anchor_findings import fingerprint
from pixel_coach.attempts import Attempt, Review, ReviewFinding
from pixel_coach.hunks import Hunk, hunks
from pixel_coach.tasks import Action, State, Task
from pixel_core.findings import Finding, Fix, Location, Severity, Span
from pixel_core.rules import RULES
from pixel_server.client_text import ClientText
from pixel_server.coach_session import CoachView, TaskView
from pixel_server.session import Document
from pixel_server.to_lsp import Places, to_diagnostic

_MOST_COMPARED: Final = 1_000_000
"""Pairs of lines that are compared to follow a remark, as somebody types: some ten milliseconds. A text that differs more has none."""

_SEVERITIES: Final[Mapping[str, Severity]] = {"error": Severity.ERROR, "warning": Severity.WARNING, "info": Severity.INFO}


class Remark(msgspec.Struct, frozen=True, kw_only=True):
    """A review's finding on the open text.

    Attributes:
        finding: As it is shown.
        task: That was reviewed.
        attempt: Whose text was reviewed.
        review_finding: As the reviewer wrote it.
        fingerprint: What a dismissal remembers.
    """

    finding: Finding
    task: Task
    attempt: Attempt
    review_finding: ReviewFinding
    fingerprint: str

    @property
    def data(self) -> dict[str, Any]:
        """What the diagnostic carries."""
        return {
            "code": self.finding.code,
            "task": self.task.number,
            "attempt": self.attempt.number,
            "fingerprint": self.fingerprint,
        }


def remarks(view: CoachView, document: Document) -> tuple[Remark, ...]:
    """The remarks that hold for a document as it is, in the order of its lines."""
    found: dict[tuple[str, int], Remark] = {}
    for task, attempt, review in _reviewed(view):
        for remark in _of_review(task, attempt, review, document):
            span = remark.finding.location.span
            if remark.fingerprint not in view.dismissed and span is not None:
                found.setdefault((remark.finding.code, span.start), remark)
    return tuple(remark for _, remark in sorted(found.items(), key=lambda entry: entry[0][1]))


def remark_diagnostics(view: CoachView, document: Document, places: Places) -> list[types.Diagnostic]:
    """The remarks as the editor shows them."""
    here = replace(places, texts={**places.texts, document.path: document.content})
    shown: list[types.Diagnostic] = []
    for remark in remarks(view, document):
        diagnostic = to_diagnostic(remark.finding, here)
        diagnostic.data = remark.data
        shown.append(diagnostic)
    return shown


def _reviewed(view: CoachView) -> Iterator[tuple[Task, Attempt, Review]]:
    """The reviews that may speak of the open text, newest first.

    Of reviews that somebody asked for, the newest speaks for all. What the local rules say of a candidate is left out: it is about the
    whole text, and not only about what the candidate's author wrote.
    """
    known = [one for one in (*view.open, *view.done) if one.attempt is not None and one.attempt.review is not None]
    has_review = False
    for one in sorted(known, key=lambda one: -_number(one)):
        assert one.attempt is not None
        assert one.attempt.review is not None
        is_asked_for = one.task.action is Action.REVIEW
        if (is_asked_for and has_review) or not (is_asked_for or one.attempt.review.is_model):
            continue
        has_review |= is_asked_for
        if one.task.state is not State.PENDING or is_asked_for:
            yield one.task, one.attempt, one.attempt.review


def _number(one: TaskView) -> int:
    return 0 if one.attempt is None else one.attempt.number


def _of_review(task: Task, attempt: Attempt, review: Review, document: Document) -> Iterator[Remark]:
    if attempt.patch is None or not review.findings:
        return
    content = document.content
    if _differing_pairs(attempt.patch.new_text, content.text) > _MOST_COMPARED:
        return
    changes = hunks(attempt.patch.new_text, content.text)
    lines = ClientText(content.text, "utf-32")
    for one in review.findings:
        line = _line_now(one.line, changes)
        rule = RULES.get(one.rule)
        if line is None or rule is None:
            continue
        span = _span_of_line(lines, line)
        # The reviewer's line counts as Python breaks lines, which differs where a text holds form feeds.
        if span is None or content.text[span.start : span.end] != one.quote.strip():
            continue
        by = f"{review.reviewer}, {review.score}/10" if review.is_model else "local rules, no model"
        finding = Finding(
            code=one.rule,
            severity=_SEVERITIES.get(one.severity, Severity.WARNING),
            message=one.message,
            location=Location(document.path, span),
            notes=(f"review of task {task.number} '{task.title}' ({by})",),
            fix=Fix(title="Apply the reviewer's suggestion", span=span, new_text=one.suggestion.strip())
            if one.suggestion.strip()
            else None,
        )
        yield Remark(finding=finding, task=task, attempt=attempt, review_finding=one, fingerprint=fingerprint(task.target, one))


def _differing_pairs(old: str, new: str) -> int:
    """How many pairs of lines lie between what two texts have in common at their beginning and at their end."""
    before, after = old.splitlines(), new.splitlines()
    shorter = min(len(before), len(after))
    head = next((number for number in range(shorter) if before[number] != after[number]), shorter)
    tail = next((number for number in range(shorter - head) if before[-1 - number] != after[-1 - number]), shorter - head)
    return (len(before) - head - tail) * (len(after) - head - tail)


def _line_now(line: int, changes: Sequence[Hunk]) -> int | None:
    """Where a line of the reviewed text is now; None when it was changed.

    Args:
        line: In the reviewed text, from 1.
        changes: From the reviewed text to the present one.
    """
    moved = 0
    for change in changes:
        if change.old_line > line:
            break
        removed, added = (len(text.splitlines()) for text in (change.old_text, change.new_text))
        if line < change.old_line + removed:
            return None
        moved += added - removed
    return line + moved


def _span_of_line(lines: ClientText, line: int) -> Span | None:
    """A line without the blanks around it."""
    start = lines.offset(types.Position(line=line - 1, character=0))
    end = lines.offset(types.Position(line=line - 1, character=1 << 30))
    text = lines.text[start:end]
    if not text.strip():
        return None
    return Span(start + len(text) - len(text.lstrip()), start + len(text.rstrip()))
