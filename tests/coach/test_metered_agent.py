"""Every request is reserved before it is made and settled after, whatever comes of it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from coach_testing.agents import ListedAgent
from coach_testing.desk import Desk
from pixel_coach.agents.base import Prompt
from pixel_coach.errors import AgentError, BudgetExhausted, QuotaExceeded, ReplyBlocked, ReplyCut, ReplyMalformed
from pixel_coach.metered_agent import MeteredAgent
from pixel_coach.tasks import Limits

PROMPT = Prompt(system="s" * 300, user="u" * 3000, max_tokens=1000)
# gemini-2.5-flash, and what ListedAgent says that a reply took.
REPLY_DOLLARS = (1000 * 0.30 + 100 * 2.50) / 1e6


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    desk = Desk(tmp_path)
    yield desk
    desk.close()


def metered(desk: Desk, *replies: Any, is_local: bool = False, **limits: Any) -> tuple[MeteredAgent, ListedAgent]:
    agent = ListedAgent("gemini", replies, is_local=is_local)
    desk.settings = replace(desk.settings, limits=Limits(**limits))
    return MeteredAgent(agent, "review", agent.availability, desk.add(limits=Limits(**limits)), desk.ledger, desk.settings), agent


async def test_a_reply_costs_what_it_took(desk: Desk) -> None:
    paid, _ = metered(desk, "fine")
    assert (await paid.ask(PROMPT)).text == "fine"
    assert paid.dollars == desk.ledger.spent() == pytest.approx(REPLY_DOLLARS)


async def test_a_request_beyond_the_budget_is_not_made(desk: Desk) -> None:
    paid, agent = metered(desk, "fine", dollars=0.001)
    with pytest.raises(BudgetExhausted):
        await paid.ask(PROMPT)
    assert (agent.prompts, desk.ledger.spent(), paid.dollars) == ([], 0.0, 0.0)


async def test_requests_are_limited_too(desk: Desk) -> None:
    paid, agent = metered(desk, "one", "two", requests=1)
    await paid.ask(PROMPT)
    with pytest.raises(BudgetExhausted):
        await paid.ask(PROMPT)
    assert len(agent.prompts) == 1


async def test_a_failure_that_was_not_billed_costs_nothing(desk: Desk) -> None:
    paid, _ = metered(desk, AgentError("refused"))
    with pytest.raises(AgentError):
        await paid.ask(PROMPT)
    assert desk.ledger.spent() == paid.dollars == 0.0


async def test_a_failure_that_was_billed_costs_what_the_service_counted(desk: Desk) -> None:
    paid, _ = metered(desk, ReplyBlocked("withheld", prompt_tokens=2000, reply_tokens=10))
    with pytest.raises(ReplyBlocked):
        await paid.ask(PROMPT)
    assert desk.ledger.spent() == paid.dollars == pytest.approx((2000 * 0.30 + 10 * 2.50) / 1e6)


async def test_a_request_that_is_withdrawn_costs_the_most_that_it_can(desk: Desk) -> None:
    paid, agent = metered(desk, None)
    asking = asyncio.ensure_future(paid.ask(PROMPT))
    await asyncio.sleep(0.01)
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    assert agent.was_cancelled
    # It may have been written to its end, and is billed so.
    assert desk.ledger.spent() == paid.dollars >= 1000 * 2.50 / 1e6
    assert desk.ledger.summary().total.unsettled == 1


@pytest.mark.parametrize("failure", [ReplyCut("the connection broke"), ReplyMalformed("no JSON")], ids=["cut", "malformed"])
async def test_a_reply_that_broke_off_uncounted_costs_the_most_that_it_can(desk: Desk, failure: AgentError) -> None:
    paid, _ = metered(desk, failure, dollars=0.004)
    with pytest.raises(type(failure)):
        await paid.ask(PROMPT)
    assert desk.ledger.spent() == paid.dollars >= 1000 * 2.50 / 1e6
    with pytest.raises(BudgetExhausted):
        await paid.ask(PROMPT)


async def test_a_quota_that_is_used_up_is_remembered_for_a_while(desk: Desk) -> None:
    spent = QuotaExceeded("the requests of today are used up")
    paid, agent = metered(desk, QuotaExceeded("too many a minute", retry_after_s=30), spent)
    for _ in range(2):
        with pytest.raises(QuotaExceeded):
            await paid.ask(PROMPT)
    with pytest.raises(BudgetExhausted, match=r"gemini refuses `gemini-2.5-flash` until .* UTC: the requests of today are used up"):
        await paid.ask(PROMPT)
    assert (len(agent.prompts), desk.ledger.spent()) == (2, 0.0)


async def test_what_breaks_off_here_is_free(desk: Desk) -> None:
    paid, _ = metered(desk, ReplyCut("the connection broke"), is_local=True)
    with pytest.raises(ReplyCut):
        await paid.ask(PROMPT)
    assert (desk.ledger.spent(), desk.ledger.summary().total.unsettled) == (0.0, 0)


async def test_what_runs_here_is_free_and_counted(desk: Desk) -> None:
    paid, _ = metered(desk, "fine", is_local=True)
    await paid.ask(PROMPT)
    assert desk.ledger.spent() == 0.0
    assert (paid.name, paid.takes_grammar) == ("gemini", False)
