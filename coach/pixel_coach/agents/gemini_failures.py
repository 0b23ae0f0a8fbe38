"""What Gemini's error statuses mean for the one who asks."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Final

import msgspec

from pixel_coach.agents.gemini_messages import Failure, Refusal
from pixel_coach.errors import AgentError, AgentUnavailable, PromptTooLong, QuotaExceeded

KEY_PAGE: Final = "https://aistudio.google.com/apikey"
OVERLOADED: Final = frozenset({500, 502, 503, 504})
_MINUTE_S: Final = 60.0


def read_failure(status: int, data: bytes) -> Failure:
    """The error in a reply, which is an object, or a list of one; a proxy's page becomes an error without a message."""
    failure = Failure()
    with contextlib.suppress(msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        refusal = msgspec.json.decode(data, type=Refusal | list[Refusal])
        if isinstance(refusal, list):
            refusal = refusal[0] if refusal else Refusal(error=failure)
        failure = refusal.error
    return failure if failure.code else msgspec.structs.replace(failure, code=status)


def retry_delay_s(failure: Failure) -> float | None:
    """Seconds that RetryInfo asks to wait; None where there is none."""
    for detail in failure.details:
        if detail.retry_delay.endswith("s"):
            with contextlib.suppress(ValueError):
                seconds = float(detail.retry_delay[:-1])
                if 0 <= seconds < 1e6:
                    return seconds
    return None


def explain_failure(failure: Failure, model: str, key_source: str, clean: Callable[[str], str]) -> AgentError:
    """The exception for an error status.

    Args:
        failure: As `read_failure` reads it.
        model: That was asked.
        key_source: Name of the variable that holds the key.
        clean: Makes a text of the service fit for a sentence.
    """
    told = clean(failure.message) or f"status {failure.code}"
    reasons = {detail.reason for detail in failure.details}
    lowered = failure.message.lower()
    if failure.code == 429:
        return _explain_quota(failure, model)
    if "API_KEY_INVALID" in reasons or "api key not valid" in lowered or "api key expired" in lowered or failure.code == 401:
        return AgentUnavailable(f"Gemini refuses the key in {key_source}: {told}", hint=f"make a new key at {KEY_PAGE} and export it again")
    if failure.code == 403:
        return AgentUnavailable(
            f"Gemini does not let the key in {key_source} use {model}: {told}", hint=f"look at the key and its project at {KEY_PAGE}"
        )
    if failure.code == 404:
        return AgentUnavailable(
            f"Gemini has no model {model}",
            hint="set `model` under [reviewer] in coach.toml, such as gemini-2.5-flash or gemini-flash-latest",
        )
    if failure.code == 400 and "token count" in lowered and "exceed" in lowered:
        return PromptTooLong(
            f"the prompt is too long for {model}: {told}", hint="take files out of the task, or choose a model with a larger context"
        )
    if failure.status == "FAILED_PRECONDITION":
        return AgentUnavailable(
            f"Gemini cannot be used with the key in {key_source}: {told}", hint=f"look at billing and region at {KEY_PAGE}"
        )
    if failure.code in OVERLOADED:
        return AgentUnavailable(
            f"Gemini is overloaded or down ({failure.code}: {told})", hint="try again in some minutes", retry_after_s=_MINUTE_S
        )
    return AgentError(f"Gemini refuses the request ({failure.code}: {told})", hint="the request is in the log of this run")


def _explain_quota(failure: Failure, model: str) -> QuotaExceeded:
    violations = [violation for detail in failure.details for violation in detail.violations]
    quotas = " ".join(violation.quota_id for violation in violations)
    # A project without any quota for a model is told "limit: 0", and to retry all the same.
    if any(violation.quota_value == "0" for violation in violations) or "limit: 0" in failure.message:
        return QuotaExceeded(
            f"this key has no quota for {model} at all",
            hint="set another `model` under [reviewer] in coach.toml, or turn on billing for the key",
        )
    if "PerDay" in quotas:
        return QuotaExceeded(
            f"the requests that this key has for {model} are used up for today",
            hint="the count starts again at midnight, Pacific time; another model has a count of its own",
        )
    seconds = retry_delay_s(failure)
    seconds = _MINUTE_S if seconds is None else seconds
    return QuotaExceeded(f"Gemini takes no more requests for {model} for now", hint=f"try again in {seconds:.0f} s", retry_after_s=seconds)
