"""PixelAgent: a model of our own in a child process, which is there when it is needed and gone afterwards."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path
from typing import Any

import pytest

from model_testing.random_models import RandomModel, write_random_model
from pixel_coach.agents import pixel
from pixel_coach.agents.base import Prompt
from pixel_coach.agents.choose import choose
from pixel_coach.agents.pixel import PixelAgent
from pixel_coach.errors import AgentError, AgentUnavailable, PromptTooLong, ReplyCut
from pixel_coach.settings import AgentSettings, CoachSettings

BRIEF = Prompt(system="Be brief.", user="Which?", max_tokens=16, grammar='root ::= "yes" | "no"')


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    shape = RandomModel(width=64, head_length=16, feed_forward=64, context=2048)
    return write_random_model(tmp_path_factory.mktemp("model") / "tiny.gguf", shape)


def settings_for(model: Path | str | None) -> AgentSettings:
    return AgentSettings(service="pixel", model=None if model is None else str(model), context_tokens=512)


async def test_it_answers_under_a_grammar_or_a_schema_and_leaves_no_process(model: Path) -> None:
    log: list[Any] = []
    pieces: list[str] = []
    agent = PixelAgent(settings_for(model), log.append)
    availability = await agent.is_available()
    assert (availability.is_available, availability.model, availability.is_local, agent.process_id) == (True, "tiny.gguf", True, None)
    reply = await agent.ask(BRIEF, pieces.append)
    assert (reply.text in {"yes", "no"}, reply.is_complete, reply.model, "".join(pieces)) == (True, True, "tiny.gguf", reply.text)
    assert reply.usage.prompt_tokens > 10
    assert (await agent.is_available()).context_tokens == 512
    schema = {"type": "object", "properties": {"ok": {"type": "boolean"}}, "required": ["ok"], "additionalProperties": False}
    held = await agent.ask(Prompt(system="", user="x", max_tokens=64, json_schema=schema))
    assert set(json.loads(held.text)) == {"ok"}
    cut = await agent.ask(Prompt(system="", user="x", max_tokens=2, grammar='root ::= "abcdef"'))
    assert not cut.is_complete
    process = agent.process_id
    assert process is not None
    await agent.close()
    assert agent.process_id is None
    assert not Path(f"/proc/{process}").exists()
    assert [entry["event"] for entry in log] == ["request", "reply"] * 3


async def test_what_goes_wrong_is_one_of_the_coach_s_own_errors(model: Path) -> None:
    agent = PixelAgent(settings_for(model), lambda _: None)
    with pytest.raises(PromptTooLong, match="the context of 512"):
        await agent.ask(Prompt(system="", user="hello " * 1000))
    with pytest.raises(AgentError, match="the grammar cannot be used"):
        await agent.ask(Prompt(system="", user="x", grammar="root ::= ("))
    process = agent.process_id
    assert process is not None
    endless = Prompt(system="", user="x", max_tokens=400, grammar="root ::= [ab]{400}")
    with pytest.raises(ReplyCut, match="the model's process was killed from outside"):
        await agent.ask(endless, lambda _: os.kill(process, signal.SIGKILL))
    await agent.close()


async def check_unavailable(model: Path | str | None, reason: str, hint: str) -> None:
    agent = PixelAgent(settings_for(model), lambda _: None)
    availability = await agent.is_available()
    assert (availability.is_available, availability.reason, availability.hint) == (False, reason, hint)
    with pytest.raises(AgentUnavailable) as refusal:
        await agent.ask(BRIEF)
    assert refusal.value.message == reason
    await agent.close()


async def test_why_it_cannot_be_asked(tmp_path: Path, model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = tmp_path / "model.gguf"
    text.write_text("text")
    check_model = "check `model` under [generator] in coach.toml"
    await check_unavailable(
        None,
        "the service `pixel` needs a model",
        "set `model` under [generator] in coach.toml to the path of a .gguf or .pxi file, or to smollm2",
    )
    await check_unavailable(
        tmp_path / "absent.pxi", f"the model {tmp_path / 'absent.pxi'} cannot be read: No such file or directory", check_model
    )
    await check_unavailable(text, f"{text} is neither a GGUF nor a PXI file", check_model)
    await check_unavailable("gpt", "there is no model `gpt`", "known names: smollm2; other models are given as files")
    monkeypatch.setattr(pixel.importlib.util, "find_spec", lambda name: None)
    await check_unavailable(
        model, "not installed, and needed to run models: jinja2, llguidance, tokenizers", "pip install 'pixel-lsp[inference]'"
    )


async def test_a_file_that_is_no_whole_model_is_said_when_it_is_asked(tmp_path: Path) -> None:
    cut = tmp_path / "cut.gguf"
    cut.write_bytes(b"GGUF\x03\0\0\0")
    agent = PixelAgent(settings_for(cut), lambda _: None)
    with pytest.raises(AgentUnavailable):
        await agent.ask(BRIEF)
    await agent.close()


async def test_the_coach_s_team_can_be_it(model: Path) -> None:
    team = await choose(CoachSettings(generator=settings_for(model), is_review_wanted=False), {})
    assert (team.mode, team.generator and team.generator.name) == ("local only", "pixel")
    await team.close()


async def test_the_package_s_model_goes_by_its_name() -> None:
    agent = PixelAgent(settings_for("smollm2"), lambda _: None)
    assert (await agent.is_available()).model == "SmolLM2-135M-Instruct.Q4_1.gguf"
