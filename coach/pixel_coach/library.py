"""The coach from Python: the names of its first description, with their meaning. Everything here blocks until it is done.

```python
import msgspec
from pixel_coach import Action, GeminiAgent, LocalLLMAgent, NewTask, coach_task, run_coaching_loop

task = NewTask(workspace=Path.cwd(), title="Tiled matmul", action=Action.WRITE_FILE, target="kernels/matmul.wgsl")
code = LocalLLMAgent().generate_code(task)
score, feedback = GeminiAgent().review_code(code, task, iteration=1)

outcome = coach_task(task, max_attempts=3)          # queue, evidence, reviews; writes nothing
ended = run_coaching_loop(max_tasks=10, phase="1_gpu_core")
```

Calling `review_code` sends the code to Google: the call is the consent. `coach_task` and `run_coaching_loop` ask the queue whether the
workspace's texts may be sent (`pixel-lsp agents --allow-review`).
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Coroutine, Mapping
from pathlib import Path
from typing import Any, TypeVar

import msgspec
from msgspec.structs import replace

from pixel_coach.agents.base import Agent, Availability
from pixel_coach.agents.choose import Team, choose
from pixel_coach.attempts import Attempt, Review
from pixel_coach.batch import BatchOptions, run_batch
from pixel_coach.errors import AgentUnavailable, CoachError, ReplyMalformed
from pixel_coach.events import Event, RunEnded
from pixel_coach.generate import Assignment, generate
from pixel_coach.ledger import Ledger
from pixel_coach.metered_agent import MeteredAgent
from pixel_coach.phases import list_phases
from pixel_coach.read_settings import read_settings
from pixel_coach.reject import REJECTIONS
from pixel_coach.review import ReviewSubject, review
from pixel_coach.settings import CoachSettings
from pixel_coach.store import Store, queue_path
from pixel_coach.tasks import NewTask, State, Task

Result = TypeVar("Result")


class CoachedTask(msgspec.Struct, frozen=True, kw_only=True):
    """What came of `coach_task`.

    Attributes:
        task: As the queue has it now.
        is_accepted: It was proved, or says that it could not be, and awaits a person, or is completed.
        score: Of the model's review; None without one.
        code: Text of the best attempt; None where no attempt held one.
        reason: One sentence.
    """

    task: Task
    is_accepted: bool
    score: int | None
    code: str | None
    reason: str


class GeminiAgent:
    """The reviewer: Gemini by key (`GEMINI_API_KEY`) or by gemini-cli, or whatever the settings name.

    Args:
        settings: None reads the user's.
        environment: Variables; None is the process's.
    """

    def __init__(self, settings: CoachSettings | None = None, environment: Mapping[str, str] | None = None) -> None:
        self._environment = os.environ if environment is None else environment
        self._settings = settings or _settings(None, self._environment)

    def review_code(self, code: str, task: NewTask, iteration: int = 1) -> tuple[int, str]:
        """Have code reviewed. It is sent to the reviewer, secrets taken out.

        Args:
            code: The whole text of the task's target.
            task: Whose goal counts.
            iteration: Which round it is, from 1.

        Returns:
            The score, 1–10, computed from the criteria, and feedback with the findings on their lines.

        Raises:
            AgentUnavailable: Nobody can be asked, or no usable review came; never a made-up score.
        """

        async def ask(team: Team) -> Review:
            reviewer = _member(team.reviewer, team)
            subject = ReviewSubject(task=task, text=code, old_text=None, evidence=None, round=iteration)
            with Store(queue_path(self._environment)) as store:
                paid = MeteredAgent(reviewer, "review", team.reviewer_availability, task.workspace, Ledger(store), self._settings)
                opinion = await review(paid, subject, self._settings.criteria, dismissed=store.dismissed(task.workspace))
            if isinstance(opinion, Review):
                return opinion
            raise AgentUnavailable(opinion.reason, hint=opinion.hint or None, retry_after_s=opinion.retry_after_s)

        found = _run_with_team(ask, self._settings, self._environment)
        lines = [f"line {finding.line}: {finding.message} ({finding.rule})" for finding in found.findings]
        return found.score, "\n".join((found.feedback, *lines))


class LocalLLMAgent:
    """The writer: Ollama, llama.cpp or whatever the settings name.

    Args:
        settings: None reads the user's.
        environment: Variables; None is the process's.
    """

    def __init__(self, settings: CoachSettings | None = None, environment: Mapping[str, str] | None = None) -> None:
        self._environment = os.environ if environment is None else environment
        self._settings = replace(settings or _settings(None, self._environment), is_review_wanted=False)

    def generate_code(self, task: NewTask, feedback: str = "", previous_code: str = "") -> str:
        """Write the text of a task's target. Nothing is executed and no file written.

        Args:
            task: What is wanted.
            feedback: What was wrong with the previous code.
            previous_code: The text to go on from; empty for none.

        Raises:
            AgentUnavailable: Nobody can be asked.
            ReplyMalformed: The reply held no usable text; the message says why.
        """

        async def ask(team: Team) -> str:
            writer = _member(team.generator, team)
            said = [{"reason": feedback}] if feedback else []
            fields: dict[str, Any] = {name: getattr(task, name) for name in NewTask.__struct_fields__}
            fields["metadata"] = {**task.metadata, REJECTIONS: said}
            numbered = Task(**fields, number=0)
            assignment = Assignment(
                task=numbered,
                run=1,
                round=1,
                current=previous_code or None,
                base_sha256=None,
                temperature=self._settings.temperature,
                context_tokens=team.generator_availability.context_tokens if team.generator_availability else 0,
            )
            with Store(queue_path(self._environment)) as store:
                paid = MeteredAgent(writer, "generate", team.generator_availability, task.workspace, Ledger(store), self._settings)
                (draft,) = [draft async for draft in generate(paid, assignment)]
            if draft.patch is None:
                raise ReplyMalformed(draft.problem)
            return draft.patch.new_text

        return _run_with_team(ask, self._settings, self._environment)


def coach_task(
    task: NewTask | int,
    max_attempts: int = 3,
    *,
    settings: CoachSettings | None = None,
    environment: Mapping[str, str] | None = None,
    tell: Callable[[Event], None] = lambda _: None,
) -> CoachedTask:
    """Coach one task to its end: generate, prove, review, with feedback, at most `max_attempts` rounds. No file is written.

    Args:
        task: A new task, which is put into the user's queue, or the number of one that is there.
        max_attempts: Rounds at most; the settings' limit holds, too.
        settings: None reads those of the task's workspace.
        environment: Variables; None is the process's.
        tell: Called with everything that happens.

    Raises:
        CoachError: The queue cannot be opened or has no such task, or the settings are mistaken.
    """
    environment = os.environ if environment is None else environment
    with Store(queue_path(environment)) as store:
        queued = store.get(task) if isinstance(task, int) else store.add(task)
    settings = settings or _settings(queued.workspace, environment)
    settings = replace(settings, limits=replace(settings.limits, rounds=min(max_attempts, settings.limits.rounds)))
    options = BatchOptions(workspace=queued.workspace, task=queued.number)
    ended = asyncio.run(run_batch(options, settings, environment, tell, asyncio.Event()))
    with Store(queue_path(environment)) as store:
        after = store.get(queued.number)
        best = next((attempt for attempt in reversed(store.attempts(queued.number)) if attempt.is_best), None)
    return CoachedTask(
        task=after,
        is_accepted=after.state in (State.AWAITING_ACCEPTANCE, State.COMPLETED),
        score=_score(best),
        code=best.patch.new_text if best and best.patch else None,
        reason=after.reason or ended.reason,
    )


def run_coaching_loop(
    max_tasks: int | None = None,
    phase: str | None = None,
    *,
    workspace: Path | None = None,
    apply: bool = False,
    settings: CoachSettings | None = None,
    environment: Mapping[str, str] | None = None,
    tell: Callable[[Event], None] = lambda _: None,
) -> RunEnded:
    """Coach the queued tasks of a workspace until none is left or `max_tasks` are done.

    Args:
        max_tasks: None for all.
        phase: Id or alias of a phase; None for all.
        workspace: Its root; None is the current folder.
        apply: Write what is proved and was scored 8 or more by a model.
        settings: None reads those of the workspace.
        environment: Variables; None is the process's.
        tell: Called with everything that happens.

    Raises:
        CoachError: The settings are mistaken, or a playbook cannot be read.
    """
    environment = os.environ if environment is None else environment
    root = (workspace or Path.cwd()).resolve()
    settings = settings or _settings(root, environment)
    known = {alias: each.id for each in list_phases(settings.playbooks) for alias in each.aliases}
    options = BatchOptions(workspace=root, phase=known.get(phase, phase) if phase else None, max_tasks=max_tasks, apply=apply)
    return asyncio.run(run_batch(options, settings, environment, tell, asyncio.Event()))


def _run_with_team(ask: Callable[[Team], Coroutine[Any, Any, Result]], settings: CoachSettings, environment: Mapping[str, str]) -> Result:
    async def run() -> Result:
        team = await choose(settings, environment)
        try:
            return await ask(team)
        finally:
            await team.close()

    return asyncio.run(run())


def _member(agent: Agent | None, team: Team) -> Agent:
    if agent is not None:
        return agent
    absent: list[Availability] = [found for found in team.availabilities if not found.is_available]
    reason = "; ".join(found.reason for found in absent) or "nobody is set up"
    raise AgentUnavailable(reason, hint=next((found.hint for found in absent if found.hint), None))


def _settings(workspace: Path | None, environment: Mapping[str, str]) -> CoachSettings:
    settings, mistakes = read_settings(workspace, environment)
    wrong = next((mistake for mistake in mistakes if mistake.is_error), None)
    if wrong is not None:
        where = f"{wrong.path}:{wrong.line}: " if wrong.path else ""
        raise CoachError(f"{where}{wrong.message}", hint=wrong.hint or None)
    return settings


def _score(attempt: Attempt | None) -> int | None:
    return attempt.review.score if attempt and attempt.review and attempt.review.is_model else None
