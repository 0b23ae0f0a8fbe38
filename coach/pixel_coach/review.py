"""A model's opinion about one attempt: asked for with evidence first, read strictly, anchored to lines, and scored by our code.

What goes wrong on the way is `ReviewUnavailable`, never a score and never a pass.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Collection, Sequence
from difflib import unified_diff
from pathlib import PurePosixPath
from typing import Final

import msgspec
from msgspec.structs import replace

from pixel_coach.agents.base import Agent, OnText, Prompt, Reply
from pixel_coach.anchor_findings import anchor_findings
from pixel_coach.attempts import CriterionScore, Evidence, Review, ReviewFinding, ReviewUnavailable
from pixel_coach.changed_lines import changed_lines
from pixel_coach.code_text import without_prose
from pixel_coach.errors import AgentError, BudgetExhausted, QuotaExceeded, ReplyCut
from pixel_coach.quote import Quoter, read_prompt
from pixel_coach.review_reply import read_review, review_schema
from pixel_coach.rule_review import lines_to_reviewer, rule_review
from pixel_coach.score import score_review
from pixel_coach.secrets_scan import remove_secrets
from pixel_coach.settings import Criterion
from pixel_coach.tasks import NewTask
from pixel_core.rules import RULES
from pixel_core.rules.coach import MODEL_RULES

MAX_WAIT_S: Final = 60.0
"""Longest that a service may ask us to wait; beyond it, the review is unavailable for now."""

MAX_WAITS: Final = 2
REPLY_TOKENS: Final = 4_096


class ReviewSubject(msgspec.Struct, frozen=True, kw_only=True):
    """What is reviewed.

    Attributes:
        task: Whose goal counts.
        text: The candidate.
        old_text: What it was made from; None where the file did not exist, or where all of the text is to be reviewed.
        evidence: What was executed; None where nothing was.
        round: From 1.
    """

    task: NewTask
    text: str
    old_text: str | None
    evidence: Evidence | None
    round: int = 1


async def review(
    reviewer: Agent,
    subject: ReviewSubject,
    criteria: Sequence[Criterion],
    *,
    dismissed: Collection[str] = (),
    on_text: OnText | None = None,
) -> Review | ReviewUnavailable:
    """Have an attempt reviewed.

    Where the text speaks to its reviewer, it is reviewed a second time without comments and strings, and the lower score of each
    criterion counts.

    Args:
        reviewer: Asked once, or twice for a text that addresses it; a budget on top of it may refuse.
        subject: What is reviewed.
        criteria: What is judged.
        dismissed: Fingerprints of findings that are not wanted.
        on_text: Called with the reply as it comes.
    """
    try:
        model, scores, found, feedback = await _ask(reviewer, subject, criteria, on_text)
        if lines_to_reviewer(subject.text):
            path = PurePosixPath(subject.task.target)
            bare = replace(
                subject,
                text=without_prose(path, subject.text),
                old_text=None if subject.old_text is None else without_prose(path, subject.old_text),
            )
            _, again, _, _ = await _ask(reviewer, bare, criteria, on_text)
            scores = tuple(min(pair, key=lambda score: score.score) for pair in zip(scores, again, strict=True))
    except BudgetExhausted as error:
        return ReviewUnavailable(reason=str(error), hint=error.hint or "")
    except AgentError as error:
        return ReviewUnavailable(reason=str(error), hint=error.hint or "", retry_after_s=error.retry_after_s)
    lines = changed_lines(subject.old_text, subject.text)
    findings = anchor_findings(found, subject.task.target, subject.text, lines, dismissed)
    own = [finding for finding in _own_findings(subject, lines) if finding.rule not in MODEL_RULES]
    findings = (*own, *findings)
    return Review(
        reviewer=f"{reviewer.name} {model}".strip(),
        is_model=True,
        score=score_review(scores, criteria, findings),
        criteria=scores,
        findings=findings,
        feedback=feedback,
        text_sha256=hashlib.sha256(subject.text.encode("utf-8", "replace")).hexdigest(),
    )


def _own_findings(subject: ReviewSubject, lines: Collection[int]) -> tuple[ReviewFinding, ...]:
    """What the local rules see besides: words to the reviewer, secrets, hidden characters."""
    return rule_review(PurePosixPath(subject.task.target), subject.text, lines).findings


async def _ask(
    reviewer: Agent, subject: ReviewSubject, criteria: Sequence[Criterion], on_text: OnText | None
) -> tuple[str, tuple[CriterionScore, ...], tuple[ReviewFinding, ...], str]:
    redaction = remove_secrets(_user_text(subject, criteria))
    prompt = Prompt(
        system=read_prompt("review"),
        user=redaction.text,
        max_tokens=REPLY_TOKENS,
        temperature=0.0,
        json_schema=review_schema(criteria),
        task=subject.task.title,
        round=subject.round,
    )
    reply = await _ask_patiently(reviewer, prompt, on_text)
    if not reply.is_complete:
        raise ReplyCut("the review was cut off before it was complete")
    scores, findings, feedback = read_review(reply.text, criteria)
    restored = tuple(
        replace(finding, quote=redaction.restore(finding.quote), suggestion=redaction.restore(finding.suggestion)) for finding in findings
    )
    return reply.model, scores, restored, feedback


async def _ask_patiently(reviewer: Agent, prompt: Prompt, on_text: OnText | None) -> Reply:
    """Ask, waiting as long as the service says where that is not too long."""
    for _ in range(MAX_WAITS):
        answer = await _reply_or_wait(reviewer, prompt, on_text)
        if isinstance(answer, Reply):
            return answer
        await asyncio.sleep(answer)
    return await reviewer.ask(prompt, on_text)


async def _reply_or_wait(reviewer: Agent, prompt: Prompt, on_text: OnText | None) -> Reply | float:
    """The reply, or how many seconds the service wants us to wait, as long as that is bearable."""
    try:
        return await reviewer.ask(prompt, on_text)
    except QuotaExceeded as error:
        # Other failures the agent has already tried to get over.
        if error.retry_after_s is None or error.retry_after_s > MAX_WAIT_S:
            raise
        return error.retry_after_s


def _user_text(subject: ReviewSubject, criteria: Sequence[Criterion]) -> str:
    task = subject.task
    evidence = _evidence_lines(subject.evidence)
    listing = _listing(subject)
    removed = _removed_lines(subject)
    quoter = Quoter((task.title, task.description, evidence, listing, removed))
    questions = "\n".join(f"- `{criterion.id}`: {criterion.question}" for criterion in criteria)
    rules = "\n".join(f"- {code} {RULES[code].name}: {RULES[code].summary}" for code in MODEL_RULES)
    parts = [
        f"# Review of {task.target}, round {subject.round}\n",
        f"## Criteria\n{questions}\n",
        f"## Rules of findings\n{rules}\n",
        quoter.quote("The task", f"{task.title}\n{task.description}"),
        quoter.quote("Evidence: what was executed", evidence),
        quoter.quote("The text; lines marked + are the author's", listing),
    ]
    if removed:
        parts.append(quoter.quote("Lines that the author removed", removed))
    return "\n".join(parts)


def _evidence_lines(evidence: Evidence | None) -> str:
    if evidence is None or not evidence.checks:
        return "nothing was executed"
    checks = (f"- {check.name}: {check.status.value}: {check.summary}" for check in evidence.checks)
    engine = f"\non {evidence.engine}" if evidence.engine else ""
    return f"{evidence.proof.value}\n" + "\n".join(checks) + engine


def _listing(subject: ReviewSubject) -> str:
    changed = changed_lines(subject.old_text, subject.text)
    return "\n".join(
        f"{'+' if number in changed else ' '}{number:5d}| {line}" for number, line in enumerate(subject.text.splitlines(), start=1)
    )


def _removed_lines(subject: ReviewSubject) -> str:
    if subject.old_text is None:
        return ""
    diff = unified_diff(subject.old_text.splitlines(), subject.text.splitlines(), n=0, lineterm="")
    return "\n".join(line for line in diff if line.startswith("-") and not line.startswith("---"))
