"""Gemini through gemini-cli, where it is installed: with its login, no key is needed.

The program is an agent with tools and sends what lies in its working folder along, so that it runs in an empty one, without tools.
Reference: https://github.com/google-gemini/gemini-cli/blob/main/docs/cli/headless.md (0.61)
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import msgspec

from pixel_coach.agents.base import Availability, Log, OnText, Prompt, Reply, Usage
from pixel_coach.agents.estimate_tokens import estimate_tokens
from pixel_coach.agents.explain_gemini_cli import explain_exit
from pixel_coach.agents.finish_within import finish_within
from pixel_coach.agents.gemini import KEY_VARIABLES
from pixel_coach.agents.read_key import read_key
from pixel_coach.agents.redact import redact
from pixel_coach.errors import AgentError, AgentUnavailable, ReplyMalformed
from pixel_coach.settings import AgentSettings
from pixel_core.processes.launcher import child_environment

INSTALL: Final = "npm install --global @google/gemini-cli"
MAX_OUTPUT_BYTES: Final = 16 * 1024 * 1024
_LOOK_S: Final = 30.0
_GRACE_S: Final = 5.0
_CONTEXT_TOKENS: Final = 1_048_576
_ASK: Final = "Answer what stands above, following your instructions."
_PASSED_ON: Final = ("GOOGLE_GEMINI_BASE_URL", "HTTPS_PROXY", "HTTP_PROXY", "NO_PROXY", "https_proxy", "http_proxy", "no_proxy")


_QUIET: Final[Mapping[str, Any]] = {
    # The one tool that is left lists the empty folder: without any, the request would hold a tool without functions, which the
    # service refuses.
    "tools": {"core": ["list_directory"]},
    "skills": {"enabled": False},
    "hooksConfig": {"enabled": False},
    "experimental": {"enableAgents": False},
    # A name that no file has: the user's own GEMINI.md is not meant for reviews.
    "context": {"fileName": "no-context-file.md", "includeDirectoryTree": False},
    "privacy": {"usageStatisticsEnabled": False},
    "telemetry": {"enabled": False},
    "general": {"enableAutoUpdate": False, "enableAutoUpdateNotification": False},
}
_ARGUMENTS: Final = ("--output-format", "json", "--extensions", "none", "--allowed-mcp-server-names", "none")


class _Tokens(msgspec.Struct):
    prompt: int = 0
    candidates: int = 0
    cached: int = 0
    thoughts: int = 0


class _ModelStats(msgspec.Struct):
    tokens: _Tokens = msgspec.field(default_factory=_Tokens)


class _Stats(msgspec.Struct):
    models: dict[str, _ModelStats] = {}


class _Output(msgspec.Struct):
    response: str | None = None
    stats: _Stats = msgspec.field(default_factory=_Stats)


class GeminiCliAgent:
    """The program `gemini`, one process a prompt."""

    def __init__(self, settings: AgentSettings, environment: Mapping[str, str], log: Log) -> None:
        """Prepare; nothing is started yet.

        Raises:
            AgentUnavailable: The variable that the settings name holds no key.
        """
        self._settings = settings
        self._log = log
        self._environment = environment
        self._key = ""
        self._key_source = ""
        variables = (settings.key_variable,) if settings.key_variable else KEY_VARIABLES
        for variable in variables:
            if settings.key_variable or environment.get(variable, "").strip():
                self._key_source = variable
                self._key = read_key(environment, variable)
                break

    @property
    def name(self) -> str:
        """`gemini-cli`."""
        return "gemini-cli"

    @property
    def takes_grammar(self) -> bool:
        """Gemini takes no grammars."""
        return False

    async def is_available(self) -> Availability:
        """Look whether the program starts; whether its login holds only a prompt shows. Never raises."""
        model = self._settings.model or ""
        try:
            code, output, errors = await finish_within(_LOOK_S, self._run(("--version",), "", None), "gemini-cli")
            if code != 0:
                raise AgentUnavailable(f"gemini-cli does not start: {self._clean(errors)}", hint="it needs Node.js 20 or newer")
        except AgentError as problem:
            return Availability(
                agent=self.name, is_available=False, reason=problem.message, hint=problem.hint or "", model=model, is_local=False
            )
        login = "with a key" if self._key else "with its own login"
        version = self._clean(output.decode("utf-8", "replace"))
        return Availability(
            agent=self.name,
            is_available=True,
            reason=f"gemini-cli {version} is installed and is used {login}",
            model=model,
            context_tokens=_CONTEXT_TOKENS,
            is_local=False,
        )

    async def ask(self, prompt: Prompt, on_text: OnText | None = None) -> Reply:
        """Answer a prompt. The text arrives in one piece; a schema is asked for in words, and not enforced.

        Raises:
            AgentError: One of its children, when no whole answer came.
        """
        return await finish_within(self._settings.timeout_s, self._ask(prompt, on_text), "gemini-cli")

    async def close(self) -> None:
        """Nothing is open between two prompts."""

    async def _ask(self, prompt: Prompt, on_text: OnText | None) -> Reply:
        if prompt.grammar is not None:
            raise AgentError("gemini-cli cannot be held to a grammar", hint="use the service `llama.cpp` or `embedded` for this task")
        began = time.monotonic()
        model = ("--model", self._settings.model) if self._settings.model else ()
        code, output, errors = await self._run((*_ARGUMENTS, *model, "--prompt", _ASK), prompt.user, prompt)
        if code != 0:
            raise explain_exit(
                code,
                errors.decode("utf-8", "replace"),
                model=self._settings.model or "",
                key_source=self._key_source,
                clean=self._clean,
            )
        try:
            answer = msgspec.json.decode(output, type=_Output)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as problem:
            raise ReplyMalformed(
                f"gemini-cli printed something that is not its documented JSON ({problem})", hint="update it: " + INSTALL
            ) from None
        if not answer.response:
            raise ReplyMalformed(
                "gemini-cli ended without an answer and without a reason",
                hint="try again; with a key, the service `gemini` tells the reason",
            )
        if on_text is not None:
            on_text(answer.response)
        tokens = [stats.tokens for stats in answer.stats.models.values()]
        usage = Usage(
            prompt_tokens=sum(each.prompt for each in tokens) or estimate_tokens(prompt.system + prompt.user),
            reply_tokens=sum(each.candidates for each in tokens) or estimate_tokens(answer.response),
            thinking_tokens=sum(each.thoughts for each in tokens),
            cached_tokens=sum(each.cached for each in tokens),
            seconds=time.monotonic() - began,
            is_exact=bool(tokens),
        )
        used = next(iter(answer.stats.models), self._settings.model or "")
        return Reply(text=answer.response, is_complete=True, model=used, usage=usage, detail={"exit_code": code})

    async def _run(self, arguments: tuple[str, ...], text: str, prompt: Prompt | None) -> tuple[int, bytes, bytes]:
        program = self._find_program()
        with tempfile.TemporaryDirectory(prefix="pixel-lsp-gemini-", ignore_cleanup_errors=True) as folder:
            empty = Path(folder) / "empty"
            empty.mkdir()
            variables = self._variables(Path(folder), empty, prompt)
            self._log(
                redact(
                    {
                        "event": "command",
                        "agent": self.name,
                        "command": [str(program), *arguments],
                        "folder": str(empty),
                        "variables": {name: value for name, value in variables.items() if name.startswith(("GEMINI", "GOOGLE"))},
                        "input": text,
                        "system": prompt.system if prompt is not None else "",
                    },
                    (self._key,),
                )
            )
            result = await _communicate((str(program), *arguments), text.encode("utf-8", "replace"), empty, variables)
            code, output, errors = result
            end = {"code": code, "output": output.decode("utf-8", "replace"), "errors": errors.decode("utf-8", "replace")[-4000:]}
            self._log(redact({"event": "exit", "agent": self.name, **end}, (self._key,)))
            return result

    def _variables(self, folder: Path, empty: Path, prompt: Prompt | None) -> dict[str, str]:
        variables = child_environment(self._environment)
        variables |= {name: self._environment[name] for name in _PASSED_ON if self._environment.get(name)}
        variables |= {"NO_COLOR": "1", "NO_BROWSER": "true", "GEMINI_CLI_TRUST_WORKSPACE": "true", "GEMINI_CLI_NO_RELAUNCH": "true"}
        if self._settings.url is not None:
            variables["GOOGLE_GEMINI_BASE_URL"] = self._settings.url
        # The settings of a workspace go before the user's own.
        _write_settings(empty / ".gemini", {})
        if self._key:
            # With a key nothing of the user's own configuration is needed, nor are sessions kept in it.
            variables["GEMINI_API_KEY"] = self._key
            variables["GEMINI_CLI_HOME"] = str(folder)
            _write_settings(folder / ".gemini", {"security": {"auth": {"selectedType": "gemini-api-key"}}})
        if prompt is not None:
            # Takes the place of 32 KB of instructions on how to be a coding agent.
            system = folder / "system.md"
            system.write_text(_system_text(prompt), encoding="utf-8", errors="replace")
            variables["GEMINI_SYSTEM_MD"] = str(system)
        return variables

    def _find_program(self) -> Path:
        if self._settings.program is not None:
            if not os.access(self._settings.program, os.X_OK):
                raise AgentUnavailable(
                    f"{self._settings.program} is not a program that can be run", hint="check `program` under [reviewer] in coach.toml"
                )
            return self._settings.program
        # A relative folder, such as `node_modules/.bin`, is one of whatever workspace is open.
        folders = [folder for folder in self._environment.get("PATH", os.defpath).split(os.pathsep) if os.path.isabs(folder)]  # noqa: PTH117
        found = shutil.which("gemini", path=os.pathsep.join(folders))
        if found is None:
            raise AgentUnavailable("gemini-cli is not installed: there is no program `gemini` on PATH", hint=INSTALL)
        return Path(found).absolute()

    def _clean(self, text: str | bytes) -> str:
        if isinstance(text, bytes):
            text = text.decode("utf-8", "replace")
        line = redact(" ".join("".join(c if c.isprintable() else " " for c in text).split()), (self._key,))
        return line if len(line) <= 300 else line[:299] + "…"


def _system_text(prompt: Prompt) -> str:
    if prompt.json_schema is None:
        return prompt.system
    schema = json.dumps(prompt.json_schema, ensure_ascii=False)
    return f"{prompt.system}\n\nAnswer with JSON alone, without a code fence, that follows this JSON schema:\n{schema}\n"


def _write_settings(folder: Path, more: Mapping[str, Any]) -> None:
    folder.mkdir()
    (folder / "settings.json").write_text(json.dumps({**_QUIET, **more}), encoding="utf-8")


async def _communicate(command: tuple[str, ...], text: bytes, folder: Path, variables: Mapping[str, str]) -> tuple[int, bytes, bytes]:
    try:
        process = await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            cwd=folder,
            env=dict(variables),
            start_new_session=sys.platform != "win32",
        )
    except OSError as problem:
        raise AgentUnavailable(
            f"{command[0]} cannot be started: {problem.strerror or problem}", hint="it needs Node.js 20 or newer"
        ) from None
    assert process.stdin is not None, "it was opened with a pipe"
    assert process.stdout is not None, "it was opened with a pipe"
    assert process.stderr is not None, "it was opened with a pipe"
    readers = [asyncio.create_task(_read_capped(stream)) for stream in (process.stdout, process.stderr)]
    try:
        with contextlib.suppress(ConnectionError):
            process.stdin.write(text)
            await process.stdin.drain()
        process.stdin.close()
        output, errors = await asyncio.gather(*readers)
        return await process.wait(), output, errors
    finally:
        # Node starts processes of its own; they share the session, and end with it.
        _kill_group(process)
        for reader in readers:
            reader.cancel()
        await asyncio.gather(*readers, return_exceptions=True)
        # asyncio takes a process for ended only when its pipes have been read to their ends.
        with contextlib.suppress(asyncio.TimeoutError):
            await asyncio.wait_for(asyncio.gather(_discard(process.stdout), _discard(process.stderr), process.wait()), _GRACE_S)


async def _read_capped(stream: asyncio.StreamReader) -> bytes:
    data = bytearray()
    while piece := await stream.read(64 * 1024):
        data += piece
        if len(data) > MAX_OUTPUT_BYTES:
            raise ReplyMalformed(f"gemini-cli printed more than {MAX_OUTPUT_BYTES >> 20} MiB, and was ended", hint="try again")
    return bytes(data)


async def _discard(stream: asyncio.StreamReader) -> None:
    while await stream.read(64 * 1024):
        pass


def _kill_group(process: asyncio.subprocess.Process) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        if sys.platform == "win32":
            process.kill()
        else:
            os.killpg(process.pid, signal.SIGKILL)
