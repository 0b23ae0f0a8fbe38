"""ScriptedAgent: replies that were written beforehand, and that say so."""

from __future__ import annotations

from pathlib import Path

import pytest

from pixel_coach.agents.base import Prompt
from pixel_coach.agents.scripted import ScriptedAgent
from pixel_coach.errors import AgentUnavailable, QuotaExceeded
from pixel_coach.settings import AgentSettings

SCRIPT = """
[[replies]]
role = "generator"
task = "matmul"
round = 1
text = "first"

[[replies]]
task = "matmul"
round = 2
file = "second.wgsl"
fence = "wgsl"

[[replies]]
contains = "too much"
fault = "quota"
retry_after_s = 30

[[replies]]
role = "reviewer"
text = "half"
is_complete = false
"""


@pytest.fixture
def script(tmp_path: Path) -> Path:
    path = tmp_path / "demo.toml"
    path.write_text(SCRIPT)
    (tmp_path / "second.wgsl").write_text("fn main() {}\n")
    return path


def agent_for(script: Path | None, role: str = "generator") -> ScriptedAgent:
    return ScriptedAgent(AgentSettings(service="scripted", model=None if script is None else str(script)), role, lambda _: None)


def prompt(task: str = "matmul", number: int = 1, user: str = "") -> Prompt:
    return Prompt(system="", user=user, task=task, round=number)


async def test_it_says_that_it_is_scripted(script: Path) -> None:
    availability = await agent_for(script).is_available()
    assert availability.reason == f"scripted, not a model: {script} holds 4 replies that were written beforehand"
    assert (availability.model, availability.is_available) == ("script demo.toml", True)


async def test_the_first_reply_that_fits_is_given(script: Path) -> None:
    pieces: list[str] = []
    agent = agent_for(script)
    reply = await agent.ask(prompt(), pieces.append)
    assert (reply.text, reply.model, reply.usage.is_exact, "".join(pieces)) == ("first", "script demo.toml", False, "first")
    assert (await agent.ask(prompt(number=2))).text == "```wgsl\nfn main() {}\n```\n"
    reply = await agent_for(script, "reviewer").ask(prompt())
    assert (reply.text, reply.is_complete) == ("half", False)


async def test_faults(script: Path) -> None:
    with pytest.raises(QuotaExceeded) as failure:
        await agent_for(script).ask(prompt("other", 1, "this is too much"))
    assert (failure.value.message, failure.value.retry_after_s) == ("the script says that the quota is used up", 30)


async def test_no_reply_fits(script: Path) -> None:
    with pytest.raises(AgentUnavailable) as failure:
        await agent_for(script).ask(prompt("softmax"))
    assert failure.value.message == "the script has no reply for the generator of 'softmax' in round 1"


@pytest.mark.parametrize(
    ("name", "text", "problem"),
    [
        ("a.toml", "replies = 3", "the script FILE cannot be understood: Expected `array`, got `int` - at `$.replies`"),
        (
            "a.toml",
            "[[replies]]\ntext = 'x'\nwhen = 1",
            "the script FILE cannot be understood: Object contains unknown field `when` - at `$.replies[0]`",
        ),
        ("a.toml", "[[replies]]", "reply 1 of the script FILE needs one of `text`, `file` and `fault`"),
        ("a.toml", "[[replies]]\nfault = 'fire'", "reply 1 of the script FILE needs one of `text`, `file` and `fault`"),
        ("a.json", '{"replies": [', "the script FILE cannot be understood: Input data was truncated"),
    ],
)
async def test_scripts_that_are_none(tmp_path: Path, name: str, text: str, problem: str) -> None:
    path = tmp_path / name
    path.write_text(text)
    availability = await agent_for(path).is_available()
    assert (availability.is_available, availability.reason) == (False, problem.replace("FILE", str(path)))


async def test_no_script(tmp_path: Path) -> None:
    assert (await agent_for(None).is_available()).reason == "the service `scripted` needs a script"
    missing = tmp_path / "missing.toml"
    assert (await agent_for(missing).is_available()).reason == f"{missing} cannot be read: No such file or directory"


async def test_json(tmp_path: Path) -> None:
    path = tmp_path / "demo.json"
    path.write_text('{"replies": [{"text": "x"}]}')
    assert (await agent_for(path).ask(prompt())).text == "x"


async def test_the_script_of_the_documentation_can_be_read(tmp_path: Path) -> None:
    page = (Path(__file__).parents[3] / "docs" / "agent-modes.md").read_text()
    (script,) = [block.partition("```")[0] for block in page.split("```toml\n") if "[[replies]]" in block.partition("```")[0]]
    (tmp_path / "script.toml").write_text(script)
    agent = ScriptedAgent(AgentSettings(service="scripted", model=str(tmp_path / "script.toml")), "generator", lambda _: None)
    availability = await agent.is_available()
    assert (availability.is_available, "holds 1 reply" in availability.reason) == (True, True), availability.reason
