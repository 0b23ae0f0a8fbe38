"""Replies of a reviewer, as JSON of the schema that is asked for."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from pixel_coach.settings import CRITERIA


def review_reply(scores: int | Sequence[int] = 8, findings: Sequence[Mapping[str, Any]] = (), feedback: str = "well done") -> str:
    """A whole reply: one score for all five criteria, or one each."""
    each = [scores] * len(CRITERIA) if isinstance(scores, int) else scores
    criteria = [
        {"criterion": criterion.id, "evidence": f"lines 1 to 9 show it ({score})", "score": score}
        for criterion, score in zip(CRITERIA, each, strict=True)
    ]
    return json.dumps({"criteria": criteria, "findings": [finding(**given) for given in findings], "feedback": feedback})


def finding(
    *, rule: str = "PX803", line: int = 1, quote: str = "", message: str = "m", suggestion: str = "", severity: str = "warning"
) -> Mapping[str, Any]:
    return {"rule": rule, "line": line, "quote": quote, "message": message, "suggestion": suggestion, "severity": severity}
