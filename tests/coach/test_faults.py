"""What can go wrong with the services during a run: the state afterwards is right, and the user sees one clear sentence.

Agents, HTTP, queue and ledger are real; the services are local servers that answer as the real ones do.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

import pytest
from msgspec.structs import replace

from coach_testing.desk import KnowingProver, fenced
from coach_testing.reviews import review_reply
from model_servers.fake_gemini import KEY, FakeGemini
from model_servers.fake_ollama import FakeModel, FakeOllama, OllamaOutcome
from model_servers.fake_server import Received
from model_servers.gemini_outcomes import (
    Outcome,
    answer,
    blocked_prompt,
    cut,
    empty_candidate,
    malformed,
    out_of_tokens,
    rate_limited,
    server_error,
    wrong_key,
)
from pixel_coach import batch
from pixel_coach.agents import gemini
from pixel_coach.attempts import Attempt, Proof
from pixel_coach.batch import BatchOptions, run_batch
from pixel_coach.errors import QueueError
from pixel_coach.events import Event, RunEnded, TaskEnded
from pixel_coach.settings import AgentSettings, CoachSettings
from pixel_coach.store import Store, queue_path
from pixel_coach.tasks import Action, Limits, NewTask, State

MODEL = "qwen2.5-coder:7b"
GOOD = OllamaOutcome(text=fenced("good\n"))
EIGHT = answer(review_reply(8))
ONE_ROUND = Limits(rounds=1)


class Session:
    """One run of the coach over one task, against both servers."""

    def __init__(self, folder: Path, ollama: FakeOllama, gemini_server: FakeGemini) -> None:
        self.workspace = folder / "workspace"
        self.workspace.mkdir()
        self.environment = {"XDG_STATE_HOME": str(folder / "state"), "GEMINI_API_KEY": KEY}
        self.settings = CoachSettings(
            generator=AgentSettings(service="ollama", url=ollama.url, model=MODEL, timeout_s=5.0),
            reviewer=AgentSettings(service="gemini", url=gemini_server.url, model="gemini-2.5-flash", timeout_s=5.0),
        )
        self.ollama, self.gemini = ollama, gemini_server
        self.events: list[Event] = []
        self.stop = asyncio.Event()
        with self.store() as store:
            store.allow_review(self.workspace, True)

    def store(self) -> Store:
        return Store(queue_path(self.environment))

    def add(self, limits: Limits = ONE_ROUND) -> None:
        with self.store() as store:
            store.add(NewTask(workspace=self.workspace, title="Write notes", action=Action.WRITE_FILE, target="notes.txt", limits=limits))

    async def run(self) -> RunEnded:
        return await run_batch(BatchOptions(workspace=self.workspace), self.settings, self.environment, self.events.append, self.stop)

    async def run_one(self) -> TaskEnded:
        self.add()
        await self.run()
        (ended,) = (event for event in self.events if isinstance(event, TaskEnded))
        with self.store() as store:
            task = store.get(ended.task)
            assert (task.state, task.reason) == (ended.state, ended.reason if ended.state is not State.PENDING else task.reason)
            assert store.lease_of(task.number) is None
        assert not list(self.workspace.iterdir())
        return ended

    def log(self) -> str:
        (ended,) = (event for event in self.events if isinstance(event, RunEnded))
        return Path(ended.log).read_text(encoding="utf-8")

    def attempts(self) -> Sequence[Attempt]:
        with self.store() as store:
            return store.attempts(1)


@pytest.fixture
def session(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Session]:
    monkeypatch.setattr(batch, "Prover", lambda *_: KnowingProver({"bad": Proof.REFUTED}))
    monkeypatch.setattr(gemini, "_FIRST_BACKOFF_S", 0.01)
    with FakeOllama(models={MODEL: FakeModel()}) as ollama, FakeGemini() as gemini_server:
        yield Session(tmp_path, ollama, gemini_server)


UNREVIEWED = "proved; unreviewed: "


@pytest.mark.parametrize(
    ("outcomes", "reason"),
    [
        pytest.param([rate_limited("3600s", per="PerDay", value="20")], "today", id="429-for-today"),
        pytest.param([rate_limited("90s")], "no more requests for gemini-2.5-flash for now", id="429-longer-than-we-wait"),
        pytest.param([server_error(500)] * 3, "500", id="500"),
        pytest.param([cut('{"criteria": [')], "broke before the reply was whole", id="cut-stream"),
        pytest.param([malformed('{"crit')], "", id="malformed-stream"),
        pytest.param([answer("I like it. 10/10!")], "the review is not what was asked for", id="no-JSON"),
        pytest.param([answer('{"criteria": [], "findings": [], "feedback": ""}')], "does not judge each criterion once", id="schema"),
        pytest.param([answer(review_reply([8, 8, 8, 8, 11]))], "the review is not what was asked for", id="score-11"),
        pytest.param([blocked_prompt()], "PROHIBITED_CONTENT", id="blocked-prompt"),
        pytest.param([empty_candidate()], "", id="empty-candidate"),
        pytest.param([out_of_tokens(4096)], "", id="all-tokens-thought"),
        pytest.param([answer(review_reply(8)[:90], finish="MAX_TOKENS")], "", id="cut-by-tokens"),
        pytest.param([wrong_key()], "key", id="wrong-key"),
    ],
)
async def test_a_review_that_fails_leaves_a_proved_attempt_unreviewed(session: Session, outcomes: Sequence[Outcome], reason: str) -> None:
    session.ollama.queue(GOOD)
    session.gemini.queue(*outcomes)
    ended = await session.run_one()
    assert ended.state is State.AWAITING_ACCEPTANCE
    assert ended.score is None
    assert ended.reason.startswith(UNREVIEWED)
    assert reason in ended.reason
    assert "\n" not in ended.reason
    assert "Traceback" not in ended.reason
    (attempt,) = session.attempts()
    assert attempt.review_unavailable is not None
    assert attempt.is_best
    assert KEY not in session.log()


async def test_a_rate_limit_that_is_short_is_waited_for(session: Session) -> None:
    session.ollama.queue(GOOD)
    session.gemini.queue(rate_limited("0.05s"), EIGHT)
    ended = await session.run_one()
    assert (ended.state, ended.reason) == (State.AWAITING_ACCEPTANCE, "proved; scored 8/10")


async def test_a_slow_stream_is_awaited(session: Session) -> None:
    session.ollama.queue(OllamaOutcome(text=fenced("good\n"), pause_s=0.1))
    session.gemini.queue(answer(review_reply(9), pause_s=0.1))
    ended = await session.run_one()
    assert ended.score == 9


@pytest.mark.parametrize(
    ("outcome", "problem"),
    [
        pytest.param(OllamaOutcome(text="```\ngo", is_cut=True), "broke", id="cut-stream"),
        pytest.param(OllamaOutcome(text="```\ngo", is_short=True), "", id="stream-without-end"),
        pytest.param(OllamaOutcome(text="x", raw=b'{"message": {"con\n'), "", id="malformed-line"),
        pytest.param(
            OllamaOutcome(text="```\nhalf a fi", done_reason="length"), "the reply was cut off inside its code block", id="length"
        ),
        pytest.param(OllamaOutcome(text=""), "", id="empty-reply"),
    ],
)
async def test_a_reply_that_is_no_candidate_is_an_attempt_and_a_person_is_asked(
    session: Session, outcome: OllamaOutcome, problem: str
) -> None:
    session.ollama.queue(outcome)
    ended = await session.run_one()
    assert ended.state is State.NEEDS_HUMAN
    assert ended.reason.startswith("not accepted in 1 round; ")
    assert problem in ended.reason
    (attempt,) = session.attempts()
    assert attempt.patch is None
    assert session.gemini.requests == [] or all("generate" not in request.path for request in session.gemini.requests)


async def test_an_error_of_the_generator_for_one_task_is_that_tasks(session: Session) -> None:
    session.ollama.queue(*[OllamaOutcome(status=500, error="llama runner process has terminated")] * 3)
    ended = await session.run_one()
    assert ended.state is State.NEEDS_HUMAN
    assert "llama runner process has terminated" in ended.reason


async def test_a_generator_that_went_away_ends_the_run_and_the_task_waits(session: Session) -> None:
    servers = ExitStack()

    def crash(_: Received) -> OllamaOutcome:
        servers.close()
        return OllamaOutcome(text="```\nhalf", is_cut=True)

    ollama = servers.enter_context(FakeOllama(crash, models={MODEL: FakeModel()}))
    session.settings = replace(session.settings, generator=AgentSettings(service="ollama", url=ollama.url, model=MODEL))
    session.add(Limits(rounds=3))
    session.add(Limits(rounds=3))
    ended = await session.run()
    assert ended.reason == f"nothing answers at {ollama.url}"
    assert ended.by_state == {"pending": 1}
    with session.store() as store:
        assert store.count_by_state()[State.PENDING] == 2
        assert [attempt.patch for attempt in store.attempts(1)] == [None], "the reply that broke off is kept, the others were never made"


async def test_nothing_running_and_no_key_says_what_is_missing_and_how_to_mend_it(session: Session) -> None:
    del session.environment["GEMINI_API_KEY"]
    session.settings = CoachSettings(generator=AgentSettings(service="ollama", url="http://127.0.0.1:9"))
    session.add()
    ended = await session.run()
    assert ended.processed == 0
    assert ended.reason.startswith("no agent: ")
    hints = [event.hint for event in session.events if type(event).__name__ == "Notice"]
    assert any("GEMINI_API_KEY" in hint for hint in hints)
    assert any("ollama" in hint for hint in hints)


async def test_a_context_that_overflows_is_said(session: Session) -> None:
    (session.workspace / "notes.txt").write_text("word " * 60_000)
    session.add()
    await session.run()
    (ended,) = (event for event in session.events if isinstance(event, TaskEnded))
    assert ended.state is State.NEEDS_HUMAN
    assert ended.reason.startswith("notes.txt and its contract take about ")


async def test_a_full_disk_ends_the_run_with_a_sentence(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    session.ollama.queue(GOOD)
    session.add()
    fail_with(monkeypatch, "add_attempt", "the queue cannot be written: database or disk is full")
    ended = await session.run()
    assert ended.reason == "the queue cannot be written: database or disk is full"
    monkeypatch.undo()
    with session.store() as store:
        # The lease is still there and runs out by itself.
        assert store.lease_of(1) is not None
        assert store.get(1).state is State.IN_PROGRESS


def fail_with(monkeypatch: pytest.MonkeyPatch, method: str, message: str) -> None:
    def fail(*_: object, **__: object) -> None:
        raise QueueError(message)

    monkeypatch.setattr(Store, method, fail)


async def test_a_log_that_cannot_be_made_is_said(session: Session) -> None:
    state = Path(session.environment["XDG_STATE_HOME"]) / "pixel-lsp" / "coach"
    (state / "runs").write_text("in the way")
    session.add()
    ended = await session.run()
    assert ended.reason == f"{state / 'runs'}: File exists"
