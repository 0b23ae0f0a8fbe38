"""What a person decides about a candidate: which hunks are taken, which are left out, and when the task is completed by that.

In an open document a hunk comes as an edit, and the user saves. Only then, with every hunk decided and the file as it should be, is the
task completed: so nothing counts as done that is not on the disk. A document that is not open is written through `pixel_coach.accept`.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

from lsprotocol import types
from pygls.exceptions import JsonRpcException
from pygls.lsp.server import LanguageServer

from pixel_coach.accept import accept
from pixel_coach.apply import read_base
from pixel_coach.errors import QueueError
from pixel_coach.read_settings import read_settings
from pixel_coach.reject import reject
from pixel_coach.store import Store
from pixel_coach.tasks import Action, State, Task
from pixel_server.coach_session import ACCEPTABLE, CoachSession, TaskView
from pixel_server.editor import Editor
from pixel_server.features.coach_arguments import number_at, number_if_given
from pixel_server.features.coach_candidate import candidate_value, read_candidate, write_diff
from pixel_server.features.coach_edits import hunk_edit, with_hunks
from pixel_server.features.coach_hunks import PlacedHunk
from pixel_server.session import Document, Session


class CoachDecisions:
    """The commands about candidates.

    Args:
        server: Sends edits.
        session: The documents.
        editor: Who is told.
        coach: The tasks about the documents.
    """

    def __init__(self, server: LanguageServer, session: Session, editor: Editor, coach: CoachSession) -> None:
        self._server = server
        self._session = session
        self._editor = editor
        self._coach = coach
        self._edited_first: set[int] = set()

    async def show_candidate(self, *arguments: Any) -> dict[str, Any]:
        """`[task, attempt?]`: the candidate as data; as a diff in an editor that opens documents and does not show candidates itself."""
        number, attempt_number = number_at(arguments, 0), number_if_given(arguments, 1)
        task, attempt, patch = await self._coach.store.change(lambda store: read_candidate(store, number, attempt_number))
        client = self._session.client
        if client.shows_documents and not client.shows_candidates:
            uri = write_diff(task, attempt, patch).as_uri()
            try:
                await self._server.window_show_document_async(types.ShowDocumentParams(uri=uri, take_focus=True))
            except JsonRpcException as problem:
                self._editor.log(f"the editor did not open {uri}: {problem}")
        elif not client.shows_candidates:
            self._editor.show_message(types.MessageType.Info, f"`pixel-lsp show-task {number} --diff` prints the candidate")
        return candidate_value(task, attempt, patch)

    async def candidate(self, *arguments: Any) -> dict[str, Any]:
        """`pixelLsp/candidate`: the same without showing anything."""
        number, attempt_number = number_at(arguments, 0), number_if_given(arguments, 1)
        return candidate_value(*await self._coach.store.change(lambda store: read_candidate(store, number, attempt_number)))

    async def accept(self, *arguments: Any) -> dict[str, Any] | None:
        """`[task, attempt?]`: take all hunks that are not left out; in an open document as an edit, and saving completes the task."""
        number, attempt = number_at(arguments, 0), number_if_given(arguments, 1)
        found = await self._find(number, attempt)
        if found is None or not found[1].changes:
            return await self._coach.change(lambda store: _accept_whole(store, number, attempt))
        document, view, placed = found
        wanted = view.undecided(placed)
        if not wanted:
            await self.settle(document)
            return {"task": number, "applied": True}
        if self._session.client.applies_edits:
            return {"task": number, "applied": await self._apply(view, wanted, document)}
        return await self._write(document, view, wanted)

    async def apply_hunk(self, *arguments: Any) -> dict[str, Any]:
        """`[task, attempt, hunk]`: take one hunk, counted from 0, as an edit."""
        number, attempt, hunk = (number_at(arguments, index) for index in range(3))
        document, view, chosen = await self._hunk(number, attempt, hunk)
        return {"task": number, "applied": await self._apply(view, [chosen], document)}

    async def reject_hunk(self, *arguments: Any) -> dict[str, Any]:
        """`[task, attempt, hunk]`: leave one hunk out; a task of which every hunk is left out is rejected."""
        number, attempt, hunk = (number_at(arguments, index) for index in range(3))
        document, view, chosen = await self._hunk(number, attempt, hunk)
        return await self._leave_out(document, view, frozenset({chosen.hunk.number}))

    async def reject(self, *arguments: Any) -> dict[str, Any]:
        """`[task, reason?]`: refuse what a task came to; where some hunks are taken already, leave the others out."""
        number = number_at(arguments, 0)
        reason = arguments[1] if len(arguments) > 1 and isinstance(arguments[1], str) and arguments[1].strip() else "refused in the editor"
        await self._coach.look()
        found = self._coach.task(number)
        placed = found[1].placed(found[0].content.text) if found is not None else None
        if found is not None and placed and any(one.is_taken for one in placed):
            document, view = found
            return await self._leave_out(document, view, frozenset(one.hunk.number for one in view.undecided(placed)))
        return await self._coach.change(lambda store: reject(store, number, reason, retry=False))

    async def edit_first(self, *arguments: Any) -> dict[str, Any]:
        """`[task, attempt?]`: put the candidate into the open document; the task is completed by whatever is saved then."""
        number = number_at(arguments, 0)
        found = await self._find(number, number_if_given(arguments, 1))
        if found is None:
            raise QueueError(f"the file of task {number} is not open", hint="open it, and ask again")
        document, view, placed = found
        applied = await self._apply(view, view.undecided(placed), document)
        if applied:
            self._edited_first.add(number)
        return {"task": number, "applied": applied}

    async def settle(self, document: Document) -> None:
        """Complete the tasks whose every hunk is decided, now that the file is as the user wants it."""
        for view in self._coach.view(document.uri).open:
            if view.task.state not in ACCEPTABLE or view.refusal or view.attempt is None or view.task.action is Action.REVIEW:
                continue
            text, _ = read_base(view.task.workspace, view.task.target)
            placed = view.placed(text) if text is not None else None
            number, attempt = view.task.number, view.attempt.number
            if number in self._edited_first and text is not None and text != view.base:
                self._edited_first.discard(number)
                await self._coach.change(
                    lambda store, n=number, a=attempt: store.change_state(n, State.COMPLETED, f"accepted attempt {a} with edits")
                )
            elif placed and any(one.is_taken for one in placed) and not view.undecided(placed):
                await self._coach.change(
                    lambda store, n=number, a=attempt, saved=text: (
                        accept(store, n, protected=_protected(store, n), attempt_number=a, new_text=saved).task
                    )
                )

    def forget(self, document: Document) -> None:
        """A document was closed: what was put into it to be edited first was saved, or dropped."""
        self._edited_first -= {view.task.number for view in self._coach.view(document.uri).open}

    async def _find(self, number: int, attempt: int | None) -> tuple[Document, TaskView, tuple[PlacedHunk, ...]] | None:
        """A task of an open document, and where its hunks are in it; None when the document is not open, and for a review.

        Raises:
            QueueError: The candidate is refuted, another one by now, or was made from another text.
        """
        await self._coach.look()
        found = self._coach.task(number)
        if found is None or found[1].task.action is Action.REVIEW:
            return None
        document, view = found
        if view.attempt is None or view.attempt.patch is None or view.task.state not in ACCEPTABLE:
            raise QueueError(f"task {number} has no candidate that could be accepted")
        if attempt is not None and attempt != view.attempt.number:
            raise QueueError(f"attempt {attempt} is not the one that task {number} keeps", hint="look at the newest candidate")
        if view.refusal:
            raise QueueError(f"attempt {view.attempt.number} is {view.refusal}", hint="run the task again, or mend it by hand")
        placed = view.placed(document.content.text)
        if placed is None:
            raise QueueError(
                f"{document.path.name} is not the text that the candidate of task {number} was made from",
                hint="undo what was edited since, or run the task again",
            )
        return document, view, placed

    async def _hunk(self, number: int, attempt: int, hunk: int) -> tuple[Document, TaskView, PlacedHunk]:
        found = await self._find(number, attempt)
        if found is None:
            raise QueueError(f"the file of task {number} is not open", hint="open it, and ask again")
        document, view, placed = found
        chosen = next((one for one in view.undecided(placed) if one.hunk.number == hunk), None)
        if chosen is None:
            raise QueueError(f"hunk {hunk + 1} of task {number} is decided already, or is none")
        return document, view, chosen

    async def _apply(self, view: TaskView, chosen: Sequence[PlacedHunk], document: Document) -> bool:
        if not self._session.client.applies_edits:
            raise QueueError("this editor takes no edits", hint=f"`pixel-lsp accept {view.task.number}` writes the file")
        edit = hunk_edit(view, chosen, document, self._session.client)
        label = f"Coach: task {view.task.number}"
        try:
            result = await self._server.workspace_apply_edit_async(types.ApplyWorkspaceEditParams(edit=edit, label=label))
        except JsonRpcException as problem:
            self._editor.log(f"the editor refused the edit: {problem}", types.MessageType.Warning)
            return False
        return result.applied

    async def _write(self, document: Document, view: TaskView, chosen: Sequence[PlacedHunk]) -> dict[str, Any]:
        """For an editor that takes no edits: write the file, if the editor shows it as it is."""
        on_disk, _ = read_base(view.task.workspace, view.task.target)
        if on_disk != document.content.text:
            raise QueueError(f"{document.path.name} has unsaved changes", hint="save or undo them, and ask again")
        text = with_hunks(document.content.text, chosen)
        number = view.task.number
        return await self._coach.change(lambda store: accept(store, number, protected=_protected(store, number), new_text=text).task)

    async def _leave_out(self, document: Document, view: TaskView, numbers: frozenset[int]) -> dict[str, Any]:
        assert view.attempt is not None
        self._coach.leave_out(view.attempt.number, numbers)
        await self._coach.look()
        number = view.task.number
        if {change.number for change in view.changes} <= view.rejected | numbers:
            return await self._coach.change(lambda store: reject(store, number, "every hunk was left out", retry=False))
        await self.settle(document)
        return {"task": number, "left_out": sorted(numbers)}


def _accept_whole(store: Store, number: int, attempt: int | None) -> Task:
    """Write a candidate into a file that is not open. A review has nothing to be written, whatever became of its file: it is read."""
    if store.get(number).action is Action.REVIEW:
        return store.change_state(number, State.COMPLETED, "read")
    return accept(store, number, protected=_protected(store, number), attempt_number=attempt).task


def _protected(store: Store, number: int) -> tuple[str, ...]:
    return read_settings(store.get(number).workspace, os.environ)[0].protected
