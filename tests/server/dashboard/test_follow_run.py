"""Following a log that grows, is damaged, or belongs to another run."""

from __future__ import annotations

from pathlib import Path

from pixel_coach.agents.base import Availability, Usage
from pixel_coach.attempts import Evidence, Proof
from pixel_coach.events import (
    CandidateWritten,
    EvidenceGathered,
    ReviewStarted,
    RoundStarted,
    RunEnded,
    RunStarted,
    TaskEnded,
    TaskStarted,
    TextArrived,
)
from pixel_coach.run_log import RunLog
from pixel_coach.tasks import State
from pixel_server.dashboard.follow_run import MAX_TEXT, RunFollower

EVIDENCE = Evidence(proof=Proof.PROVED, checks=(), text_sha256="")


def test_a_run_from_its_beginning_to_its_end(tmp_path: Path) -> None:
    follower = RunFollower(tmp_path)
    assert (follower.newest(), follower.look(None), follower.look("run")) == (None, None, None)
    with RunLog(tmp_path / "run.jsonl") as log:
        agent = Availability(agent="ollama", is_available=True, reason="", model="qwen")
        log.event(RunStarted(run="run", mode="local only", generator=agent, reviewer=None, tasks=1))
        view = follower.look("run")
        assert view is not None
        assert (view.mode, view.generator, view.reviewer, view.task) == ("local only", "ollama qwen", "", None)

        log.event(TaskStarted(task=7, title="", phase=None, target="", action="", priority=5))
        log.entry({"request": "POST /api/chat"})
        log.event(RoundStarted(task=7, round=2, rounds=3, candidates=1))
        log.event(TextArrived(task=7, source="generator", text="fn k()\n{"))
        view = follower.look("run")
        assert view is not None
        assert (view.task, view.round, view.rounds, view.doing, view.text) == (7, 2, 3, "ollama qwen writes", "fn k()\n")

        log.event(CandidateWritten(task=7, round=2, candidate=0, characters=9, usage=Usage()))
        log.event(EvidenceGathered(task=7, round=2, candidate=0, attempt=1, evidence=EVIDENCE))
        view = follower.look("run")
        assert view is not None
        assert (view.text, view.doing, view.evidence) == ("fn k()\n{", "proved", EVIDENCE)

        log.event(ReviewStarted(task=7, round=2, reviewer="gemini"))
        log.event(
            TaskEnded(task=7, state=State.AWAITING_ACCEPTANCE, reason="", attempt=1, score=None, applied=False, dollars=0.25, seconds=1.0)
        )
        log.event(RunEnded(reason="stopped", processed=1, by_state={}, dollars=0.25, log=""))
    view = follower.look("run")
    assert view is not None
    assert (view.doing, view.text, view.dollars, view.ended is not None) == ("", "", 0.25, True)
    assert follower.newest() == "run"


def test_lines_come_in_halves_and_may_be_damaged(tmp_path: Path) -> None:
    follower = RunFollower(tmp_path)
    line = b'{"at":1.0,"event":"RoundStarted","task":1,"round":1,"rounds":3,"candidates":1}\n'
    path = tmp_path / "a.jsonl"
    path.write_bytes(b"\xff{not json\n" + b"[" * 100_000 + b"\n" + line[:20])
    view = follower.look("a")
    assert view is not None
    assert view.round == 0
    with path.open("ab") as file:
        file.write(line[20:])
    view = follower.look("a")
    assert view is not None
    assert view.round == 1


def test_another_run_begins_anew_and_text_stays_short(tmp_path: Path) -> None:
    follower = RunFollower(tmp_path)
    for run in ("20260101", "20260102"):
        with RunLog(tmp_path / f"{run}.jsonl") as log:
            for number in range(3):
                log.event(TextArrived(task=1, source="generator", text=f"{number}\n" * (MAX_TEXT // 3)))
    first = follower.look("20260101")
    again = follower.look("20260102")
    assert first is not None
    assert again is not None
    assert (len(first.text), first.text[-2:], len(again.text), again.run) == (MAX_TEXT, "2\n", MAX_TEXT, "20260102")
    assert follower.newest() == "20260102"
