"""What a running coach tells, in the order it happens: for the terminal, the editor, the dashboard and the run's log.

As JSON, one object a line, with the class's name under `event`; `encode` and `decode` are each other's inverse.
"""

from __future__ import annotations

import msgspec

from pixel_coach.agents.base import Availability, Usage
from pixel_coach.attempts import Evidence, Review, ReviewUnavailable
from pixel_coach.tasks import State


class RunStarted(msgspec.Struct, frozen=True, kw_only=True, tag_field="event", tag=True):
    """A coach begins.

    Attributes:
        run: Id of the run, also the name of its log.
        mode: `full`, `gemini only` or `local only`.
        generator: What writes; None where nothing can.
        reviewer: What reviews; None where nothing can.
        tasks: How many are to be worked on at most.
    """

    run: str
    mode: str
    generator: Availability | None
    reviewer: Availability | None
    tasks: int


class TaskStarted(msgspec.Struct, frozen=True, kw_only=True, tag_field="event", tag=True):
    """A task is leased."""

    task: int
    title: str
    phase: str | None
    target: str
    action: str
    priority: int


class RoundStarted(msgspec.Struct, frozen=True, kw_only=True, tag_field="event", tag=True):
    """A round begins; `round` counts from 1."""

    task: int
    round: int
    rounds: int
    candidates: int


class TextArrived(msgspec.Struct, frozen=True, kw_only=True, tag_field="event", tag=True):
    """Some text came from the generator (`source` `generator`) or the reviewer."""

    task: int
    source: str
    text: str


class CandidateWritten(msgspec.Struct, frozen=True, kw_only=True, tag_field="event", tag=True):
    """A reply is whole. `characters` is 0 when it held no usable text, and `problem` says why."""

    task: int
    round: int
    candidate: int
    characters: int
    usage: Usage
    problem: str = ""


class EvidenceGathered(msgspec.Struct, frozen=True, kw_only=True, tag_field="event", tag=True):
    """A candidate has been executed."""

    task: int
    round: int
    candidate: int
    attempt: int
    evidence: Evidence


class ReviewStarted(msgspec.Struct, frozen=True, kw_only=True, tag_field="event", tag=True):
    """The best candidate of a round goes to the reviewer."""

    task: int
    round: int
    reviewer: str


class ReviewArrived(msgspec.Struct, frozen=True, kw_only=True, tag_field="event", tag=True):
    """An opinion, or why there is none: one of the two is None."""

    task: int
    round: int
    review: Review | None
    unavailable: ReviewUnavailable | None
    dollars: float


class TaskEnded(msgspec.Struct, frozen=True, kw_only=True, tag_field="event", tag=True):
    """A task is given back to the queue.

    Attributes:
        state: Where it stands now.
        reason: One sentence.
        attempt: Number of the best attempt; None when there is none.
        score: Of its review; None without one.
        applied: Whether the target was written.
        dollars: Spent on it in this run.
        seconds: Wall time of this run.
    """

    task: int
    state: State
    reason: str
    attempt: int | None
    score: int | None
    applied: bool
    dollars: float
    seconds: float


class RunEnded(msgspec.Struct, frozen=True, kw_only=True, tag_field="event", tag=True):
    """The coach stops.

    Attributes:
        reason: Why: no task left, the limit of tasks, a budget, a signal.
        processed: Tasks worked on.
        by_state: How many of them ended in which state.
        dollars: Spent in all.
        log: Path of the run's log.
    """

    reason: str
    processed: int
    by_state: dict[str, int]
    dollars: float
    log: str


class Notice(msgspec.Struct, frozen=True, kw_only=True, tag_field="event", tag=True):
    """Something a person should know (`warning`) or may want to (`info`)."""

    level: str
    message: str
    hint: str = ""
    task: int | None = None


Event = (
    RunStarted
    | TaskStarted
    | RoundStarted
    | TextArrived
    | CandidateWritten
    | EvidenceGathered
    | ReviewStarted
    | ReviewArrived
    | TaskEnded
    | RunEnded
    | Notice
)

_ENCODER = msgspec.json.Encoder()
_DECODER: msgspec.json.Decoder[Event] = msgspec.json.Decoder(Event)


def encode(event: Event) -> bytes:
    """One line of JSON, newline included."""
    return _ENCODER.encode(event) + b"\n"


def decode(line: bytes) -> Event:
    """The event of a line.

    Raises:
        msgspec.DecodeError: The line is not one.
    """
    return _DECODER.decode(line)
