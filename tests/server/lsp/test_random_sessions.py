"""Random legal sessions, with workers killed at random, judged by checks that have no past.

Whatever an editor does: the server lives and complains of nothing in its log; every set of diagnostics that names a version is what
reading or running the text of that version gives; once all is quiet, what is shown is what a fresh check says of the newest text; and when
the server ends, in whichever way, its exit code is right and no process is left.

`scripts/soak` plays a hundred times as many sequences.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule, run_state_machine_as_test

from lsp_testing.fresh_verdicts import FreshVerdicts
from lsp_testing.logged_editor import WAYS_TO_END
from lsp_testing.random_session import KINDS, NAMES, PIECES, SETTINGS, TEXTS, RandomSession

pytestmark = pytest.mark.device

SEQUENCES = settings().max_examples // 10
"""A hundredth of the soak's thousand."""

STEPS = 30
LIFE = 5
"""So many sequences one server lives through: starting one takes longer than a sequence."""

names = st.sampled_from(NAMES)
texts = st.sampled_from(sorted(TEXTS))
places = st.floats(0, 1, exclude_max=True)
edits = st.lists(st.tuples(places, st.integers(0, 12), st.sampled_from(PIECES)), min_size=1, max_size=3)


class World:
    """What outlives a sequence: the event loop, one server at a time, the judge, and the counts."""

    def __init__(self, folder: Path) -> None:
        self.loop = asyncio.new_event_loop()
        self.judge = FreshVerdicts()
        self.counts: dict[str, int] = {}
        self._folder = folder
        self._session: RandomSession | None = None
        self._servers = 0

    def run(self, step: str, work: Coroutine[Any, Any, object]) -> None:
        """Take a step; if it fails, say after what."""
        session = self._session
        assert session is not None
        session.trace.append(step)
        self.counts["steps"] = self.counts.get("steps", 0) + 1
        try:
            self.loop.run_until_complete(work)
        except BaseException as problem:
            self.abandon()
            trace = "\n".join(session.trace[-80:])
            raise AssertionError(f"{problem!r}\nwith a client {session.kind}, after\n{trace}") from problem

    def session(self, kind: str) -> RandomSession:
        """A session without documents: of the server that there is, or of a new one of this kind."""
        known = self._session
        if known is None or known.sequences >= LIFE:
            self.end(WAYS_TO_END[0])
            self._servers += 1
            known = RandomSession(kind, self._folder / str(self._servers), self.judge, self.counts)
            self._session = known
            self.run("start", known.start())
        return known

    def end(self, way: str) -> None:
        if self._session is not None:
            self.run(f"end by {way}", self._session.end(way))
            self._session = None

    def abandon(self) -> None:
        if self._session is not None:
            session, self._session = self._session, None
            self.loop.run_until_complete(session.editor.abandon())

    def close(self) -> None:
        self.abandon()
        self.loop.run_until_complete(self.judge.close())
        self.loop.close()


class Sequence(RuleBasedStateMachine):
    """One sequence of what an editor, its user, other programs and bad luck do."""

    world: World

    @initialize(kind=st.sampled_from(sorted(KINDS)), opened=st.lists(st.tuples(names, texts), min_size=1, max_size=3))
    def begin(self, kind: str, opened: list[tuple[str, str]]) -> None:
        self.ending = "none"
        self.session = self.world.session(kind)
        self.world.run("begin", self.session.begin())
        for name, text in opened:
            self.open(name, text)

    @rule(name=names, text=texts)
    def open(self, name: str, text: str) -> None:
        self.world.run(f"open {name} {text}", self.session.open(name, TEXTS[text]))

    @rule(name=names, text=texts)
    def replace(self, name: str, text: str) -> None:
        self.world.run(f"replace {name} {text}", self.session.replace(name, TEXTS[text]))

    @rule(name=names, changes=edits)
    def edit(self, name: str, changes: list[tuple[float, int, str]]) -> None:
        self.world.run(f"edit {name} {changes}", self.session.edit(name, changes))

    @rule(name=names)
    def edit_late(self, name: str) -> None:
        self.world.run(f"stale edit {name}", self.session.edit_late(name))

    @rule(name=names)
    def save(self, name: str) -> None:
        self.world.run(f"save {name}", self.session.save(name))

    @rule(name=names)
    def close(self, name: str) -> None:
        self.world.run(f"close {name}", self.session.close(name))

    @rule(name=names, to=names)
    def rename(self, name: str, to: str) -> None:
        self.world.run(f"rename {name} {to}", self.session.rename(name, to))

    @rule(name=names, text=st.one_of(st.none(), texts))
    def touch(self, name: str, text: str | None) -> None:
        self.world.run(f"write {name} {text}", self.session.write(name, None if text is None else TEXTS[text]))

    @rule(factor=st.sampled_from((1, 2, None)))
    def touch_reference(self, factor: int | None) -> None:
        self.world.run(f"reference {factor}", self.session.write_reference(factor))

    @rule(number=st.integers(0, len(SETTINGS) - 1))
    def configure(self, number: int) -> None:
        self.world.run(f"configure {SETTINGS[number]}", self.session.configure(SETTINGS[number]))

    @rule(way=st.sampled_from(("editor", "terminal", "command", "question", "refuse", "withdraw")))
    def trust(self, way: str) -> None:
        self.world.run(f"trust by {way}", self.session.trust(way))

    @rule(kind=st.sampled_from(("hover", "lenses", "actions", "pull", "report")), name=names, place=places)
    def ask(self, kind: str, name: str, place: float) -> None:
        self.world.run(f"{kind} {name}", self.session.ask(kind, name, place))

    @rule(name=names, wait=st.sampled_from((0, 0.01, 0.1, 1)), cancel=st.booleans())
    def check(self, name: str, wait: float, cancel: bool) -> None:
        self.world.run(f"check {name} {wait} {cancel}", self.session.check(name, wait, cancel=cancel))

    @rule(which=st.integers(0, 3))
    def kill(self, which: int) -> None:
        self.world.run(f"kill {which}", self.session.kill(which))

    @rule(seconds=st.sampled_from((0.02, 0.15, 0.4)))
    def wait(self, seconds: float) -> None:
        self.world.run(f"wait {seconds}", asyncio.sleep(seconds))

    @precondition(lambda self: self.ending == "none")
    @rule(way=st.sampled_from((*WAYS_TO_END, *["none"] * 25)))
    def end(self, way: str) -> None:
        """Now and then the server ends in the midst of it all; what follows happens to a new one."""
        if way != "none":
            self.ending = way
            kind = self.session.kind
            self.world.end(way)
            self.session = self.world.session(kind)
            self.world.run("begin", self.session.begin())

    def teardown(self) -> None:
        if hasattr(self, "session") and self.session.editor.is_alive:
            self.world.run("settle", self.session.settle())
            self.world.run("close all", self.session.close_all())
            self.session.sequences += 1


def test_random_sessions(capsys: pytest.CaptureFixture[str]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        world = World(Path(folder))
        played = type("Played", (Sequence,), {"world": world})
        try:
            # Nothing here depends on the steps alone, so a failure does not shrink: its trace is in the message.
            run_state_machine_as_test(
                played,
                settings=settings(
                    max_examples=SEQUENCES,
                    stateful_step_count=STEPS,
                    deadline=None,
                    phases=(Phase.generate,),
                    suppress_health_check=list(HealthCheck),
                ),
            )
            world.end(WAYS_TO_END[0])
        finally:
            world.close()
    assert world.counts["compared"] > 0
    with capsys.disabled():
        sys.stdout.write(f"\nrandom sessions: {world.counts}\n")
