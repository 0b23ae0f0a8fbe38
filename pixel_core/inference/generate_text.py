"""Text from a model, token by token: prompt, choice, stop texts, and the cache that the next prompt begins with."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from pixel_core.errors import ContextFull
from pixel_core.inference.backend import Backend, GreedyBackend, SamplingBackend
from pixel_core.inference.constraint import Constraint
from pixel_core.inference.messages import EndReason
from pixel_core.inference.sampler import Sampler, Sampling
from pixel_core.inference.stop_texts import StopTexts
from pixel_core.inference.tokenizer import Tokenizer

PROMPT_CHUNK: Final = 128
"""Tokens of a prompt between two looks at whether anybody still waits."""
CHOSEN_CHUNK: Final = 8
"""Tokens that a backend chooses by itself between two looks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Generated:
    """One reply.

    Attributes:
        reason: Why it ended.
        text: The whole of it.
        reply_tokens: Its tokens; one that ended it is not counted.
        cached_tokens: Tokens of the prompt that were in the cache already.
        prompt_seconds: Until the logits of its first token were there.
        reply_seconds: From then on.
    """

    reason: EndReason
    text: str
    reply_tokens: int
    cached_tokens: int
    prompt_seconds: float
    reply_seconds: float


class TextGenerator:
    """One model that answers prompts, one after the other.

    Args:
        backend: Computes; nothing else may feed it.
        tokenizer: Of the same model.
    """

    def __init__(self, backend: Backend, tokenizer: Tokenizer) -> None:
        self._backend = backend
        self._tokenizer = tokenizer
        self._cached: list[int] = []

    def generate(
        self,
        prompt: Sequence[int],
        sampling: Sampling,
        *,
        max_tokens: int = 0,
        stop: Sequence[str] = (),
        constraint: Constraint | None = None,
        on_text: Callable[[str], None] = lambda _: None,
        is_cancelled: Callable[[], bool] = lambda: False,
    ) -> Generated:
        """Go on with a prompt.

        Args:
            prompt: Its tokens, at least one.
            sampling: How tokens are chosen.
            max_tokens: Of the reply; 0 for as many as the context takes.
            stop: Texts that end the reply, and are no part of it.
            constraint: What the reply is held to.
            on_text: Told of each piece of the reply, in whole characters.
            is_cancelled: Asked between tokens.

        Raises:
            ContextFull: The prompt leaves no room for a reply.
            ModelUnusable: The model computes values that are no numbers.
            RequestRefused: The constraint cannot be followed.
        """
        room = self._backend.context_length - len(prompt)
        if room < 1:
            raise ContextFull(
                f"the prompt has {len(prompt):,} tokens, and the context of {self._backend.context_length:,} has to take the reply, too",
                hint="shorten the prompt, or choose a larger context where the model allows one",
            )
        reply = _Reply(self._tokenizer, stop, on_text)
        started = time.perf_counter()
        cached = self._reuse(prompt)
        logits = None
        for start in range(cached, len(prompt), PROMPT_CHUNK):
            if is_cancelled():
                return reply.generated("cancelled", cached, started, time.perf_counter())
            chunk = list(prompt[start : start + PROMPT_CHUNK])
            logits = self._backend.feed(chunk)
            self._cached += chunk
        assert logits is not None, "a prompt has at least one token that is not taken from the cache"
        read = time.perf_counter()
        limit = min(max_tokens or room, room)
        sampler = Sampler(sampling)
        reason: EndReason = "length"
        while len(reply.tokens) < limit:
            if is_cancelled():
                reason = "cancelled"
                break
            if constraint is not None:
                constraint.mask(logits)
            token = sampler.choose(logits, [*prompt[-sampling.repeat_window :], *reply.tokens])
            if not reply.take(token) or (constraint is not None and _is_finished(constraint, token)):
                reason = "stop"
                break
            if len(reply.tokens) == limit:
                break
            choose = None if constraint is not None else self._several(sampling, sampler, prompt, reply)
            if choose is not None:
                reason = self._go_on(choose, reply, limit, is_cancelled)
                break
            logits = self._backend.feed([token])
            self._cached.append(token)
        return reply.generated(reason, cached, started, read)

    def _reuse(self, prompt: Sequence[int]) -> int:
        """Keep what the cache has in common with a prompt; its last token is always computed anew, for its logits."""
        common = 0
        for cached, token in zip(self._cached, prompt[:-1], strict=False):
            if cached != token:
                break
            common += 1
        self._backend.truncate(common)
        del self._cached[common:]
        return common

    def _several(self, sampling: Sampling, sampler: Sampler, prompt: Sequence[int], reply: _Reply) -> Callable[[int], list[int]] | None:
        """What chooses so many tokens behind the last one, where the backend does it by itself."""
        backend = self._backend
        if sampling.is_greedy:
            return (lambda count: backend.decode_greedy(reply.tokens[-1], count)) if isinstance(backend, GreedyBackend) else None
        if not isinstance(backend, SamplingBackend) or not backend.can_sample(sampling):
            return None

        def draw(count: int) -> list[int]:
            recent = [*prompt[-sampling.repeat_window :], *reply.tokens]
            chosen = backend.decode_sampled(recent[-1], count, sampling, drawn=sampler.drawn, recent=recent)
            sampler.drawn += count
            return chosen

        return draw

    def _go_on(self, choose: Callable[[int], list[int]], reply: _Reply, limit: int, is_cancelled: Callable[[], bool]) -> EndReason:
        """Let the backend choose several tokens at a time; those behind the end of the reply are thrown away with the next prompt."""
        while len(reply.tokens) < limit:
            if is_cancelled():
                return "cancelled"
            last = reply.tokens[-1]
            chosen = choose(min(CHOSEN_CHUNK, limit - len(reply.tokens)))
            self._cached += [last, *chosen[:-1]]
            for token in chosen:
                if not reply.take(token):
                    return "stop"
        return "length"


class _Reply:
    """The text of a reply while it grows."""

    def __init__(self, tokenizer: Tokenizer, stop: Sequence[str], on_text: Callable[[str], None]) -> None:
        self.tokens: list[int] = []
        self._ends = tokenizer.vocabulary.ends
        self._stream = tokenizer.stream()
        self._stop = StopTexts(stop)
        self._on_text = on_text
        self._pieces: list[str] = []

    def take(self, token: int) -> bool:
        """Take the next token. False where the reply ends with it."""
        if token in self._ends:
            return False
        self.tokens.append(token)
        self._show(self._stop.push(self._stream.push(token)))
        return not self._stop.is_found

    def generated(self, reason: EndReason, cached: int, started: float, read: float) -> Generated:
        """The reply as it ended."""
        ended = time.perf_counter()
        self._show(self._stop.push(self._stream.finish()))
        self._show(self._stop.finish())
        return Generated(
            reason=reason,
            text="".join(self._pieces),
            reply_tokens=len(self.tokens),
            cached_tokens=cached,
            prompt_seconds=read - started,
            reply_seconds=ended - read,
        )

    def _show(self, text: str) -> None:
        if text:
            self._pieces.append(text)
            self._on_text(text)


def _is_finished(constraint: Constraint, token: int) -> bool:
    constraint.accept(token)
    return constraint.is_finished
