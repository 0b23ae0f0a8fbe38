"""The dashboard's texts: where it is, what it cost, what was proved, what would change."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from rich.console import Group
from rich.padding import Padding
from rich.text import Text

from pixel_coach.apply import read_base
from pixel_coach.attempts import Attempt
from pixel_coach.errors import CoachError
from pixel_coach.settings import CoachSettings
from pixel_coach.tasks import Task
from pixel_server.dashboard.follow_run import RunView
from pixel_server.dashboard.read_snapshot import Snapshot
from pixel_server.terminal.medium import Medium
from pixel_server.terminal.render_tasks import (
    render_attempt,
    render_attempts,
    render_counts,
    render_evidence,
    render_review,
    render_unavailable,
)
from pixel_server.verdict_words import count

MAX_DIFF_LINES: Final = 2_000
MAX_FOLDER_CHARACTERS: Final = 32
"""What is said of a coach beside it matters more."""

DIFF_STYLES: Final = {"+": "green", "-": "red", "@": "cyan"}


def hang(text: Text) -> Group:
    """The lines of a text, each of which keeps its indent where it is too long and goes on below."""
    lines: list[Padding] = []
    for line in text.split("\n", allow_blank=True):
        indent = len(line.plain) - len(line.plain.lstrip(" "))
        lines.append(Padding(line[indent:], (0, 0, 0, indent)))
    return Group(*lines)


def render_where(workspace: Path, view: RunView | None, medium: Medium, *, is_running: bool) -> Text:
    """One line: the workspace, and whether a coach runs."""
    text = Text.assemble(("pixel-lsp", "bold"), "  ", medium.printable(_short(workspace)), "  ", no_wrap=True, overflow="ellipsis")
    if view is None:
        return text.append("no coach has run here yet: pixel-lsp --coach")
    agents = " + ".join(agent for agent in (view.generator, view.reviewer) if agent)
    if is_running:
        return text.append("● ", "bold").append(medium.printable(f"{view.mode}: {agents}"))
    how = view.ended.reason if view.ended is not None else "it was stopped from outside"
    return text.append(medium.printable(f"no coach runs; the last one ended: {' '.join(how.split())}"))


def render_cost(snapshot: Snapshot, settings: CoachSettings, view: RunView | None) -> Text:
    """One line: how many tasks stand where, the day's spending beside its limits, and the run's."""
    today = snapshot.today
    text = Text(no_wrap=True, overflow="ellipsis").append(render_counts(snapshot.counts))
    text.append(f"   today ${today.dollars:.4f} of ${settings.dollars_per_day:.2f}, {count(today.reviews, 'review')}")
    text.append(f" of {settings.requests_per_day:,}")
    if view is not None:
        text.append(f"   this run ${view.dollars:.4f}")
    return text


def render_proof(attempts: Sequence[Attempt], attempt: Attempt | None, view: RunView | None, medium: Medium) -> Text:
    """The attempts shortly and one of them in full; of a task under way, what the run has found by now.

    Args:
        attempts: At the task, oldest first.
        attempt: The one in full.
        view: Of the run that works on the task; None when none does.
        medium: Where the text goes.
    """
    parts: list[Text] = []
    if view is not None:
        if view.evidence is not None:
            parts.append(render_evidence(view.evidence, medium))
        if view.review is not None:
            parts.append(render_review(view.review, medium))
        if view.unavailable is not None:
            parts.append(render_unavailable(view.unavailable, medium))
    if attempts:
        parts.append(render_attempts(attempts, medium))
    if attempt is not None and not (view is not None and view.evidence is not None):
        parts.append(render_attempt(attempt, medium))
    return Text("\n\n").join(parts) if parts else Text("no attempt yet", "dim")


def render_diff(task: Task, attempt: Attempt | None, medium: Medium) -> Text:
    """What accepting the attempt would change."""
    if attempt is None or attempt.patch is None:
        return Text("no attempt with a text yet", "dim")
    try:
        old, _ = read_base(task.workspace, attempt.patch.path)
    except CoachError as problem:
        return Text(problem.message, "red")
    lines = list(difflib.unified_diff((old or "").splitlines(), attempt.patch.new_text.splitlines(), lineterm="", n=3))[2:]
    text = Text(f"{'edits' if old is not None else 'writes'} {medium.printable(attempt.patch.path)}\n", "bold")
    for line in lines[:MAX_DIFF_LINES]:
        text.append(f"{medium.printable(line)}\n", DIFF_STYLES.get(line[:1], ""))
    if len(lines) > MAX_DIFF_LINES:
        text.append(f"… {len(lines) - MAX_DIFF_LINES:,} more lines: pixel-lsp show-task {task.number} --diff", "dim")
    return text if lines else Text("it equals the file as it is", "dim")


def _short(workspace: Path) -> str:
    """A folder's path, or as many of its last names as there is room for; always the last one."""
    home = Path.home()
    name = f"~/{workspace.relative_to(home).as_posix()}" if workspace.is_relative_to(home) else str(workspace)
    parts = name.split("/")
    while len(name) > MAX_FOLDER_CHARACTERS and len(parts) > 1:
        parts = parts[1:]
        name = "/".join(("…", *parts))
    return name
