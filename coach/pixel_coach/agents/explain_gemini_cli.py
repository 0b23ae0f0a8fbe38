"""What the exits of gemini-cli mean.

Documented are the codes 0, 1, 42 and 53; the source of 0.61 adds 41, 44, 52, 54, 55 and 130. An error of the service ends in its HTTP
status modulo 256, so that a bad key (400) is 144, and its message holds the service's own JSON.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Final

import msgspec

from pixel_coach.agents.gemini_failures import explain_failure
from pixel_coach.agents.gemini_messages import Failure, Refusal
from pixel_coach.errors import AgentError, AgentUnavailable, PromptTooLong, QuotaExceeded, ReplyBlocked

LOGIN: Final = "run `gemini` once and log in, or export GEMINI_API_KEY"
_MINUTE_S: Final = 60.0


class _Error(msgspec.Struct):
    message: str = ""


class _Report(msgspec.Struct):
    error: _Error


def explain_exit(code: int, errors: str, *, model: str, key_source: str, clean: Callable[[str], str]) -> AgentError:
    """The exception for an exit other than 0.

    Args:
        code: Exit code; negative for a signal.
        errors: Its standard error, which ends in a JSON object where all went as documented.
        model: That was asked for; empty for the program's own choice.
        key_source: Name of the variable that holds the key; empty where the program used its own login.
        clean: Makes a text fit for a sentence.
    """
    message = _message(errors)
    failure = _failure(message)
    if failure is not None:
        return explain_failure(failure, model or "the model of gemini-cli", key_source or "the login of gemini-cli", clean)
    told = clean(message) or f"exit code {code}, and not a word"
    lowered = message.lower()
    if code == 41:
        return AgentUnavailable(f"gemini-cli is not logged in: {told}", hint=LOGIN)
    if "daily quota" in lowered or "per day" in lowered or "perday" in lowered:
        return QuotaExceeded(
            f"the requests of gemini-cli are used up for today: {told}", hint="wait until tomorrow, or set another `model`"
        )
    if code == 429 % 256 or "quota" in lowered or "resource_exhausted" in lowered:
        return QuotaExceeded(
            f"Gemini takes no more requests of gemini-cli for now: {told}", hint="try again later", retry_after_s=_MINUTE_S
        )
    if "blocked" in lowered or "safety" in lowered:
        return ReplyBlocked(
            f"Gemini did not answer gemini-cli, because it holds the prompt for unsafe: {told}", hint="look at the task's texts"
        )
    if code == 42:
        return PromptTooLong(f"gemini-cli does not take the prompt: {told}", hint="take files out of the task, or update gemini-cli")
    if code == 404 % 256 or "not found" in lowered:
        return AgentUnavailable(f"gemini-cli cannot find the model: {told}", hint="set another `model` under [reviewer] in coach.toml")
    if code in {44, 52, 55}:
        return AgentUnavailable(
            f"gemini-cli does not start with its configuration: {told}", hint="run `gemini` once by hand, and see there"
        )
    if code in {500 % 256, 503 % 256, 504 % 256}:
        return AgentUnavailable(f"Gemini is overloaded or down: {told}", hint="try again in some minutes", retry_after_s=_MINUTE_S)
    if code < 0:
        return AgentUnavailable(f"gemini-cli was ended by signal {-code}", hint="look whether the machine has enough memory")
    return AgentError(f"gemini-cli failed: {told}", hint="what it printed is in the log of this run")


def _message(errors: str) -> str:
    # Warnings stand before the object, and some of them have braces.
    at_line = errors.rfind("\n{")
    text = errors[at_line + 1 :] if at_line >= 0 or errors.startswith("{") else ""
    with contextlib.suppress(msgspec.DecodeError, RecursionError):
        return msgspec.json.decode(text.encode("utf-8", "replace"), type=_Report).error.message
    lines = [line for line in errors.splitlines() if line.strip()]
    return lines[-1] if lines else ""


def _failure(message: str) -> Failure | None:
    with contextlib.suppress(msgspec.DecodeError, RecursionError):
        failure = msgspec.json.decode(message.encode("utf-8", "replace"), type=Refusal).error
        return failure if failure.code else None
    return None
