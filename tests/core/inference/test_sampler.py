from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pixel_core.errors import ModelUnusable
from pixel_core.inference.sampler import Sampler, Sampling

EVERYTHING = Sampling(temperature=1.0, top_k=0, top_p=1.0, min_p=0.0)


def logits(*values: float) -> np.ndarray:
    return np.array(values, np.float32)


def drawn(sampling: Sampling, values: np.ndarray, count: int = 2_000) -> Counter[int]:
    sampler = Sampler(sampling)
    return Counter(sampler.choose(values, []) for _ in range(count))


def test_without_temperature_the_likeliest_and_of_equals_the_first() -> None:
    assert Sampler(Sampling(temperature=0)).choose(logits(0, 3, 1, 3), []) == 1


def test_probabilities_are_those_of_softmax() -> None:
    """4 standard deviations of a binomial distribution of 2,000 draws."""
    values = logits(0, 1, 2, -1)
    expected = np.exp(values) / np.exp(values).sum()
    seen = drawn(EVERYTHING, values)
    for token, share in enumerate(expected):
        assert abs(seen[token] - 2_000 * share) < 4 * np.sqrt(2_000 * share * (1 - share))


@pytest.mark.parametrize("temperature", [0.5, 2.0])
def test_draws_follow_the_distribution(temperature: float) -> None:
    """Chi-squared of 5,000 draws with a fixed seed among 12 tokens: 11 degrees of freedom, 31.26 is exceeded once in a thousand."""
    values = np.linspace(-1.5, 2, 12, dtype=np.float32)
    shares = np.exp(values.astype(np.float64) / temperature)
    expected = 5_000 * shares / shares.sum()
    seen = drawn(Sampling(temperature=temperature, top_k=12, top_p=1.0, min_p=0.0, seed=11), values, 5_000)
    assert sum((seen[token] - mean) ** 2 / mean for token, mean in enumerate(expected)) < 31.26


def test_seeds_draw_independently() -> None:
    """Chi-squared of pairs: what two neighbouring seeds draw at the same place; 8 · 8 - 1 degrees of freedom, 103.4 once in a thousand."""
    values = np.zeros(8, np.float32)
    one, other = (Sampler(Sampling(temperature=1.0, top_k=8, top_p=1.0, min_p=0.0, seed=seed)) for seed in (1, 2))
    pairs = Counter((one.choose(values, []), other.choose(values, [])) for _ in range(3_200))
    assert sum((pairs[a, b] - 50) ** 2 / 50 for a in range(8) for b in range(8)) < 103.4


def test_a_high_temperature_makes_all_alike_and_a_low_one_the_first_sure() -> None:
    values = logits(0, 1, 2)
    hot = Sampling(temperature=1e6, top_k=0, top_p=1.0, min_p=0.0)
    assert min(drawn(hot, values).values()) > 550
    assert drawn(Sampling(temperature=1e-3, top_k=0), values) == {2: 2_000}


@pytest.mark.parametrize(
    ("sampling", "kept"),
    [
        (Sampling(temperature=1, top_k=2, top_p=1, min_p=0), {1, 3}),
        (Sampling(temperature=1, top_k=1, top_p=1, min_p=0), {3}),
        # Shares: 0.64, 0.24, 0.09, 0.03.
        (Sampling(temperature=1, top_k=0, top_p=0.6, min_p=0), {3}),
        (Sampling(temperature=1, top_k=0, top_p=0.7, min_p=0), {1, 3}),
        (Sampling(temperature=1, top_k=0, top_p=0.9, min_p=0), {0, 1, 3}),
        (Sampling(temperature=1, top_k=0, top_p=1, min_p=0.3), {1, 3}),
        (Sampling(temperature=1, top_k=0, top_p=1, min_p=1), {3}),
        (Sampling(temperature=1, top_k=0, top_p=0, min_p=0), {3}),
    ],
)
def test_what_is_unlikely_is_left_out(sampling: Sampling, kept: set[int]) -> None:
    assert set(drawn(sampling, logits(1, 2, 0, 3))) == kept


def test_what_is_cut_is_cut_before_the_temperature_as_in_llama_cpp() -> None:
    assert set(drawn(Sampling(temperature=100, top_k=0, top_p=0.6, min_p=0), logits(1, 2, 0, 3))) == {3}


def test_recent_tokens_become_less_likely_whatever_their_sign() -> None:
    penalty = Sampling(temperature=0, repeat_penalty=2.0, repeat_window=2)
    assert Sampler(penalty).choose(logits(1.0, 1.5, -9), [1]) == 0
    assert Sampler(penalty).choose(logits(-1.0, -1.5, -9), [0]) == 1
    assert Sampler(penalty).choose(logits(1.0, 1.5, -9), [1, 2, 2]) == 1, "it is recent no longer"


def test_the_same_seed_gives_the_same_tokens() -> None:
    values = np.random.default_rng(0).normal(0, 1, 300).astype(np.float32)
    runs = [[(sampler := Sampler(Sampling(seed=seed))) and sampler.choose(values, []) for _ in range(1)] for seed in (5, 5)]
    assert runs[0] == runs[1]
    first, second, other = (Sampler(Sampling(seed=seed, temperature=2.0)) for seed in (5, 5, 6))
    drawn_first = [first.choose(values, []) for _ in range(50)]
    assert drawn_first == [second.choose(values, []) for _ in range(50)]
    assert drawn_first != [other.choose(values, []) for _ in range(50)]


def test_a_token_that_is_not_allowed_is_never_drawn() -> None:
    hot = Sampling(temperature=1e9, top_k=0, top_p=1.0, min_p=0.0)
    assert set(drawn(hot, logits(0, -np.inf, 0, -np.inf))) == {0, 2}


@pytest.mark.parametrize("values", [(np.nan, 1.0), (-np.inf, -np.inf), (np.inf, 0.0)])
def test_what_is_no_number_is_said(values: tuple[float, float]) -> None:
    with pytest.raises(ModelUnusable, match="no numbers"):
        Sampler(Sampling()).choose(logits(*values), [])


@given(
    values=st.lists(st.floats(-(2.0**100), 2.0**100, width=32), min_size=1, max_size=40),
    temperature=st.floats(0, 100),
    top_k=st.integers(0, 50),
    top_p=st.floats(0, 1),
    min_p=st.floats(0, 1),
    penalty=st.floats(0.01, 100),
)
def test_any_settings_choose_some_token(
    values: list[float], temperature: float, top_k: int, top_p: float, min_p: float, penalty: float
) -> None:
    sampling = Sampling(temperature=temperature, top_k=top_k, top_p=top_p, min_p=min_p, repeat_penalty=penalty)
    assert 0 <= Sampler(sampling).choose(np.array(values, np.float32), [0]) < len(values)
