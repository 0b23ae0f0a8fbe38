"""Turns a JSON schema into the request members with which Gemini is held to it.

Reference: https://ai.google.dev/gemini-api/docs/structured-output
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

_COPIED: Final = frozenset(
    {"description", "enum", "format", "maximum", "maxItems", "maxLength", "minimum", "minItems", "minLength", "nullable", "pattern",
     "required", "title"}
)  # fmt: skip
# What only restates the default; `responseSchema` has no word for it and needs none.
_DROPPED: Final = frozenset({"$schema", "$id", "additionalProperties"})
_TYPES: Final = frozenset({"array", "boolean", "integer", "number", "object", "string"})
_MAX_DEPTH: Final = 20


def gemini_schema(schema: Mapping[str, Any]) -> dict[str, Any]:
    """Members of `generationConfig` for a schema.

    Args:
        schema: JSON schema whose `properties` stand in the order in which the model is to write them: evidence before its score.

    Returns:
        `responseSchema` with an explicit `propertyOrdering`, which every model understands; for a schema that goes beyond its
        subset (`$ref`, `oneOf`, several types), `responseJsonSchema` with the schema as it is.
    """
    translated = _translate(schema, _MAX_DEPTH)
    form = {"responseJsonSchema": dict(schema)} if translated is None else {"responseSchema": translated}
    return {"responseMimeType": "application/json", **form}


def _translate(schema: object, depth: int) -> dict[str, Any] | None:
    if not isinstance(schema, Mapping) or depth == 0:
        return None
    kind = schema.get("type")
    if not isinstance(kind, str) or kind not in _TYPES:
        return None
    result: dict[str, Any] = {"type": kind.upper()}
    for name, value in schema.items():
        if name in _COPIED:
            result[name] = value
        elif name == "items":
            items = _translate(value, depth - 1)
            if items is None:
                return None
            result["items"] = items
        elif name == "properties" and isinstance(value, Mapping):
            members = {member: _translate(inner, depth - 1) for member, inner in value.items()}
            if any(inner is None for inner in members.values()):
                return None
            result["properties"] = members
            result["propertyOrdering"] = list(members)
        elif name not in _DROPPED and name != "type":
            return None
    return result
