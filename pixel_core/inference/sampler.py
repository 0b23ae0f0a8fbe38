"""Chooses the next token from logits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pixel_core.errors import ModelUnusable


@dataclass(frozen=True, slots=True, kw_only=True)
class Sampling:
    """How a token is chosen. Names and order of the steps are llama.cpp's: penalty, top-k, top-p, min-p, temperature.

    Attributes:
        temperature: What logits are divided by; 0 takes the likeliest token, and nothing is random.
        top_k: Keep this many of the likeliest tokens; 0 keeps all.
        top_p: Keep the fewest of the likeliest tokens whose probabilities make this sum; 1 keeps all.
        min_p: Keep tokens that are at least this part as likely as the likeliest; 0 keeps all.
        repeat_penalty: What the logit of a recent token is divided by (multiplied, where it is negative); 1 for none. Source: CTRL
            (arXiv 1909.05858), section 4.1.
        repeat_window: How many tokens are recent.
        seed: The same one gives the same tokens from the same logits.
    """

    temperature: float = 0.8
    top_k: int = 40
    top_p: float = 0.95
    min_p: float = 0.05
    repeat_penalty: float = 1.0
    repeat_window: int = 64
    seed: int = 0

    @property
    def is_greedy(self) -> bool:
        """Whether the likeliest token of the untouched logits is taken."""
        return self.temperature <= 0 and self.repeat_penalty == 1


class Sampler:
    """Chooses the tokens of one reply.

    Args:
        sampling: How.
    """

    def __init__(self, sampling: Sampling) -> None:
        self._sampling = sampling
        self._random = np.random.Generator(np.random.PCG64(sampling.seed))

    def choose(self, logits: NDArray[np.float32], recent: Sequence[int]) -> int:
        """The next token.

        Args:
            logits: float32[vocabulary]; minus infinity where a token is not allowed. Left as they are.
            recent: Tokens so far, prompt and reply.

        Raises:
            ModelUnusable: They hold NaN, or allow nothing.
        """
        sampling = self._sampling
        best = float(logits.max())
        if not np.isfinite(best):
            raise ModelUnusable("the model computes values that are no numbers", hint="check that its file is whole")
        if sampling.repeat_penalty != 1 and sampling.repeat_window > 0 and recent:
            logits = _penalised(logits, recent[-sampling.repeat_window :], sampling.repeat_penalty)
        if sampling.temperature <= 0:
            return int(logits.argmax())
        # The likeliest first; of equals the lowest id, so that the order is the same everywhere.
        order = np.argsort(-logits, kind="stable")
        if sampling.top_k > 0:
            order = order[: sampling.top_k]
        kept = logits[order].astype(np.float64)
        weights = np.exp(kept - kept[0])
        count = len(order)
        if sampling.top_p < 1:
            shares = np.cumsum(weights) / weights.sum()
            count = min(int(np.searchsorted(shares, sampling.top_p)) + 1, count)
        if sampling.min_p > 0:
            count = min(int(np.count_nonzero(weights >= sampling.min_p)), count)
        weights = np.exp((kept[:count] - kept[0]) / sampling.temperature)
        shares = np.cumsum(weights)
        drawn = self._random.random() * shares[-1]
        return int(order[min(int(np.searchsorted(shares, drawn, side="right")), count - 1)])


def _penalised(logits: NDArray[np.float32], recent: Sequence[int], penalty: float) -> NDArray[np.float32]:
    tokens = np.unique(np.asarray(recent))
    changed = logits.copy()
    seen = changed[tokens]
    changed[tokens] = np.where(seen > 0, seen / penalty, seen * penalty)
    return changed
