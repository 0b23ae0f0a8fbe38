"""`pixel-lsp show-task`: what is asked, what was tried, what was executed, what the reviewer said."""

from __future__ import annotations

import difflib
import sys
from collections.abc import Sequence

from rich.console import Console
from rich.text import Text

from pixel_coach.accept import best_attempt
from pixel_coach.apply import read_base
from pixel_coach.attempts import Attempt, Patch, Proof
from pixel_coach.errors import QueueError
from pixel_coach.tasks import Action, State, Task
from pixel_server.coach_queue import open_queue
from pixel_server.exit_codes import PASSED_CODE
from pixel_server.task_json import attempt_value, json_text, task_value
from pixel_server.terminal.medium import medium_of
from pixel_server.terminal.open_console import open_console
from pixel_server.terminal.render_tasks import render_attempt, render_attempts, render_task

_DIFF_STYLES = {"+": "green", "-": "red", "@": "cyan"}


def show_task(number: int, *, attempt_number: int | None, form: str, color: bool) -> int:
    """Show a task on standard output. Returns the exit code.

    Args:
        number: Of the task.
        attempt_number: This attempt alone; None shows all shortly and the best in full.
        form: `text`, `json`, `code` (the attempt's text) or `diff` (against the file as it is now).
        color: False for none; True leaves it to the terminal.

    Raises:
        QueueError: There is no such task or attempt, or the attempt holds no text.
    """
    with open_queue() as store:
        task = store.get(number)
        attempts = store.attempts(number)
        waiting = store.explain_waiting(number) if task.state is State.PENDING else ""
    chosen = _chosen(task, attempts, attempt_number)
    if form == "json":
        listed = [
            attempt_value(attempt, texts=attempt_number is not None) for attempt in attempts if attempt_number in {None, attempt.number}
        ]
        best = best_attempt(attempts)
        value = {"task": task_value(task), "waiting": waiting, "best": None if best is None else best.number, "attempts": listed}
        sys.stdout.write(json_text(value))
        return PASSED_CODE
    console = open_console(color=color)
    if form == "code":
        # As it is, for a file or another program; a terminal gets what it can show.
        code = _patch(task, chosen).new_text
        sys.stdout.write(medium_of(console).printable(code) if console.is_terminal else code)
    elif form == "diff":
        _show_diff(task, _patch(task, chosen), console)
    else:
        _show_text(task, attempts, chosen, waiting, console, alone=attempt_number is not None)
    return PASSED_CODE


def _chosen(task: Task, attempts: Sequence[Attempt], number: int | None) -> Attempt | None:
    if number is None:
        return best_attempt(attempts) or (attempts[-1] if attempts else None)
    found = next((attempt for attempt in attempts if attempt.number == number), None)
    if found is None:
        there_are = ", ".join(str(attempt.number) for attempt in attempts) or "none"
        raise QueueError(f"task {task.number} has no attempt {number}", hint=f"its attempts are: {there_are}")
    return found


def _patch(task: Task, attempt: Attempt | None) -> Patch:
    if attempt is None:
        raise QueueError(f"task {task.number} has no attempt yet", hint=f"`pixel-lsp --coach --task {task.number}` works on it")
    if attempt.patch is None:
        raise QueueError(
            f"attempt {attempt.number} holds no usable text", hint=f"`pixel-lsp show-task {task.number} --format json` has its reply"
        )
    return attempt.patch


def _show_diff(task: Task, patch: Patch, console: Console) -> None:
    old, _ = read_base(task.workspace, patch.path)
    before, after = (text.splitlines(keepends=True) for text in (old or "", patch.new_text))
    label = "/dev/null" if old is None else f"a/{patch.path}"
    medium = medium_of(console)
    for line in difflib.unified_diff(before, after, label, f"b/{patch.path}"):
        text = line.rstrip("\r\n")
        console.print(Text(medium.printable(text), _DIFF_STYLES.get(text[:1], "")), soft_wrap=True)
        if not line.endswith("\n"):
            console.print(Text("\\ No newline at end of file"), soft_wrap=True)


def _show_text(task: Task, attempts: Sequence[Attempt], chosen: Attempt | None, waiting: str, console: Console, *, alone: bool) -> None:
    medium = medium_of(console)
    if not alone:
        console.print(render_task(task, waiting, medium), soft_wrap=True)
        console.print()
        console.print(render_attempts(attempts, medium) if attempts else Text("no attempt yet"), soft_wrap=True)
    if chosen is not None:
        if not alone:
            console.print()
        console.print(render_attempt(chosen, medium), soft_wrap=True)
    to_do = "" if alone else _to_do(task, chosen)
    if to_do:
        console.print(Text(f"\nto do: {to_do}"), soft_wrap=True)


def _to_do(task: Task, chosen: Attempt | None) -> str:
    """What a person can do about a task; empty where it is not their turn."""
    retry = f"pixel-lsp retry {task.number}"
    if task.state in {State.FAILED, State.BLOCKED, State.CANCELLED}:
        return f"{retry}, which puts it back into the queue"
    if task.state not in {State.AWAITING_ACCEPTANCE, State.NEEDS_HUMAN}:
        return ""
    if chosen is None or chosen.patch is None:
        return f"{retry}, perhaps after pixel-lsp edit {task.number} --description '…'"
    show = f"pixel-lsp show-task {task.number}"
    if task.action is Action.REVIEW and (chosen.review is None or not chosen.review.is_model):
        return f"{retry}, once a reviewer can be asked: pixel-lsp agents"
    if task.action is Action.REVIEW:
        return f"pixel-lsp accept {task.number}, once you have read it"
    if chosen.evidence is None or chosen.evidence.proof is Proof.REFUTED:
        return f"{show} --diff to see how far it came, then {retry}, or mend the file by hand"
    return f"{show} --diff, then pixel-lsp accept {task.number}, or pixel-lsp reject {task.number} --reason 'why'"
