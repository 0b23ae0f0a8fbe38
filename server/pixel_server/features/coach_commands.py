"""What `workspace/executeCommand` does for the coach. The queue decides what may be done; what it refuses is said in a sentence."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

from lsprotocol import types

from pixel_coach.anchor_findings import fingerprint
from pixel_coach.apply import read_base
from pixel_coach.attempts import ReviewFinding
from pixel_coach.errors import QueueError
from pixel_coach.protect import check_target
from pixel_coach.read_settings import read_settings
from pixel_coach.reject import reject
from pixel_coach.store import Store
from pixel_coach.tasks import TRANSITIONS, Action, NewTask, State, Task
from pixel_core.errors import PixelError
from pixel_server.coach_runs import CoachRuns
from pixel_server.coach_session import ACCEPTABLE, OPEN, CoachSession
from pixel_server.editor import Editor
from pixel_server.features import command_names
from pixel_server.features.coach_arguments import fields_of, number_at, number_if_given, open_file, text_at
from pixel_server.features.coach_decisions import CoachDecisions
from pixel_server.features.coach_tasks import comment_tasks, find_finding, finding_task, one_line, repair_task, review_task
from pixel_server.kernel_checks import KernelChecks
from pixel_server.session import Document, Session

Handler = Callable[..., Awaitable[Any]]


def coach_handlers(commands: CoachCommands, decisions: CoachDecisions, editor: Editor) -> Mapping[str, Handler]:
    """Every command of the coach with what executes it. What the queue, a path or the settings refuse is told to the user."""
    by_name: dict[str, Handler] = {
        command_names.COACH_RUN: commands.run,
        command_names.COACH_PAUSE: commands.pause,
        command_names.COACH_CANCEL: commands.cancel,
        command_names.COACH_QUEUE: commands.queue,
        command_names.COACH_DISMISS_FINDING: commands.dismiss_finding,
        command_names.COACH_REVIEW_FILE: commands.review_file,
        command_names.COACH_SEND_BACK: commands.send_back,
        command_names.COACH_SHOW_CANDIDATE: decisions.show_candidate,
        command_names.COACH_ACCEPT: decisions.accept,
        command_names.COACH_REJECT: decisions.reject,
        command_names.COACH_APPLY_HUNK: decisions.apply_hunk,
        command_names.COACH_REJECT_HUNK: decisions.reject_hunk,
        command_names.COACH_EDIT_FIRST: decisions.edit_first,
    }
    return {name: _refusing(handler, editor) for name, handler in by_name.items()}


class CoachCommands:
    """The commands about tasks.

    Args:
        session: The documents.
        editor: Who is told.
        coach: The tasks about the documents.
        runs: The coach's processes.
        checks: Knows what is analysed, and trusts.
    """

    def __init__(self, session: Session, editor: Editor, coach: CoachSession, runs: CoachRuns, checks: KernelChecks) -> None:
        self._session = session
        self._editor = editor
        self._coach = coach
        self._runs = runs
        self._checks = checks

    async def run(self, *arguments: Any) -> dict[str, Any] | None:
        """`[task]`: work on a task, now or when earlier requests are done. Answers at once; progress tells the rest."""
        number = number_at(arguments, 0)
        task = await self._coach.store.change(lambda store: store.get(number))
        return await self._run(task) if await self._is_allowed(task) else None

    async def pause(self, *arguments: Any) -> dict[str, Any]:
        """`[task]`: keep a task from being taken, or let a paused one be taken again."""
        number = number_at(arguments, 0)

        def toggle(store: Store) -> Task:
            return store.resume(number) if store.get(number).is_paused else store.pause(number)

        return await self._coach.change(toggle)

    async def cancel(self, *arguments: Any) -> bool:
        """`[task?]`: stop a task's run, or the one there is; the task goes back to the queue. Answers whether it ran or waited here."""
        asked_for = number_if_given(arguments, 0)
        number = self._runs.running if asked_for is None else asked_for
        if number is None:
            raise QueueError("no task is run from this editor")
        if not self._runs.cancel(number):
            hint = f"`pixel-lsp cancel {number}` gives a task up, wherever it runs"
            raise QueueError(f"task {number} is not run from this editor", hint=hint)
        return True

    async def queue(self, *arguments: Any) -> dict[str, Any] | None:
        """`[{uri, from: comment | verdict | finding | words, …}]`: put a task into the queue.

        A comment is named by its `key`, a verdict by its `contract`, a finding by `code` and `line`; words are a `title`.
        """
        given: Mapping[str, Any] = fields_of(arguments[0] if arguments else None)
        document = open_file(self._session, given.get("uri"))
        workspace = self._session.workspace_of(document.path)
        task = self._new_task(given, document, workspace)
        if task is None:
            raise QueueError("that is no longer there", hint="look at the file as it is now, and ask again")
        return await self._add(task)

    async def dismiss_finding(self, *arguments: Any) -> bool:
        """`[task, attempt, fingerprint]`: never show a review's finding again, on this line's words, in this workspace."""
        number, _, mark = number_at(arguments, 0), number_at(arguments, 1), text_at(arguments, 2)
        await self._coach.store.change(lambda store: store.dismiss(store.get(number).workspace, mark))
        await self._coach.look()
        return True

    async def send_back(self, *arguments: Any) -> dict[str, Any] | None:
        """`[task, attempt, fingerprint]`: have the coach do what a review's finding says."""
        number, attempt, mark = number_at(arguments, 0), number_at(arguments, 1), text_at(arguments, 2)
        if not await self._is_allowed(await self._coach.store.change(lambda store: store.get(number))):
            return None
        task = await self._coach.store.change(lambda store: _send_back(store, number, attempt, mark))
        await self._coach.look()
        return await self._run(task)

    async def review_file(self, *arguments: Any) -> dict[str, Any] | None:
        """`[uri]`: have a file reviewed as it is saved."""
        document = open_file(self._session, arguments[0] if arguments else None)
        workspace = self._session.workspace_of(document.path)
        new = review_task(document, workspace)
        if new is None:
            raise QueueError(f"{document.path.name} lies outside of the workspace {workspace}")

        def find_or_add(store: Store) -> Task:
            known = store.tasks(workspace=workspace, target=new.target, states=OPEN)
            task = next((one for one in known if one.action is Action.REVIEW), None)
            if task is not None and task.state in ACCEPTABLE:
                # Nobody needs to have read the last one.
                task = store.change_state(task.number, State.PENDING, "reviewed again")
            return task or store.add(new)

        if not await self._is_allowed_in(workspace):
            return None
        return await self._run(await self._coach.store.change(find_or_add))

    async def _run(self, task: Task) -> dict[str, Any]:
        if not self._runs.has(task.number):
            task = await self._coach.store.change(lambda store: _made_ready(store, task.number))
            self._warn_of_unsaved(task)
        state = self._runs.begin(task)
        await self._coach.look()
        return {"task": task.number, "state": state}

    def _new_task(self, given: Mapping[str, Any], document: Document, workspace: Path) -> NewTask | None:
        shader = self._session.shader_of(document.uri)
        shown = self._session.view(shader) if shader is not None else None
        match given.get("from"):
            case "comment":
                return next((task for task in comment_tasks(document, workspace) if task.key == given.get("key")), None)
            case "verdict" if shown is not None:
                return repair_task(shown, document, workspace, str(given.get("contract")))
            case "finding" if shown is not None and isinstance(given.get("line"), int):
                found = find_finding(shown, document, str(given.get("code")), given["line"])
                return finding_task(found, document, workspace) if found is not None else None
            case "words" if isinstance(given.get("title"), str):
                reviewed = review_task(document, workspace)
                title = one_line(given["title"])
                return reviewed and NewTask(workspace=workspace, title=title, action=Action.EDIT_FILE, target=reviewed.target)
            case _:
                return None

    async def _add(self, task: NewTask) -> dict[str, Any]:
        def add(store: Store) -> Task:
            check_target(task.workspace, task.target, read_settings(task.workspace, os.environ)[0].protected, action=task.action)
            known = store.tasks(workspace=task.workspace, target=task.target, states=OPEN)
            same = next((one for one in known if (one.title, one.action, one.contract) == (task.title, task.action, task.contract)), None)
            return same or store.add(task)

        return await self._coach.change(add)

    async def _is_allowed(self, task: Task) -> bool:
        documents = [document.path for document in self._session.documents.values() if document.is_file]
        known = {root for path in documents for root in self._coach.workspaces_of(path)} | set(self._session.folders)
        if task.workspace not in known:
            raise QueueError(f"task {task.number} belongs to the workspace {task.workspace}", hint="open that folder")
        return await self._is_allowed_in(task.workspace)

    async def _is_allowed_in(self, workspace: Path) -> bool:
        """Whether the coach may run in a workspace: it runs what lies there. The user is asked where the editor is silent."""
        trust = self._session.trust
        if trust.allows(workspace):
            return True
        if trust.editor is False:
            self._editor.show_message(types.MessageType.Warning, "the coach runs only in trusted workspaces: trust this one in the editor")
            return False
        question = f"May the coach work in {workspace}? It runs the kernels, references and tests there."
        if await self._editor.ask(f"{question} Trust only folders whose content you know.", ("Trust", "Not now")) != "Trust":
            return False
        self._checks.trust(workspace)
        return True

    def _warn_of_unsaved(self, task: Task) -> None:
        path = task.workspace / task.target
        for document in self._session.documents.values():
            if document.is_file and document.path.resolve() == path:
                text, _ = read_base(task.workspace, task.target)
                if text != document.content.text:
                    self._editor.show_message(
                        types.MessageType.Warning, f"{task.target} has unsaved changes; the coach works on the file as it is saved"
                    )


def _refusing(handler: Handler, editor: Editor) -> Handler:
    """A handler that tells the user what is refused, and answers null then."""

    async def answer(*arguments: Any) -> Any:
        try:
            return await handler(*arguments)
        except (PixelError, OSError) as problem:
            said = problem.message if isinstance(problem, PixelError) else str(problem.strerror or problem)
            hint = problem.hint if isinstance(problem, PixelError) else None
            editor.show_message(types.MessageType.Warning, f"{said} ({hint})" if hint else said)
            return None

    return answer


def _made_ready(store: Store, number: int) -> Task:
    """Let a task be taken that failed, was given up or is paused.

    Raises:
        QueueError: It awaits acceptance, or is completed.
    """
    with store.together():
        task = store.get(number)
        if task.state is State.AWAITING_ACCEPTANCE:
            raise QueueError(f"task {number} awaits your acceptance", hint="accept or reject it, or send it back")
        if (
            task.state is not State.PENDING
            and State.PENDING in TRANSITIONS[task.state]
            and task.state not in (State.IN_PROGRESS, State.IN_REVIEW)
        ):
            task = store.change_state(number, State.PENDING)
        return store.resume(number) if task.is_paused else task


def _send_back(store: Store, number: int, attempt_number: int, mark: str) -> Task:
    """The task that is to do what a finding says: the one that was reviewed, while it can; else a new one."""
    task, attempt = store.get(number), store.attempt(attempt_number)
    findings: tuple[ReviewFinding, ...] = attempt.review.findings if attempt.review is not None and attempt.task == number else ()
    found = next((one for one in findings if fingerprint(task.target, one) == mark), None)
    if found is None:
        raise QueueError("that finding is not one of the review any more")
    said = f"{found.rule} in line {found.line} (`{found.quote.strip()}`): {found.message}"
    if found.suggestion.strip():
        said += f"; suggested: `{found.suggestion.strip()}`"
    if task.action is not Action.REVIEW and task.state in ACCEPTABLE:
        return reject(store, number, said, retry=True)
    return store.add(
        NewTask(
            workspace=task.workspace,
            title=one_line(f"{found.rule}: {found.message}"),
            action=Action.EDIT_FILE,
            target=task.target,
            description=f"A review of {task.target} remarks, and this is to be done:\n\n{said}",
            metadata={"line": found.line, "finding": found.rule, "reviewed_by": number},
        )
    )
