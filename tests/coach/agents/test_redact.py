"""Keys go out of whatever is logged or told."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pixel_coach.agents.redact import redact

KEY = "s3cret/with+signs="
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (f"a {KEY} b", "a [redacted] b"),
        ("https://host/?key=s3cret%2Fwith%2Bsigns%3D", "https://host/?key=[redacted]"),
        ({"Authorization": "anything", "x-goog-api-key": "anything"}, {"Authorization": "[redacted]", "x-goog-api-key": "[redacted]"}),
        ({"body": [{"text": KEY}, (KEY, 1, None)]}, {"body": [{"text": "[redacted]"}, ["[redacted]", 1, None]]}),
        ({KEY: 1}, {"[redacted]": 1}),
        ("AIzaSyA1234567890abcdefghijklmnopqrstuvw is a key", "[redacted] is a key"),
        ("sk-proj-1234567890abcdef1234", "[redacted]"),
        ("a task-sk, and AIza in words", "a task-sk, and AIza in words"),
        (1.5, 1.5),
    ],
)
def test_redact(value: Any, expected: Any) -> None:
    assert redact(value, (KEY, "", "abc")) == expected


@given(JSON, st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=8))
def test_no_secret_is_left_wherever_it_stands(value: Any, secret: str) -> None:
    held = {"name": value, "key": secret, "url": f"https://host/{secret}?x={secret}", "list": [value, secret + "x"]}
    left = redact(held, (secret,))
    assert left["key"] == "[redacted]"
    assert secret not in left["url"].replace("[redacted]", "\0")
    assert secret not in left["list"][1].replace("[redacted]", "\0")


def test_a_deep_value_has_an_end() -> None:
    value: Any = KEY
    for _ in range(100_000):
        value = [value]
    assert KEY not in json.dumps(redact(value, (KEY,)))
