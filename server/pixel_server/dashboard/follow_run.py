"""Following the log of a run, whoever runs it: what is being done right now, and the text as it arrives."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final, final

import msgspec
from msgspec.structs import replace

from pixel_coach.attempts import Evidence, Review, ReviewUnavailable
from pixel_coach.events import (
    CandidateWritten,
    Event,
    EvidenceGathered,
    ReviewArrived,
    ReviewStarted,
    RoundStarted,
    RunEnded,
    RunStarted,
    TaskEnded,
    TaskStarted,
    TextArrived,
    decode,
)

MAX_TEXT: Final = 20_000
"""Characters of arriving text that are kept; the newest."""
MAX_READ: Final = 4 * 1024 * 1024
"""Bytes of a log that one look reads."""


class RunView(msgspec.Struct, frozen=True, kw_only=True):
    """A run as its log tells it.

    Attributes:
        run: Its id.
        mode: `full`, `gemini only` or `local only`; empty before it is known.
        generator: What writes, with its model.
        reviewer: What reviews, with its model.
        task: Number of the task under way, or of the last one; None before the first.
        round: From 1; 0 before the first.
        rounds: At most.
        doing: What is being waited for; empty when nothing is.
        text: What the model has written in this round.
        evidence: Of the newest candidate of this task.
        review: The newest one of this task.
        unavailable: Why there was none.
        dollars: Spent by the tasks that ended.
        ended: How the run ended; None while it goes on, or when it was killed.
    """

    run: str
    mode: str = ""
    generator: str = ""
    reviewer: str = ""
    task: int | None = None
    round: int = 0
    rounds: int = 0
    doing: str = ""
    text: str = ""
    evidence: Evidence | None = None
    review: Review | None = None
    unavailable: ReviewUnavailable | None = None
    dollars: float = 0.0
    ended: RunEnded | None = None


@final
class RunFollower:
    """Reads what was added to a log since the last look.

    Args:
        folder: Where the logs are.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._view: RunView | None = None
        self._offset = 0
        self._rest = b""

    def newest(self) -> str | None:
        """Id of the run that began last; None before the first."""
        return max((path.stem for path in self._folder.glob("*.jsonl")), default=None)

    def look(self, run: str | None) -> RunView | None:
        """What a run has come to by now.

        Args:
            run: Its id; None for no run.

        Returns:
            None when there is no such run.
        """
        if run is None:
            return None
        if self._view is None or self._view.run != run:
            self._view, self._offset, self._rest = RunView(run=run), 0, b""
        try:
            with (self._folder / f"{run}.jsonl").open("rb") as file:
                file.seek(self._offset)
                data = file.read(MAX_READ)
        except OSError:
            return None
        self._offset += len(data)
        *lines, self._rest = (self._rest + data).split(b"\n")
        # A line without end is no line of ours.
        self._rest = self._rest[-MAX_READ:]
        for line in lines:
            event = _event(line)
            if event is not None:
                self._view = after(self._view, event)
        return self._view


def after(view: RunView, event: Event) -> RunView:
    """The view when an event has happened."""
    for kind, change in _CHANGES:
        if isinstance(event, kind):
            return change(view, event)
    return view


def _event(line: bytes) -> Event | None:
    """The event of a line; None for a request, a command, or a line that is damaged."""
    try:
        return decode(line)
    except msgspec.DecodeError:
        return None


def _run_started(view: RunView, event: RunStarted) -> RunView:
    generator, reviewer = (f"{agent.agent} {agent.model}".strip() if agent else "" for agent in (event.generator, event.reviewer))
    return replace(view, mode=event.mode, generator=generator, reviewer=reviewer)


def _task_started(view: RunView, event: TaskStarted) -> RunView:
    return replace(view, task=event.task, round=0, doing="starting", text="", evidence=None, review=None, unavailable=None)


def _round_started(view: RunView, event: RoundStarted) -> RunView:
    return replace(view, round=event.round, rounds=event.rounds, doing=f"{view.generator or 'the generator'} writes", text="")


def _text_arrived(view: RunView, event: TextArrived) -> RunView:
    return replace(view, text=(view.text + event.text)[-MAX_TEXT:])


def _candidate_written(view: RunView, event: CandidateWritten) -> RunView:
    return replace(view, doing="the candidate is being executed" if event.characters else f"no usable text: {event.problem}")


def _evidence_gathered(view: RunView, event: EvidenceGathered) -> RunView:
    return replace(view, evidence=event.evidence, doing=event.evidence.proof.value.replace("_", " "))


def _review_started(view: RunView, event: ReviewStarted) -> RunView:
    return replace(view, doing=f"{event.reviewer} reviews", text="")


def _review_arrived(view: RunView, event: ReviewArrived) -> RunView:
    return replace(view, review=event.review, unavailable=event.unavailable, doing="reviewed")


def _task_ended(view: RunView, event: TaskEnded) -> RunView:
    return replace(view, doing="", text="", dollars=view.dollars + event.dollars)


def _run_ended(view: RunView, event: RunEnded) -> RunView:
    return replace(view, doing="", text="", ended=event)


_CHANGES: Final[tuple[tuple[type[Event], Callable[..., RunView]], ...]] = (
    (RunStarted, _run_started),
    (TaskStarted, _task_started),
    (RoundStarted, _round_started),
    (TextArrived, _text_arrived),
    (CandidateWritten, _candidate_written),
    (EvidenceGathered, _evidence_gathered),
    (ReviewStarted, _review_started),
    (ReviewArrived, _review_arrived),
    (TaskEnded, _task_ended),
    (RunEnded, _run_ended),
)
