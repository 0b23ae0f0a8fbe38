"""Streams one chat completion of the form that OpenAI began and llama.cpp, vLLM, LM Studio and others speak.

Form: https://platform.openai.com/docs/api-reference/chat/streaming
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

import msgspec

from pixel_coach.agents.base import OnText, Prompt, Reply, Usage
from pixel_coach.agents.decode_reply import decode_reply
from pixel_coach.agents.estimate_tokens import estimate_tokens
from pixel_coach.agents.http_client import HttpClient
from pixel_coach.agents.read_events import read_events
from pixel_coach.errors import AgentError, AgentUnavailable, PromptTooLong, QuotaExceeded, ReplyBlocked, ReplyCut

_BUSY_RETRY_S = 5.0
_MINUTE_S = 60.0


class _Delta(msgspec.Struct):
    content: str | None = None


class _Choice(msgspec.Struct):
    delta: _Delta | None = None
    finish_reason: str | None = None


class _PromptDetails(msgspec.Struct):
    cached_tokens: int | None = None


class _ReplyDetails(msgspec.Struct):
    reasoning_tokens: int | None = None


class _Usage(msgspec.Struct):
    prompt_tokens: int = 0
    completion_tokens: int = 0
    prompt_tokens_details: _PromptDetails | None = None
    completion_tokens_details: _ReplyDetails | None = None


class _Error(msgspec.Struct):
    message: str = ""
    type: str | None = None
    code: str | int | None = None
    n_prompt_tokens: int | None = None
    n_ctx: int | None = None


class _Chunk(msgspec.Struct):
    id: str | None = None
    model: str | None = None
    choices: list[_Choice] = []
    usage: _Usage | None = None
    error: _Error | str | None = None


class _Refusal(msgspec.Struct):
    error: _Error | str | None = None
    message: str | None = None
    detail: Any = None


def completion_body(prompt: Prompt, model: str) -> dict[str, Any]:
    """The request for a prompt, without what only some services take."""
    body: dict[str, Any] = {
        "model": model,
        "messages": [{"role": "system", "content": prompt.system}, {"role": "user", "content": prompt.user}],
        "max_tokens": prompt.max_tokens,
        "temperature": prompt.temperature,
        "seed": prompt.seed,
        "stream": True,
        "stream_options": {"include_usage": True},
    }
    if prompt.stop:
        body["stop"] = list(prompt.stop)
    if prompt.json_schema is not None and prompt.grammar is None:
        schema = {"name": "reply", "strict": True, "schema": dict(prompt.json_schema)}
        body["response_format"] = {"type": "json_schema", "json_schema": schema}
    return body


async def stream_completion(
    client: HttpClient, path: str, body: Mapping[str, Any], prompt: Prompt, on_text: OnText | None, *, model: str
) -> Reply:
    """Ask, and read the stream to its end.

    Args:
        client: The service.
        path: Of its chat completions.
        body: As `completion_body` makes it.
        prompt: For an estimate of its tokens where the service counts none.
        on_text: Told of each piece.
        model: Named in the reply where the service names none.

    Raises:
        AgentError: One of its children, when no whole answer came.
    """
    began = time.monotonic()
    pieces: list[str] = []
    finish = usage = identity = None
    async with client.exchange("POST", path, body) as exchange:
        if exchange.status != 200:
            raise explain_refusal(client, exchange.status, await exchange.read())
        async for data in read_events(exchange.lines()):
            if data == b"[DONE]":
                break
            chunk = decode_reply(data, _Chunk, client.service)
            if chunk.error is not None:
                raise _under_way(client, chunk.error)
            identity = chunk.id or identity
            model = chunk.model or model
            usage = chunk.usage or usage
            for choice in chunk.choices[:1]:
                finish = choice.finish_reason or finish
                if choice.delta is not None and choice.delta.content:
                    pieces.append(choice.delta.content)
                    if on_text is not None:
                        on_text(choice.delta.content)
    text = "".join(pieces)
    counted = _count(usage, prompt, text, time.monotonic() - began)
    if finish is None:
        raise ReplyCut(
            f"{client.service} closed the connection before the reply was whole",
            hint="try again; if it recurs, look into the log of that service",
        )
    if finish == "content_filter":
        raise ReplyBlocked(
            f"the filter of {client.service} withheld the reply",
            hint="look at what the task's texts ask for, or choose another model",
            prompt_tokens=counted.prompt_tokens,
            reply_tokens=counted.reply_tokens,
        )
    return Reply(text=text, is_complete=finish == "stop", model=model, usage=counted, detail={"finish_reason": finish, "id": identity})


def explain_refusal(client: HttpClient, status: int, data: bytes) -> AgentError:
    """The exception for a reply with an error status."""
    error = _Error()
    try:
        refusal = decode_reply(data, _Refusal, client.service)
    except AgentError:
        pass
    else:
        given = refusal.error or refusal.message or (refusal.detail if isinstance(refusal.detail, str) else "")
        error = _Error(message=given) if isinstance(given, str) else given
    told = client.redact(error.message) or f"status {status}"
    if (too_long := _too_long(client, error)) is not None:
        return too_long
    if status in {401, 403}:
        return AgentUnavailable(
            f"{client.service} refuses the key ({told})",
            hint="set the right key in the variable that `key_variable` under [generator] in coach.toml names",
        )
    if status == 404:
        return AgentUnavailable(
            f"{client.service} does not know the model or the path ({told})", hint="check `model` and `url` under [generator] in coach.toml"
        )
    if status == 429:
        return QuotaExceeded(f"{client.service} takes no more requests for now ({told})", hint="try again later", retry_after_s=_MINUTE_S)
    if status in {502, 503, 504}:
        return AgentUnavailable(
            f"{client.service} is not ready ({told})", hint="wait until it has loaded its model", retry_after_s=_BUSY_RETRY_S
        )
    return AgentError(f"{client.service} refuses the request ({told})", hint="the request is in the log of this run")


def _under_way(client: HttpClient, error: _Error | str) -> AgentError:
    given = _Error(message=error) if isinstance(error, str) else error
    told = client.redact(given.message)
    return _too_long(client, given) or ReplyCut(
        f"{client.service} broke off its reply: {told}", hint="try again; if it recurs, look into the log of that service"
    )


def _too_long(client: HttpClient, error: _Error) -> PromptTooLong | None:
    words = f"{error.type} {error.code} {error.message}".lower()
    if not any(sign in words for sign in ("exceed_context_size", "context_length_exceeded", "maximum context length", "context size")):
        return None
    sizes = ""
    if error.n_prompt_tokens is not None and error.n_ctx is not None:
        sizes = f": it has {error.n_prompt_tokens:,} tokens, and the context has {error.n_ctx:,}"
    return PromptTooLong(
        f"the prompt is too long for {client.service}{sizes}",
        hint="start that service with a larger context (llama-server: `--ctx-size`), or take files out of the task",
    )


def _count(usage: _Usage | None, prompt: Prompt, text: str, seconds: float) -> Usage:
    if usage is None:
        tokens = estimate_tokens(f"{prompt.system}\n{prompt.user}")
        return Usage(prompt_tokens=tokens, reply_tokens=estimate_tokens(text) if text else 0, seconds=seconds, is_exact=False)
    cached = usage.prompt_tokens_details.cached_tokens if usage.prompt_tokens_details else None
    thinking = usage.completion_tokens_details.reasoning_tokens if usage.completion_tokens_details else None
    return Usage(
        prompt_tokens=usage.prompt_tokens,
        reply_tokens=usage.completion_tokens - (thinking or 0),
        thinking_tokens=thinking or 0,
        cached_tokens=cached or 0,
        seconds=seconds,
    )
