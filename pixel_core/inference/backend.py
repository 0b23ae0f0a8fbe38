"""What computes a model: tokens in, logits out, with a cache of keys and values in between."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol, TypeAlias, runtime_checkable

if TYPE_CHECKING:
    import numpy
    from numpy.typing import NDArray

    from pixel_core.inference.config import ModelConfig
    from pixel_core.inference.sampler import Sampling

    Logits: TypeAlias = NDArray[numpy.float32]


class Backend(Protocol):
    """One model with one sequence of tokens in its cache. Used from one thread."""

    @property
    def config(self) -> ModelConfig:
        """Of the model."""
        ...

    @property
    def description(self) -> str:
        """What computes, for people: `reference (numpy float32)`, `device llvmpipe (textures)`."""
        ...

    @property
    def length(self) -> int:
        """Tokens in the cache."""
        ...

    @property
    def context_length(self) -> int:
        """Tokens that the cache can hold; at most `config.context_length`."""
        ...

    def feed(self, tokens: Sequence[int]) -> Logits:
        """Take more tokens, at least one, behind those in the cache.

        Returns:
            float32[vocabulary]: logits of what follows the last one. The caller may keep and change it.

        Raises:
            ContextFull: They would not fit; the cache is as before.
            ValueError: One is none of the vocabulary, or there is none.
        """
        ...

    def feed_all(self, tokens: Sequence[int]) -> Logits:
        """As `feed`; float32[len(tokens), vocabulary]: logits of what follows each of them."""
        ...

    def truncate(self, length: int) -> None:
        """Forget what is behind the first `length` tokens of the cache.

        Raises:
            ValueError: The cache is shorter.
        """
        ...

    def close(self) -> None:
        """Give back memory and device. Nothing else may be called afterwards."""
        ...


@runtime_checkable
class GreedyBackend(Backend, Protocol):
    """A backend that can choose the likeliest token itself, several in a row, without handing out logits."""

    def decode_greedy(self, token: int, count: int) -> list[int]:
        """Feed a token, then each time the likeliest (of equals, the lowest id), `count` times in all.

        Returns:
            The `count` ids that were chosen. The last is not yet in the cache: it is the `token` of the next call.

        Raises:
            ContextFull: They would not fit; the cache is as before.
        """
        ...


@runtime_checkable
class SamplingBackend(Backend, Protocol):
    """A backend that can draw tokens itself, several in a row, as `Sampler` would from its logits."""

    def can_sample(self, sampling: Sampling) -> bool:
        """Whether it draws in this way."""
        ...

    def decode_sampled(self, token: int, count: int, sampling: Sampling, *, drawn: int, recent: Sequence[int]) -> list[int]:
        """Feed a token, then each time one that is drawn, `count` times in all.

        Args:
            token: The first to be fed.
            count: How many are drawn.
            sampling: How; `can_sample` says yes.
            drawn: How many were drawn before: `Sampler.drawn`.
            recent: The tokens so far, `token` the last of them; `sampling.repeat_window` are enough.

        Returns:
            The `count` ids that were chosen. The last is not yet in the cache: it is the `token` of the next call.

        Raises:
            ContextFull: They would not fit; the cache is as before.
            ModelUnusable: The model computes values that are no numbers.
        """
        ...
