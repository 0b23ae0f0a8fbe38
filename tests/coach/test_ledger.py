from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from coach_testing.queue_tasks import WORKSPACE, new_task
from pixel_coach.agents.base import Usage
from pixel_coach.budget_day import budget_day, end_of_budget_day
from pixel_coach.errors import BudgetExhausted, CoachError, QueueError
from pixel_coach.ledger import Ledger
from pixel_coach.prices import read_prices
from pixel_coach.settings import CoachSettings
from pixel_coach.store import Store
from pixel_coach.tasks import Limits, State

SETTINGS = CoachSettings()
MODEL = "gemini-2.5-flash"
"""0.30 and 2.50 dollars a million: 1,000 tokens each way cost $0.0028."""


def at(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=timezone.utc).timestamp()


class Clock:
    now = at("2026-11-22 12:00")

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store(tmp_path: Path, clock: Clock) -> Iterator[Store]:
    with Store(tmp_path / "queue.sqlite3", clock=clock) as store:
        store.add(new_task(phase="p"))
        yield store


@pytest.fixture
def ledger(store: Store) -> Ledger:
    return Ledger(store)


def ask(ledger: Ledger, store: Store, tokens: int = 1000, settings: CoachSettings = SETTINGS, model: str = MODEL, **fields: Any) -> float:
    """Reserve and settle a review that takes so many tokens each way."""
    reservation = ledger.reserve(store.get(1), "gemini", model, tokens, tokens, settings, **fields)
    return ledger.settle(reservation, Usage(prompt_tokens=tokens, reply_tokens=tokens))


def check_exhausted(message: str, hint: str, retry_after_s: float | None, call: Any) -> None:
    with pytest.raises(BudgetExhausted) as caught:
        call()
    assert (caught.value.message, caught.value.hint, caught.value.retry_after_s) == (message, hint, retry_after_s)


class TestPrices:
    @pytest.mark.parametrize(
        ("model", "prompt", "reply", "dollars"),
        [
            ("gemini-2.5-flash-lite", 3000, 400, 0.00046),  # the figures of the price table's notes
            ("gemini-2.5-flash", 3000, 400, 0.0019),
            ("gemini-3.8-flash", 3000, 400, 0.00375),
            ("gemini-2.5-pro", 200_000, 0, 0.25),
            ("gemini-2.5-pro", 200_001, 0, 0.5000025),
            ("models/gemini-2.5-flash-preview-09-2025", 1_000_000, 0, 0.3),
        ],
    )
    def test_what_a_request_costs(self, model: str, prompt: int, reply: int, dollars: float) -> None:
        found = read_prices().find(model)
        assert found.price.nanodollars(prompt, reply) == round(dollars * 1e9)
        assert found.notice == ""

    def test_an_unknown_model_is_counted_as_the_dearest(self) -> None:
        found = read_prices().find("gemini-2.5-flash-image")
        assert found.model == "gemini-3.1-pro-preview"
        assert found.notice == (
            "the price table of 2026-11-01 does not know `gemini-2.5-flash-image`; it is counted as `gemini-3.1-pro-preview`,"
            " the dearest it knows"
        )

    def test_a_table_of_ones_own_counts_first(self, tmp_path: Path) -> None:
        path = tmp_path / "prices.toml"
        path.write_text('date = 2027-01-02\n[models."gemini-2.5-flash"]\ninput = 1\noutput = 2\ncached = 0.5\n')
        table = read_prices(path)
        assert (str(table.date), table.source) == ("2027-01-02", str(path))
        assert table.find(MODEL).price.nanodollars(1000, 100, cached_tokens=400) == 600_000 + 200_000 + 200_000
        assert table.find("gemini-3.5-flash").model == "gemini-3.5-flash"

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ("[models.a]\ninput = 1\noutput = 2\n", "1: table missing required field `date`"),
            ("date = 2027-01-02\n[models]\n", "2: the table names no model"),
            ("date = 2027-01-02\n[models.a]\ninput = -1\noutput = 2\n", "2: `models.input`: expected `float` >= 0.0"),
        ],
    )
    def test_a_mistake_in_it_is_told(self, tmp_path: Path, text: str, message: str) -> None:
        path = tmp_path / "prices.toml"
        path.write_text(text)
        with pytest.raises(CoachError) as caught:
            read_prices(path)
        assert caught.value.message.startswith(f"{path}:{message}")


class TestDay:
    @pytest.mark.parametrize(
        ("moment", "day", "end"),
        [
            ("2026-11-22 07:59", "2026-11-21", "2026-11-22 08:00"),
            ("2026-11-22 08:00", "2026-11-22", "2026-11-23 08:00"),
            ("2026-07-01 06:59", "2026-06-30", "2026-07-01 07:00"),
            ("2026-11-01 08:30", "2026-11-01", "2026-11-02 08:00"),  # 25 hours: the clocks go back
        ],
    )
    def test_ends_at_midnight_in_california(self, moment: str, day: str, end: str) -> None:
        assert budget_day(at(moment)) == day
        assert end_of_budget_day(at(moment)) == at(end)


class TestReserving:
    def test_counts_the_most_until_it_is_settled(self, ledger: Ledger, store: Store) -> None:
        reservation = ledger.reserve(store.get(1), "gemini", MODEL, 1000, 2000, SETTINGS)
        assert (reservation.dollars, reservation.purpose, reservation.notice) == (0.0053, "review", "")
        assert ledger.spent() == ledger.spent(task=1) == 0.0053
        usage = Usage(prompt_tokens=1000, reply_tokens=100, thinking_tokens=100)
        assert ledger.settle(reservation, usage) == 0.0008
        assert ledger.spent() == 0.0008

    def test_gives_back_what_was_not_asked(self, ledger: Ledger, store: Store) -> None:
        reservation = ledger.reserve(store.get(1), "gemini", MODEL, 1000, 2000, SETTINGS)
        ledger.release(reservation)
        assert ledger.spent() == ledger.today().reviews == 0
        for call in (lambda: ledger.release(reservation), lambda: ledger.settle(reservation, Usage())):
            with pytest.raises(QueueError, match="request 1 is not open in the ledger: it was settled or released before"):
                call()

    @pytest.mark.parametrize("agent", ["ollama", "llama.cpp", "embedded", "pixel", "scripted"])
    def test_ones_own_machine_is_free(self, ledger: Ledger, store: Store, agent: str) -> None:
        settings = replace(SETTINGS, dollars_per_day=0.0, requests_per_day=0)
        reservation = ledger.reserve(store.get(1), agent, "any", 10**6, 10**6, settings)
        assert (reservation.dollars, reservation.purpose, reservation.price) == (0.0, "generate", None)

    def test_an_endpoint_is_free_only_when_it_is_said_to_be_local(self, ledger: Ledger, store: Store) -> None:
        paid = ledger.reserve(store.get(1), "openai", "some-model", 1000, 1000, SETTINGS)
        assert (paid.dollars, paid.notice != "") == (0.014, True)
        assert ledger.reserve(store.get(1), "openai", "some-model", 1000, 1000, SETTINGS, is_local=True).dollars == 0

    def test_a_review_without_a_task_needs_a_workspace(self, ledger: Ledger) -> None:
        with pytest.raises(QueueError):
            ledger.reserve(None, "gemini", MODEL, 1, 1, SETTINGS)
        ledger.settle(ledger.reserve(None, "gemini", MODEL, 1000, 1000, SETTINGS, workspace=WORKSPACE), Usage(prompt_tokens=1000))
        assert ledger.summary(WORKSPACE).total.dollars == 0.0003


class TestLimits:
    def test_stops_at_the_dollars_of_a_task(self, ledger: Ledger, store: Store) -> None:
        store.edit(1, limits=Limits(dollars=0.01))
        for _ in range(3):
            ask(ledger, store)
        check_exhausted(
            "task 1: the next request may cost $0.0028, and $0.0016 are left of its $0.01",
            "raise `dollars` in its limits and in those of coach.toml, or choose a cheaper model",
            None,
            lambda: ask(ledger, store),
        )
        assert ledger.spent() == pytest.approx(0.0084)
        # A request that fits is still possible.
        ask(ledger, store, tokens=500)

    def test_the_settings_bound_every_task(self, ledger: Ledger, store: Store) -> None:
        settings = replace(SETTINGS, limits=Limits(dollars=0.001))
        with pytest.raises(BudgetExhausted, match=r"\$0\.0010 are left of its \$0\.0010"):
            ask(ledger, store, settings=settings)

    def test_stops_at_the_requests_of_a_task(self, ledger: Ledger, store: Store) -> None:
        store.edit(1, limits=Limits(requests=2))
        ask(ledger, store)
        ask(ledger, store)
        check_exhausted(
            "task 1 has used its 2 requests to the reviewer",
            "raise `requests` in its limits and in those of coach.toml",
            None,
            lambda: ask(ledger, store),
        )
        ledger.reserve(store.get(1), "ollama", "qwen", 1, 1, SETTINGS)

    def test_a_crash_begins_no_new_budget_and_a_person_does(self, ledger: Ledger, store: Store, clock: Clock) -> None:
        store.edit(1, limits=Limits(requests=1))
        assert store.lease(workspace=WORKSPACE, owner="a", seconds=1) is not None
        ask(ledger, store)
        clock.now += 2
        lease = store.lease(workspace=WORKSPACE, owner="b")
        assert lease is not None
        with pytest.raises(BudgetExhausted):
            ask(ledger, store)
        store.move(lease, State.NEEDS_HUMAN)
        store.change_state(1, State.PENDING)
        assert store.lease(workspace=WORKSPACE, owner="c") is not None
        ask(ledger, store)

    def test_stops_at_the_dollars_of_a_day_and_begins_anew(self, ledger: Ledger, store: Store, clock: Clock) -> None:
        settings = replace(SETTINGS, dollars_per_day=0.005)
        ask(ledger, store, settings=settings)
        check_exhausted(
            "the next request may cost $0.0028, and $0.0022 are left of today's $0.0050",
            "a new day begins at 2026-11-23 08:00 UTC; or raise `dollars_per_day` in coach.toml",
            20 * 3600,
            lambda: ask(ledger, store, settings=settings),
        )
        clock.now = at("2026-11-23 08:00")
        ask(ledger, store, settings=settings)
        assert ledger.spent() == 0.0056
        assert ledger.spent(since=clock.now) == ledger.today().dollars == 0.0028

    def test_stops_at_the_requests_of_a_day(self, ledger: Ledger, store: Store) -> None:
        settings = replace(SETTINGS, requests_per_day=1)
        ask(ledger, store, settings=settings)
        check_exhausted(
            "today's 1 requests to the reviewer are used up",
            "a new day begins at 2026-11-23 08:00 UTC; or raise `requests_per_day` in coach.toml",
            20 * 3600,
            lambda: ask(ledger, store, settings=settings),
        )

    def test_keeps_the_quotas_of_a_service(self, ledger: Ledger, store: Store, clock: Clock, tmp_path: Path) -> None:
        path = tmp_path / "prices.toml"
        path.write_text(f'date = 2027-01-02\n[models."{MODEL}"]\ninput = 0\noutput = 0\nrequests_per_minute = 2\nrequests_per_day = 3\n')
        settings = replace(SETTINGS, prices=path)
        ask(ledger, store, settings=settings)
        clock.now += 10
        ask(ledger, store, settings=settings)
        check_exhausted(
            f"the quota of 2 requests a minute to `{MODEL}` is used up",
            "the next one is possible at 2026-11-22 12:01 UTC",
            50,
            lambda: ask(ledger, store, settings=settings),
        )
        clock.now += 51
        ask(ledger, store, settings=settings)
        clock.now += 120
        with pytest.raises(BudgetExhausted, match="the quota of 3 requests a day"):
            ask(ledger, store, settings=settings)

    def test_remembers_that_a_service_refuses(self, ledger: Ledger, store: Store, clock: Clock) -> None:
        ledger.note_exhausted("gemini", MODEL, "quota of the day is 0", 24 * 3600)
        check_exhausted(
            f"gemini refuses `{MODEL}` until 2026-11-23 08:00 UTC: quota of the day is 0",
            "wait, or choose another model",
            20 * 3600,
            lambda: ask(ledger, store),
        )
        ask(ledger, store, model="gemini-2.5-flash-lite")
        clock.now = at("2026-11-23 08:01")
        ask(ledger, store)


class TestSummary:
    def test_counts_per_task_and_phase(self, ledger: Ledger, store: Store) -> None:
        store.add(new_task())
        for number in (1, 1, 2):
            local = ledger.reserve(store.get(number), "ollama", "qwen", 2000, 2000, SETTINGS)
            ledger.settle(local, Usage(prompt_tokens=1000, reply_tokens=2000, seconds=2.0))
        ask(ledger, store)
        ledger.reserve(store.get(2), "gemini", MODEL, 1000, 1000, SETTINGS)
        ledger.release(ledger.reserve(store.get(2), "gemini", MODEL, 1000, 1000, SETTINGS))
        summary = ledger.summary(WORKSPACE)
        assert (summary.total.calls, summary.total.reviews, summary.total.unsettled, summary.total.seconds) == (5, 2, 1, 6.0)
        assert {task: (spending.calls, spending.dollars) for task, spending in summary.by_task.items()} == {1: (3, 0.0028), 2: (2, 0.0028)}
        assert summary.by_phase == {"p": summary.by_task[1], None: summary.by_task[2]}
        assert ledger.summary(WORKSPACE, "p").total == summary.by_task[1]
        assert ledger.summary(Path("/other")).total.calls == 0

    def test_computes_what_was_saved(self, ledger: Ledger, store: Store) -> None:
        for _ in range(4):
            local = ledger.reserve(store.get(1), "ollama", "qwen", 2000, 2000, SETTINGS)
            ledger.settle(local, Usage(prompt_tokens=1000, reply_tokens=1000))
        assert ledger.summary(WORKSPACE).savings is None
        ask(ledger, store)
        savings = ledger.summary(WORKSPACE).savings
        assert savings is not None
        assert (savings.reviewer_model, savings.tasks) == (MODEL, 1)
        assert (savings.if_written_dollars, savings.if_written_once_dollars, savings.spent_dollars) == (0.0112, 0.0028, 0.0028)
        assert (savings.saved_share, savings.saved_share_if_once) == (pytest.approx(0.75), 0.0)
        dearer = ledger.summary(WORKSPACE, reviewer_model="gemini-3.1-pro-preview").savings
        assert dearer is not None
        assert dearer.if_written_dollars == 0.056

    def test_success_counts_what_has_ended(self, ledger: Ledger, store: Store) -> None:
        assert ledger.summary(WORKSPACE).success_rate is None
        store.add(new_task())
        for state in (State.AWAITING_ACCEPTANCE, State.FAILED):
            lease = store.lease(workspace=WORKSPACE, owner="a")
            assert lease is not None
            store.move(lease, state)
        store.change_state(1, State.COMPLETED)
        summary = ledger.summary(WORKSPACE)
        assert (summary.completed, summary.ended, summary.success_rate) == (1, 2, 0.5)


SPEND = """
import sys
from pathlib import Path
from pixel_coach.errors import BudgetExhausted
from pixel_coach.ledger import Ledger
from pixel_coach.settings import CoachSettings
from pixel_coach.store import Store

with Store(Path(sys.argv[1])) as store:
    settings = CoachSettings(requests_per_day=20)
    made = 0
    try:
        while True:
            Ledger(store).reserve(None, "gemini", "gemini-2.5-flash-lite", 10, 10, settings, workspace=Path("/workspace"))
            made += 1
    except BudgetExhausted:
        print(made)
"""


def test_no_two_coaches_spend_the_same_dollar(tmp_path: Path) -> None:
    path = tmp_path / "queue.sqlite3"
    Store(path).close()
    processes = [subprocess.Popen([sys.executable, "-c", SPEND, str(path)], stdout=subprocess.PIPE) for _ in range(3)]
    assert sum(int(process.communicate()[0]) for process in processes) == 20
