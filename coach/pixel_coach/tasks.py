"""What the coach is asked to do: a task, its states, and which state may follow which. Plain data; `store` keeps it."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

import msgspec

MIN_PRIORITY: Final = 1
MAX_PRIORITY: Final = 10
DEFAULT_PRIORITY: Final = 5


class Action(str, Enum):
    """What is to be done to the target. `evidence.CHECKS_OF` says what proves each."""

    WRITE_FILE = "write_file"
    EDIT_FILE = "edit_file"
    OPTIMISE_KERNEL = "optimise_kernel"
    REPAIR_KERNEL = "repair_kernel"
    WRITE_CONTRACT = "write_contract"
    WRITE_TESTS = "write_tests"
    REVIEW = "review"


class State(str, Enum):
    """Where a task stands."""

    PENDING = "pending"
    IN_PROGRESS = "in_progress"
    IN_REVIEW = "in_review"
    AWAITING_ACCEPTANCE = "awaiting_acceptance"
    COMPLETED = "completed"
    FAILED = "failed"
    NEEDS_HUMAN = "needs_human"
    BLOCKED = "blocked"
    CANCELLED = "cancelled"


_BACK_TO_WORK: Final = frozenset({State.PENDING, State.CANCELLED})

TRANSITIONS: Final[Mapping[State, frozenset[State]]] = MappingProxyType(
    {
        State.PENDING: frozenset({State.IN_PROGRESS, State.BLOCKED, State.NEEDS_HUMAN, State.CANCELLED}),
        State.IN_PROGRESS: frozenset(
            {
                State.PENDING,
                State.IN_REVIEW,
                State.AWAITING_ACCEPTANCE,
                State.FAILED,
                State.NEEDS_HUMAN,
                State.BLOCKED,
                State.CANCELLED,
            }
        ),
        State.IN_REVIEW: frozenset(
            {State.PENDING, State.IN_PROGRESS, State.AWAITING_ACCEPTANCE, State.FAILED, State.NEEDS_HUMAN, State.CANCELLED}
        ),
        State.AWAITING_ACCEPTANCE: frozenset({State.COMPLETED, State.NEEDS_HUMAN, *_BACK_TO_WORK}),
        State.NEEDS_HUMAN: frozenset({State.COMPLETED, *_BACK_TO_WORK}),
        State.FAILED: _BACK_TO_WORK,
        State.BLOCKED: _BACK_TO_WORK,
        State.COMPLETED: frozenset(),
        State.CANCELLED: frozenset({State.PENDING}),
    }
)
"""Which state may follow which. From `PENDING` to `COMPLETED` there is no way around evidence and a person."""

WORKING: Final = frozenset({State.IN_PROGRESS, State.IN_REVIEW})
"""The states in which some coach holds a lease on the task."""


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """What one run of a task may spend.

    Attributes:
        rounds: Attempts that are answered with feedback, at most.
        seconds: Wall time.
        dollars: Of all paid requests together.
        requests: Requests to the reviewer.
    """

    rounds: int = 3
    seconds: float = 1800.0
    dollars: float = 0.05
    requests: int = 20


class NewTask(msgspec.Struct, frozen=True, kw_only=True):
    """A task before the store has numbered it.

    Attributes:
        workspace: Root of the workspace, absolute, links followed.
        title: One line.
        action: What is to be done.
        target: The file concerned, POSIX path relative to the workspace.
        description: The goal in words; may be empty.
        contract: Name of the contract that the target must fulfil; None means every contract that speaks of it.
        test_command: Program and arguments that prove it, run in the sandbox from the workspace's root; empty for none.
        phase: Id of the playbook's phase, such as `1_gpu_core`; None for a task of its own.
        key: What identifies the task within its phase, so that loading a playbook twice adds nothing; None for a task of its own.
        priority: 1 (last) to 10 (first).
        depends_on: Numbers of the tasks that must be completed before.
        limits: What it may spend.
        agent: Name of the preferred agent; None leaves it to the settings.
        metadata: Anything JSON can hold (estimated lines, the finding it came from).
    """

    workspace: Path
    title: str
    action: Action
    target: str
    description: str = ""
    contract: str | None = None
    test_command: tuple[str, ...] = ()
    phase: str | None = None
    key: str | None = None
    priority: int = DEFAULT_PRIORITY
    depends_on: tuple[int, ...] = ()
    limits: Limits = msgspec.field(default_factory=Limits)
    agent: str | None = None
    metadata: Mapping[str, Any] = msgspec.field(default_factory=dict)


class Task(NewTask, frozen=True, kw_only=True):
    """A task of the queue, as it was when it was read.

    Attributes:
        number: What people call it by; unique in the user's queue, never reused.
        state: Where it stands.
        is_paused: It keeps its state and is not handed out.
        position: Order among tasks of one priority; smaller is earlier.
        reason: Why it needs a person, is blocked or failed, one sentence; empty otherwise.
        created_at: Seconds since the epoch.
        updated_at: Likewise.
    """

    number: int
    state: State = State.PENDING
    is_paused: bool = False
    position: float = 0.0
    reason: str = ""
    created_at: float = 0.0
    updated_at: float = 0.0
