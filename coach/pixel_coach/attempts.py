"""What comes of a task: patches, the evidence for them, reviews of them. Plain data that the store keeps for ever."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Any, Final

import msgspec

ACCEPTANCE_SCORE: Final = 8
"""A review accepts from this score on; evidence must hold besides."""


class Patch(msgspec.Struct, frozen=True, kw_only=True):
    """A new text for one file. Nothing but `apply` writes it.

    Attributes:
        path: POSIX path relative to the workspace.
        base_sha256: Of the file's bytes that the patch was made from; None where the file did not exist.
        new_text: The whole new text.
    """

    path: str
    base_sha256: str | None
    new_text: str


class Proof(str, Enum):
    """What the evidence comes to."""

    PROVED = "proved"
    REFUTED = "refuted"
    UNPROVED = "unproved"
    """Nothing was there to prove it by: no contract, no test command."""
    NOT_VALIDATED = "not_validated"
    """Something was there, and could not be executed here: no sandbox, no engine."""


class CheckStatus(str, Enum):
    """What one check of an attempt came to."""

    PASSED = "passed"
    FAILED = "failed"
    SKIPPED = "skipped"
    """Not needed, since an earlier check failed."""
    UNAVAILABLE = "unavailable"
    """Cannot be executed on this machine."""
    ABSENT = "absent"
    """The task gives nothing to check by."""


class EvidenceCheck(msgspec.Struct, frozen=True, kw_only=True):
    """One check of an attempt.

    Attributes:
        name: `protected`, `parse`, `check`, `contract`, `hidden`, `unchanged_contract`, `tests`, `stub`, `mutants`, `speed`, …
        status: What it came to.
        summary: One sentence for people and prompts. Holds no hidden input.
        feedback: What the generator is told besides, several lines; never hidden sizes, seeds or inputs.
        seconds: Wall time.
        detail: Numbers and names for the record (cases, worst error, exit code).
    """

    name: str
    status: CheckStatus
    summary: str
    feedback: str = ""
    seconds: float = 0.0
    detail: Mapping[str, Any] = msgspec.field(default_factory=dict)


class Evidence(msgspec.Struct, frozen=True, kw_only=True):
    """Everything executed for one attempt.

    Attributes:
        proof: The verdict over all checks.
        checks: In the order they ran.
        text_sha256: Of the text that was judged.
        contract_sha256: Of the contract's text; empty without one.
        engine: `device …` with adapter and driver; empty when nothing ran on one.
        seeds: Seeds of the runs, hidden ones included. For the record alone.
        version: Of pixel-lsp.
        measured_speedup: Time of the current file / time of the candidate in one run; None where speed was not asked for.
    """

    proof: Proof
    checks: tuple[EvidenceCheck, ...]
    text_sha256: str
    contract_sha256: str = ""
    engine: str = ""
    seeds: tuple[int, ...] = ()
    version: str = ""
    measured_speedup: float | None = None


class CriterionScore(msgspec.Struct, frozen=True, kw_only=True):
    """How one criterion of a review was judged.

    Attributes:
        criterion: Its id, such as `production_quality`.
        evidence: What in the code the score rests on; asked for before the score.
        score: 1–10.
    """

    criterion: str
    evidence: str
    score: int


class ReviewFinding(msgspec.Struct, frozen=True, kw_only=True):
    """One remark of a review.

    Attributes:
        rule: Code of the closed set, `PX801` … (pixel_core.rules); a reviewer cannot make new ones.
        line: Line of the candidate from 1.
        quote: The text of that line as the reviewer saw it; a finding whose quote is not there is dropped.
        message: What is wrong.
        suggestion: Text that replaces the line; empty for none.
        severity: `error`, `warning` or `info`.
    """

    rule: str
    line: int
    quote: str
    message: str
    suggestion: str = ""
    severity: str = "warning"


class Review(msgspec.Struct, frozen=True, kw_only=True):
    """An opinion about one attempt. It can veto and never rescue.

    Attributes:
        reviewer: Agent and model, or `rules` for the local rule-based review.
        is_model: False for the rule-based one, which never accepts.
        score: 1–10, computed by our code from the criteria.
        criteria: What it was computed from.
        findings: On lines of the candidate.
        feedback: What the next round is told.
        text_sha256: Of the text it speaks of; a review of another text is stale.
    """

    reviewer: str
    is_model: bool
    score: int
    criteria: tuple[CriterionScore, ...]
    findings: tuple[ReviewFinding, ...]
    feedback: str
    text_sha256: str


class ReviewUnavailable(msgspec.Struct, frozen=True, kw_only=True):
    """No opinion could be had; neither a score nor a pass.

    Attributes:
        reason: One sentence.
        hint: How to mend it; may be empty.
        retry_after_s: When to ask again; None when that would not help.
    """

    reason: str
    hint: str = ""
    retry_after_s: float | None = None


class Attempt(msgspec.Struct, frozen=True, kw_only=True):
    """One candidate of one round, kept whatever came of it.

    Attributes:
        number: Unique in the store; 0 before it is stored.
        task: Number of the task.
        run: Which run of the task it belongs to; a retry starts another.
        round: From 1.
        candidate: From 0 among those of a round.
        agent: What wrote it.
        model: Its model; empty when unknown.
        patch: The candidate; None when the reply held none.
        reply: The reply in full.
        evidence: None before it was gathered.
        review: None without one.
        review_unavailable: Why there is none, where one was asked for.
        is_best: The one that is kept of a run.
        created_at: Seconds since the epoch.
    """

    number: int = 0
    task: int
    run: int
    round: int
    candidate: int
    agent: str
    model: str
    patch: Patch | None
    reply: str
    evidence: Evidence | None = None
    review: Review | None = None
    review_unavailable: ReviewUnavailable | None = None
    is_best: bool = False
    created_at: float = 0.0
