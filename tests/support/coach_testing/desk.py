"""A workspace, a queue and a prover for tests of the loop: `Desk.coach` works on one task and gives what came of it."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from coach_testing.agents import ListedAgent, team
from pixel_coach.attempts import CheckStatus, Evidence, EvidenceCheck, Patch, Proof
from pixel_coach.events import Event, TaskEnded
from pixel_coach.ledger import Ledger
from pixel_coach.loop import coach_task
from pixel_coach.settings import CoachSettings
from pixel_coach.store import Store
from pixel_coach.tasks import Action, NewTask, Task
from pixel_coach.time_kernel import SpeedRecord

_STATUS = {
    Proof.PROVED: CheckStatus.PASSED,
    Proof.REFUTED: CheckStatus.FAILED,
    Proof.UNPROVED: CheckStatus.ABSENT,
    Proof.NOT_VALIDATED: CheckStatus.UNAVAILABLE,
}


def evidence(proof: Proof, text: str = "", *, summary: str = "", feedback: str = "", **fields: Any) -> Evidence:
    """Evidence of one check, named `contract`."""
    check = EvidenceCheck(name="contract", status=_STATUS[proof], summary=summary or f"the contract says {proof.value}", feedback=feedback)
    return Evidence(proof=proof, checks=(check,), text_sha256=hashlib.sha256(text.encode()).hexdigest(), **fields)


class KnowingProver:
    """A prover that is told its verdicts: the first word that stands in a text decides; anything else is proved."""

    def __init__(self, verdicts: Mapping[str, Proof] | None = None) -> None:
        self.verdicts = dict(verdicts or {})
        self.gathered: list[str] = []
        self.seeds: list[int] = []

    async def __aenter__(self) -> KnowingProver:  # noqa: PYI034 - typing.Self needs Python 3.11
        return self

    async def __aexit__(self, *_: object) -> None:
        pass

    async def gather(self, task: Task, patch: Patch, *, hidden_seed: int) -> Evidence:
        self.gathered.append(patch.new_text)
        self.seeds.append(hidden_seed)
        proof = next((verdict for word, verdict in self.verdicts.items() if word in patch.new_text), Proof.PROVED)
        return evidence(proof, patch.new_text, feedback="in 3 of 12 cases" if proof is Proof.REFUTED else "")

    async def time_kernel(self, task: Task, patch: Patch, *, seed: int) -> SpeedRecord:
        """`fast` in a text makes it twice as fast, `cheat` faster than can be."""
        if "cheat" in patch.new_text:
            return SpeedRecord(case="n=1", current_s=(2.0, 2.0), candidate_s=(0.001,), is_suspicious=True, problem="other times each time")
        speedup = 2.0 if "fast" in patch.new_text else 1.01
        around, candidates = (2.02, 1.98) * 7, (2.0 / speedup,) * 7
        return SpeedRecord(case="n=1", current_s=around, candidate_s=candidates, speedup=speedup, low=speedup - 0.1, high=speedup)


class Desk:
    """Everything around the loop, in one folder."""

    def __init__(self, folder: Path) -> None:
        self.workspace = folder / "workspace"
        self.workspace.mkdir()
        self.store = Store(folder / "queue.sqlite3")
        self.ledger = Ledger(self.store)
        self.prover = KnowingProver()
        self.settings = CoachSettings()
        self.events: list[Event] = []
        self.stop = asyncio.Event()

    def close(self) -> None:
        self.store.close()

    def add(self, **fields: Any) -> Task:
        given = {"title": "Write notes", "action": Action.WRITE_FILE, "target": "notes.txt", **fields}
        return self.store.add(NewTask(workspace=self.workspace, **given))

    async def coach(
        self,
        task: Task,
        generator: ListedAgent | None = None,
        reviewer: ListedAgent | None = None,
        *,
        lease_s: float = 120.0,
        tell: Callable[[Event], None] | None = None,
    ) -> TaskEnded:
        lease = self.store.lease(workspace=self.workspace, owner="test", number=task.number, seconds=lease_s)
        assert lease is not None

        def note(event: Event) -> None:
            self.events.append(event)
            if tell is not None:
                tell(event)

        return await coach_task(
            lease, team(generator, reviewer), self.prover, self.store, self.ledger, self.settings, note, self.stop, lease_s=lease_s
        )

    def told(self, kind: type[Event]) -> list[Any]:
        return [event for event in self.events if isinstance(event, kind)]


def fenced(text: str, language: str = "") -> str:
    """A reply that holds a file."""
    return f"Here it is.\n```{language}\n{text}```\n"
