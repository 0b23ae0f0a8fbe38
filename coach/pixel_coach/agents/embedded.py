"""A model that runs in a child process of our own: llama.cpp through the package xllamacpp, nothing to install or start besides."""

from __future__ import annotations

import asyncio
import contextlib
import importlib.util
import os
import secrets
import sys
import tempfile
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Final

import msgspec

from pixel_coach.agents.base import Availability, Log, OnText, Prompt, Reply
from pixel_coach.agents.embedded_server import ServerReady, ServerRequest
from pixel_coach.agents.llama_cpp import LlamaCppAgent
from pixel_coach.errors import AgentError, AgentUnavailable
from pixel_coach.settings import AgentSettings
from pixel_core.processes.launcher import child_environment, launch_module

DEFAULT_CONTEXT: Final = 8_192
INSTALL: Final = "pip install 'pixel-lsp[embedded]'"
_START_S: Final = 180.0
"""To load a model from a slow disk."""
_GRACE_S: Final = 2.0
_KEPT_LINES: Final = 20
_LONGEST_LINE: Final = 64 * 1024


class EmbeddedAgent:
    """The model of a GGUF file. The server starts with the first prompt and ends with `close`, or with this process."""

    def __init__(self, settings: AgentSettings, log: Log) -> None:
        """Prepare; nothing is started yet.

        Args:
            settings: `model` is the path of a GGUF file.
            log: Told of the command and of each request.
        """
        self._settings = settings
        self._log = log
        self._starting = asyncio.Lock()
        self._server: _Server | None = None
        self._agent: LlamaCppAgent | None = None

    @property
    def name(self) -> str:
        """`embedded`."""
        return "embedded"

    @property
    def takes_grammar(self) -> bool:
        """It is llama.cpp."""
        return True

    @property
    def process_id(self) -> int | None:
        """Of the server; None while none runs."""
        return self._server.process.pid if self._server is not None and self._server.process.returncode is None else None

    async def is_available(self) -> Availability:
        """Look whether the package and the file are there; starts nothing. Never raises."""
        model = Path(self._settings.model).name if self._settings.model else ""
        try:
            path = self._find_model()
        except AgentError as problem:
            return Availability(agent=self.name, is_available=False, reason=problem.message, hint=problem.hint or "", model=model)
        context = self._settings.context_tokens or DEFAULT_CONTEXT
        if self._agent is not None:
            running = await self._agent.is_available()
            context = running.context_tokens or context
        return Availability(
            agent=self.name,
            is_available=True,
            reason=f"xllamacpp can run {path}",
            model=model,
            context_tokens=context,
        )

    async def ask(self, prompt: Prompt, on_text: OnText | None = None) -> Reply:
        """Answer a prompt, after starting the server where it does not run.

        Raises:
            AgentError: One of its children, when no whole answer came.
        """
        return await (await self._running()).ask(prompt, on_text)

    async def count_tokens(self, text: str) -> int:
        """Tokens of a text in the vocabulary of the model.

        Raises:
            AgentError: The server does not run.
        """
        return await (await self._running()).count_tokens(text)

    async def close(self) -> None:
        """End the server. None of its processes is left afterwards."""
        async with self._starting:
            await self._stop()

    async def _running(self) -> LlamaCppAgent:
        async with self._starting:
            if self._agent is not None and self.process_id is not None:
                return self._agent
            await self._stop()
            path = self._find_model()
            key = secrets.token_urlsafe(24)
            threads = self._settings.threads or max(1, (os.cpu_count() or 2) // 2)
            request = ServerRequest(
                parent=os.getpid(),
                model=str(path),
                context_tokens=self._settings.context_tokens or DEFAULT_CONTEXT,
                threads=threads,
                key=key,
            )
            self._server = await _start(request, self._log)
            settings = AgentSettings(
                service="llama.cpp", url=self._server.address, key_variable="EMBEDDED_KEY", timeout_s=self._settings.timeout_s
            )
            self._agent = LlamaCppAgent(settings, {"EMBEDDED_KEY": key}, self._log)
            return self._agent

    async def _stop(self) -> None:
        agent, self._agent = self._agent, None
        server, self._server = self._server, None
        if agent is not None:
            await agent.close()
        if server is not None:
            await server.stop()

    def _find_model(self) -> Path:
        if importlib.util.find_spec("xllamacpp") is None:
            raise AgentUnavailable("the package xllamacpp, which runs models inside pixel-lsp, is not installed", hint=INSTALL)
        if not self._settings.model:
            raise AgentUnavailable(
                "the service `embedded` needs the file of a model",
                hint="set `model` under [generator] in coach.toml to the path of a .gguf file",
            )
        path = Path(self._settings.model).expanduser()
        try:
            with path.open("rb") as file:
                magic = file.read(4)
        except OSError as problem:
            raise AgentUnavailable(
                f"the model {path} cannot be read: {problem.strerror or problem}", hint="check `model` under [generator] in coach.toml"
            ) from problem
        if magic != b"GGUF":
            raise AgentUnavailable(f"{path} is not a GGUF file", hint="llama.cpp runs models in the GGUF format alone")
        return path.resolve()


class _Server:
    """The child process, while it runs."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.address = ""
        self.last_lines: deque[str] = deque(maxlen=_KEPT_LINES)
        self._reading = asyncio.create_task(self._read_stderr())

    async def stop(self) -> None:
        """End it: kindly, and after a grace by force."""
        if self.process.stdin is not None:
            self.process.stdin.close()
        if not self.address:
            # It loads a model, and would look at its input only afterwards.
            self._signal(self.process.terminate)
        if not await self._has_ended():
            self._signal(self.process.terminate)
            if not await self._has_ended():
                self._signal(self.process.kill)
        await self.process.wait()
        # What a grandchild might hold open must not keep us here.
        self._reading.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._reading

    async def _has_ended(self) -> bool:
        try:
            await asyncio.wait_for(self.process.wait(), _GRACE_S)
        except asyncio.TimeoutError:
            return False
        return True

    def _signal(self, send: Callable[[], None]) -> None:
        with contextlib.suppress(ProcessLookupError):
            send()

    async def _read_stderr(self) -> None:
        assert self.process.stderr is not None, "it was opened with a pipe"
        while line := await self.process.stderr.read(_LONGEST_LINE):
            self.last_lines.extend(line.decode("utf-8", "replace").splitlines())


async def _start(request: ServerRequest, log: Log) -> _Server:
    launch = launch_module("pixel_coach.agents.embedded_server")
    # The module reads its parent's id from the request, and takes no arguments.
    command = launch.command[: launch.command.index("--parent")]
    log({"event": "command", "agent": "embedded", "command": list(command), "model": request.model, "threads": request.threads})
    process = await asyncio.create_subprocess_exec(
        *command,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        cwd=tempfile.gettempdir(),
        env=child_environment(os.environ),
        start_new_session=sys.platform != "win32",
    )
    server = _Server(process)
    try:
        server.address = await asyncio.wait_for(_hand_over(server, request), _START_S)
    except asyncio.TimeoutError:
        problem = AgentUnavailable(
            f"the model {Path(request.model).name} was not loaded within {_START_S:g} s", hint="choose a smaller model, or a faster disk"
        )
    except AgentError as failure:
        problem = failure
    except BaseException:
        await server.stop()
        raise
    else:
        return server
    await server.stop()
    raise problem


async def _hand_over(server: _Server, request: ServerRequest) -> str:
    process = server.process
    assert process.stdin is not None, "it was opened with a pipe"
    assert process.stdout is not None, "it was opened with a pipe"
    with contextlib.suppress(ConnectionError):
        process.stdin.write(msgspec.json.encode(request) + b"\n")
        await process.stdin.drain()
    line = await process.stdout.readline()
    ready = msgspec.json.decode(line, type=ServerReady) if line else ServerReady(problem="the process ended")
    if ready.address:
        return ready.address
    # llama.cpp tells the reason on its standard error, which arrives on a pipe of its own.
    await asyncio.sleep(0.1)
    reasons = [told.partition(" E ")[2] for told in server.last_lines if " E " in told]
    reason = " ".join((reasons[0] if reasons else ready.problem).split())[:300]
    raise AgentUnavailable(
        f"llama.cpp cannot load {Path(request.model).name}: {reason}",
        hint="check that the file is whole, or choose a smaller model or context",
    )
