"""What the exit codes of gemini-cli mean.

Documented are 0, 1, 42 and 53; the source of 0.61 adds 41, 44, 52, 54, 55 and 130. An error of the service ends in its HTTP status
modulo 256, so that a bad key (400) is 144.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Final

import msgspec

from pixel_coach.agents.gemini_failures import KEY_PAGE
from pixel_coach.errors import AgentError, AgentUnavailable, QuotaExceeded, ReplyBlocked

_LOGIN: Final = "run `gemini` once and log in, or export GEMINI_API_KEY"
_MINUTE_S: Final = 60.0


class _Error(msgspec.Struct):
    type: str = ""
    message: str = ""
    code: int | str | None = None


class _Report(msgspec.Struct):
    error: _Error


def explain_exit(code: int, errors: str, has_key: bool, clean: Callable[[str], str]) -> AgentError:
    """The exception for an exit other than 0.

    Args:
        code: Exit code; negative for a signal.
        errors: Its standard error, which ends in a JSON object where all went as documented.
        has_key: Whether it was given a key.
        clean: Makes a text fit for a sentence.
    """
    message = _message(errors)
    told = clean(message) or f"exit code {code}, and not a word"
    lowered = message.lower()
    if code == 41:
        return AgentUnavailable(f"gemini-cli is not logged in: {told}", hint=_LOGIN)
    if "api key not valid" in lowered or "api_key_invalid" in lowered:
        return AgentUnavailable(f"Gemini refuses the key that gemini-cli was given: {told}", hint=f"make a new key at {KEY_PAGE}")
    if "limit: 0" in lowered:
        return QuotaExceeded(
            f"gemini-cli has no quota for this model at all: {told}", hint="set another `model` under [reviewer] in coach.toml"
        )
    if "perday" in lowered or "daily" in lowered or "quota exceeded for quota metric" in lowered:
        return QuotaExceeded(f"the requests of gemini-cli are used up for today: {told}", hint="wait until tomorrow, or use another model")
    if code == 429 % 256 or "quota" in lowered or "resource_exhausted" in lowered or "rate limit" in lowered:
        return QuotaExceeded(
            f"Gemini takes no more requests of gemini-cli for now: {told}", hint="try again later", retry_after_s=_MINUTE_S
        )
    if "blocked" in lowered or "safety" in lowered:
        return ReplyBlocked(
            f"Gemini did not answer gemini-cli, because it holds the prompt for unsafe: {told}", hint="look at the task's texts"
        )
    if code in {401 % 256, 403 % 256}:
        return AgentUnavailable(f"Gemini does not let gemini-cli in: {told}", hint=f"look at the key at {KEY_PAGE}" if has_key else _LOGIN)
    if code == 404 % 256:
        return AgentUnavailable(f"Gemini does not know the model that gemini-cli asked for: {told}", hint="set `model` under [reviewer]")
    if code in {52, 55}:
        return AgentUnavailable(f"gemini-cli does not like its configuration: {told}", hint="run `gemini` once by hand")
    if code in {500 % 256, 503 % 256, 504 % 256}:
        return AgentUnavailable(f"Gemini is overloaded or down: {told}", hint="try again in some minutes", retry_after_s=_MINUTE_S)
    if code < 0:
        return AgentUnavailable(f"gemini-cli was ended by signal {-code}", hint="try again")
    return AgentError(f"gemini-cli failed: {told}", hint="what it printed is in the log of this run")


def _message(errors: str) -> str:
    start = errors.rfind('\n{\n  "')
    text = errors[start:] if start >= 0 else errors[errors.find("{") :]
    with contextlib.suppress(msgspec.DecodeError, RecursionError):
        return msgspec.json.decode(text.encode("utf-8", "replace"), type=_Report).error.message
    lines = [line for line in errors.splitlines() if line.strip()]
    return lines[-1] if lines else ""
