"""What a Gemini may answer, in the words of its interface. `test_fake_gemini` validates each with google-genai's own types."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

MODEL_VERSION = "gemini-2.5-flash"
RESPONSE_ID = "fAkE4aNsWeR"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """One outcome of a request.

    Attributes:
        messages: GenerateContentResponses; a stream sends them one by one, a plain request gets them joined.
        status: HTTP status.
        error: The error object, sent instead where the status says so, or after the messages in the middle of a stream.
        raw: Sent after the messages as it is.
        pause_s: Before each message.
        is_cut: The connection breaks after the last message.
    """

    messages: tuple[Mapping[str, Any], ...] = ()
    status: int = 200
    error: Mapping[str, Any] | None = None
    raw: bytes = b""
    pause_s: float = 0.0
    is_cut: bool = False


def answer(
    text: str, *, finish: str | None = "STOP", thoughts: int = 0, prompt_tokens: int = 120, pieces: int = 3, pause_s: float = 0.0
) -> Outcome:
    """A text, in some pieces, that ends for a reason; None for a stream that never says why."""
    size = max(1, -(-len(text) // pieces))
    parts = [text[start : start + size] for start in range(0, len(text), size)] or [""]
    messages = [_message(part, usage=usage(prompt_tokens, 0, thoughts)) for part in parts[:-1]]
    last = _message(parts[-1], finish=finish, usage=usage(prompt_tokens, _tokens(text), thoughts))
    return Outcome(messages=(*messages, last), pause_s=pause_s)


def thought(text: str, thinking: str) -> Outcome:
    """A text after a visible thought, which is no part of it."""
    content = {"parts": [{"text": thinking, "thought": True}], "role": "model"}
    first = {"candidates": [{"content": content, "index": 0}], "usageMetadata": usage(120, 0, _tokens(thinking)), **_identity()}
    last = _message(text, finish="STOP", usage=usage(120, _tokens(text), _tokens(thinking)))
    return Outcome(messages=(first, last))


def out_of_tokens(thoughts: int) -> Outcome:
    """MAX_TOKENS without parts: the whole limit went into thinking."""
    candidate = {"content": {"role": "model"}, "finishReason": "MAX_TOKENS", "index": 0}
    return Outcome(messages=({"candidates": [candidate], "usageMetadata": usage(120, 0, thoughts), **_identity()},))


def empty_candidate() -> Outcome:
    """A candidate that says it is done and holds nothing."""
    candidate = {"content": {"role": "model"}, "finishReason": "STOP", "index": 0}
    return Outcome(messages=({"candidates": [candidate], "usageMetadata": usage(120, 0, 0), **_identity()},))


def no_candidate() -> Outcome:
    """Neither a candidate nor a reason."""
    return Outcome(messages=({"usageMetadata": usage(120, 0, 0), **_identity()},))


def blocked_prompt(reason: str = "PROHIBITED_CONTENT") -> Outcome:
    """Status 200, and only feedback on the prompt."""
    return Outcome(messages=({"promptFeedback": {"blockReason": reason}, "usageMetadata": usage(120, 0, 0), **_identity()},))


def cut(text: str) -> Outcome:
    """A stream whose connection breaks after some text."""
    return Outcome(messages=(_message(text, usage=usage(120, 0, 0)),), is_cut=True)


def malformed(text: str = "") -> Outcome:
    """A stream that breaks off inside of its JSON."""
    messages = (_message(text, usage=usage(120, 0, 0)),) if text else ()
    return Outcome(messages=messages, raw=b'data: {"candidates": [{"content": {"par\r\n\r\n')


def failure_in_stream(text: str, status: int = 503) -> Outcome:
    """An error under status 200, after some text or none."""
    messages = (_message(text, usage=usage(120, 0, 0)),) if text else ()
    return Outcome(messages=messages, error=_error(status, "The model is overloaded. Please try again later.", "UNAVAILABLE"))


def server_error(status: int = 500) -> Outcome:
    """An error of the service's own."""
    names = {500: "INTERNAL", 503: "UNAVAILABLE", 504: "DEADLINE_EXCEEDED"}
    return Outcome(status=status, error=_error(status, "An internal error has occurred. Please retry.", names[status]))


def rate_limited(retry_delay: str | None = "46s", *, per: str = "PerMinute", value: str = "10") -> Outcome:
    """429 with QuotaFailure, and RetryInfo unless it is None."""
    quota = {
        "quotaMetric": "generativelanguage.googleapis.com/generate_content_free_tier_requests",
        "quotaId": f"GenerateRequests{per}PerProjectPerModel-FreeTier",
        "quotaDimensions": {"location": "global", "model": MODEL_VERSION},
        "quotaValue": value,
    }
    message = (
        "You exceeded your current quota, please check your plan and billing details.\n* Quota exceeded for metric: "
        f"{quota['quotaMetric']}, limit: {value}, model: {MODEL_VERSION}"
    )
    details: list[Mapping[str, Any]] = [
        {"@type": "type.googleapis.com/google.rpc.QuotaFailure", "violations": [quota]},
        {
            "@type": "type.googleapis.com/google.rpc.Help",
            "links": [{"description": "Learn more", "url": "https://ai.google.dev/gemini-api/docs/rate-limits"}],
        },
    ]
    if retry_delay is not None:
        details.append({"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": retry_delay})
    return Outcome(status=429, error=_error(429, message, "RESOURCE_EXHAUSTED", details))


def wrong_key() -> Outcome:
    """400 for a key that is none."""
    info = {
        "@type": "type.googleapis.com/google.rpc.ErrorInfo",
        "reason": "API_KEY_INVALID",
        "domain": "googleapis.com",
        "metadata": {"service": "generativelanguage.googleapis.com"},
    }
    return Outcome(status=400, error=_error(400, "API key not valid. Please pass a valid API key.", "INVALID_ARGUMENT", [info]))


def permission_denied() -> Outcome:
    """403 for a key that was found in public."""
    return Outcome(status=403, error=_error(403, "Your API key was reported as leaked. Please use another API key.", "PERMISSION_DENIED"))


def wrong_region() -> Outcome:
    """400 where the service is not offered."""
    return Outcome(status=400, error=_error(400, "User location is not supported for the API use.", "FAILED_PRECONDITION"))


def too_long(tokens: int, limit: int) -> Outcome:
    """400 for a prompt that does not fit."""
    message = f"The input token count ({tokens}) exceeds the maximum number of tokens allowed ({limit})."
    return Outcome(status=400, error=_error(400, message, "INVALID_ARGUMENT"))


def unknown_model(name: str) -> Outcome:
    """404."""
    message = f"models/{name} is not found for API version v1beta, or is not supported for generateContent."
    return Outcome(status=404, error=_error(404, message, "NOT_FOUND"))


def refused(message: str) -> Outcome:
    """400 for a request that is not of the documented form."""
    return Outcome(status=400, error=_error(400, message, "INVALID_ARGUMENT"))


def usage(prompt: int, reply: int, thoughts: int) -> dict[str, Any]:
    """usageMetadata."""
    counts: dict[str, Any] = {
        "promptTokenCount": prompt,
        "totalTokenCount": prompt + reply + thoughts,
        "promptTokensDetails": [{"modality": "TEXT", "tokenCount": prompt}],
    }
    if reply:
        counts["candidatesTokenCount"] = reply
    if thoughts:
        counts["thoughtsTokenCount"] = thoughts
    return counts


def _message(text: str, *, usage: Mapping[str, Any], finish: str | None = None) -> dict[str, Any]:
    candidate: dict[str, Any] = {"content": {"parts": [{"text": text}], "role": "model"}, "index": 0}
    if finish is not None:
        candidate["finishReason"] = finish
    return {"candidates": [candidate], "usageMetadata": usage, **_identity()}


def _identity() -> dict[str, str]:
    return {"modelVersion": MODEL_VERSION, "responseId": RESPONSE_ID}


def _error(status: int, message: str, name: str, details: list[Mapping[str, Any]] | None = None) -> dict[str, Any]:
    error: dict[str, Any] = {"code": status, "message": message, "status": name}
    return {"error": {**error, "details": details} if details else error}


def _tokens(text: str) -> int:
    return len(text) // 4 + 1
