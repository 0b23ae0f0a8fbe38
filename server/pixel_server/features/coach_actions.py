"""Code actions of the coach: what can be done about tasks, hunks, remarks, comments and failures where the cursor is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import msgspec
from lsprotocol import types

from pixel_coach.tasks import WORKING, Action, State
from pixel_core.findings import Finding, Severity, Span
from pixel_server.client import Client
from pixel_server.coach_session import ACCEPTABLE, CoachView, TaskView
from pixel_server.features.coach_edits import hunk_edit
from pixel_server.features.coach_hunks import PlacedHunk, said_lines
from pixel_server.features.coach_lens import AGAIN
from pixel_server.features.coach_places import place_of, task_words
from pixel_server.features.coach_remarks import Remark, remarks
from pixel_server.features.coach_tasks import comment_tasks, failing_contracts
from pixel_server.features.command_names import (
    COACH_ACCEPT,
    COACH_APPLY_HUNK,
    COACH_CANCEL,
    COACH_DISMISS_FINDING,
    COACH_EDIT_FIRST,
    COACH_PAUSE,
    COACH_QUEUE,
    COACH_REJECT,
    COACH_REJECT_HUNK,
    COACH_REVIEW_FILE,
    COACH_RUN,
    COACH_SEND_BACK,
    COACH_SHOW_CANDIDATE,
)
from pixel_server.features.diagnostics import findings_of
from pixel_server.features.edits import workspace_edit
from pixel_server.session import Document, ShaderView

_KIND: Final = types.CodeActionKind.QuickFix
_MOST: Final = 5
"""Tasks, and findings, that actions are offered for at one place."""


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """Where actions are asked for.

    Attributes:
        document: The text.
        shader: What is known of it as a shader; None for another document.
        workspace: That new tasks are added to.
        selected: What is selected.
        given: The diagnostics that the editor shows there.
        client: What it can do.
    """

    document: Document
    shader: ShaderView | None
    workspace: Path
    selected: Span
    given: Sequence[types.Diagnostic]
    client: Client

    def touches(self, where: types.Range) -> bool:
        """Whether the lines of a range and the selected ones meet."""
        asked = self.document.content.range(self.selected)
        return where.start.line <= asked.end.line and asked.start.line <= where.end.line


def coach_actions(view: CoachView, place: Place, only: Sequence[str] | None) -> list[types.CodeAction | types.Command]:
    """The actions for a place.

    Args:
        view: The tasks about the document.
        place: Where.
        only: Kinds that are wanted; None for all.
    """
    wanted = [one for one in _actions(view, place) if not only or any(_is_of(str(_value(one.kind)), kind) for kind in only)]
    if place.client.code_action_literals:
        return list(wanted)
    return [one.command for one in wanted if one.command is not None]


def _actions(view: CoachView, place: Place) -> Iterator[types.CodeAction]:
    for remark in remarks(view, place.document):
        if place.touches(place.document.content.range(remark.finding.location.span)):
            yield from _about_remark(remark, place)
    for task in view.open:
        yield from _about_hunks(task, place)
    here = [task for task in view.open if place.touches(place_of(task.task, place.document, place.shader))]
    for task in here[:_MOST]:
        yield from _about_task(task, place)
    yield from _to_queue(view, place)
    command = types.Command(title="Coach: review this file", command=COACH_REVIEW_FILE, arguments=[place.document.uri])
    yield types.CodeAction(title=command.title, kind=types.CodeActionKind.Source, command=command)


def _about_task(view: TaskView, place: Place) -> Iterator[types.CodeAction]:
    task = view.task
    name = f"task {task.number} '{task.title}'"
    if task.state is State.PENDING:
        yield _action(f"Coach: run {name}", COACH_RUN, task.number)
        yield _action(f"Coach: {'resume' if task.is_paused else 'pause'} {name}", COACH_PAUSE, task.number)
        return
    if task.state in WORKING:
        yield _action(f"Coach: stop {name}", COACH_CANCEL, task.number)
        return
    has_text = view.attempt is not None and view.attempt.patch is not None and task.action is not Action.REVIEW
    placed = view.placed(place.document.content.text)
    if has_text:
        yield _action(f"Coach: show the candidate of {task_words(view)}", COACH_SHOW_CANDIDATE, task.number)
    if has_text and placed is not None and not view.refusal and task.state in ACCEPTABLE:
        yield _action(f"Coach: accept all of {name}", COACH_ACCEPT, task.number)
        yield _action(f"Coach: put {name} into the text, to edit it first", COACH_EDIT_FIRST, task.number)
    if task.state in ACCEPTABLE:
        yield _action(f"Coach: {'reject' if has_text else 'close'} {name}", COACH_REJECT if has_text else COACH_ACCEPT, task.number)
    if task.state in AGAIN:
        yield _action(f"Coach: run {name} again", COACH_RUN, task.number)


def _about_hunks(view: TaskView, place: Place) -> Iterator[types.CodeAction]:
    content = place.document.content
    placed = view.placed(content.text) if view.task.state in ACCEPTABLE and not view.refusal else None
    if placed is None or view.attempt is None:
        return
    for one in view.undecided(placed):
        if not place.touches(content.range(one.span)):
            continue
        words = f"hunk {one.hunk.number + 1} of {len(placed)} ({said_lines(one, content)})"
        arguments = (view.task.number, view.attempt.number, one.hunk.number)
        yield _accept_hunk(view, one, f"Coach: accept {words}", arguments, place)
        if len(placed) > 1:
            yield _action(f"Coach: leave {words} out", COACH_REJECT_HUNK, *arguments)


def _accept_hunk(view: TaskView, one: PlacedHunk, title: str, arguments: tuple[int, ...], place: Place) -> types.CodeAction:
    if not (place.client.code_action_literals and place.client.document_changes):
        # Without a version an edit might meet another text; the command looks again.
        return _action(title, COACH_APPLY_HUNK, *arguments)
    return types.CodeAction(title=title, kind=_KIND, edit=hunk_edit(view, [one], place.document, place.client))


def _about_remark(remark: Remark, place: Place) -> Iterator[types.CodeAction]:
    found, document = remark.finding, place.document
    where = document.content.range(found.location.span)
    about = [one for one in place.given if one.code == found.code and one.range == where]
    if found.fix is not None and place.client.code_action_literals:
        edit = types.TextEdit(range=document.content.range(found.fix.span), new_text=found.fix.new_text)
        yield types.CodeAction(
            title=found.fix.title,
            kind=_KIND,
            diagnostics=about or None,
            edit=workspace_edit(document.uri, document.version, [edit], place.client),
        )
    arguments = [remark.task.number, remark.attempt.number, remark.fingerprint]
    for title, command in (("Send back to the coach", COACH_SEND_BACK), ("Dismiss for good", COACH_DISMISS_FINDING)):
        yield types.CodeAction(
            title=f"{title}: {found.code}",
            kind=_KIND,
            diagnostics=about or None,
            command=types.Command(title=title, command=command, arguments=arguments),
        )


def _to_queue(view: CoachView, place: Place) -> Iterator[types.CodeAction]:
    """What is no task yet."""
    uri, document = place.document.uri, place.document
    known = {one.task.key for one in (*view.open, *view.done)}
    for task in comment_tasks(document, place.workspace):
        if task.key not in known and place.touches(_line(task.metadata["line"] - 1)):
            yield _action(f"Coach: queue '{task.title}'", COACH_QUEUE, {"uri": uri, "from": "comment", "key": task.key})
    if place.shader is None:
        return
    here = [found for found in findings_of(place.shader) if _is_at(found, place)]
    at_work = {one.task.contract for one in view.open if one.task.action is Action.REPAIR_KERNEL}
    for contract in failing_contracts(place.shader, here):
        if contract not in at_work:
            yield _action(f"Coach: repair this kernel ({contract})", COACH_QUEUE, {"uri": uri, "from": "verdict", "contract": contract})
    for found in [one for one in here if not one.code.startswith("PX4") and one.severity <= Severity.WARNING][:_MOST]:
        line = document.content.range(found.location.span).start.line + 1
        yield _action(f"Coach: queue '{found.code}'", COACH_QUEUE, {"uri": uri, "from": "finding", "code": found.code, "line": line})


def _is_at(found: Finding, place: Place) -> bool:
    span = found.location.span
    return span is not None and found.location.path == place.document.path and place.touches(place.document.content.range(span))


def _action(title: str, command: str, *arguments: Any) -> types.CodeAction:
    return types.CodeAction(title=title, kind=_KIND, command=types.Command(title=title, command=command, arguments=list(arguments)))


def _line(number: int) -> types.Range:
    return types.Range(start=types.Position(line=number, character=0), end=types.Position(line=number, character=0))


def _value(kind: object) -> object:
    return getattr(kind, "value", kind)


def _is_of(kind: str, wanted: str) -> bool:
    return wanted == "" or kind == wanted or kind.startswith(f"{wanted}.")
