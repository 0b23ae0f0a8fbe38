"""EmbeddedAgent: a real server in a child process, which is there when it is needed and gone afterwards."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest

from model_servers.until import until
from pixel_coach.agents import embedded
from pixel_coach.agents.base import Prompt
from pixel_coach.agents.embedded import EmbeddedAgent
from pixel_coach.errors import AgentError, AgentUnavailable
from pixel_coach.settings import AgentSettings

BRIEF = Prompt(system="Be brief.", user="Which?", max_tokens=16, grammar='root ::= "yes" | "no"')


def exists(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z" if sys.platform == "linux" else True


def settings_for(model: Path | str | None) -> AgentSettings:
    return AgentSettings(service="embedded", model=None if model is None else str(model), context_tokens=512, threads=1)


async def test_it_starts_answers_and_leaves_no_process(small_model: Path) -> None:
    log: list[Any] = []
    agent = EmbeddedAgent(settings_for(small_model), log.append)
    availability = await agent.is_available()
    assert (availability.is_available, availability.model, agent.process_id) == (True, small_model.name, None)
    reply = await agent.ask(BRIEF)
    assert (reply.text in {"yes", "no"}, reply.is_complete, reply.model) == (True, True, small_model.name)
    assert (await agent.is_available()).context_tokens == 512
    process = agent.process_id
    assert process is not None
    # A server that was killed, for want of memory perhaps, is started anew.
    os.kill(process, signal.SIGKILL)
    await until(lambda: agent.process_id is None)
    assert (await agent.ask(BRIEF)).is_complete
    second = agent.process_id
    await agent.close()
    assert not exists(process)
    assert not exists(second)
    commands = [entry["command"] for entry in log if entry["event"] == "command"]
    assert [command[-1] for command in commands] == ["pixel_coach.agents.embedded_server"] * 2
    assert "[redacted]" in str(log)


async def test_cancelling_the_start_leaves_no_process(small_model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[asyncio.subprocess.Process] = []
    start = asyncio.create_subprocess_exec

    async def record(*arguments: Any, **options: Any) -> asyncio.subprocess.Process:
        started.append(await start(*arguments, **options))
        return started[-1]

    monkeypatch.setattr(embedded.asyncio, "create_subprocess_exec", record)
    agent = EmbeddedAgent(settings_for(small_model), lambda _: None)
    asking = asyncio.create_task(agent.ask(BRIEF))
    await until(lambda: bool(started))
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    await agent.close()
    assert not exists(started[0].pid)


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL")
def test_it_ends_with_the_process_that_started_it(small_model: Path) -> None:
    code = f"""
        import asyncio, os, signal
        from pixel_coach.agents.embedded import EmbeddedAgent
        from pixel_coach.agents.base import Prompt
        from pixel_coach.settings import AgentSettings
        async def main():
            agent = EmbeddedAgent(AgentSettings(service="embedded", model={str(small_model)!r}, context_tokens=512, threads=1), print)
            await agent.ask(Prompt(system="", user="x", max_tokens=1))
            print("process", agent.process_id, flush=True)
            os.kill(os.getpid(), signal.SIGKILL)
        asyncio.run(main())
        """
    done = subprocess.run((sys.executable, "-c", textwrap.dedent(code)), capture_output=True, encoding="utf-8", timeout=120, check=False)
    process = int(done.stdout.splitlines()[-1].removeprefix("process "))
    asyncio.run(until(lambda: not exists(process)))


async def check_unavailable(model: Path | str | None, reason: str, hint: str) -> None:
    agent = EmbeddedAgent(settings_for(model), lambda _: None)
    availability = await agent.is_available()
    assert (availability.is_available, availability.reason, availability.hint) == (False, reason, hint)
    with pytest.raises(AgentUnavailable) as refusal:
        await agent.ask(BRIEF)
    assert refusal.value.message == reason
    await agent.close()


async def test_models_that_are_none(tmp_path: Path) -> None:
    text = tmp_path / "model.gguf"
    text.write_text("not a model")
    key = "under [generator] in coach.toml"
    await check_unavailable(None, "the service `embedded` needs the file of a model", f"set `model` {key} to the path of a .gguf file")
    await check_unavailable(text, f"{text} is not a GGUF file", "llama.cpp runs models in the GGUF format alone")
    missing = tmp_path / "nothing.gguf"
    await check_unavailable(missing, f"the model {missing} cannot be read: No such file or directory", f"check `model` {key}")


async def test_a_model_that_is_damaged(tmp_path: Path) -> None:
    path = tmp_path / "damaged.gguf"
    path.write_bytes(b"GGUF" + bytes(100))
    agent = EmbeddedAgent(settings_for(path), lambda _: None)
    with pytest.raises(AgentError, match=r"^llama\.cpp cannot load damaged\.gguf: ") as failure:
        await agent.ask(BRIEF)
    assert failure.value.hint == "check that the file is whole, or choose a smaller model or context"
    assert agent.process_id is None
    await agent.close()


async def test_the_package_is_missing(monkeypatch: pytest.MonkeyPatch, small_model: Path) -> None:
    monkeypatch.setattr(embedded.importlib.util, "find_spec", lambda name: None)
    reason = "the package xllamacpp, which runs models inside pixel-lsp, is not installed"
    await check_unavailable(small_model, reason, "pip install 'pixel-lsp[embedded]'")
