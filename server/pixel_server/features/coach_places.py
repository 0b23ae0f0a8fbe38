"""Where in a document a task belongs: at the kernel whose contract it names, at the comment it came from, else at the top."""

from __future__ import annotations

from lsprotocol import types

from pixel_coach.tasks import Action, State, Task
from pixel_coach.todo_comments import find_todo_comments
from pixel_core.findings import Span
from pixel_server.coach_session import TaskView
from pixel_server.session import Document, ShaderView

_STATES = {
    State.PENDING: "pending",
    State.IN_PROGRESS: "running",
    State.IN_REVIEW: "in review",
    State.AWAITING_ACCEPTANCE: "awaits your acceptance",
    State.NEEDS_HUMAN: "needs you",
    State.FAILED: "failed",
    State.BLOCKED: "blocked",
    State.COMPLETED: "completed",
    State.CANCELLED: "cancelled",
}


def place_of(task: Task, document: Document, view: ShaderView | None) -> types.Range:
    """The range that the lens of a task stands over."""
    content = document.content
    if view is not None and task.contract is not None:
        for entry in view.analysis.loaded.entry_points:
            if any(contract.name == task.contract for contract in view.contracts_of(entry.name)):
                return content.range(entry.span)
    if task.key is not None and task.key.startswith("todo:"):
        asked = find_todo_comments(content.text, task.target)
        line = next((one.metadata["line"] for one in asked if one.key == task.key), None)
        if line is not None:
            return _line(line - 1)
    return content.range(Span(0, 0))


def task_words(view: TaskView) -> str:
    """`task 12 'Tiled matmul': awaits your acceptance, 8/10`."""
    task, attempt = view.task, view.attempt
    said = [_STATES[task.state]]
    if task.is_paused and task.state is State.PENDING:
        said = ["paused"]
    if task.action is Action.REVIEW and task.state in {State.AWAITING_ACCEPTANCE, State.NEEDS_HUMAN}:
        said = ["reviewed"]
    review = None if attempt is None else attempt.review
    if said == ["reviewed"] and (review is None or not review.is_model):
        said = ["not reviewed"]
    elif review is not None and task.state is not State.PENDING:
        said.append(f"{review.score}/10" if review.is_model else "unreviewed")
    return f"task {task.number} '{task.title}': {', '.join(said)}"


def _line(number: int) -> types.Range:
    start = types.Position(line=number, character=0)
    return types.Range(start=start, end=start)
