"""A Gemini: generateContent, streamGenerateContent, countTokens and models, in v1 and v1beta, in both spellings of its members.

It refuses what Gemini refuses: a wrong key, a key in the URL, an unknown model, members that do not exist.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any

from model_servers.fake_server import FakeServer, Received, Sent, send_json
from model_servers.gemini_outcomes import Outcome, answer, refused, unknown_model, wrong_key

KEY = "fake-gemini-key-0123456789"
MODELS: Mapping[str, int] = {"gemini-2.5-flash": 1_048_576, "gemini-2.5-flash-lite": 1_048_576, "gemini-2.5-pro": 1_048_576}

_BODY = frozenset({"contents", "systemInstruction", "generationConfig", "tools", "toolConfig", "safetySettings", "cachedContent", "model"})
_CONFIG = frozenset(
    {"candidateCount", "frequencyPenalty", "logprobs", "maxOutputTokens", "mediaResolution", "presencePenalty", "responseJsonSchema",
     "responseLogprobs", "responseMimeType", "responseModalities", "responseSchema", "seed", "speechConfig", "stopSequences",
     "temperature", "thinkingConfig", "topK", "topP"}
)  # fmt: skip
_SCHEMA = frozenset(
    {"anyOf", "default", "description", "enum", "example", "format", "items", "maxItems", "maxLength", "maxProperties", "maximum",
     "minItems", "minLength", "minProperties", "minimum", "nullable", "pattern", "properties", "propertyOrdering", "required", "title",
     "type"}
)  # fmt: skip

Respond = Callable[[Received], Outcome]


class FakeGemini(FakeServer):
    """The server. Outcomes that `queue` adds are used up first, then `respond` is asked."""

    def __init__(self, respond: Respond | None = None, *, key: str = KEY, models: Mapping[str, int] = MODELS) -> None:
        super().__init__(self._route)
        self.key = key
        self._respond = respond or (lambda request: answer(example_of(request)))
        self._models = models
        self._queue: deque[Outcome] = deque()

    def queue(self, *outcomes: Outcome) -> None:
        """What to answer next, one outcome a request."""
        self._queue.extend(outcomes)

    def _route(self, request: Received) -> Sent:
        version, _, rest = request.path.lstrip("/").partition("/")
        if version not in {"v1", "v1beta"} or not rest.startswith("models"):
            return _send(refused(f"no such path: {request.path}"), is_stream=False)
        if "key" in request.query:
            return _send(refused("a key in the URL ends up in logs"), is_stream=False)
        if request.headers.get("x-goog-api-key") != self.key:
            return _send(wrong_key(), is_stream=False)
        name, _, verb = rest.removeprefix("models").lstrip("/").partition(":")
        if not name:
            return send_json({"models": [_model(each, limit) for each, limit in self._models.items()]})
        if name not in self._models:
            return _send(unknown_model(name), is_stream=False)
        if not verb:
            return send_json(_model(name, self._models[name]))
        if verb == "countTokens":
            return send_json({"totalTokens": len(prompt_text(request)) // 4 + 1})
        if (problem := _problem(request.body)) is not None:
            return _send(refused(problem), is_stream=False)
        outcome = self._queue.popleft() if self._queue else self._respond(request)
        return _send(outcome, is_stream=verb == "streamGenerateContent")


def prompt_text(request: Received) -> str:
    """All texts of a request, the instructions first."""
    body = _camel(request.body)
    contents = [body.get("systemInstruction") or {}, *body.get("contents", [])]
    return "\n".join(part.get("text", "") for content in contents for part in content.get("parts", []))


def example_of(request: Received) -> str:
    """A text that satisfies the request: the smallest JSON of its schema, or a word."""
    config = _camel(request.body).get("generationConfig") or {}
    schema = config.get("responseSchema") or config.get("responseJsonSchema")
    return json.dumps(_example(schema)) if schema else "fine"


def _example(schema: Mapping[str, Any]) -> Any:
    if schema.get("enum"):
        return schema["enum"][0]
    kind = str(schema.get("type", "")).lower()
    if kind == "object":
        members = _camel(schema).get("properties", {})
        ordering = _camel(schema).get("propertyOrdering") or list(members)
        return {name: _example(members[name]) for name in ordering}
    if kind == "array":
        return [_example(schema["items"])] * int(schema.get("minItems", 0))
    return {"integer": schema.get("minimum", 1), "number": 0.5, "boolean": True}.get(kind, "example")


def _send(outcome: Outcome, *, is_stream: bool) -> Sent:
    if outcome.error is not None and outcome.status != 200:
        # The stream wraps its errors in a list unless it was asked for events.
        return send_json(outcome.error, status=outcome.status)
    if not is_stream:
        return Sent(pieces=(json.dumps(_joined(outcome.messages)).encode() + outcome.raw,), pause_s=outcome.pause_s, is_cut=outcome.is_cut)
    events = [*outcome.messages, *([outcome.error] if outcome.error is not None else [])]
    pieces = [b"data: " + json.dumps(event, ensure_ascii=False).encode() + b"\r\n\r\n" for event in events]
    if outcome.raw:
        pieces.append(outcome.raw)
    return Sent(pieces=tuple(pieces), content_type="text/event-stream", pause_s=outcome.pause_s, is_cut=outcome.is_cut)


def _joined(messages: tuple[Mapping[str, Any], ...]) -> Mapping[str, Any]:
    last = dict(messages[-1])
    parts = [
        part
        for message in messages
        for candidate in message.get("candidates", [])
        for part in candidate.get("content", {}).get("parts", [])
    ]
    if parts:
        last["candidates"] = [{**last["candidates"][0], "content": {"parts": parts, "role": "model"}}]
    return last


def _model(name: str, limit: int) -> dict[str, Any]:
    return {
        "name": f"models/{name}",
        "version": "001",
        "displayName": name,
        "description": "a fake",
        "inputTokenLimit": limit,
        "outputTokenLimit": 65_536,
        "supportedGenerationMethods": ["generateContent", "countTokens"],
        "temperature": 1,
        "topP": 0.95,
        "topK": 64,
        "maxTemperature": 2,
        "thinking": True,
    }


def _problem(body: Any) -> str | None:
    unknown = [name for name in _camel(body) if name not in _BODY]
    config = _camel(_camel(body).get("generationConfig") or {})
    unknown += [f"generationConfig.{name}" for name in config if name not in _CONFIG]
    unknown += _unknown_in_schema(config.get("responseSchema"))
    if unknown:
        return f'Invalid JSON payload received. Unknown name "{unknown[0]}": Cannot find field.'
    tools = [_camel(tool) for tool in _camel(body).get("tools") or []]
    if any(not any(tool.values()) for tool in tools):
        return "* GenerateContentRequest.tools[0].tool_type: required one_of 'tool_type' must have one initialized field"
    if not _camel(body).get("contents"):
        return "* GenerateContentRequest.contents: contents is not specified"
    if "responseSchema" in config and config.get("responseMimeType") != "application/json":
        return "response_schema is only supported with a JSON response_mime_type"
    return None


def _unknown_in_schema(schema: Any) -> list[str]:
    if not isinstance(schema, Mapping):
        return []
    members = _camel(schema)
    inner = [*members.get("properties", {}).values(), members.get("items")]
    return [name for name in members if name not in _SCHEMA] + [name for each in inner for name in _unknown_in_schema(each)]


def _camel(members: Mapping[str, Any]) -> dict[str, Any]:
    """The members in camel case; proto3's JSON takes both spellings, and clients mix them."""
    return {_camel_name(name): value for name, value in members.items()}


def _camel_name(name: str) -> str:
    first, *others = name.split("_")
    return first + "".join(other.capitalize() for other in others)
