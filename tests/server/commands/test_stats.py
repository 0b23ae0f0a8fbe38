"""What `stats` says, computed from a ledger whose entries are small enough to add up by hand."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from pixel_coach.agents.base import Usage
from pixel_coach.ledger import Ledger
from pixel_coach.settings import CoachSettings
from pixel_coach.store import Store
from pixel_coach.tasks import Action, NewTask, State, Task
from pixel_server.commands.stats import render_summary
from pixel_server.terminal.medium import Medium

SETTINGS = CoachSettings()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(tmp_path / "queue.sqlite3") as opened:
        yield opened


def task(store: Store, phase: str | None, ended: State | None = None) -> Task:
    new = store.add(NewTask(workspace=Path("/work"), title=f"Task of {phase}", action=Action.WRITE_FILE, target="a", phase=phase))
    if ended is not None:
        lease = store.lease(workspace=Path("/work"), owner="test", number=new.number)
        assert lease is not None
        store.move(lease, State.AWAITING_ACCEPTANCE if ended is State.COMPLETED else ended)
        if ended is State.COMPLETED:
            store.change_state(new.number, ended)
    return new


def spend(store: Store, of: Task, agent: str, model: str, prompt: int, reply: int, *, settle: bool = True) -> None:
    ledger = Ledger(store)
    reserved = ledger.reserve(of, agent, model, prompt, reply, SETTINGS, purpose="review" if agent == "gemini" else "generate")
    if settle:
        ledger.settle(reserved, Usage(prompt_tokens=prompt, reply_tokens=reply, seconds=2.0))


def check(store: Store, expected: str, phase: str | None = None) -> None:
    summary = Ledger(store).summary(Path("/work"), phase, settings=SETTINGS)
    titles = {number: store.get(number).title for number in summary.by_task}
    assert "\n".join(line.plain for line in render_summary(summary, titles, Medium())) == expected.strip("\n")


def test_calls_tokens_and_cost_by_phase_and_task(store: Store) -> None:
    """gemini-2.5-flash costs $0.30 and $2.50 for a million tokens: a review of 1,000 and 200 is $0.0008."""
    first, second = task(store, "1_gpu_core", State.COMPLETED), task(store, None, State.NEEDS_HUMAN)
    for _ in range(2):
        spend(store, first, "ollama", "qwen", 1000, 1000)
        spend(store, first, "gemini", "gemini-2.5-flash", 1000, 200)
    spend(store, second, "ollama", "qwen", 500, 100)
    check(
        store,
        """
in all  5 calls (2 reviews), 4,500 + 2,500 tokens, $0.0016, 10 s
by phase
  1_gpu_core  4 calls (2 reviews), 4,000 + 2,400 tokens, $0.0016, 8.00 s
  none        1 call (0 reviews), 500 + 100 tokens, $0.0000, 2.00 s
by task
      1  4 calls (2 reviews), 4,000 + 2,400 tokens, $0.0016, 8.00 s  Task of 1_gpu_core
      2  1 call (0 reviews), 500 + 100 tokens, $0.0000, 2.00 s  Task of None
success 1 of 2 tasks that ended were accepted (50%)
saved   73% against gemini-2.5-flash writing everything: $0.0016 instead of $0.0060 for 2 tasks; 50% saved with one call a task ($0.0032)
""",
    )


def test_savings_below_zero_are_said(store: Store) -> None:
    """Three reviews of a short text: $0.0024 paid, $0.00028 to have it written."""
    only = task(store, "1_gpu_core")
    spend(store, only, "ollama", "qwen", 100, 100)
    for _ in range(3):
        spend(store, only, "gemini", "gemini-2.5-flash", 1000, 200)
    summary = Ledger(store).summary(Path("/work"), settings=SETTINGS)
    (*_, last) = render_summary(summary, {}, Medium())
    assert last.plain == (
        "saved   nothing: $0.0024 was paid for 1 task, 757% more than gemini-2.5-flash writing everything ($0.0003); "
        "757% more with one call a task ($0.0003)"
    )


def test_requests_that_never_came_back_are_counted(store: Store) -> None:
    spend(store, task(store, "1_gpu_core"), "gemini", "gemini-2.5-flash", 1000, 200, settle=False)
    summary = Ledger(store).summary(Path("/work"), settings=SETTINGS)
    lines = [line.plain for line in render_summary(summary, {}, Medium())]
    assert lines[0] == "in all  1 call (1 review), 0 + 0 tokens, $0.0008, 0 ms"
    assert lines[1] == "  1 request broke off, counted at the most that each can have cost"
