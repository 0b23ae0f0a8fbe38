"""What every agent offers: say whether it can be asked, and answer a prompt while streaming."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol

import msgspec

OnText = Callable[[str], None]
"""Called with each piece of text as it arrives."""

Log = Callable[[Mapping[str, Any]], None]
"""Called with each request, reply and command, as JSON can hold it, keys already redacted."""


class Availability(msgspec.Struct, frozen=True, kw_only=True):
    """Whether an agent can be asked now.

    Attributes:
        agent: Its name in the settings: `ollama`, `llama.cpp`, `openai`, `embedded`, `gemini`, `gemini-cli`, `pixel`, `scripted`.
        is_available: Whether a request would reach a model.
        reason: What was found, one sentence (`ollama 0.9.1 at http://127.0.0.1:11434 has qwen2.5-coder:7b`, or what is missing).
        hint: The command or setting that mends it; empty when it is available.
        model: The model that would answer; empty when unknown.
        context_tokens: Size of its context; 0 when unknown.
        is_local: No text leaves this machine.
    """

    agent: str
    is_available: bool
    reason: str
    hint: str = ""
    model: str = ""
    context_tokens: int = 0
    is_local: bool = True


class Prompt(msgspec.Struct, frozen=True, kw_only=True):
    """One request to a model.

    Attributes:
        system: Instructions that no text of a workspace can change.
        user: The task, with code as data.
        max_tokens: Of the reply.
        temperature: 0 for the likeliest reply.
        seed: For services that take one.
        json_schema: The reply must be JSON of this schema; None for text.
        grammar: GBNF that the reply must follow; only for services whose `takes_grammar` is true.
        stop: Texts that end the reply.
        task: Title of the task it serves; for the log and for scripted replies, no service is sent it.
        round: Likewise, from 1; 0 outside of a round.
        candidate: Likewise, from 0 among those of a round.
    """

    system: str
    user: str
    max_tokens: int = 2048
    temperature: float = 0.2
    seed: int = 0
    json_schema: Mapping[str, Any] | None = None
    grammar: str | None = None
    stop: tuple[str, ...] = ()
    task: str = ""
    round: int = 0
    candidate: int = 0


class Usage(msgspec.Struct, frozen=True, kw_only=True):
    """What one request took.

    Attributes:
        prompt_tokens: Tokens of the prompt, cached ones included.
        reply_tokens: Tokens of the reply.
        thinking_tokens: Tokens that the model thought with; billed as reply.
        cached_tokens: Those of the prompt that came from a cache.
        seconds: Wall time.
        is_exact: Counted by the service, not estimated.
    """

    prompt_tokens: int = 0
    reply_tokens: int = 0
    thinking_tokens: int = 0
    cached_tokens: int = 0
    seconds: float = 0.0
    is_exact: bool = True


class Reply(msgspec.Struct, frozen=True, kw_only=True):
    """What a model answered.

    Attributes:
        text: The whole of it.
        is_complete: It ended by itself; a reply cut by `max_tokens` is not complete.
        model: The model that answered, as the service names it.
        usage: What it took.
        detail: For the log (finish reason, response id).
    """

    text: str
    is_complete: bool
    model: str
    usage: Usage = msgspec.field(default_factory=Usage)
    detail: Mapping[str, Any] = msgspec.field(default_factory=dict)


class Agent(Protocol):
    """A model that can be asked.

    An implementation closes its connection when the awaiting task is cancelled, which frees the slot on the server.
    """

    @property
    def name(self) -> str:
        """As in `Availability.agent`."""
        ...

    @property
    def takes_grammar(self) -> bool:
        """Whether `Prompt.grammar` is honoured."""
        ...

    async def is_available(self) -> Availability:
        """Look whether it can be asked. Never raises."""
        ...

    async def ask(self, prompt: Prompt, on_text: OnText | None = None) -> Reply:
        """Answer a prompt.

        Raises:
            AgentError: One of its children, when no whole answer came.
        """
        ...

    async def close(self) -> None:
        """Give back connections and child processes."""
        ...
