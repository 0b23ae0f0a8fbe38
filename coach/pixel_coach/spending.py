"""What requests to models have taken: plain data that the ledger counts up."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec


class Spending(msgspec.Struct, frozen=True, kw_only=True):
    """Requests counted together.

    Attributes:
        calls: Requests, to generator and reviewer; those whose outcome is unknown included, those never made not.
        reviews: Those of them to the reviewer.
        unsettled: Those of them whose outcome is unknown, since the coach ended or the reply broke off; counted at their greatest cost.
        prompt_tokens: Of the settled ones, cached ones included.
        reply_tokens: Likewise, those of thinking included.
        dollars: Of all calls.
        seconds: Waited for replies.
    """

    calls: int = 0
    reviews: int = 0
    unsettled: int = 0
    prompt_tokens: int = 0
    reply_tokens: int = 0
    dollars: float = 0.0
    seconds: float = 0.0

    def __add__(self, other: Spending) -> Spending:
        return Spending(
            calls=self.calls + other.calls,
            reviews=self.reviews + other.reviews,
            unsettled=self.unsettled + other.unsettled,
            prompt_tokens=self.prompt_tokens + other.prompt_tokens,
            reply_tokens=self.reply_tokens + other.reply_tokens,
            dollars=self.dollars + other.dollars,
            seconds=self.seconds + other.seconds,
        )


class Savings(msgspec.Struct, frozen=True, kw_only=True):
    """What was paid, beside what it would have cost had the reviewer written what the generator wrote.

    Computed from the generator's own token counts at the reviewer's price. The reviewer would have counted tokens a little differently,
    and would have thought, which is left out. It might have needed fewer rounds, hence two figures: as many calls as there were, and one
    a task.

    Attributes:
        reviewer_model: Whose price was taken.
        tasks: Tasks that something was generated for.
        if_written_dollars: The reviewer writes everything, in as many calls.
        if_written_once_dollars: It needs one call a task, of the average size of that task's calls.
        spent_dollars: What those tasks have really cost, reviews included.
    """

    reviewer_model: str
    tasks: int
    if_written_dollars: float
    if_written_once_dollars: float
    spent_dollars: float

    @property
    def saved_dollars(self) -> float:
        """Against as many calls; below 0 where the reviews cost more than they spared."""
        return self.if_written_dollars - self.spent_dollars

    @property
    def saved_share(self) -> float | None:
        """`saved_dollars` as a share of the cost without the local model; None where that is nothing."""
        return self.saved_dollars / self.if_written_dollars if self.if_written_dollars else None

    @property
    def saved_share_if_once(self) -> float | None:
        """The careful figure: against one call a task."""
        cost = self.if_written_once_dollars
        return (cost - self.spent_dollars) / cost if cost else None


class LedgerSummary(msgspec.Struct, frozen=True, kw_only=True):
    """What the tasks of a workspace, or of one phase, have taken.

    Attributes:
        total: All of it, reviews that belong to no task included.
        by_task: By number; tasks without requests are left out.
        by_phase: By phase; None holds what belongs to none.
        completed: Tasks that were accepted.
        ended: Those that were accepted, failed, or need a person.
        savings: None where no reviewer is known whose price could be taken, or nothing was generated.
    """

    total: Spending
    by_task: Mapping[int, Spending]
    by_phase: Mapping[str | None, Spending]
    completed: int
    ended: int
    savings: Savings | None

    @property
    def success_rate(self) -> float | None:
        """`completed` of `ended`; None where nothing has ended."""
        return self.completed / self.ended if self.ended else None


class DaySpending(msgspec.Struct, frozen=True, kw_only=True):
    """What has been spent on the day that quotas count by.

    Attributes:
        dollars: Reserved ones included.
        reviews: Requests to the reviewer.
        ends_at: When the next day begins, seconds since the epoch.
    """

    dollars: float
    reviews: int
    ends_at: float
