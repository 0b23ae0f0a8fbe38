"""What earlier attempts came to, as the next prompt tells it: cumulative, newest in full, and made from the store alone.

Since it is read from the store, a coach that takes over after a crash tells its model the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from pixel_coach.agents.estimate_tokens import estimate_tokens
from pixel_coach.attempts import Attempt, CheckStatus, Evidence
from pixel_coach.reject import REJECTIONS
from pixel_coach.select_best import select_best
from pixel_coach.tasks import Task

NOTHING_PASSED = "none of its candidates could be read or run"


def compose_feedback(task: Task, attempts: Sequence[Attempt], budget_tokens: int, found: Evidence | None = None) -> str:
    """What is told of earlier rounds and of a person's refusals, oldest first; empty where nothing happened.

    Args:
        task: Whose metadata holds what a person said.
        attempts: All attempts at it, of earlier runs too, oldest first.
        budget_tokens: Oldest rounds are summed up in a number when they do not fit.
        found: What evidence says of the file as it is now.
    """
    rounds = [list(group) for _, group in groupby(attempts, key=lambda attempt: (attempt.run, attempt.round))]
    told = [f"Round {number}: {_round(group)}" for number, group in enumerate(rounds, start=1)]
    now = [f"The file as it is now: {line}" for line in ("\n".join(_failures(found)),) if line] if found else []
    said = [f"A person refused an attempt: {reason}" for reason in _refusals(task)]
    chosen: list[str] = []
    left = budget_tokens - estimate_tokens("\n".join((*now, *said)))
    for text in reversed(told):
        left -= estimate_tokens(text)
        if left < 0 and chosen:
            break
        chosen.insert(0, text if left >= 0 else _shortened(text, estimate_tokens(text) + left))
    omitted = len(told) - len(chosen)
    head = [f"({omitted} earlier {'round' if omitted == 1 else 'rounds'} failed too.)"] if omitted else []
    return "\n".join((*now, *head, *chosen, *said))


def last_attempt(attempts: Sequence[Attempt]) -> Attempt | None:
    """The attempt to go on from: the best there is, of the newest run that has one."""
    newest = max((attempt.run for attempt in attempts if attempt.patch is not None), default=None)
    return select_best(attempt for attempt in attempts if attempt.run == newest)


def _shortened(text: str, tokens: int) -> str:
    """The beginning of a text, in whole lines, and the fact that it is not all."""
    lines = text.split("\n")
    while len(lines) > 1 and estimate_tokens("\n".join(lines)) > tokens:
        lines.pop()
    return "\n".join((lines[0][: max(tokens, 100)] if len(lines) == 1 else "\n".join(lines), "(the rest does not fit)"))


def _round(attempts: Sequence[Attempt]) -> str:
    """What came of one round: the best candidate's story, and other candidates' failures in a line each."""
    best = select_best(attempts)
    failures: list[str] = []
    for attempt in attempts:
        if attempt is not best and attempt.evidence is not None:
            failures += [check.summary for check in attempt.evidence.checks if check.status is CheckStatus.FAILED]
    others = [f"another candidate: {summary}" for summary in dict.fromkeys(failures)]
    return "\n".join((_story(best) if best else NOTHING_PASSED, *others[:4]))


def _failures(evidence: Evidence) -> list[str]:
    lines: list[str] = []
    for check in evidence.checks:
        if check.status is CheckStatus.FAILED:
            lines += [f"{check.name} failed: {check.summary}", *([check.feedback] if check.feedback else [])]
    return lines


def _story(attempt: Attempt) -> str:
    lines: list[str] = []
    if attempt.evidence is not None:
        lines += [f"{check.name} passed: {check.summary}" for check in attempt.evidence.checks if check.status is CheckStatus.PASSED]
        lines += _failures(attempt.evidence)
    review = attempt.review
    if review is not None:
        # The local rules name themselves in what they say.
        lines.append(f"the review gave {review.score}/10: {review.feedback}" if review.is_model else review.feedback)
        lines += [
            f"- line {finding.line} (`{finding.quote.strip()}`): {finding.message}"
            + (f"; suggested: `{finding.suggestion}`" if finding.suggestion else "")
            for finding in review.findings
            if review.is_model
        ]
    return "\n".join(lines) or "nothing was found wrong with it"


def _refusals(task: Task) -> list[str]:
    entries = task.metadata.get(REJECTIONS)
    if not isinstance(entries, list):
        return []
    return [str(entry["reason"]) for entry in entries if isinstance(entry, dict) and entry.get("reason")]
