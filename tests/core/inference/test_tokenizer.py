"""Texts to tokens and back, held against llama.cpp's own tokenizer on the same file."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from model_testing.llama_cpp_peer import LlamaCppPeer
from model_testing.mixed_lines import mixed_lines
from model_testing.random_models import RandomModel
from pixel_core.errors import ModelUnusable
from pixel_core.inference.plain_metadata import PlainMetadata
from pixel_core.inference.tokenizer import Tokenizer, read_tokenizer
from pixel_core.weights.model_file import open_model

Write = Callable[[RandomModel], Path]


def tokenizer_of(path: Path) -> Tokenizer:
    with open_model(path) as file:
        return read_tokenizer(PlainMetadata(file.metadata))


def check_against_llama_cpp(path: Path, lines: list[str], *, parses_special: bool = False) -> None:
    ours, theirs = tokenizer_of(path), LlamaCppPeer(path, context=0)
    try:
        for special in (False, True):
            different = [
                (line, tokens, expected)
                for line in lines
                if (tokens := ours.encode(line, adds_special=special, parses_special=parses_special))
                != (expected := theirs.tokenize(line, add_special=special, parse_special=parses_special))
            ]
            assert different == []
        for token in range(ours.size):
            assert ours.bytes_of(token) == theirs.piece(token)
            assert ours.bytes_of(token, shows_special=True) == theirs.piece(token, special=True)
            assert (token in ours.vocabulary.ends) == theirs.ends_generation(token)
    finally:
        theirs.close()


def test_smollm2_is_cut_as_by_llama_cpp(smollm2: Path) -> None:
    """A thousand lines; bench/tokenizer_lines.py takes ten times as many."""
    check_against_llama_cpp(smollm2, mixed_lines(1_000))


@pytest.mark.parametrize("pre", ["gpt-2", "smollm", "llama-bpe", "qwen2", "default"])
def test_every_rule_set_cuts_as_llama_cpp_does(pre: str, random_model: Write) -> None:
    check_against_llama_cpp(random_model(RandomModel(pre=pre)), mixed_lines(300, seed=2))


def test_sentence_pieces_are_joined_as_by_llama_cpp(random_model: Write) -> None:
    lines = [*mixed_lines(300, seed=3), "Hello the hello", "hellohello  the  and", " the", "", "漢字é", "then herein"]
    check_against_llama_cpp(random_model(RandomModel(vocabulary="llama")), lines)


@pytest.mark.parametrize("vocabulary", ["gpt2", "llama"])
def test_special_tokens_are_read_where_they_are_wanted(vocabulary: str, random_model: Write) -> None:
    lines = ["<|im_start|>user\nthe<|im_end|>", "<s>hello</s> the", "a<s><s>b", "<|im_|im_start|>", "</s", "<unk>"]
    path = random_model(RandomModel(vocabulary=vocabulary))
    check_against_llama_cpp(path, lines)
    check_against_llama_cpp(path, [line for line in lines if not line.startswith("<s>")], parses_special=True)


def test_the_text_of_a_stranger_names_no_special_token(smollm2: Path) -> None:
    tokenizer = tokenizer_of(smollm2)
    assert 2 not in tokenizer.encode("<|im_end|>")
    assert tokenizer.encode("<|im_end|>", parses_special=True) == [2]
    assert tokenizer.decode(tokenizer.encode("<|im_end|>")) == "<|im_end|>"


def test_a_token_that_begins_a_text_is_not_put_there_twice(random_model: Write) -> None:
    tokenizer = tokenizer_of(random_model(RandomModel(vocabulary="llama")))
    assert tokenizer.encode("<s>the", parses_special=True) == tokenizer.encode("the")


@pytest.fixture(scope="module")
def byte_pairs(random_model: Write) -> Tokenizer:
    return tokenizer_of(random_model(RandomModel()))


@given(text=st.text(max_size=50))
def test_any_text_comes_back(byte_pairs: Tokenizer, text: str) -> None:
    assert byte_pairs.decode(byte_pairs.encode(text)) == text


@given(tokens=st.lists(st.integers(0, 287)))
def test_a_stream_gives_whole_characters_and_in_the_end_the_same_text(byte_pairs: Tokenizer, tokens: list[int]) -> None:
    stream = byte_pairs.stream()
    pieces = [stream.push(token) for token in tokens]
    assert "".join(pieces) + stream.finish() == byte_pairs.decode(tokens)


def test_a_character_waits_for_its_last_byte(byte_pairs: Tokenizer) -> None:
    tokens = byte_pairs.encode("é👩‍👧")
    stream = byte_pairs.stream()
    assert [stream.push(token) for token in tokens] == ["", "é", "", "", "", "👩", "", "", "\u200d", "", "", "", "👧"]
    assert stream.finish() == ""


def test_half_a_character_at_the_end_is_a_replacement(byte_pairs: Tokenizer) -> None:
    stream = byte_pairs.stream()
    assert stream.push(byte_pairs.encode("é")[0]) == ""
    assert stream.finish() == "\ufffd"


def test_lone_surrogates_are_replaced(byte_pairs: Tokenizer) -> None:
    assert byte_pairs.decode(byte_pairs.encode("a\ud800b")) == "a\ufffd\ufffd\ufffdb"


def refused(**changed: object) -> str:
    metadata: dict[str, object] = {
        "tokenizer.ggml.model": "gpt2",
        "tokenizer.ggml.pre": "gpt-2",
        "tokenizer.ggml.tokens": ("a", "b", "ab"),
        "tokenizer.ggml.merges": ("a b",),
    }
    metadata |= {f"tokenizer.ggml.{key}": value for key, value in changed.items()}
    with pytest.raises(ModelUnusable) as caught:
        read_tokenizer({key: value for key, value in metadata.items() if value is not None})
    return caught.value.message


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"model": "t5"}, "the tokenizer `t5` is not supported"),
        ({"model": None}, "the metadata has no `tokenizer.ggml.model`"),
        ({"tokens": None}, "the metadata has no `tokenizer.ggml.tokens`"),
        ({"tokens": ("a", 1)}, "`tokenizer.ggml.tokens` holds values of another kind than `str`"),
        ({"tokens": ("a" * 5_000,)}, "a token of 5,000 characters is longer than the 4,096 that are allowed"),
        ({"token_type": (1,)}, "3 tokens have 1 kinds and 0 scores"),
        ({"pre": "mystery"}, "the rules `mystery` of the tokenizer are not known"),
        ({"model": "llama"}, "the metadata has no `tokenizer.ggml.scores`"),
        ({"add_bos_token": 1}, "`tokenizer.ggml.add_bos_token` is neither true nor false"),
    ],
)
def test_a_broken_vocabulary_is_one_sentence(changed: dict[str, object], message: str) -> None:
    assert refused(**changed) == message


def test_merges_that_make_no_token_are_passed_over() -> None:
    metadata = {"model": "gpt2", "pre": "gpt-2", "tokens": ("a", "b", "ab"), "merges": ("b a", "nonsense", "a b", " ")}
    tokenizer = read_tokenizer({f"tokenizer.ggml.{key}": value for key, value in metadata.items()})
    assert tokenizer.encode("abba") == [2, 1, 0]


def test_tokens_of_no_unicode_are_kept_as_bytes() -> None:
    metadata = {"model": "gpt2", "pre": "gpt-2", "tokens": ("a", "\udcff"), "token_type": (1, 4)}
    tokenizer = read_tokenizer({f"tokenizer.ggml.{key}": value for key, value in metadata.items()})
    assert tokenizer.bytes_of(1) == b"\xff"
    assert tokenizer.encode("aa") == [0, 0]
