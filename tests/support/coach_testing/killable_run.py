"""A run of the coach in a process of its own that kills itself at a step.

`python -m coach_testing.killable_run STATE WORKSPACE SCRIPT STEP`: a step is the name of an event, or `before:METHOD` and
`after:METHOD` of the store; the process ends there by SIGKILL, as in a power cut.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from coach_testing.desk import KnowingProver
from pixel_coach import batch
from pixel_coach.attempts import Proof
from pixel_coach.batch import BatchOptions, run_batch
from pixel_coach.events import Event
from pixel_coach.settings import AgentSettings, CoachSettings
from pixel_coach.store import Store


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def die_around(method: str, *, after: bool) -> None:
    """Make one method of the store the last that is called."""
    original: Callable[..., Any] = getattr(Store, method)

    def last(self: Store, *arguments: Any, **options: Any) -> Any:
        if after:
            original(self, *arguments, **options)
        die()

    setattr(Store, method, last)


async def main(state: str, workspace: str, script: str, step: str) -> None:
    batch.Prover = lambda *_: KnowingProver({"bad": Proof.REFUTED})  # pyright: ignore[reportAttributeAccessIssue]
    when, _, method = step.partition(":")
    if method:
        die_around(method, after=when == "after")

    def tell(event: Event) -> None:
        if type(event).__name__ == step:
            die()

    scripted = AgentSettings(service="scripted", model=script)
    settings = CoachSettings(generator=scripted, reviewer=scripted)
    options = BatchOptions(workspace=Path(workspace), apply=True)
    await run_batch(options, settings, {"XDG_STATE_HOME": state}, tell, asyncio.Event())


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
