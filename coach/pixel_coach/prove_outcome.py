"""Making the record of a check short to write and hard to get wrong."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from pixel_coach.attempts import CheckStatus, EvidenceCheck


class Outcome:
    """A check that has begun; each method ends it. Measures the wall time in between.

    Args:
        name: Of the check.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._started = time.perf_counter()

    def passed(self, summary: str, *, detail: Mapping[str, Any] | None = None) -> EvidenceCheck:
        """It held."""
        return self._end(CheckStatus.PASSED, summary, "", detail)

    def failed(self, summary: str, *, feedback: str = "", detail: Mapping[str, Any] | None = None) -> EvidenceCheck:
        """It did not hold; `feedback` is what the generator is told besides."""
        return self._end(CheckStatus.FAILED, summary, feedback, detail)

    def unavailable(self, summary: str, *, feedback: str = "", detail: Mapping[str, Any] | None = None) -> EvidenceCheck:
        """It could not be executed here, or came to no decision."""
        return self._end(CheckStatus.UNAVAILABLE, summary, feedback, detail)

    def absent(self, summary: str) -> EvidenceCheck:
        """The task gives nothing to check by."""
        return self._end(CheckStatus.ABSENT, summary, "", None)

    def _end(self, status: CheckStatus, summary: str, feedback: str, detail: Mapping[str, Any] | None) -> EvidenceCheck:
        seconds = time.perf_counter() - self._started
        return EvidenceCheck(name=self._name, status=status, summary=summary, feedback=feedback, seconds=seconds, detail=dict(detail or {}))


def skipped(name: str) -> EvidenceCheck:
    """A check that was not run because an earlier one failed."""
    return EvidenceCheck(name=name, status=CheckStatus.SKIPPED, summary="an earlier check failed")
