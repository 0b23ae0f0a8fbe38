"""Replies in the form of OpenAI's interface: whole, and as chunks of a stream."""

from __future__ import annotations

import secrets
import time
from typing import Any, Final

import msgspec

from pixel_core.inference.messages import Outcome

DONE: Final = b"data: [DONE]\n\n"


def _new_id() -> str:
    return secrets.token_hex(12)


class ReplyForm(msgspec.Struct, frozen=True, kw_only=True):
    """What the JSON of one reply has in common.

    Attributes:
        is_chat: `/v1/chat/completions`; otherwise `/v1/completions`.
        model: Name of the model.
        has_usage: The stream ends with a chunk of the usage.
        id: Of the reply.
        created: Unix time.
    """

    is_chat: bool
    model: str
    has_usage: bool = False
    id: str = msgspec.field(default_factory=_new_id)
    created: int = msgspec.field(default_factory=lambda: int(time.time()))

    def whole(self, outcome: Outcome) -> bytes:
        """The whole reply."""
        content = {"message": {"role": "assistant", "content": outcome.text}} if self.is_chat else {"text": outcome.text}
        choice = {"index": 0, **content, "logprobs": None, "finish_reason": _finish(outcome)}
        return msgspec.json.encode({**self._head(is_chunk=False), "choices": [choice], "usage": _usage(outcome)})

    def first(self) -> bytes:
        """The event that begins a stream; empty for a plain text."""
        return self._chunk({"delta": {"role": "assistant", "content": ""}}, None) if self.is_chat else b""

    def piece(self, text: str) -> bytes:
        """The event of a piece of text."""
        return self._chunk({"delta": {"content": text}} if self.is_chat else {"text": text}, None)

    def last(self, outcome: Outcome) -> bytes:
        """The events that end a stream."""
        end = self._chunk({"delta": {}} if self.is_chat else {"text": ""}, _finish(outcome))
        usage = _event({**self._head(is_chunk=True), "choices": [], "usage": _usage(outcome)}) if self.has_usage else b""
        return end + usage + DONE

    def _chunk(self, content: dict[str, Any], finish: str | None) -> bytes:
        choice = {"index": 0, **content, "logprobs": None, "finish_reason": finish}
        return _event({**self._head(is_chunk=True), "choices": [choice]})

    def _head(self, *, is_chunk: bool) -> dict[str, Any]:
        if self.is_chat:
            kind, prefix = ("chat.completion.chunk" if is_chunk else "chat.completion"), "chatcmpl"
        else:
            kind, prefix = "text_completion", "cmpl"
        return {"id": f"{prefix}-{self.id}", "object": kind, "created": self.created, "model": self.model}


def _event(value: dict[str, Any]) -> bytes:
    return b"data: " + msgspec.json.encode(value) + b"\n\n"


def _finish(outcome: Outcome) -> str:
    return "length" if outcome.reason == "length" else "stop"


def _usage(outcome: Outcome) -> dict[str, Any]:
    return {
        "prompt_tokens": outcome.prompt_tokens,
        "completion_tokens": outcome.reply_tokens,
        "total_tokens": outcome.prompt_tokens + outcome.reply_tokens,
        "prompt_tokens_details": {"cached_tokens": outcome.cached_tokens},
    }
