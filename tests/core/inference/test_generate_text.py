"""The loop from prompt to reply, over a backend whose logits are written by hand."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import numpy as np
import pytest

from pixel_core.errors import ContextFull
from pixel_core.inference.backend import Backend, GreedyBackend
from pixel_core.inference.config import ModelConfig
from pixel_core.inference.constraint import ConstraintMaker
from pixel_core.inference.generate_text import Generated, TextGenerator
from pixel_core.inference.sampler import Sampling
from pixel_core.inference.tokenizer import Tokenizer, read_tokenizer

GREEDY = Sampling(temperature=0)
END = 0
LETTERS = "abcdefgh"


def letters() -> Tokenizer:
    """`<end>`, then a token for each of eight letters, then the two bytes of `é`."""
    texts = ("<end>", *LETTERS, "Ã", "©")
    metadata = {"model": "gpt2", "pre": "gpt-2", "tokens": texts, "token_type": (3, *[1] * 10), "eos_token_id": END}
    return read_tokenizer({f"tokenizer.ggml.{key}": value for key, value in metadata.items()})


class Alphabet:
    """Says after each letter the next one; after the last, the end. Fulfils `Backend`, and notes what it is fed."""

    config = cast("ModelConfig", None)
    description = "alphabet"

    def __init__(self, context_length: int = 100, follows: dict[int, int] | None = None) -> None:
        self.context_length = context_length
        self.cache: list[int] = []
        self.fed: list[list[int]] = []
        self._follows = follows or {}

    @property
    def length(self) -> int:
        return len(self.cache)

    def feed(self, tokens: Sequence[int]) -> np.ndarray:
        self.fed.append(list(tokens))
        self.cache += tokens
        assert len(self.cache) <= self.context_length
        logits = np.zeros(11, np.float32)
        logits[self.after(tokens[-1])] = 1
        return logits

    def feed_all(self, tokens: Sequence[int]) -> np.ndarray:
        raise NotImplementedError

    def truncate(self, length: int) -> None:
        assert length <= len(self.cache)
        del self.cache[length:]

    def close(self) -> None:
        raise NotImplementedError

    def after(self, token: int) -> int:
        return self._follows.get(token, (token + 1) % 9)


class GreedyAlphabet(Alphabet):
    """Fulfils `GreedyBackend`, too."""

    def decode_greedy(self, token: int, count: int) -> list[int]:
        chosen: list[int] = []
        for _ in range(count):
            self.cache.append(token)
            token = self.after(token)
            chosen.append(token)
        assert len(self.cache) <= self.context_length
        return chosen


def generated(backend: Backend, prompt: str = "a", **options: object) -> tuple[Generated, list[str]]:
    pieces: list[str] = []
    tokenizer = letters()
    generator = TextGenerator(backend, tokenizer)
    return generator.generate(tokenizer.encode(prompt), GREEDY, on_text=pieces.append, **options), pieces  # pyright: ignore


@pytest.mark.parametrize("kind", [Alphabet, GreedyAlphabet])
def test_a_reply_ends_where_the_model_ends_it(kind: type[Alphabet]) -> None:
    reply, pieces = generated(kind())
    assert (reply.text, reply.reason, reply.reply_tokens, pieces) == ("bcdefgh", "stop", 7, list("bcdefgh"))


@pytest.mark.parametrize("kind", [Alphabet, GreedyAlphabet])
def test_a_reply_is_cut_at_its_length(kind: type[Alphabet]) -> None:
    reply, pieces = generated(kind(), max_tokens=3)
    assert (reply.text, reply.reason, reply.reply_tokens, pieces) == ("bcd", "length", 3, ["b", "c", "d"])


@pytest.mark.parametrize("kind", [Alphabet, GreedyAlphabet])
def test_a_reply_is_cut_where_the_context_ends(kind: type[Alphabet]) -> None:
    backend = kind(context_length=5, follows={8: 1})
    reply, _ = generated(backend, "abc", max_tokens=50)
    assert (reply.text, reply.reason) == ("de", "length")


def test_a_prompt_that_fills_the_context_is_refused() -> None:
    with pytest.raises(ContextFull, match="the prompt has 5 tokens, and the context of 5 has to take the reply, too"):
        generated(Alphabet(context_length=5), "abcde")


@pytest.mark.parametrize("kind", [Alphabet, GreedyAlphabet])
def test_a_stop_text_ends_the_reply_and_is_no_part_of_it(kind: type[Alphabet]) -> None:
    reply, pieces = generated(kind(), stop=["x", "ef"])
    assert (reply.text, reply.reason, "".join(pieces)) == ("bcd", "stop", "bcd")


def test_a_character_of_several_tokens_comes_whole() -> None:
    reply, pieces = generated(Alphabet(follows={1: 9, 9: 10, 10: 2, 2: END}))
    assert (reply.text, pieces, reply.reply_tokens) == ("éb", ["é", "b"], 3)


def test_half_a_character_where_the_reply_is_cut_is_a_replacement() -> None:
    reply, pieces = generated(Alphabet(follows={1: 9}), max_tokens=1)
    assert (reply.text, pieces) == ("\ufffd", ["\ufffd"])


@pytest.mark.parametrize("kind", [Alphabet, GreedyAlphabet])
def test_the_next_prompt_begins_with_what_is_in_the_cache(kind: type[Alphabet]) -> None:
    backend, tokenizer = kind(), letters()
    generator = TextGenerator(backend, tokenizer)
    generator.generate(tokenizer.encode("abc"), GREEDY, max_tokens=3)
    backend.fed.clear()
    reply = generator.generate(tokenizer.encode("abcdeh"), GREEDY)
    assert (reply.cached_tokens, reply.text, backend.fed[0]) == (5, "", [8])
    assert backend.cache == tokenizer.encode("abcdeh")
    backend.fed.clear()
    # The same once more: its last token is computed anew, for its logits.
    assert generator.generate(tokenizer.encode("abcdeh"), GREEDY).cached_tokens == 5
    assert backend.fed == [[8]]


def test_a_long_prompt_is_taken_in_portions_and_can_be_withdrawn_between_them() -> None:
    backend, tokenizer = Alphabet(context_length=1_000), letters()
    generator = TextGenerator(backend, tokenizer)
    answers = iter([False, True])
    reply = generator.generate([1] * 300, GREEDY, is_cancelled=lambda: next(answers))
    assert (reply.reason, reply.text, [len(portion) for portion in backend.fed]) == ("cancelled", "", [128])
    assert generator.generate([1] * 300, GREEDY, max_tokens=1).cached_tokens == 128


@pytest.mark.parametrize("kind", [Alphabet, GreedyAlphabet])
def test_a_reply_can_be_withdrawn(kind: type[Alphabet]) -> None:
    looks = iter([False] * 3 + [True] * 9)
    reply, _ = generated(kind(follows={8: 1}, context_length=10_000), is_cancelled=lambda: next(looks))
    assert reply.reason == "cancelled"
    assert 1 <= reply.reply_tokens <= 20


def test_the_greedy_backend_is_not_asked_where_something_else_decides() -> None:
    tokenizer = letters()
    backend = GreedyAlphabet()
    assert isinstance(backend, GreedyBackend)
    generator = TextGenerator(backend, tokenizer)
    warm = Sampling(temperature=1e-6)
    assert generator.generate(tokenizer.encode("a"), warm).text == "bcdefgh"
    assert len(backend.fed) == 8


def test_a_constraint_decides_what_may_come_and_where_it_ends() -> None:
    tokenizer = letters()
    constraint = ConstraintMaker(tokenizer, 11).for_grammar('root ::= ("c" | "d") "a"')
    reply = TextGenerator(Alphabet(), tokenizer).generate(tokenizer.encode("b"), GREEDY, constraint=constraint)
    assert (reply.text, reply.reason) == ("ca", "stop")
