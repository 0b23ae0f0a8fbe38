"""Requests to Gemini's generateContent, and what its replies are made of.

Reference: https://ai.google.dev/api/generate-content
"""

from __future__ import annotations

from typing import Any, Final

import msgspec

from pixel_coach.agents.base import Prompt
from pixel_coach.agents.gemini_schema import gemini_schema

_THINKING: Final = (
    ("gemini-2.5-flash", {"thinkingBudget": 0}),
    ("gemini-2.5-pro", {"thinkingBudget": 128}),
    ("gemini-3", {"thinkingLevel": "low"}),
)
"""The least that each family thinks. Thoughts are billed as reply and count against the limit of the reply."""


class Part(msgspec.Struct):
    """A piece of content; a thought is not part of the answer."""

    text: str = ""
    thought: bool = False


class Content(msgspec.Struct):
    """What a candidate says; a candidate that only thought has no parts."""

    parts: list[Part] = []


class Candidate(msgspec.Struct, rename="camel"):
    """One answer, or a piece of it in a stream."""

    content: Content | None = None
    finish_reason: str | None = None
    finish_message: str = ""


class PromptFeedback(msgspec.Struct, rename="camel"):
    """Why a prompt was not answered."""

    block_reason: str | None = None


class UsageMetadata(msgspec.Struct, rename="camel"):
    """Tokens so far; the last message of a stream has them all."""

    prompt_token_count: int = 0
    candidates_token_count: int = 0
    thoughts_token_count: int = 0
    cached_content_token_count: int = 0


class Violation(msgspec.Struct, rename="camel"):
    """A quota that was exceeded, such as `GenerateRequestsPerDayPerProjectPerModel-FreeTier`."""

    quota_id: str = ""
    quota_value: str = ""


class ErrorDetail(msgspec.Struct, rename="camel"):
    """ErrorInfo, QuotaFailure, RetryInfo and others in one: each has members of its own."""

    type_url: str = msgspec.field(default="", name="@type")
    reason: str = ""
    violations: list[Violation] = []
    retry_delay: str = ""


class Failure(msgspec.Struct):
    """An error as Google's interfaces tell it. Reference: https://google.aip.dev/193."""

    code: int = 0
    message: str = ""
    status: str = ""
    details: list[ErrorDetail] = []


class Refusal(msgspec.Struct):
    """The body of a reply with an error status."""

    error: Failure


class Response(msgspec.Struct, rename="camel"):
    """A GenerateContentResponse; in a stream, one of several."""

    candidates: list[Candidate] = []
    prompt_feedback: PromptFeedback | None = None
    usage_metadata: UsageMetadata | None = None
    model_version: str = ""
    response_id: str = ""
    error: Failure | None = None


class Model(msgspec.Struct, rename="camel"):
    """What a model is; the context is `input_token_limit`."""

    name: str
    input_token_limit: int = 0


def generate_body(prompt: Prompt, model: str) -> dict[str, Any]:
    """The request for a prompt."""
    config: dict[str, Any] = {"temperature": prompt.temperature, "maxOutputTokens": prompt.max_tokens, "seed": prompt.seed}
    if prompt.stop:
        config["stopSequences"] = list(prompt.stop)
    if prompt.json_schema is not None:
        config |= gemini_schema(prompt.json_schema)
    for family, thinking in _THINKING:
        if model.startswith(family):
            config["thinkingConfig"] = dict(thinking)
            break
    return {
        "systemInstruction": {"parts": [{"text": prompt.system}]},
        "contents": [{"role": "user", "parts": [{"text": prompt.user}]}],
        "generationConfig": config,
    }
