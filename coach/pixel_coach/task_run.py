"""One run of one task: what the loop says in a word each. Everything is stored before anything else happens with it."""

from __future__ import annotations

import secrets
from collections.abc import AsyncGenerator, Callable
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Final, Protocol

import msgspec
from msgspec.structs import replace

from pixel_coach.agents.base import Agent, Availability, Usage
from pixel_coach.apply import read_base
from pixel_coach.attempts import Attempt, CheckStatus, Evidence, EvidenceCheck, Patch, Proof, Review, ReviewUnavailable
from pixel_coach.changed_lines import changed_lines
from pixel_coach.errors import RefusedPath
from pixel_coach.events import CandidateWritten, Event, EvidenceGathered, Notice, ReviewArrived, ReviewStarted, RoundStarted, TextArrived
from pixel_coach.generate import Assignment, Draft, generate
from pixel_coach.ledger import Ledger
from pixel_coach.metered_agent import MeteredAgent
from pixel_coach.optimise import Stopwatch, add_speed
from pixel_coach.protect import check_target
from pixel_coach.repair import CANDIDATES, repair
from pixel_coach.review import ReviewSubject, review
from pixel_coach.rule_review import rule_review
from pixel_coach.secrets_scan import is_secret_file
from pixel_coach.settings import REVIEW_SERVICES, CoachSettings
from pixel_coach.store import Lease, Store
from pixel_coach.tasks import Action, Limits, State, Task

if TYPE_CHECKING:
    from pixel_coach.agents.choose import Team

PERSON: Final = "person"
"""The agent of an attempt that a person wrote."""


class Gatherer(Stopwatch, Protocol):
    """What gathers evidence and times kernels: `evidence.Prover`."""

    async def gather(self, task: Task, patch: Patch, *, hidden_seed: int) -> Evidence:
        """Execute what proves a patch."""
        ...


class Opinion(msgspec.Struct, frozen=True, kw_only=True):
    """A review, or why there is none; by the local rules in the second case."""

    review: Review | None = None
    unavailable: ReviewUnavailable | None = None


class TaskRun:
    """One run of one task.

    Args:
        lease: The right to work on it.
        team: Who writes and who reviews.
        prover: What gathers evidence.
        store: Where everything is kept.
        ledger: Where every request is booked.
        settings: Those in force.
        tell: Called with everything that happens.
    """

    def __init__(
        self,
        lease: Lease,
        team: Team,
        prover: Gatherer,
        store: Store,
        ledger: Ledger,
        settings: CoachSettings,
        tell: Callable[[Event], None],
    ) -> None:
        self.lease = lease
        self.task = lease.task
        self.limits = _smaller(lease.task.limits, settings.limits)
        self.attempts: list[Attempt] = []
        self._noticed: set[str] = set()
        self._found: Evidence | None = None
        self._earlier = store.attempts(lease.task.number)
        self._team = team
        self._prover = prover
        self._store = store
        self._settings = settings
        self._tell = tell
        self._generator = self._meter(team.generator, "generate", team.generator_availability, ledger)
        self._reviewer = self._meter(team.reviewer, "review", team.reviewer_availability, ledger)

    @property
    def dollars(self) -> float:
        """Spent in this run."""
        return sum(agent.dollars for agent in (self._generator, self._reviewer) if agent is not None)

    @property
    def writes(self) -> bool:
        """Whether a model is to write; else what a person wrote is reviewed."""
        return self._generator is not None and self.task.action is not Action.REVIEW

    async def find_failure(self) -> Evidence | None:
        """What is wrong with the kernel that is to be repaired, which the prompt tells; None where nothing is to be repaired."""
        if self.task.action is not Action.REPAIR_KERNEL:
            return None
        text, sha256 = self.read_target()
        if text is not None:
            patch = Patch(path=self.task.target, base_sha256=sha256, new_text=text)
            self._found = await self._prover.gather(self.task, patch, hidden_seed=secrets.randbits(31))
        return self._found

    def is_enough(self, attempt: Attempt) -> bool:
        """Whether a candidate ends its round: of one-token repairs, the first that is proved."""
        return self.task.action is Action.REPAIR_KERNEL and attempt.evidence is not None and attempt.evidence.proof is Proof.PROVED

    async def drafts(self, number: int) -> AsyncGenerator[Draft]:
        """The candidates of a round, as they are written."""
        assert self._generator is not None
        task = self.task
        check_target(task.workspace, task.target, self._settings.protected, action=task.action)
        current, sha256 = self.read_target()
        writes = self._team.generator_availability
        is_repair = number == 1 and self._found is not None and self._generator.takes_grammar
        assignment = Assignment(
            task=task,
            run=self.lease.run,
            round=number,
            current=current,
            base_sha256=sha256,
            earlier=(*self._earlier, *self.attempts),
            found=self._found,
            candidates=CANDIDATES if is_repair else self._settings.candidates,
            temperature=self._settings.temperature,
            context_tokens=writes.context_tokens if writes else 0,
        )
        self._tell(RoundStarted(task=task.number, round=number, rounds=self.limits.rounds, candidates=assignment.candidates))

        def on_text(text: str) -> None:
            self._say("generator", text)

        if is_repair and self._found is not None:
            failure = "\n".join(check.feedback for check in self._found.checks)
            written = repair(self._generator, assignment, failure, on_text)
        else:
            written = generate(self._generator, assignment, on_text)
        async for draft in written:
            yield draft

    def read_target(self) -> tuple[str | None, str | None]:
        """The target's text and the SHA-256 of its bytes.

        Raises:
            RefusedPath: It must not be read.
        """
        if is_secret_file(PurePosixPath(self.task.target)):
            raise RefusedPath(f"{self.task.target} is a file of secrets, which no model is shown")
        return read_base(self.task.workspace, self.task.target)

    def keep(self, draft: Draft, number: int) -> Attempt:
        """Store a draft; one without a patch is refuted by its problem."""
        attempt = self._add(number, draft.candidate, self._team_name(), draft.reply.model, draft.patch, draft.reply.text)
        written = CandidateWritten(
            task=self.task.number,
            round=number,
            candidate=draft.candidate,
            characters=len(draft.patch.new_text) if draft.patch else 0,
            usage=draft.reply.usage,
            problem=draft.problem,
        )
        self._tell(written)
        if draft.left_out:
            self._notice(f"left out of the prompt, since the model's context has no room: {', '.join(draft.left_out)}")
        if draft.patch is None:
            check = EvidenceCheck(name="reply", status=CheckStatus.FAILED, summary=draft.problem)
            return self._prove_by(attempt, Evidence(proof=Proof.REFUTED, checks=(check,), text_sha256=""))
        return attempt

    def keep_written(self, text: str, sha256: str | None) -> Attempt:
        """Store what a person wrote, as the one attempt of round 1."""
        patch = Patch(path=self.task.target, base_sha256=sha256, new_text=text)
        self._tell(RoundStarted(task=self.task.number, round=1, rounds=1, candidates=1))
        attempt = self._add(1, 0, PERSON, "", patch, "")
        self._tell(CandidateWritten(task=self.task.number, round=1, candidate=0, characters=len(text), usage=Usage()))
        return attempt

    async def prove(self, attempt: Attempt) -> Attempt:
        """Gather evidence and store it; the same text of the same run is not executed twice."""
        if attempt.patch is None:
            return attempt
        known = next((other.evidence for other in self.attempts if other.patch == attempt.patch and other.evidence is not None), None)
        if known is None:
            # Drawn after the text was written, so that no text can know it.
            known = await self._prover.gather(self.task, attempt.patch, hidden_seed=secrets.randbits(31))
            if self.task.action is Action.OPTIMISE_KERNEL:
                known = await add_speed(self._prover, self.task, attempt.patch, known, seed=secrets.randbits(31))
        return self._prove_by(attempt, known)

    async def review(self, attempt: Attempt) -> Opinion:
        """Ask for an opinion where evidence leaves something to say, and store it."""
        assert attempt.patch is not None
        if attempt.evidence is None or attempt.evidence.proof in (Proof.REFUTED, Proof.NOT_VALIDATED):
            return Opinion()
        known = next((other.review for other in self.attempts if other.patch == attempt.patch and other.review is not None), None)
        if known is not None and known.is_model:
            self._opine(attempt, known)
            return Opinion(review=known)
        unavailable = self._why_no_review()
        if unavailable is None:
            asked = await self._ask_reviewer(attempt)
            if isinstance(asked, Review):
                return Opinion(review=asked)
            unavailable = asked
        else:
            self._opine(attempt, unavailable)
            self._arrived(attempt, None, unavailable, 0.0)
        lines = changed_lines(self._text_before(attempt), attempt.patch.new_text)
        by_rules = rule_review(PurePosixPath(self.task.target), attempt.patch.new_text, lines)
        self._opine(attempt, by_rules)
        return Opinion(review=by_rules, unavailable=unavailable)

    async def generator_answers(self) -> bool:
        """Whether the generator could be asked for another task."""
        return self._generator is not None and (await self._generator.is_available()).is_available

    def finish(self, state: State, reason: str, best: Attempt | None) -> Task:
        """Mark the attempt that is kept, and give the task back."""
        with self._store.together():
            if best is not None:
                self._store.mark_best(self.lease, best.number)
            return self._store.move(self.lease, state, reason)

    async def _ask_reviewer(self, attempt: Attempt) -> Review | ReviewUnavailable:
        assert self._reviewer is not None
        assert attempt.patch is not None
        subject = ReviewSubject(
            task=self.task,
            text=attempt.patch.new_text,
            old_text=self._text_before(attempt),
            evidence=attempt.evidence,
            round=attempt.round,
        )
        self._store.move(self.lease, State.IN_REVIEW)
        self._tell(ReviewStarted(task=self.task.number, round=attempt.round, reviewer=self._reviewer.name))
        before = self._reviewer.dollars
        opinion = await review(
            self._reviewer,
            subject,
            self._settings.criteria,
            dismissed=self._store.dismissed(self.task.workspace),
            on_text=lambda text: self._say("reviewer", text),
        )
        with self._store.together():
            self._opine(attempt, opinion)
            self._store.move(self.lease, State.IN_PROGRESS)
        spent = self._reviewer.dollars - before
        self._notice(self._reviewer.notice)
        if isinstance(opinion, Review):
            self._arrived(attempt, opinion, None, spent)
        else:
            self._arrived(attempt, None, opinion, spent)
        return opinion

    def refusal_to_write(self) -> ReviewUnavailable | None:
        """Why the generator must not be shown this workspace; None when it may be."""
        return self._refusal_to_send("writing", self._team.generator_availability)

    def _text_before(self, attempt: Attempt) -> str | None:
        """What an attempt changes; None where all of it is to be looked at, since a person wrote it or the file is new."""
        return None if attempt.agent == PERSON else self.read_target()[0]

    def _why_no_review(self) -> ReviewUnavailable | None:
        if self._reviewer is not None:
            return self._refusal_to_send("review", self._team.reviewer_availability)
        looked = (found for found in self._team.availabilities if not found.is_available and found.agent in REVIEW_SERVICES)
        absent = next(looked, None)
        if absent is None:
            return ReviewUnavailable(reason="no reviewer is set up", hint="`pixel-lsp agents` says how")
        return ReviewUnavailable(reason=absent.reason, hint=absent.hint)

    def _refusal_to_send(self, purpose: str, to: Availability | None) -> ReviewUnavailable | None:
        """Why texts of this workspace must not go to an agent: it is remote, and nobody has allowed it."""
        if (to is not None and to.is_local) or self._store.allows_review(self.task.workspace):
            return None
        return ReviewUnavailable(
            reason=f"{purpose} not allowed for this workspace: its texts would go to {to.agent if to else 'a remote service'}",
            hint="`pixel-lsp agents --allow-review` allows it",
        )

    def _add(self, number: int, candidate: int, agent: str, model: str, patch: Patch | None, reply: str) -> Attempt:
        attempt = Attempt(
            task=self.task.number,
            run=self.lease.run,
            round=number,
            candidate=candidate,
            agent=agent,
            model=model,
            patch=patch,
            reply=reply,
        )
        attempt = self._store.add_attempt(self.lease, attempt)
        self.attempts.append(attempt)
        return attempt

    def _prove_by(self, attempt: Attempt, evidence: Evidence) -> Attempt:
        self._store.set_evidence(self.lease, attempt.number, evidence)
        attempt = self._replace(replace(attempt, evidence=evidence))
        self._tell(
            EvidenceGathered(
                task=self.task.number, round=attempt.round, candidate=attempt.candidate, attempt=attempt.number, evidence=evidence
            )
        )
        return attempt

    def _opine(self, attempt: Attempt, opinion: Review | ReviewUnavailable) -> None:
        self._store.set_review(self.lease, attempt.number, opinion)
        known = next(other for other in self.attempts if other.number == attempt.number)
        if isinstance(opinion, Review):
            self._replace(replace(known, review=opinion))
        else:
            self._replace(replace(known, review_unavailable=opinion))

    def _replace(self, attempt: Attempt) -> Attempt:
        self.attempts = [attempt if other.number == attempt.number else other for other in self.attempts]
        return attempt

    def _arrived(self, attempt: Attempt, opinion: Review | None, unavailable: ReviewUnavailable | None, dollars: float) -> None:
        self._tell(ReviewArrived(task=self.task.number, round=attempt.round, review=opinion, unavailable=unavailable, dollars=dollars))

    def _notice(self, message: str) -> None:
        """Tell something once."""
        if message and message not in self._noticed:
            self._noticed.add(message)
            self._tell(Notice(level="info", message=message, task=self.task.number))

    def _say(self, source: str, text: str) -> None:
        self._tell(TextArrived(task=self.task.number, source=source, text=text))

    def _meter(self, agent: Agent | None, purpose: str, availability: Availability | None, ledger: Ledger) -> MeteredAgent | None:
        return None if agent is None else MeteredAgent(agent, purpose, availability, self.task, ledger, self._settings)

    def _team_name(self) -> str:
        return "" if self._generator is None else self._generator.name


def _smaller(task: Limits, user: Limits) -> Limits:
    """A task's limits can only be smaller than the user's."""
    return Limits(
        rounds=min(task.rounds, user.rounds),
        seconds=min(task.seconds, user.seconds),
        dollars=min(task.dollars, user.dollars),
        requests=min(task.requests, user.requests),
    )
