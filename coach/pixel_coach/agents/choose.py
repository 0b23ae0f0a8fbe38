"""Finds out who can be asked, and says so: which generator writes, which reviewer reviews, and how to mend what is missing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

import msgspec

from pixel_coach.agents.base import Agent, Availability, Log
from pixel_coach.agents.embedded import EmbeddedAgent
from pixel_coach.agents.gemini import GeminiAgent
from pixel_coach.agents.gemini_cli import GeminiCliAgent
from pixel_coach.agents.llama_cpp import LlamaCppAgent
from pixel_coach.agents.ollama import OllamaAgent
from pixel_coach.agents.openai_compatible import OpenAICompatibleAgent
from pixel_coach.agents.pixel import PixelAgent
from pixel_coach.agents.scripted import ScriptedAgent
from pixel_coach.errors import AgentUnavailable
from pixel_coach.settings import AgentSettings, CoachSettings

FULL: Final = "full"
GEMINI_ONLY: Final = "gemini only"
LOCAL_ONLY: Final = "local only"
NONE: Final = "none"


class Team(msgspec.Struct, frozen=True, kw_only=True):
    """Who works on the tasks.

    Attributes:
        generator: What writes; None where nothing can.
        reviewer: What reviews; None where nothing can, or none is wanted.
        mode: `full`, `gemini only`, `local only` or `none`.
        availabilities: Of everything that was looked at, in that order.
        generator_availability: Of the generator; None without one.
        reviewer_availability: Of the reviewer; None without one.
    """

    generator: Agent | None
    reviewer: Agent | None
    mode: str
    availabilities: tuple[Availability, ...]
    generator_availability: Availability | None = None
    reviewer_availability: Availability | None = None

    async def close(self) -> None:
        """Close both."""
        for agent in (self.generator, self.reviewer):
            if agent is not None:
                await agent.close()


async def choose(settings: CoachSettings, environment: Mapping[str, str], *, log: Log | None = None) -> Team:
    """Look for a generator and a reviewer.

    Args:
        settings: What they name is looked at alone; what they leave open is looked for: a running Ollama, then a running llama.cpp;
            a key for Gemini, then gemini-cli.
        environment: The user's variables.
        log: Told of every request and command of the agents.

    Returns:
        The team; whoever calls closes it.
    """
    log = log or _keep_nothing
    looked: list[Availability] = []
    generator, writes = await _first(_generators(settings, environment, log), looked)
    reviewer = reviews = None
    if settings.is_review_wanted:
        reviewer, reviews = await _first(_reviewers(settings, environment, log), looked)
    else:
        name = settings.reviewer.service if settings.reviewer else "gemini"
        reason = "no review is wanted: `review` is off, so that nothing is ever accepted without a person"
        looked.append(Availability(agent=name, is_available=False, reason=reason, hint="set `review = true` in coach.toml", is_local=False))
    mode = {(True, True): FULL, (False, True): GEMINI_ONLY, (True, False): LOCAL_ONLY}.get(
        (generator is not None, reviewer is not None), NONE
    )
    return Team(
        generator=generator,
        reviewer=reviewer,
        mode=mode,
        availabilities=tuple(looked),
        generator_availability=writes,
        reviewer_availability=reviews,
    )


_Makers = list[tuple[str, Callable[[], Agent]]]


def _generators(settings: CoachSettings, environment: Mapping[str, str], log: Log) -> _Makers:
    # Nothing is embedded without the path of a model; that it could be, the third of the hints says.
    found = [AgentSettings(service=service) for service in ("ollama", "llama.cpp", "embedded")]
    wanted = [settings.generator] if settings.generator else found
    return [(each.service, _maker(each, "generator", environment, log)) for each in wanted]


def _reviewers(settings: CoachSettings, environment: Mapping[str, str], log: Log) -> _Makers:
    wanted = [settings.reviewer] if settings.reviewer else [AgentSettings(service="gemini"), AgentSettings(service="gemini-cli")]
    return [(each.service, _maker(each, "reviewer", environment, log)) for each in wanted]


def _maker(settings: AgentSettings, role: str, environment: Mapping[str, str], log: Log) -> Callable[[], Agent]:
    makers: dict[str, Callable[[], Agent]] = {
        "ollama": lambda: OllamaAgent(settings, environment, log),
        "llama.cpp": lambda: LlamaCppAgent(settings, environment, log),
        "openai": lambda: OpenAICompatibleAgent(settings, environment, log),
        "embedded": lambda: EmbeddedAgent(settings, log),
        "pixel": lambda: PixelAgent(settings, log),
        "gemini": lambda: GeminiAgent(settings, environment, log),
        "gemini-cli": lambda: GeminiCliAgent(settings, environment, log),
        "scripted": lambda: ScriptedAgent(settings, role, log),
    }
    return makers[settings.service]


async def _first(makers: _Makers, looked: list[Availability]) -> tuple[Agent, Availability] | tuple[None, None]:
    for name, make in makers:
        try:
            agent = make()
        except AgentUnavailable as problem:
            looked.append(
                Availability(
                    agent=name,
                    is_available=False,
                    reason=problem.message,
                    hint=problem.hint or "",
                    is_local=name not in {"gemini", "gemini-cli"},
                )
            )
            continue
        availability = await agent.is_available()
        looked.append(availability)
        if availability.is_available:
            return agent, availability
        await agent.close()
    return None, None


def _keep_nothing(_: Mapping[str, Any]) -> None:
    return
