"""JSON schemas as Gemini takes them."""

from __future__ import annotations

from typing import Any

import pytest
from google.genai import types

from pixel_coach.agents.gemini_schema import gemini_schema


def nested(depth: int) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": "string"}
    for _ in range(depth):
        schema = {"type": "array", "items": schema}
    return schema


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        ({"type": "string", "enum": ["a", "b"]}, {"type": "STRING", "enum": ["a", "b"]}),
        ({"type": "array", "items": {"type": "integer"}, "maxItems": 3}, {"type": "ARRAY", "items": {"type": "INTEGER"}, "maxItems": 3}),
        (
            {"type": "object", "properties": {"b": {"type": "number"}, "a": {"type": "boolean"}}, "additionalProperties": False},
            {"type": "OBJECT", "properties": {"b": {"type": "NUMBER"}, "a": {"type": "BOOLEAN"}}, "propertyOrdering": ["b", "a"]},
        ),
    ],
)
def test_the_subset(schema: dict[str, Any], expected: dict[str, Any]) -> None:
    members = gemini_schema(schema)
    assert members == {"responseMimeType": "application/json", "responseSchema": expected}
    types.Schema.model_validate(members["responseSchema"])


@pytest.mark.parametrize(
    "schema",
    [
        {"$ref": "#/$defs/x", "$defs": {}},
        {"type": ["string", "null"]},
        {"type": "object", "properties": {"x": {"oneOf": []}}},
        {"type": "array", "items": {"const": 1}},
        {},
        nested(30),
    ],
)
def test_what_goes_beyond_it_is_sent_as_it_is(schema: dict[str, Any]) -> None:
    assert gemini_schema(schema) == {"responseMimeType": "application/json", "responseJsonSchema": schema}
