"""What may be spent and what was: every request is reserved at its greatest cost before it is made, and settled after.

Reserving is one transaction of the queue's database, so that no two coaches spend the same dollar. A reservation that nobody settles,
because its coach was killed or its reply broke off, counts for ever: the request may have been billed.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timezone
from pathlib import Path
from typing import Final

import msgspec

from pixel_coach.agents.base import Usage
from pixel_coach.budget_day import budget_day, end_of_budget_day
from pixel_coach.errors import BudgetExhausted, QueueError
from pixel_coach.prices import NANODOLLARS, FoundPrice, PriceTable, read_prices
from pixel_coach.settings import REVIEW_SERVICES, CoachSettings
from pixel_coach.spending import DaySpending, LedgerSummary
from pixel_coach.store import Store
from pixel_coach.store_rows import bytes_of_path
from pixel_coach.store_tasks import workspace_id
from pixel_coach.summarise_ledger import summarise_ledger
from pixel_coach.tasks import Task

FREE_AGENTS: Final = frozenset({"ollama", "llama.cpp", "embedded", "pixel", "scripted"})
"""Agents that run on the user's own machine. `openai` may speak to anybody: it is free only when the caller says that it is local."""


class Reservation(msgspec.Struct, frozen=True, kw_only=True):
    """The right to make one request.

    Attributes:
        number: Of the ledger's entry.
        task: Number of the task; None for a review that belongs to none.
        purpose: `generate` or `review`.
        agent: What is asked.
        model: Its model.
        dollars: The most that it can cost.
        price: What it is counted by; None when it is free.
    """

    number: int
    task: int | None
    purpose: str
    agent: str
    model: str
    dollars: float
    price: FoundPrice | None = None

    @property
    def notice(self) -> str:
        """What a person should know: the price is not this model's own. Empty otherwise."""
        return self.price.notice if self.price else ""


class Ledger:
    """The ledger of one user, in the database of the queue.

    Args:
        store: The queue, open.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._tables: dict[Path | None, PriceTable] = {}

    def reserve(
        self,
        task: Task | None,
        agent: str,
        model: str,
        prompt_tokens: int,
        max_reply_tokens: int,
        settings: CoachSettings,
        *,
        purpose: str | None = None,
        is_local: bool | None = None,
        workspace: Path | None = None,
    ) -> Reservation:
        """Set aside the most that a request can cost.

        Args:
            task: What it is for; None for a review that a person asked for without one.
            agent: What is asked, as `Availability.agent`.
            model: Its model.
            prompt_tokens: Estimated high.
            max_reply_tokens: Tokens of thinking included.
            settings: Limits and price table.
            purpose: `generate` or `review`; None guesses by the agent.
            is_local: Whether it costs nothing, as `Availability.is_local`; None guesses by the agent.
            workspace: Needed where there is no task.

        Raises:
            BudgetExhausted: A limit of the task, of the day or of the service forbids it. Nothing was set aside.
            CoachError: The price table cannot be read.
            QueueError: The database failed.
        """
        purpose = purpose or ("review" if agent in REVIEW_SERVICES and agent != "scripted" else "generate")
        is_free = agent in FREE_AGENTS if is_local is None else is_local
        found = None if is_free else self._table(settings).find(model)
        cost = found.price.nanodollars(prompt_tokens, max_reply_tokens) if found else 0
        place = task.workspace if task is not None else workspace
        if place is None:
            raise QueueError("a request needs a task or a workspace to be counted for")
        with self._store.connection.write():
            now = self._store.clock()
            if found:
                self._check_service(agent, model, found, now)
            if task is not None:
                self._check_task(task, cost, purpose, settings)
            self._check_day(cost, purpose, settings, now)
            cursor = self._store.connection.execute(
                "INSERT INTO calls (workspace, task, run, purpose, agent, model, price, state, nanodollars, day, made_at)"
                " VALUES (?, ?, ifnull((SELECT run FROM tasks WHERE number = ?), 0), ?, ?, ?, ?, 'reserved', ?, ?, ?)",
                (
                    workspace_id(self._store.connection, place),
                    task.number if task else None,
                    task.number if task else None,
                    purpose,
                    agent,
                    model,
                    found.model if found else "",
                    cost,
                    budget_day(now),
                    now,
                ),
            )
        assert cursor.lastrowid is not None
        return Reservation(
            number=cursor.lastrowid,
            task=task.number if task else None,
            purpose=purpose,
            agent=agent,
            model=model,
            dollars=cost / NANODOLLARS,
            price=found,
        )

    def settle(self, reservation: Reservation, usage: Usage) -> float:
        """Replace what was set aside by what the request really took.

        Args:
            reservation: Of `reserve`.
            usage: As the service counted it.

        Returns:
            Its cost in dollars; it may exceed what was set aside, where a service keeps no limit.

        Raises:
            QueueError: It was settled or released before.
        """
        cost = 0
        if reservation.price:
            cost = reservation.price.price.nanodollars(usage.prompt_tokens, usage.reply_tokens + usage.thinking_tokens, usage.cached_tokens)
        self._close(
            reservation,
            "state = 'settled', nanodollars = ?, prompt_tokens = ?, reply_tokens = ?, thinking_tokens = ?, cached_tokens = ?, seconds = ?,"
            " is_exact = ?",
            cost,
            usage.prompt_tokens,
            usage.reply_tokens,
            usage.thinking_tokens,
            usage.cached_tokens,
            usage.seconds,
            int(usage.is_exact),
        )
        return cost / NANODOLLARS

    def release(self, reservation: Reservation) -> None:
        """Give back what was set aside for a request that was never made, or refused unbilled.

        Raises:
            QueueError: It was settled or released before.
        """
        self._close(reservation, "state = 'released', nanodollars = 0")

    def note_exhausted(self, agent: str, model: str, reason: str, seconds: float) -> None:
        """Remember that a service refuses a model, so that nobody asks in vain.

        Args:
            agent: The service.
            model: As it was asked for.
            reason: What the service said, one sentence.
            seconds: How long that is remembered; never longer than the day that quotas count by.
        """
        with self._store.connection.write():
            now = self._store.clock()
            self._store.connection.execute(
                "INSERT OR REPLACE INTO exhausted_quotas (agent, model, until, reason) VALUES (?, ?, ?, ?)",
                (agent, model, min(now + seconds, end_of_budget_day(now)), reason),
            )

    def spent(self, task: int | None = None, since: float | None = None) -> float:
        """Dollars, reserved ones included: of one task or of all, ever or since a moment (seconds since the epoch)."""
        row = self._store.connection.read_one(
            "SELECT ifnull(sum(nanodollars), 0) FROM calls WHERE state <> 'released' AND (?1 IS NULL OR task = ?1) AND made_at >= ?2"
            if since is not None
            else "SELECT ifnull(sum(nanodollars), 0) FROM calls WHERE state <> 'released' AND (?1 IS NULL OR task = ?1) AND ?2 IS NULL",
            (task, since),
        )
        return row[0] / NANODOLLARS if row else 0.0

    def today(self) -> DaySpending:
        """What the day that quotas count by has seen."""
        now = self._store.clock()
        nanodollars, reviews = self._of_day(now)
        return DaySpending(dollars=nanodollars / NANODOLLARS, reviews=reviews, ends_at=end_of_budget_day(now))

    def summary(
        self,
        workspace: Path | None = None,
        phase: str | None = None,
        *,
        reviewer_model: str | None = None,
        settings: CoachSettings | None = None,
    ) -> LedgerSummary:
        """What the tasks of a workspace have taken.

        Args:
            workspace: None takes all.
            phase: Only its tasks.
            reviewer_model: Whose price the savings are computed by; None is the one that reviewed last.
            settings: Where they name a price table of the user.
        """
        return summarise_ledger(
            self._store.connection,
            self._table(settings),
            None if workspace is None else bytes_of_path(workspace),
            phase,
            reviewer_model,
        )

    def _table(self, settings: CoachSettings | None) -> PriceTable:
        path = settings.prices if settings else None
        if path not in self._tables:
            self._tables[path] = read_prices(path)
        return self._tables[path]

    def _close(self, reservation: Reservation, assignments: str, *values: float) -> None:
        with self._store.connection.write():
            cursor = self._store.connection.execute(
                f"UPDATE calls SET {assignments} WHERE id = ? AND state = 'reserved'",  # noqa: S608
                (*values, reservation.number),
            )
            if cursor.rowcount != 1:
                raise QueueError(f"request {reservation.number} is not open in the ledger: it was settled or released before")

    def _check_task(self, task: Task, cost: int, purpose: str, settings: CoachSettings) -> None:
        # Runs that a crash ended count together; a person who puts the task back begins anew.
        row = self._store.connection.read_one(
            "SELECT ifnull(sum(nanodollars), 0), ifnull(sum(purpose = 'review'), 0) FROM calls WHERE state <> 'released' AND task = ?1"
            " AND id > (SELECT charged_after FROM tasks WHERE number = ?1)",
            (task.number,),
        )
        spent, reviews = row or (0, 0)
        dollars = min(task.limits.dollars, settings.limits.dollars)
        requests = min(task.limits.requests, settings.limits.requests)
        if cost and spent + cost > dollars * NANODOLLARS:
            raise BudgetExhausted(
                f"task {task.number}: the next request may cost {_money(cost)}, and {_money(max(dollars * NANODOLLARS - spent, 0))}"
                f" are left of its {_money(dollars * NANODOLLARS)}",
                hint="raise `dollars` in its limits and in those of coach.toml, or choose a cheaper model",
            )
        if purpose == "review" and reviews >= requests:
            raise BudgetExhausted(
                f"task {task.number} has used its {requests:,} requests to the reviewer",
                hint="raise `requests` in its limits and in those of coach.toml",
            )

    def _check_day(self, cost: int, purpose: str, settings: CoachSettings, now: float) -> None:
        spent, reviews = self._of_day(now)
        if cost and spent + cost > settings.dollars_per_day * NANODOLLARS:
            raise BudgetExhausted(
                f"the next request may cost {_money(cost)}, and {_money(max(settings.dollars_per_day * NANODOLLARS - spent, 0))}"
                f" are left of today's {_money(settings.dollars_per_day * NANODOLLARS)}",
                hint=f"a new day begins at {_hour(end_of_budget_day(now))}; or raise `dollars_per_day` in coach.toml",
                retry_after_s=end_of_budget_day(now) - now,
            )
        if purpose == "review" and reviews >= settings.requests_per_day:
            raise BudgetExhausted(
                f"today's {settings.requests_per_day:,} requests to the reviewer are used up",
                hint=f"a new day begins at {_hour(end_of_budget_day(now))}; or raise `requests_per_day` in coach.toml",
                retry_after_s=end_of_budget_day(now) - now,
            )

    def _check_service(self, agent: str, model: str, found: FoundPrice, now: float) -> None:
        known = self._store.connection.read_one(
            "SELECT until, reason FROM exhausted_quotas WHERE agent = ? AND model = ? AND until > ?", (agent, model, now)
        )
        if known:
            raise BudgetExhausted(
                f"{agent} refuses `{model}` until {_hour(known[0])}: {known[1]}",
                hint="wait, or choose another model",
                retry_after_s=known[0] - now,
            )
        if found.notice:
            return
        quotas: Mapping[str, tuple[object, float, float]] = {
            "minute": (found.price.requests_per_minute, now - 60, now + 60),
            "day": (found.price.requests_per_day, 0.0, end_of_budget_day(now)),
        }
        for period, (quota, since, again) in quotas.items():
            if not isinstance(quota, int):
                continue
            row = self._store.connection.read_one(
                "SELECT count(*), ifnull(min(made_at), 0) FROM calls WHERE state <> 'released' AND day >= ? AND model = ? AND made_at > ?",
                (budget_day(since) if period == "minute" else budget_day(now), model, since),
            )
            count, oldest = row or (0, 0.0)
            if count >= quota:
                again = oldest + 60 if period == "minute" and count else again
                raise BudgetExhausted(
                    f"the quota of {quota:,} requests a {period} to `{model}` is used up",
                    hint=f"the next one is possible at {_hour(again)}",
                    retry_after_s=max(again - now, 0),
                )

    def _of_day(self, now: float) -> tuple[int, int]:
        row = self._store.connection.read_one(
            "SELECT ifnull(sum(nanodollars), 0), ifnull(sum(purpose = 'review'), 0) FROM calls WHERE state <> 'released' AND day = ?",
            (budget_day(now),),
        )
        return (row[0], row[1]) if row else (0, 0)


def _money(nanodollars: float) -> str:
    dollars = nanodollars / NANODOLLARS
    return f"${dollars:,.2f}" if round(dollars * 100, 6).is_integer() else f"${dollars:,.4f}"


def _hour(moment: float) -> str:
    return datetime.fromtimestamp(moment, timezone.utc).strftime("%Y-%m-%d %H:%M UTC")
