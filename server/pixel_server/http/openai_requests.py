"""Requests in the form of OpenAI's interface, and what the model is asked for them.

Source: https://platform.openai.com/docs/api-reference/chat and `/completions`. Fields that are not known are passed over; known ones
that cannot be honoured are refused, so that nobody believes that they were. `top_k`, `min_p`, `repeat_penalty` and `grammar` are
llama.cpp's additions.
"""

from __future__ import annotations

import secrets
from typing import Any, Final, Literal, TypeVar

import msgspec

from pixel_core.inference.messages import ChatMessage, GenerateRequest, ModelSource, SamplingOptions
from pixel_server.http.problems import Problem

_MOST_STOPS: Final = 16
_LONGEST_STOP: Final = 256
_MOST_MESSAGES: Final = 1_000
_ANY_JSON: Final[dict[str, Any]] = {"type": "object"}

_Body = TypeVar("_Body")


class _Part(msgspec.Struct):
    type: str
    text: str = ""


class _Message(msgspec.Struct):
    role: str
    content: str | list[_Part] | None = None


class _Schema(msgspec.Struct):
    schema: dict[str, Any] | None = None


class _Format(msgspec.Struct):
    type: Literal["text", "json_object", "json_schema"]
    json_schema: _Schema | None = None


class _StreamOptions(msgspec.Struct):
    include_usage: bool = False


class _Common(msgspec.Struct, kw_only=True):
    model: str
    max_tokens: int | None = None
    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    min_p: float | None = None
    repeat_penalty: float | None = None
    seed: int | None = None
    n: int | None = None
    stop: str | list[str] | None = None
    stream: bool | None = None
    stream_options: _StreamOptions | None = None
    user: str | None = None
    grammar: str | None = None
    frequency_penalty: float | None = None
    presence_penalty: float | None = None
    logit_bias: dict[str, float] | None = None

    @property
    def has_usage(self) -> bool:
        """Whether the stream ends with the usage."""
        return self.stream_options is not None and self.stream_options.include_usage


class ChatBody(_Common, kw_only=True):
    """`/v1/chat/completions`."""

    messages: list[_Message]
    max_completion_tokens: int | None = None
    response_format: _Format | None = None
    logprobs: bool | None = None
    tools: list[Any] | None = None


class CompletionBody(_Common, kw_only=True):
    """`/v1/completions`."""

    prompt: str | list[str]
    logprobs: int | None = None
    echo: bool | None = None
    suffix: str | None = None
    best_of: int | None = None


def read_request(data: bytes, kind: type[_Body]) -> _Body:
    """The fields of a body.

    Raises:
        Problem: It is no JSON, or a field is missing or of another kind.
    """
    try:
        return msgspec.json.decode(data, type=kind)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as problem:
        raise Problem(400, f"the body cannot be read: {problem}") from None


def chat_request(body: ChatBody, model: ModelSource) -> GenerateRequest:
    """What the model is asked for a conversation.

    Raises:
        Problem: A field has a value that cannot be honoured.
    """
    _refuse({"logprobs": body.logprobs, "tools": body.tools})
    if not 1 <= len(body.messages) <= _MOST_MESSAGES:
        raise Problem(400, f"`messages` holds {len(body.messages):,} messages, not 1 to {_MOST_MESSAGES:,}")
    schema = None
    if body.response_format is not None and body.response_format.type == "json_object":
        schema = _ANY_JSON
    elif body.response_format is not None and body.response_format.type == "json_schema":
        schema = body.response_format.json_schema.schema if body.response_format.json_schema else None
        if schema is None:
            raise Problem(400, "`response_format` of the type json_schema needs `json_schema.schema`")
    messages = tuple(ChatMessage(role=message.role, content=_content(message)) for message in body.messages)
    limit = body.max_tokens if body.max_completion_tokens is None else body.max_completion_tokens
    return _request(body, model, messages=messages, limit=limit, schema=schema)


def completion_request(body: CompletionBody, model: ModelSource) -> GenerateRequest:
    """What the model is asked for a text.

    Raises:
        Problem: A field has a value that cannot be honoured.
    """
    _refuse({"logprobs": body.logprobs, "echo": body.echo, "suffix": body.suffix})
    if body.best_of not in {None, 1}:
        raise Problem(400, "`best_of` must be 1")
    if isinstance(body.prompt, list):
        if len(body.prompt) != 1:
            raise Problem(400, f"`prompt` holds {len(body.prompt):,} texts, not 1")
        prompt = body.prompt[0]
    else:
        prompt = body.prompt
    # What OpenAI takes where nothing is said.
    return _request(body, model, prompt=prompt, limit=16 if body.max_tokens is None else body.max_tokens)


def _request(
    body: _Common,
    model: ModelSource,
    *,
    limit: int | None,
    prompt: str | None = None,
    messages: tuple[ChatMessage, ...] = (),
    schema: dict[str, Any] | None = None,
) -> GenerateRequest:
    if body.n not in {None, 1}:
        raise Problem(400, "`n` must be 1: there is one reply to a request")
    if body.frequency_penalty or body.presence_penalty or body.logit_bias:
        raise Problem(400, "`frequency_penalty`, `presence_penalty` and `logit_bias` are not supported; `repeat_penalty` is")
    stop = [body.stop] if isinstance(body.stop, str) else body.stop or []
    if len(stop) > _MOST_STOPS or any(len(text) > _LONGEST_STOP for text in stop):
        raise Problem(400, f"`stop` may hold {_MOST_STOPS} texts of {_LONGEST_STOP} characters")
    if limit is not None and limit < 1:
        raise Problem(400, "`max_tokens` must be at least 1")
    return GenerateRequest(
        model=model,
        prompt=prompt,
        messages=messages,
        max_tokens=min(limit or 0, 1 << 31),
        sampling=SamplingOptions(
            temperature=_within("temperature", body.temperature, 1.0, 0, 100),
            top_k=int(_within("top_k", body.top_k, 0, 0, 1 << 31)),
            top_p=_within("top_p", body.top_p, 1.0, 0, 1),
            min_p=_within("min_p", body.min_p, 0.0, 0, 1),
            repeat_penalty=_within("repeat_penalty", body.repeat_penalty, 1.0, 0.01, 100),
            seed=secrets.randbits(31) if body.seed is None else body.seed & 0xFFFF_FFFF,
        ),
        stop=tuple(stop),
        json_schema=schema,
        grammar=body.grammar,
    )


def _within(name: str, value: float | None, default: float, low: float, high: float) -> float:
    if value is None:
        return default
    if not low <= value <= high:  # so it is for NaN
        raise Problem(400, f"`{name}` = {value:g} is not between {low:g} and {high:g}")
    return value


def _refuse(fields: dict[str, object]) -> None:
    for name, value in fields.items():
        if value:
            raise Problem(400, f"`{name}` is not supported")


def _content(message: _Message) -> str:
    if message.content is None:
        return ""
    if isinstance(message.content, str):
        return message.content
    if any(part.type != "text" for part in message.content):
        raise Problem(400, "only parts of the type `text` are supported in `content`")
    return "".join(part.text for part in message.content)
