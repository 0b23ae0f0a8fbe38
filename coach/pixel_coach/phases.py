"""Phases: playbooks of tasks in TOML, the shipped ones and a user's own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, Final, Literal, Union

from msgspec import UNSET, Meta, Struct, UnsetType
from msgspec.structs import asdict

from pixel_coach.errors import CoachError
from pixel_coach.read_toml import TomlDocument, read_toml
from pixel_coach.settings_file import LimitsTable
from pixel_coach.store import Store
from pixel_coach.tasks import Action, Limits, NewTask, State

PRIORITIES: Final[Mapping[str, int]] = {"HIGH": 9, "MED": 6, "LOW": 3}
"""The roadmap's words as numbers."""

MANUAL: Final = "manual"
"""As the agent of a task: a person is to do it. It is loaded as blocked."""

_SHIPPED: Final = Path(__file__).parent / "playbooks"
_LEFT_TO_A_PERSON: Final = "its playbook leaves it to a person"

_Word = Annotated[str, Meta(pattern="^[a-z0-9][a-z0-9_-]*$", max_length=80)]
_Line = Annotated[str, Meta(pattern=r"^\S[^\n]*$", max_length=500)]
_Text = Annotated[str, Meta(max_length=20_000)]


class PlaybookTask(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One `[[tasks]]` of a playbook.

    Attributes:
        key: Identifies it within its phase, for good.
        title: One line.
        action: What is to be done.
        target: The file concerned, POSIX path relative to the workspace.
        description: The goal in words.
        section: Heading it stands under.
        roadmap_file: What an older document calls the target.
        priority: 1 to 10, or a word of `PRIORITIES`.
        lines: How long the result was estimated to be.
        needs: Keys of the tasks that must be completed before.
        contract: Name of the contract that the target must fulfil.
        contract_text: The contract itself, where the file does not exist yet: it must begin with it.
        test_command: Program and arguments that prove it.
        limits: What it may spend.
        agent: `auto`, `manual`, or the name of an agent.
        metadata: Anything else to keep.
    """

    key: _Word
    title: _Line
    action: Action
    target: _Line
    description: _Text = ""
    section: str = ""
    roadmap_file: str = ""
    priority: Union[Literal["HIGH", "MED", "LOW"], Annotated[int, Meta(ge=1, le=10)]] = 5
    lines: Union[Annotated[int, Meta(ge=0, le=1_000_000)], UnsetType] = UNSET
    needs: Annotated[tuple[str, ...], Meta(max_length=1000)] = ()
    contract: Union[str, UnsetType] = UNSET
    contract_text: _Text = ""
    test_command: tuple[str, ...] = ()
    limits: Union[LimitsTable, UnsetType] = UNSET
    agent: str = "auto"
    metadata: dict[str, Any] = {}


class _Playbook(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    id: _Word
    title: _Line
    goal: str = ""
    aliases: tuple[_Word, ...] = ()
    tasks: Annotated[tuple[PlaybookTask, ...], Meta(max_length=100_000)] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Phase:
    """A playbook that was read.

    Attributes:
        id: Such as `1_gpu_core`.
        title: One line.
        goal: One sentence.
        aliases: Other ids that it answers to.
        tasks: In an order in which none comes before what it needs, otherwise that of the file.
        path: The file.
    """

    id: str
    title: str
    goal: str
    aliases: tuple[str, ...]
    tasks: tuple[PlaybookTask, ...] = field(repr=False)
    path: Path

    @property
    def lines(self) -> int:
        """How long all results were estimated to be."""
        return sum(task.lines for task in self.tasks if task.lines is not UNSET)


def list_phases(playbooks: Sequence[Path] = ()) -> tuple[Phase, ...]:
    """Every phase there is, by id. One of the user's with the id of a shipped one takes its place.

    Args:
        playbooks: The user's own files (`CoachSettings.playbooks`).

    Raises:
        CoachError: A file cannot be read or does not fit; the message names file and line.
    """
    phases: dict[str, Phase] = {}
    for path in (*sorted(_SHIPPED.glob("*.toml")), *playbooks):
        phase = _read_phase(path)
        phases[phase.id] = phase
    return tuple(phases[one] for one in sorted(phases))


def load_playbook(name: str | Path, playbooks: Sequence[Path] = ()) -> Phase:
    """One phase.

    Args:
        name: Its id or an alias, or the path of a TOML file.
        playbooks: The user's own files.

    Raises:
        CoachError: There is none of that name, or a file cannot be read or does not fit.
    """
    if isinstance(name, Path) or name.endswith(".toml"):
        return _read_phase(Path(name))
    phases = list_phases(playbooks)
    for phase in phases:
        if name == phase.id:
            return phase
    for phase in phases:
        if name in phase.aliases:
            return phase
    ids = [phase.id for phase in phases]
    close = get_close_matches(name, [*ids, *(alias for phase in phases for alias in phase.aliases)], n=1)
    meant = f"`{close[0]}` is close; " if close else ""
    raise CoachError(f"there is no phase `{name}`", hint=f"{meant}there are {', '.join(ids)}")


def load_phase(store: Store, workspace: Path, name: str | Path, playbooks: Sequence[Path] = ()) -> tuple[int, int]:
    """Put the tasks of a phase into the queue, in one transaction. Doing it twice adds nothing.

    Args:
        store: The queue.
        workspace: Root of the workspace, absolute, links followed.
        name: Id or alias of the phase, or the path of a TOML file.
        playbooks: The user's own files.

    Returns:
        How many tasks were added, and how many were there already and stay as they are.

    Raises:
        CoachError: There is no such phase, its file does not fit, or the queue failed.
    """
    phase = load_playbook(name, playbooks)
    added = 0
    numbers: dict[str, int] = {}
    with store.together():
        there = {task.key for task in store.tasks(workspace=workspace, phase=phase.id)}
        for entry in phase.tasks:
            task = store.add(_new_task(entry, phase, workspace, tuple(numbers[key] for key in entry.needs)))
            numbers[entry.key] = task.number
            if entry.key in there:
                continue
            added += 1
            if entry.agent == MANUAL:
                store.change_state(task.number, State.BLOCKED, _LEFT_TO_A_PERSON)
    return added, len(phase.tasks) - added


def _new_task(entry: PlaybookTask, phase: Phase, workspace: Path, depends_on: tuple[int, ...]) -> NewTask:
    metadata = {
        **entry.metadata,
        **{name: value for name in ("section", "roadmap_file", "contract_text") if (value := getattr(entry, name))},
        **({"lines": entry.lines} if entry.lines is not UNSET else {}),
    }
    given = {name: value for name, value in asdict(entry.limits).items() if value is not UNSET} if entry.limits is not UNSET else {}
    return NewTask(
        workspace=workspace,
        title=entry.title,
        action=entry.action,
        target=entry.target,
        description=_description(entry),
        contract=None if entry.contract is UNSET else entry.contract,
        test_command=entry.test_command,
        phase=phase.id,
        key=entry.key,
        priority=entry.priority if isinstance(entry.priority, int) else PRIORITIES[entry.priority],
        depends_on=depends_on,
        limits=Limits(**given),
        agent=None if entry.agent in {"auto", MANUAL} else entry.agent,
        metadata=metadata,
    )


def _description(entry: PlaybookTask) -> str:
    text = " ".join(entry.description.split())
    if not entry.contract_text:
        return text
    contract = "\n".join(f"//! {line}".rstrip() for line in entry.contract_text.strip().splitlines())
    return f"{text}\n\nThe file must begin with this contract, word for word:\n\n{contract}\n"


def _read_phase(path: Path) -> Phase:
    document = read_toml(path, _Playbook)
    playbook = document.value
    return Phase(id=playbook.id, title=playbook.title, goal=playbook.goal, aliases=playbook.aliases, tasks=_in_order(document), path=path)


def _in_order(document: TomlDocument[_Playbook]) -> tuple[PlaybookTask, ...]:
    """The tasks, each behind what it needs.

    Raises:
        CoachError: A key is there twice, a need names no task, or tasks need each other.
    """
    tasks = document.value.tasks
    indices: dict[str, int] = {}
    for index, task in enumerate(tasks):
        if task.key in indices:
            raise document.mistake(("tasks", index, "key"), f"a second task has the key `{task.key}`", "keys tell tasks of a phase apart")
        indices[task.key] = index
    for index, task in enumerate(tasks):
        for place, need in enumerate(task.needs):
            if need not in indices:
                close = get_close_matches(need, indices, n=1)
                hint = f"did you mean `{close[0]}`?" if close else "name keys of tasks in this file"
                raise document.mistake(
                    ("tasks", index, "needs", place), f"`{task.key}` needs `{need}`, which is no task of this phase", hint
                )
    return _sorted_by_needs(document, indices)


def _sorted_by_needs(document: TomlDocument[_Playbook], indices: Mapping[str, int]) -> tuple[PlaybookTask, ...]:
    tasks = document.value.tasks
    done: dict[str, None] = {}
    for task in tasks:
        # Depth first with a stack of our own: a playbook may be a chain of any length. The dict remembers who is on it, in order.
        stack: dict[str, Iterator[str]] = {} if task.key in done else {task.key: iter(task.needs)}
        while stack:
            key = next(reversed(stack))
            need = next((one for one in stack[key] if one not in done), None)
            if need is None:
                del stack[key]
                done[key] = None
            elif need in stack:
                on_stack = list(stack)
                chain = " → ".join(f"`{step}`" for step in (*on_stack[on_stack.index(need) :], need))
                raise document.mistake(("tasks", indices[key], "needs"), f"tasks need each other: {chain}")
            else:
                stack[need] = iter(tasks[indices[need]].needs)
    return tuple(tasks[indices[key]] for key in done)
