"""The form of a reviewer's reply: the JSON schema that is asked for, and reading what came.

The order of the fields is the order in which a model writes them, so that evidence stands before the score that rests on it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import msgspec

from pixel_coach.attempts import CriterionScore, ReviewFinding
from pixel_coach.errors import ReplyMalformed
from pixel_coach.settings import Criterion
from pixel_core.rules.coach import MODEL_RULES

SEVERITIES = ("error", "warning", "info")
MAX_TEXT = 4_000
"""Characters that are kept of any text of a reply."""


class _Criterion(msgspec.Struct, frozen=True):
    criterion: str
    evidence: Annotated[str, msgspec.Meta(min_length=1)]
    score: Annotated[int, msgspec.Meta(ge=1, le=10)]


class _Finding(msgspec.Struct, frozen=True):
    rule: str
    line: int
    quote: str
    message: str
    suggestion: str = ""
    severity: str = "warning"


class _Reply(msgspec.Struct, frozen=True):
    criteria: list[_Criterion]
    findings: list[_Finding]
    feedback: str


_DECODER = msgspec.json.Decoder(_Reply)


def review_schema(criteria: Sequence[Criterion]) -> Mapping[str, Any]:
    """The JSON schema of a reply, for those criteria."""
    text = {"type": "string"}
    criterion = {
        "criterion": {"type": "string", "enum": [criterion.id for criterion in criteria]},
        "evidence": text,
        "score": {"type": "integer", "minimum": 1, "maximum": 10},
    }
    finding = {
        "rule": {"type": "string", "enum": list(MODEL_RULES)},
        "line": {"type": "integer", "minimum": 1},
        "quote": text,
        "message": text,
        "suggestion": text,
        "severity": {"type": "string", "enum": list(SEVERITIES)},
    }
    return _object(
        {
            "criteria": {"type": "array", "items": _object(criterion), "minItems": len(criteria), "maxItems": len(criteria)},
            "findings": {"type": "array", "items": _object(finding), "maxItems": 10},
            "feedback": text,
        }
    )


def read_review(text: str, asked: Sequence[Criterion]) -> tuple[tuple[CriterionScore, ...], tuple[ReviewFinding, ...], str]:
    """Criteria in the order asked, findings not yet anchored, and feedback.

    Raises:
        ReplyMalformed: It is no JSON of the schema, or a criterion is missing, judged twice or unknown.
    """
    try:
        reply = _DECODER.decode(_without_fence(text).encode("utf-8", "replace"))
    except msgspec.DecodeError as error:
        raise ReplyMalformed(f"the review is not what was asked for: {_plain(str(error))}") from None
    given = [criterion.criterion for criterion in reply.criteria]
    expected = [criterion.id for criterion in asked]
    if sorted(given) != sorted(expected):
        missing = ", ".join(sorted(set(expected) - set(given))) or "none"
        raise ReplyMalformed(f"the review does not judge each criterion once (missing: {missing})")
    criteria = {
        criterion.criterion: CriterionScore(criterion=criterion.criterion, evidence=criterion.evidence[:MAX_TEXT], score=criterion.score)
        for criterion in reply.criteria
    }
    findings = tuple(
        ReviewFinding(
            rule=finding.rule,
            line=finding.line,
            quote=finding.quote[:MAX_TEXT],
            message=finding.message[:MAX_TEXT],
            suggestion=finding.suggestion[:MAX_TEXT],
            severity=finding.severity,
        )
        for finding in reply.findings
        # A made-up rule or severity costs the finding, not the review.
        if finding.rule in MODEL_RULES and finding.severity in SEVERITIES
    )
    return tuple(criteria[name] for name in expected), findings, reply.feedback[:MAX_TEXT]


def _object(properties: Mapping[str, Any]) -> dict[str, Any]:
    return {"type": "object", "properties": dict(properties), "required": list(properties), "additionalProperties": False}


def _without_fence(text: str) -> str:
    """The JSON of a reply that stands in a code block, as services without structured output write it."""
    text = text.strip()
    if text.startswith("```") and text.endswith("```") and "\n" in text:
        return text[text.index("\n") : -3]
    return text


def _plain(message: str) -> str:
    is_word = message[1:2].islower()
    return (message[:1].lower() if is_word else message[:1]) + message[1:].rstrip(".")
