"""An agent whose every request is reserved in the ledger before it is made, and settled after, unless nobody knows what it came to."""

from __future__ import annotations

from pathlib import Path
from typing import Final, final

from msgspec.structs import replace

from pixel_coach.agents.base import Agent, Availability, OnText, Prompt, Reply, Usage
from pixel_coach.agents.estimate_tokens import estimate_tokens
from pixel_coach.errors import AgentError, QuotaExceeded, ReplyCut, ReplyMalformed
from pixel_coach.ledger import Ledger, Reservation
from pixel_coach.settings import CoachSettings
from pixel_coach.tasks import Task

REMEMBERED_S: Final = 600.0
"""How long a model is left in peace whose quota of the day is used up."""


@final
class MeteredAgent:
    """Asks another agent on behalf of a task, within the task's and the user's budget.

    Args:
        agent: What is asked.
        purpose: `generate` or `review`.
        availability: What is known of it; its model is what the price is looked up by.
        task: Who pays; the workspace where there is no task.
        ledger: Where it is booked.
        settings: The limits in force.

    Attributes:
        dollars: Spent through this object.
        notice: What a person should know of the price; empty otherwise.
    """

    def __init__(
        self, agent: Agent, purpose: str, availability: Availability | None, task: Task | Path, ledger: Ledger, settings: CoachSettings
    ) -> None:
        self._agent = agent
        self._purpose = purpose
        self._model = availability.model if availability else ""
        self._is_local = availability.is_local if availability else None
        self._task = task
        self._ledger = ledger
        self._settings = settings
        self.dollars = 0.0
        self.notice = ""

    @property
    def name(self) -> str:
        """As in `Availability.agent`."""
        return self._agent.name

    @property
    def takes_grammar(self) -> bool:
        """Whether `Prompt.grammar` is honoured."""
        return self._agent.takes_grammar

    async def is_available(self) -> Availability:
        """Look whether it can be asked. Never raises."""
        return await self._agent.is_available()

    async def ask(self, prompt: Prompt, on_text: OnText | None = None) -> Reply:
        """Reserve, ask, settle.

        Raises:
            BudgetExhausted: The request would go past a limit; it was not made.
            AgentError: As the agent's.
        """
        tokens = estimate_tokens(prompt.system + prompt.user)
        reservation = self._ledger.reserve(
            None if isinstance(self._task, Path) else self._task,
            self._agent.name,
            self._model,
            tokens,
            prompt.max_tokens,
            self._settings,
            purpose=self._purpose,
            is_local=self._is_local,
            workspace=self._task if isinstance(self._task, Path) else None,
        )
        self.notice = reservation.notice
        try:
            reply = await self._agent.ask(prompt, on_text)
        except (ReplyCut, ReplyMalformed) as error:
            self._close_uncertain(reservation, error, tokens)
            raise
        except AgentError as error:
            if error.prompt_tokens or error.reply_tokens:
                self._settle(reservation, _counted(error))
            else:
                self._ledger.release(reservation)
            if isinstance(error, QuotaExceeded) and error.retry_after_s is None:
                # The next tasks need not ask in vain; not for long, since whoever pays for the key may raise its quota.
                self._ledger.note_exhausted(self._agent.name, self._model, error.message, REMEMBERED_S)
            raise
        except BaseException:
            self._close_uncertain(reservation, None, tokens)
            raise
        usage = reply.usage
        if not (usage.is_exact or usage.prompt_tokens or usage.reply_tokens):
            usage = replace(usage, prompt_tokens=tokens, reply_tokens=estimate_tokens(reply.text))
        self._settle(reservation, usage)
        return reply

    def _settle(self, reservation: Reservation, usage: Usage) -> None:
        self.dollars += self._ledger.settle(reservation, usage)

    def _close_uncertain(self, reservation: Reservation, error: AgentError | None, tokens: int) -> None:
        """Book a request that broke off: nobody knows how much of the reply was written, and is billed."""
        if error is not None and (error.prompt_tokens or error.reply_tokens):
            self._settle(reservation, _counted(error))
        elif reservation.price is None:
            self._settle(reservation, Usage(prompt_tokens=tokens, is_exact=False))
        else:
            # It stays open in the ledger, where it counts as the most that it can have cost.
            self.dollars += reservation.dollars

    async def close(self) -> None:
        """Nothing: the agent belongs to whoever made it."""


def _counted(error: AgentError) -> Usage:
    """What the service counted before it failed."""
    return Usage(prompt_tokens=error.prompt_tokens, reply_tokens=error.reply_tokens, is_exact=False)
