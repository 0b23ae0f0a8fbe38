from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from model_testing.random_models import RandomModel
from pixel_coach.repair import slot_grammar
from pixel_coach.token_edits import token_edits
from pixel_core.errors import RequestRefused
from pixel_core.inference.constraint import Constraint, ConstraintMaker
from pixel_core.inference.plain_metadata import PlainMetadata
from pixel_core.inference.tokenizer import Tokenizer, read_tokenizer
from pixel_core.weights.model_file import open_model

SIZE = 300
PERSON = {
    "type": "object",
    "properties": {"name": {"type": "string", "maxLength": 4}, "age": {"type": "integer", "minimum": 0, "maximum": 9}},
    "required": ["name", "age"],
    "additionalProperties": False,
}


@pytest.fixture(scope="module")
def tokenizer(random_model: Callable[[RandomModel], Path]) -> Tokenizer:
    with open_model(random_model(RandomModel())) as file:
        return read_tokenizer(PlainMetadata(file.metadata))


@pytest.fixture(scope="module")
def maker(tokenizer: Tokenizer) -> ConstraintMaker:
    return ConstraintMaker(tokenizer, SIZE)


def written_at_random(tokenizer: Tokenizer, constraint: Constraint, seed: int, limit: int = 200) -> tuple[str, bool]:
    """What a model of random logits writes under a constraint, and whether it came to an end."""
    random = np.random.default_rng(seed)
    tokens: list[int] = []
    for _ in range(limit):
        logits = random.normal(0, 3, SIZE).astype(np.float32)
        constraint.mask(logits)
        token = int(logits.argmax())
        assert np.isfinite(logits[token]), "something may always come"
        if token in tokenizer.vocabulary.ends:
            return tokenizer.decode(tokens), True
        tokens.append(token)
        constraint.accept(token)
        if constraint.is_finished:
            return tokenizer.decode(tokens), True
    return tokenizer.decode(tokens), False


@given(seed=st.integers(0, 1_000_000))
def test_whatever_a_model_writes_is_json_of_the_schema(tokenizer: Tokenizer, maker: ConstraintMaker, seed: int) -> None:
    text, is_whole = written_at_random(tokenizer, maker.for_schema(PERSON), seed)
    assert is_whole
    value = json.loads(text)
    assert set(value) == {"name", "age"}
    assert 0 <= value["age"] <= 9
    assert len(value["name"]) <= 4


def test_a_grammar_of_the_coach_is_followed(tokenizer: Tokenizer, maker: ConstraintMaker) -> None:
    shader = 'fn main() {\n    let a = "\\";\n    if (row < 3u && col <= 4u) { return; }\n}\n'
    for slot in token_edits(shader):
        text, is_whole = written_at_random(tokenizer, maker.for_grammar(slot_grammar(shader, slot)), seed=1)
        assert is_whole
        line = shader.splitlines()[slot.line - 1].strip()
        assert text != line
        assert any(text.endswith(other) for other in slot.alternatives)


def test_no_special_token_takes_the_place_of_its_text(tokenizer: Tokenizer, maker: ConstraintMaker) -> None:
    text, is_whole = written_at_random(tokenizer, maker.for_grammar('root ::= "<|im_start|>"'), seed=2)
    assert (text, is_whole) == ("<|im_start|>", True)


@pytest.mark.parametrize(
    ("schema", "message"),
    [
        ({"type": "nonsense"}, "the JSON schema cannot be used: "),
        ({"$ref": "https://example.org/schema.json"}, "the JSON schema cannot be used: "),
        ({"type": "string", "pattern": "("}, "the JSON schema cannot be used: "),
        ({"const": "x" * 300_000}, "a JSON schema of 300,013 characters is longer than the 262,144 that are allowed"),
    ],
)
def test_a_schema_that_is_none_is_said(maker: ConstraintMaker, schema: dict[str, object], message: str) -> None:
    with pytest.raises(RequestRefused) as caught:
        maker.for_schema(schema)
    assert caught.value.message.startswith(message)


@pytest.mark.parametrize("grammar", ["", "root", 'root ::= "a', "root ::= missing", "root ::= (", "root ::= " + "(" * 5_000])
def test_a_grammar_that_is_none_is_said(maker: ConstraintMaker, grammar: str) -> None:
    with pytest.raises(RequestRefused, match="the grammar cannot be used"):
        maker.for_grammar(grammar)
