"""`pixel-lsp stats`: what the coach's requests took and cost, and what they saved, computed from the ledger."""

from __future__ import annotations

import sys
from collections.abc import Iterable

from rich.text import Text

from pixel_coach.errors import QueueError
from pixel_coach.ledger import Ledger
from pixel_coach.spending import LedgerSummary, Savings, Spending
from pixel_coach.store import Store
from pixel_server.coach_queue import find_phase, find_workspace, open_queue, settings_of
from pixel_server.exit_codes import PASSED_CODE
from pixel_server.task_json import json_text
from pixel_server.terminal.medium import Medium, medium_of
from pixel_server.terminal.open_console import open_console
from pixel_server.verdict_words import count, seconds

_MOST_TASKS = 20


def stats(*, workspace: str | None, phase: str | None, as_json: bool, color: bool) -> int:
    """Say on standard output what was spent. Returns the exit code.

    Args:
        workspace: Root of the workspace; None is the current folder's project.
        phase: Id of a phase; None for all of them.
        as_json: JSON instead of text.
        color: False for none; True leaves it to the terminal.

    Raises:
        PixelError: The queue or the price table cannot be read.
    """
    root = find_workspace(workspace)
    settings = settings_of(root)
    phase = find_phase(phase, settings)
    with open_queue() as store:
        ledger = Ledger(store)
        summary = ledger.summary(root, phase, settings=settings)
        today = ledger.today()
        titles = {} if as_json else {number: _title(store, number) for number, _ in _dearest(summary)}
    if as_json:
        rates = {"success_rate": summary.success_rate, "saved_share": summary.savings and summary.savings.saved_share}
        sys.stdout.write(json_text({"workspace": root, "phase": phase, "summary": summary, **rates, "today": today}))
        return PASSED_CODE
    console = open_console(color=color)
    medium = medium_of(console)
    for line in render_summary(summary, titles, medium):
        console.print(line, soft_wrap=True)
    limit = f" of ${settings.dollars_per_day:,.2f}"
    reviews = f"{count(today.reviews, 'review')} of {settings.requests_per_day:,}"
    console.print(Text(f"today, all workspaces: ${today.dollars:,.4f}{limit}, {reviews}"), soft_wrap=True)
    return PASSED_CODE


def render_summary(summary: LedgerSummary, titles: dict[int, str], medium: Medium) -> Iterable[Text]:
    """The lines: in all, by phase, by task, success, savings."""
    yield Text("in all  ", "bold").append(_spending(summary.total))
    if summary.total.unsettled:
        yield Text(f"  {count(summary.total.unsettled, 'request')} broke off, counted at the most that each can have cost", "yellow")
    if len(summary.by_phase) > 1 or set(summary.by_phase) - {None}:
        yield Text("by phase", "bold")
        width = max(len(phase or "none") for phase in summary.by_phase)
        for phase, spending in summary.by_phase.items():
            yield Text(f"  {medium.printable(phase or 'none'):<{width}}  {_spending(spending)}")
    dearest = _dearest(summary)
    if dearest:
        yield Text("by task" if len(dearest) == len(summary.by_task) else f"the {len(dearest)} dearest tasks", "bold")
        for number, spending in dearest:
            yield Text(f"  {number:>5}  {_spending(spending)}  ").append(medium.printable(titles.get(number, "")), "bold")
    rate = summary.success_rate
    if rate is not None:
        yield Text("success ", "bold").append(
            f"{summary.completed:,} of {count(summary.ended, 'task')} that ended were accepted ({rate:.0%})"
        )
    yield Text("saved   ", "bold").append(_savings(summary.savings, medium))


def _spending(spending: Spending) -> str:
    tokens = f"{spending.prompt_tokens:,} + {spending.reply_tokens:,} tokens"
    calls = f"{count(spending.calls, 'call')} ({count(spending.reviews, 'review')})"
    return f"{calls}, {tokens}, ${spending.dollars:.4f}, {seconds(spending.seconds)}"


def _savings(savings: Savings | None, medium: Medium) -> str:
    if savings is None or savings.saved_share is None:
        return "not known: nothing was generated yet, or no reviewer whose price is known"
    once = savings.saved_share_if_once
    model = medium.printable(savings.reviewer_model)
    paid, cost = f"${savings.spent_dollars:.4f}", f"${savings.if_written_dollars:.4f}"
    tasks = count(savings.tasks, "task")
    if savings.saved_share >= 0:
        said = f"{savings.saved_share:.0%} against {model} writing everything: {paid} instead of {cost} for {tasks}"
    else:
        said = f"nothing: {paid} was paid for {tasks}, {-savings.saved_share:.0%} more than {model} writing everything ({cost})"
    if once is None:
        return said
    careful = f"{once:.0%} saved" if once >= 0 else f"{-once:.0%} more"
    return f"{said}; {careful} with one call a task (${savings.if_written_once_dollars:.4f})"


def _dearest(summary: LedgerSummary) -> list[tuple[int, Spending]]:
    return sorted(summary.by_task.items(), key=lambda item: (-item[1].dollars, -item[1].calls, item[0]))[:_MOST_TASKS]


def _title(store: Store, number: int) -> str:
    try:
        return store.get(number).title
    except QueueError:
        return ""
