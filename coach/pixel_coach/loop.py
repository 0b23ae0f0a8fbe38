"""The loop: write, prove, review, decide; at most so many rounds, then the best attempt is kept and a person is asked."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextlib import aclosing
from typing import TYPE_CHECKING

from pixel_coach.attempts import ACCEPTANCE_SCORE, Proof
from pixel_coach.decide import NOT_REVIEWED, Decision, decide, refutation
from pixel_coach.errors import AgentError, BudgetExhausted, LeaseLost, PromptTooLong, RefusedPath
from pixel_coach.events import Event, TaskEnded, TaskStarted
from pixel_coach.feedback import NOTHING_PASSED
from pixel_coach.keep_lease import LEASE_S, OutOfTime, Stopped, work_under_lease
from pixel_coach.ledger import Ledger
from pixel_coach.select_best import select_best
from pixel_coach.settings import CoachSettings
from pixel_coach.store import Lease, Store
from pixel_coach.task_run import Gatherer, TaskRun
from pixel_coach.tasks import Action, State

if TYPE_CHECKING:
    from pixel_coach.agents.choose import Team


async def coach_task(
    lease: Lease,
    team: Team,
    prover: Gatherer,
    store: Store,
    ledger: Ledger,
    settings: CoachSettings,
    tell: Callable[[Event], None],
    stop: asyncio.Event,
    *,
    lease_s: float = LEASE_S,
) -> TaskEnded:
    """Work on a leased task until it is accepted, needs a person, or must be given back.

    The target is not written here: an accepted attempt awaits a person (or `--apply`).

    Args:
        lease: Ends with this call, whatever happens short of the process's end.
        team: Who writes and who reviews.
        prover: What gathers evidence.
        store: The queue.
        ledger: Where every request is booked.
        settings: Those in force; a task's own limits can only be smaller.
        tell: Called with everything that happens but the task's end, which is returned.
        stop: Set to stop: what is being written is dropped, and the task goes back to pending.
        lease_s: How long the lease is prolonged for each time.

    Raises:
        QueueError: The queue itself fails; the lease then expires by itself.
        OSError: The disk is full or a file cannot be read.
    """
    started, task = time.monotonic(), lease.task
    tell(
        TaskStarted(
            task=task.number, title=task.title, phase=task.phase, target=task.target, action=task.action.value, priority=task.priority
        )
    )
    run = TaskRun(lease, team, prover, store, ledger, settings, tell)
    best = None
    try:
        try:
            decision = await work_under_lease(_work(run), store, lease, stop, seconds=run.limits.seconds, lease_s=lease_s)
        except Stopped:
            decision = Decision(state=State.PENDING, reason="stopped")
        except OutOfTime:
            decision = Decision(state=State.NEEDS_HUMAN, reason=f"not done within {run.limits.seconds:g} s")
        except asyncio.CancelledError:
            run.finish(State.PENDING, "", None)
            raise
        best = select_best(run.attempts)
        assert decision.state is not None
        state, reason = run.finish(decision.state, decision.reason, best).state, decision.reason
    except LeaseLost as error:
        state, reason = store.get(task.number).state, str(error)
    return TaskEnded(
        task=task.number,
        state=state,
        reason=reason,
        attempt=best.number if best else None,
        score=best.review.score if best and best.review and best.review.is_model else None,
        applied=False,
        dollars=run.dollars,
        seconds=time.monotonic() - started,
    )


async def _work(run: TaskRun) -> Decision:
    try:
        return await (_rounds(run) if run.writes else _review_written(run))
    except RefusedPath as error:
        return Decision(state=State.BLOCKED, reason=str(error))
    except (BudgetExhausted, PromptTooLong) as error:
        return Decision(state=State.NEEDS_HUMAN, reason=str(error))
    except AgentError as error:
        # A service that is gone is no fault of the task; one that answers others, and not this, is a matter for a person.
        state = State.NEEDS_HUMAN if await run.generator_answers() else State.PENDING
        return Decision(state=state, reason=str(error))


async def _rounds(run: TaskRun) -> Decision:
    refusal = run.refusal_to_write()
    if refusal is not None:
        return Decision(state=State.NEEDS_HUMAN, reason=refusal.reason)
    found = await run.find_failure()
    if found is not None and found.proof is not Proof.REFUTED:
        why = "the kernel as it is fulfils its contract" if found.proof is Proof.PROVED else decide(found, None, None).reason
        return Decision(state=State.NEEDS_HUMAN, reason=f"nothing to repair: {why}")
    for number in range(1, run.limits.rounds + 1):
        async with aclosing(run.drafts(number)) as drafts:
            async for draft in drafts:
                if run.is_enough(await run.prove(run.keep(draft, number))):
                    break
        best = select_best(attempt for attempt in run.attempts if attempt.round == number)
        if best is None or best.evidence is None:
            continue
        opinion = await run.review(best)
        decision = decide(best.evidence, opinion.review, opinion.unavailable)
        if decision.state is not None:
            return decision
    rounds = "1 round" if run.limits.rounds == 1 else f"{run.limits.rounds} rounds"
    return Decision(state=State.NEEDS_HUMAN, reason=f"not accepted in {rounds}; {_best_of(run)}")


async def _review_written(run: TaskRun) -> Decision:
    """What a person wrote: proved as far as the task says how, then reviewed. Nothing is written."""
    text, sha256 = run.read_target()
    if text is None:
        return Decision(state=State.NEEDS_HUMAN, reason=f"{run.task.target} does not exist, and there is no model to write it")
    attempt = await run.prove(run.keep_written(text, sha256))
    assert attempt.evidence is not None
    opinion = await run.review(attempt)
    if run.task.action is Action.REVIEW:
        # Nothing is to be proved. A review that could not be had is none, whatever the local rules say.
        if opinion.review is None or not opinion.review.is_model:
            why = opinion.unavailable.reason if opinion.unavailable else "no reviewer"
            return Decision(state=State.NEEDS_HUMAN, reason=f"{NOT_REVIEWED}{why}")
        is_good = opinion.review.score >= ACCEPTANCE_SCORE
        state = State.AWAITING_ACCEPTANCE if is_good else State.NEEDS_HUMAN
        return Decision(state=state, reason=f"scored {opinion.review.score}/10")
    decision = decide(attempt.evidence, opinion.review, opinion.unavailable)
    return decision if decision.state is not None else Decision(state=State.NEEDS_HUMAN, reason=decision.reason)


def _best_of(run: TaskRun) -> str:
    """One sentence about the attempt that is kept."""
    best = select_best(run.attempts)
    if best is None or best.evidence is None:
        reasons = [refutation(attempt.evidence) for attempt in run.attempts if attempt.evidence is not None]
        return reasons[-1] if reasons else NOTHING_PASSED
    return f"the best is attempt {best.number}: {decide(best.evidence, best.review, best.review_unavailable).reason}"
