"""Chooses the next token from logits, by the operations of shaders/model/sample.wgsl: a backend that draws by itself draws the same."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from pixel_core.errors import ModelUnusable
from pixel_core.inference.exact.arithmetic import Floats, exact_exp
from pixel_core.inference.philox import philox


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
    def seed_words(self) -> tuple[int, int]:
        """The seed as the generator takes it: its lower 64 bits in two words."""
        return self.seed & 0xFFFFFFFF, (self.seed >> 32) & 0xFFFFFFFF

    @property
    def inverse_temperature(self) -> np.float32:
        """What distances of logits are multiplied with."""
        return np.float32(min(1 / self.temperature, _COLDEST)) if self.temperature > 0 else np.float32(_COLDEST)

    @property
    def inverse_penalty(self) -> np.float32:
        """What positive logits of recent tokens are multiplied with."""
        return np.float32(1 / self.repeat_penalty)

    @property
    def is_greedy(self) -> bool:
        """Whether the likeliest token of the untouched logits is taken."""
        return self.temperature <= 0 and self.repeat_penalty == 1


class Sampler:
    """Chooses the tokens of one reply.

    Args:
        sampling: How.

    Attributes:
        drawn: How many tokens were chosen; whoever draws some in its place adds them.
    """

    def __init__(self, sampling: Sampling) -> None:
        self.drawn = 0
        self._sampling = sampling

    def choose(self, logits: Floats, recent: Sequence[int]) -> int:
        """The next token.

        Args:
            logits: float32[vocabulary]; minus infinity where a token is not allowed. Left as they are.
            recent: Tokens so far, prompt and reply.

        Raises:
            ModelUnusable: They hold NaN, or allow nothing.
        """
        sampling = self._sampling
        if not np.isfinite(logits.max()):
            raise ModelUnusable("the model computes values that are no numbers", hint="check that its file is whole")
        if sampling.repeat_penalty != 1 and sampling.repeat_window > 0 and recent:
            logits = _penalised(logits, recent[-sampling.repeat_window :], sampling)
        bits = philox((self.drawn & 0xFFFFFFFF, 0, 0, 0), sampling.seed_words)[0]
        self.drawn += 1
        if sampling.temperature <= 0:
            return int(logits.argmax())
        return _draw(logits, sampling, bits)


def _penalised(logits: Floats, recent: Sequence[int], sampling: Sampling) -> Floats:
    tokens = np.unique(np.asarray(recent))
    changed = logits.copy()
    seen = changed[tokens]
    with np.errstate(over="ignore"):  # a logit beyond all bounds is still a greatest or a least one
        changed[tokens] = seen * np.where(seen > 0, sampling.inverse_penalty, np.float32(sampling.repeat_penalty))
    return changed


def _draw(logits: Floats, sampling: Sampling, bits: int) -> int:
    """One of the likeliest: every operation in float32, sums from the likeliest on."""
    # The likeliest first; of equals the lowest id, so that the order is the same everywhere.
    order = np.argsort(-logits, kind="stable")
    if sampling.top_k > 0:
        order = order[: sampling.top_k]
    kept = logits[order]
    order, kept = order[kept > -np.inf], kept[kept > -np.inf]
    with np.errstate(invalid="ignore", over="ignore"):
        apart = np.nan_to_num(kept - kept[0], nan=0.0, neginf=-_FARTHEST)
    weights = exact_exp(apart)
    count = len(order)
    if sampling.top_p < 1:
        sums = np.cumsum(weights, dtype=np.float32)
        count = int(np.argmax(sums >= np.float32(sampling.top_p) * sums[-1])) + 1
    likely = np.flatnonzero(weights[:count] >= np.float32(sampling.min_p))
    count = int(likely[-1]) + 1 if likely.size else 1
    with np.errstate(over="ignore"):
        sums = np.cumsum(exact_exp(apart[:count] * sampling.inverse_temperature), dtype=np.float32)
    place = (np.float32(bits >> 8) * np.float32(2.0**-24)) * sums[-1]
    return int(order[min(int(np.searchsorted(sums, place, side="right")), count - 1)])


_COLDEST: Final = 1e30
"""Below this inverse every temperature is a finite factor, and with it no second token is left."""
_FARTHEST: Final = 3e38
