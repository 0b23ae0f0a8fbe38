"""The whole coach with nothing scripted: llama.cpp runs SmolLM2-135M, the queue is real, and so is the evidence.

A model of that size cannot write WGSL. The run says so: it ends with a person, every reply is kept, and nothing is reviewed, paid or
written.
"""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from model_servers.fake_gemini import KEY, FakeGemini
from model_servers.llama_server import small_model_path
from pixel_coach.attempts import Proof
from pixel_coach.batch import BatchOptions, run_batch
from pixel_coach.events import CandidateWritten, Event, EvidenceGathered, RunStarted, TaskEnded, TextArrived
from pixel_coach.settings import AgentSettings, CoachSettings
from pixel_coach.store import Store, queue_path
from pixel_coach.tasks import Action, Limits, NewTask, State

CONTRACT = """\
[double]
dims = "n"
shapes = { x = "n", y = "n" }
dispatch = "ceil(n / 64)"
inputs = { x = "normal(0, 1)" }
expect = { y = "x * 2" }
cases = ["n=1", "n=64", "n=1000"]
"""


@pytest.mark.device
async def test_a_small_model_writes_freely_and_a_person_is_asked(tmp_path: Path) -> None:
    workspace = tmp_path / "workspace"
    workspace.mkdir()
    environment = {"XDG_STATE_HOME": str(tmp_path / "state"), "GEMINI_API_KEY": KEY}
    with Store(queue_path(environment)) as store:
        store.allow_review(workspace, True)
        store.add(
            NewTask(
                workspace=workspace,
                title="Double every element of x",
                action=Action.WRITE_FILE,
                target="double.wgsl",
                limits=Limits(rounds=1, seconds=300.0),
                metadata={"contract_text": CONTRACT},
            )
        )
    events: list[Event] = []
    with FakeGemini() as gemini:
        settings = CoachSettings(
            generator=AgentSettings(service="embedded", model=str(small_model_path()), context_tokens=2048, threads=1, timeout_s=300.0),
            reviewer=AgentSettings(service="gemini", url=gemini.url, model="gemini-2.5-flash"),
        )
        ended = await run_batch(BatchOptions(workspace=workspace, apply=True), settings, environment, events.append, asyncio.Event())
        assert gemini.asked(":generateContent") + gemini.asked(":streamGenerateContent") == [], "no money for what is refuted"
    (started,) = (event for event in events if isinstance(event, RunStarted))
    assert (started.mode, started.generator and started.generator.agent) == ("full", "embedded")
    assert any(isinstance(event, TextArrived) and event.source == "generator" for event in events)
    (written,) = (event for event in events if isinstance(event, CandidateWritten))
    assert written.usage.reply_tokens > 0
    (gathered,) = (event for event in events if isinstance(event, EvidenceGathered))
    assert gathered.evidence.proof is Proof.REFUTED
    (task,) = (event for event in events if isinstance(event, TaskEnded))
    assert (task.state, task.score, task.applied, task.dollars) == (State.NEEDS_HUMAN, None, False, 0.0)
    assert task.reason.startswith("not accepted in 1 round; ")
    assert ended.by_state == {"needs_human": 1}
    with Store(queue_path(environment)) as store:
        (attempt,) = store.attempts(1)
        assert attempt.reply
        assert attempt.evidence is not None
    assert not list(workspace.iterdir())
