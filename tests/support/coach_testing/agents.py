"""An agent that replies from a list, and keeps what it was asked."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from pixel_coach.agents.base import Availability, OnText, Prompt, Reply, Usage
from pixel_coach.agents.choose import Team

Given = str | Reply | BaseException | Callable[[Prompt], str]


class ListedAgent:
    """Replies from a list, in order; a text is a whole reply, an exception is raised, a function is called, None never ends."""

    def __init__(self, name: str, replies: Sequence[Given | None], *, is_local: bool = True, context_tokens: int = 16_384) -> None:
        self.name = name
        self.takes_grammar = False
        self.prompts: list[Prompt] = []
        self.is_closed = False
        self.was_cancelled = False
        self.is_up = True
        self._replies = list(replies)
        self._is_local = is_local
        self._context_tokens = context_tokens

    @property
    def availability(self) -> Availability:
        reason = f"{self.name} of the test" if self.is_up else f"{self.name} does not answer"
        return Availability(
            agent=self.name,
            is_available=self.is_up,
            reason=reason,
            model="gemini-2.5-flash",
            context_tokens=self._context_tokens,
            is_local=self._is_local,
        )

    async def is_available(self) -> Availability:
        return self.availability

    async def ask(self, prompt: Prompt, on_text: OnText | None = None) -> Reply:
        self.prompts.append(prompt)
        given = self._replies.pop(0) if self._replies else AssertionError(f"{self.name} was asked once more: {prompt.user[-200:]}")
        await asyncio.sleep(0)
        if given is None:
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                self.was_cancelled = True
                raise
        if isinstance(given, BaseException):
            raise given
        if isinstance(given, Reply):
            return given
        text = given if isinstance(given, str) else given(prompt)  # pyright: ignore[reportOptionalCall]
        if on_text is not None:
            on_text(text)
        return Reply(text=text, is_complete=True, model="listed", usage=Usage(prompt_tokens=1000, reply_tokens=100))

    async def close(self) -> None:
        self.is_closed = True


def team(generator: ListedAgent | None = None, reviewer: ListedAgent | None = None) -> Team:
    """A team of such agents."""
    mode = {(True, True): "full", (False, True): "gemini only", (True, False): "local only"}.get(
        (generator is not None, reviewer is not None), "none"
    )
    writes, reviews = (None if agent is None else agent.availability for agent in (generator, reviewer))
    return Team(
        generator=generator,
        reviewer=reviewer,
        mode=mode,
        availabilities=tuple(found for found in (writes, reviews) if found is not None),
        generator_availability=writes,
        reviewer_availability=reviews,
    )
