"""A run of the coach over the queue: what `pixel-lsp --coach` runs, in a terminal or as the child of an editor."""

from __future__ import annotations

import asyncio
import os
import secrets
import sqlite3
import time
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Final

import msgspec
from msgspec.structs import replace

from pixel_coach.accept import accept
from pixel_coach.agents.base import Log
from pixel_coach.agents.choose import Team, choose
from pixel_coach.attempts import ACCEPTANCE_SCORE, Proof
from pixel_coach.errors import CoachError
from pixel_coach.events import Event, Notice, RunEnded, RunStarted, TaskEnded
from pixel_coach.evidence import Prover
from pixel_coach.keep_lease import LEASE_S
from pixel_coach.ledger import Ledger
from pixel_coach.loop import coach_task
from pixel_coach.run_log import RunLog, runs_folder
from pixel_coach.settings import LOCAL_SERVICES, AgentSettings, CoachSettings
from pixel_coach.store import Store, queue_path
from pixel_coach.tasks import State, Task

NO_AGENT: Final = "none"
"""The mode in which nothing can be done."""

_KEY_VARIABLES: Final = ("GEMINI_API_KEY", "GOOGLE_API_KEY", "OPENAI_API_KEY")


class BatchOptions(msgspec.Struct, frozen=True, kw_only=True):
    """What a run is to do.

    Attributes:
        workspace: Whose tasks, absolute.
        phase: Only tasks of this phase; None for all.
        task: Only the task of this number; None for the next ones.
        max_tasks: After so many tasks the run ends; None for no limit.
        apply: Write what is proved and was scored 8 or more by a model at once, instead of leaving it to a person.
    """

    workspace: Path
    phase: str | None = None
    task: int | None = None
    max_tasks: int | None = None
    apply: bool = False


async def run_batch(
    options: BatchOptions, settings: CoachSettings, environment: Mapping[str, str], tell: Callable[[Event], None], stop: asyncio.Event
) -> RunEnded:
    """Work on tasks until none is left, a limit is reached, or `stop` is set.

    Nothing raises out of it that belongs to a task, a service or the queue: `RunEnded.reason` is the one sentence for the user. Without any
    agent the run ends at once, `RunStarted.mode` being `none`.

    Args:
        options: Whose tasks, which, and how many.
        settings: Those in force.
        environment: For keys, folders and services.
        tell: Called with everything that happens, in order.
        stop: Set to stop: the task under way goes back to the queue.
    """
    run = f"{time.strftime('%Y%m%d-%H%M%S', time.gmtime())}-{secrets.token_hex(3)}"
    ended: Counter[str] = Counter()
    dollars = 0.0
    path = runs_folder(environment) / f"{run}.jsonl"
    try:
        async with AsyncExitStack() as stack:
            log = stack.enter_context(RunLog(path, secrets=_keys(settings, environment)))

            def say(event: Event) -> None:
                log.event(event)
                tell(event)

            teams = _Teams(settings, environment, log.entry)
            stack.push_async_callback(teams.close)
            team = await teams.default()
            say(_started(run, team, options))
            if team.generator is None and team.reviewer is None:
                for found in team.availabilities:
                    say(Notice(level="warning", message=f"{found.agent}: {found.reason}", hint=found.hint))
                reason = "no agent: " + "; ".join(found.reason for found in team.availabilities)
                return _end(say, reason, ended, dollars, path)
            store = stack.enter_context(Store(queue_path(environment)))
            prover = await stack.enter_async_context(Prover(options.workspace, settings))
            coach = _Coach(options, settings, store, teams, prover, say, stop)
            reason = await coach.work(f"{run} (process {os.getpid()})", ended)
            return _end(say, reason, ended, coach.dollars, path)
    except (CoachError, OSError, sqlite3.Error) as error:
        # The disk is full, the queue is damaged: the lease of the task under way expires by itself, and its attempts are kept.
        if _hint(error):
            tell(Notice(level="warning", message=_one_sentence(error), hint=_hint(error)))
        return _end(tell, _one_sentence(error), ended, dollars, path)


class _Teams:
    """The team of the settings, and one for each agent that a task prefers; each is looked for once."""

    def __init__(self, settings: CoachSettings, environment: Mapping[str, str], log: Log) -> None:
        self._settings = settings
        self._environment = environment
        self._log = log
        self._chosen: dict[str | None, Team] = {}

    async def default(self) -> Team:
        """That of the settings."""
        return await self._choose(None)

    async def of(self, task: Task, tell: Callable[[Event], None]) -> Team:
        """That of a task. An agent that cannot be asked is a preference that cannot be met, which is told."""
        default = await self.default()
        if task.agent is None or (default.generator is not None and default.generator.name == task.agent):
            return default
        if task.agent not in LOCAL_SERVICES:
            known = ", ".join(LOCAL_SERVICES)
            tell(Notice(level="warning", message=f"there is no agent `{task.agent}` that writes", hint=f"known: {known}", task=task.number))
            return default
        preferred = await self._choose(task.agent)
        if preferred.generator is not None:
            return preferred
        why = next((found for found in preferred.availabilities if found.agent == task.agent), None)
        message = f"{task.agent}, which the task prefers, cannot be asked{f': {why.reason}' if why else ''}"
        tell(Notice(level="warning", message=message, hint=why.hint if why else "", task=task.number))
        return default

    async def close(self) -> None:
        """Close all of them."""
        for team in self._chosen.values():
            await team.close()

    async def _choose(self, service: str | None) -> Team:
        if service not in self._chosen:
            settings = self._settings
            if service is not None:
                settings = replace(settings, generator=AgentSettings(service=service))
            self._chosen[service] = await choose(settings, self._environment, log=self._log)
        return self._chosen[service]


class _Coach:
    """The loop over tasks, with what it needs."""

    def __init__(
        self,
        options: BatchOptions,
        settings: CoachSettings,
        store: Store,
        teams: _Teams,
        prover: Prover,
        tell: Callable[[Event], None],
        stop: asyncio.Event,
    ) -> None:
        self.dollars = 0.0
        self._options = options
        self._settings = settings
        self._store = store
        self._teams = teams
        self._prover = prover
        self._tell = tell
        self._stop = stop

    async def work(self, owner: str, ended: Counter[str]) -> str:
        """Take task after task; returns why it ended."""
        options, ledger = self._options, Ledger(self._store)
        limit = 1 if options.task is not None else options.max_tasks
        while limit is None or ended.total() < limit:
            if self._stop.is_set():
                return "stopped"
            lease = self._store.lease(workspace=options.workspace, owner=owner, phase=options.phase, number=options.task, seconds=LEASE_S)
            if lease is None:
                return self._nothing_left()
            team = await self._teams.of(lease.task, self._tell)
            outcome = await coach_task(lease, team, self._prover, self._store, ledger, self._settings, self._tell, self._stop)
            if options.apply and outcome.state is State.AWAITING_ACCEPTANCE:
                outcome = self._apply(outcome)
            self._tell(outcome)
            ended[outcome.state.value] += 1
            self.dollars += outcome.dollars
            if outcome.state is State.PENDING:
                return outcome.reason
        return "1 task done" if limit == 1 else f"{limit} tasks done, as many as were asked for"

    def _apply(self, outcome: TaskEnded) -> TaskEnded:
        """Write an attempt that is proved and that a model scored 8 or more; anything else waits for a person."""
        attempt = None if outcome.attempt is None else self._store.attempt(outcome.attempt)
        if attempt is None or attempt.evidence is None or attempt.evidence.proof is not Proof.PROVED:
            return outcome
        if attempt.review is None or not attempt.review.is_model or attempt.review.score < ACCEPTANCE_SCORE:
            return outcome
        try:
            accepted = accept(self._store, outcome.task, protected=self._settings.protected, attempt_number=attempt.number)
        except (CoachError, OSError) as error:
            self._tell(Notice(level="warning", message=f"not written: {_one_sentence(error)}", hint=_hint(error), task=outcome.task))
            return outcome
        return msgspec.structs.replace(outcome, state=accepted.task.state, applied=accepted.path is not None)

    def _nothing_left(self) -> str:
        of_phase = f" of phase {self._options.phase}" if self._options.phase else ""
        pending = self._store.count_by_state(workspace=self._options.workspace, phase=self._options.phase)[State.PENDING]
        waiting = (
            f": {pending:,} pending {'is' if pending == 1 else 'are'} paused or wait{'s' * (pending == 1)} for others" if pending else ""
        )
        return f"no task{of_phase} is ready{waiting}"


def _started(run: str, team: Team, options: BatchOptions) -> RunStarted:
    return RunStarted(
        run=run,
        mode=team.mode,
        generator=team.generator_availability,
        reviewer=team.reviewer_availability,
        tasks=1 if options.task is not None else options.max_tasks or 0,
    )


def _end(tell: Callable[[Event], None], reason: str, ended: Counter[str], dollars: float, path: Path) -> RunEnded:
    by_state = {state: count for state, count in sorted(ended.items()) if count}
    end = RunEnded(reason=reason, processed=sum(by_state.values()), by_state=by_state, dollars=dollars, log=str(path))
    tell(end)
    return end


def _keys(settings: CoachSettings, environment: Mapping[str, str]) -> tuple[str, ...]:
    named = (agent.key_variable for agent in (settings.generator, settings.reviewer) if agent is not None and agent.key_variable)
    return tuple(environment[name] for name in (*_KEY_VARIABLES, *named) if environment.get(name))


def _one_sentence(error: BaseException) -> str:
    if isinstance(error, OSError) and error.strerror:
        where = f"{error.filename}: " if error.filename else ""
        return f"{where}{error.strerror}"
    return str(error)


def _hint(error: BaseException) -> str:
    return error.hint or "" if isinstance(error, CoachError) else ""
