"""Optimising: what is not proved is not timed, what is no faster does not count, and the claim is the measurement."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from coach_testing.agents import ListedAgent
from coach_testing.desk import Desk, KnowingProver, evidence, fenced
from coach_testing.reviews import review_reply
from pixel_coach.attempts import Attempt, CheckStatus, Patch, Proof
from pixel_coach.optimise import Variant, add_speed, leaderboard
from pixel_coach.tasks import Action, State, Task
from pixel_coach.time_kernel import SpeedRecord
from pixel_core.errors import EngineUnavailable

TASK = Task(number=1, workspace=Path("/w"), title="Faster", action=Action.OPTIMISE_KERNEL, target="k.wgsl")


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    desk = Desk(tmp_path)
    desk.prover = KnowingProver({"bad": Proof.REFUTED})
    (desk.workspace / "k.wgsl").write_text("slow\n")
    yield desk
    desk.close()


async def check(text: str, proof: Proof, status: CheckStatus, summary: str, speedup: float | None) -> None:
    """What timing makes of proved evidence for a text."""
    patch = Patch(path="k.wgsl", base_sha256=None, new_text=text)
    found = await add_speed(KnowingProver(), TASK, patch, evidence(Proof.PROVED, text), seed=1)
    speed = found.checks[-1]
    assert (found.proof, speed.name, speed.status, found.measured_speedup) == (proof, "speed", status, speedup)
    assert speed.summary == summary


async def test_a_faster_variant_passes() -> None:
    summary = "2.00 times as fast as the file as it is (middle half of the runs 1.90 to 2.00)"
    await check("fast", Proof.PROVED, CheckStatus.PASSED, summary, 2.0)


async def test_a_variant_within_the_spread_is_not_what_was_asked_for() -> None:
    summary = (
        "right, and not faster beyond the spread: 1.01 times as fast as the file as it is (middle half of the runs 0.91 to 1.01); "
        "two runs of the file itself differ by 2 %"
    )
    await check("same", Proof.REFUTED, CheckStatus.FAILED, summary, 1.01)


async def test_a_speed_that_does_not_count() -> None:
    await check("cheat", Proof.REFUTED, CheckStatus.FAILED, "its speed does not count: other times each time", None)


async def test_what_is_not_proved_is_not_timed() -> None:
    patch = Patch(path="k.wgsl", base_sha256=None, new_text="bad")
    found = await add_speed(KnowingProver(), TASK, patch, evidence(Proof.REFUTED), seed=1)
    assert (found.proof, found.checks[-1].status) == (Proof.REFUTED, CheckStatus.SKIPPED)


async def test_without_an_adapter_nothing_is_validated() -> None:
    class NoAdapter(KnowingProver):
        async def time_kernel(self, task: Task, patch: Patch, *, seed: int) -> SpeedRecord:
            raise EngineUnavailable("no adapter", hint="install a driver")

    patch = Patch(path="k.wgsl", base_sha256=None, new_text="fast")
    found = await add_speed(NoAdapter(), TASK, patch, evidence(Proof.PROVED), seed=1)
    assert (found.proof, found.checks[-1].status) == (Proof.NOT_VALIDATED, CheckStatus.UNAVAILABLE)


async def test_the_loop_keeps_the_fastest_that_is_right_and_tells_the_model_what_was_measured(desk: Desk) -> None:
    writer = ListedAgent("llama", [fenced("same\n"), fenced("fast\n")])
    task = desk.add(title="Faster", action=Action.OPTIMISE_KERNEL, target="k.wgsl")
    ended = await desk.coach(task, writer, ListedAgent("judge", [review_reply(8)]))
    assert (ended.state, ended.reason) == (State.AWAITING_ACCEPTANCE, "proved; scored 8/10")
    assert "speed failed: right, and not faster beyond the spread: 1.01 times" in writer.prompts[1].user
    same, fast = desk.store.attempts(task.number)
    assert leaderboard(desk.store.attempts(task.number)) == (
        Variant(attempt=fast.number, speedup=2.0, engine="", is_best=True),
        Variant(attempt=same.number, speedup=1.01, engine="", is_best=False),
    )


def test_the_leaderboard_is_ordered_and_names_equal_texts_once() -> None:
    def attempt(number: int, speedup: float | None, text: str) -> Attempt:
        found = evidence(Proof.PROVED, text, measured_speedup=speedup)
        return Attempt(number=number, task=1, run=1, round=1, candidate=0, agent="a", model="", patch=None, reply="", evidence=found)

    attempts = [attempt(1, 1.5, "a"), attempt(2, None, "b"), attempt(3, 3.0, "c"), attempt(4, 1.6, "a")]
    assert [variant.attempt for variant in leaderboard(attempts)] == [3, 1]
