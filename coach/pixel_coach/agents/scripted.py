"""Replies that somebody wrote beforehand, for tests and demonstrations. It says so wherever it is named."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Final

import msgspec
import tomli
from msgspec import Meta

from pixel_coach.agents.base import Availability, Log, OnText, Prompt, Reply, Usage
from pixel_coach.agents.estimate_tokens import estimate_tokens
from pixel_coach.errors import AgentError, AgentUnavailable, QuotaExceeded, ReplyBlocked, ReplyCut, ReplyMalformed
from pixel_coach.settings import AgentSettings

MAX_SCRIPT_BYTES: Final = 4 * 1024 * 1024
_CONTEXT_TOKENS: Final = 16_384
_PIECES: Final = 12
_FAULTS: Final[Mapping[str, tuple[type[AgentError], str]]] = {
    "unavailable": (AgentUnavailable, "the script says that the model is not there"),
    "quota": (QuotaExceeded, "the script says that the quota is used up"),
    "blocked": (ReplyBlocked, "the script says that the reply is blocked"),
    "cut": (ReplyCut, "the script says that the reply breaks off"),
    "malformed": (ReplyMalformed, "the script says that the reply is malformed"),
}


class ScriptedReply(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """One reply of a script, and when it is given. Every condition that stands there must hold.

    Attributes:
        role: `generator` or `reviewer`.
        task: Title of the task.
        round: From 1.
        candidate: From 0.
        contains: A text that the user's part of the prompt holds.
        text: The reply.
        file: A file beside the script that holds it, instead of `text`.
        fence: Language of a Markdown code block to put the file into; empty for none.
        is_complete: False for a reply that ran into its limit.
        seconds: How long it takes to write.
        fault: Raise an error instead: `unavailable`, `quota`, `blocked`, `cut` or `malformed`.
        retry_after_s: Of that error.
    """

    role: str | None = None
    task: str | None = None
    round: int | None = None
    candidate: int | None = None
    contains: str | None = None
    text: str | None = None
    file: str | None = None
    fence: str = ""
    is_complete: bool = True
    seconds: Annotated[float, Meta(ge=0, le=60)] = 0.0
    fault: str | None = None
    retry_after_s: float | None = None


class Script(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Replies; the first whose conditions hold is given."""

    replies: list[ScriptedReply]


class ScriptedAgent:
    """Gives the replies of a script (TOML, or JSON for a name ending in .json)."""

    def __init__(self, settings: AgentSettings, role: str, log: Log) -> None:
        """Prepare; the script is read when it is first needed.

        Args:
            settings: `model` is the path of the script.
            role: `generator` or `reviewer`.
            log: Told of each reply.
        """
        self._settings = settings
        self._role = role
        self._log = log
        self._script: Script | None = None

    @property
    def name(self) -> str:
        """`scripted`."""
        return "scripted"

    @property
    def takes_grammar(self) -> bool:
        """A script knows nothing of the grammar; whoever wrote it does."""
        return True

    async def is_available(self) -> Availability:
        """Look whether the script can be read. Never raises."""
        model = f"script {Path(self._settings.model or '').name}"
        try:
            script = self._read()
        except AgentError as problem:
            return Availability(agent=self.name, is_available=False, reason=problem.message, hint=problem.hint or "", model=model)
        return Availability(
            agent=self.name,
            is_available=True,
            reason=f"scripted, not a model: {self._settings.model} holds {_count(script)} written beforehand",
            model=model,
            context_tokens=self._settings.context_tokens or _CONTEXT_TOKENS,
        )

    async def ask(self, prompt: Prompt, on_text: OnText | None = None) -> Reply:
        """Give the first reply whose conditions hold.

        Raises:
            AgentError: There is none, or the script says so.
        """
        began = time.monotonic()
        chosen = next((reply for reply in self._read().replies if self._matches(reply, prompt)), None)
        where = {"role": self._role, "task": prompt.task, "round": prompt.round, "candidate": prompt.candidate}
        self._log({"event": "scripted", "agent": self.name, **where, "found": chosen is not None})
        if chosen is None:
            raise AgentUnavailable(
                f"the script has no reply for the {self._role} of {prompt.task or 'this prompt'!r} in round {prompt.round}",
                hint=f"add one to {self._settings.model}",
            )
        if chosen.fault is not None:
            kind, sentence = _FAULTS[chosen.fault]
            raise kind(sentence, hint=f"it is scripted: {self._settings.model}", retry_after_s=chosen.retry_after_s)
        text = self._text(chosen)
        for piece in _pieces(text):
            await asyncio.sleep(chosen.seconds / _PIECES)
            if on_text is not None:
                on_text(piece)
        usage = Usage(
            prompt_tokens=estimate_tokens(prompt.system + prompt.user),
            reply_tokens=estimate_tokens(text),
            seconds=time.monotonic() - began,
            is_exact=False,
        )
        model = f"script {Path(self._settings.model or '').name}"
        return Reply(text=text, is_complete=chosen.is_complete, model=model, usage=usage, detail={"scripted": True})

    async def close(self) -> None:
        """Nothing is open."""

    def _matches(self, reply: ScriptedReply, prompt: Prompt) -> bool:
        pairs = (
            (reply.role, self._role),
            (reply.task, prompt.task),
            (reply.round, prompt.round),
            (reply.candidate, prompt.candidate),
        )
        if any(wanted is not None and wanted != given for wanted, given in pairs):
            return False
        return reply.contains is None or reply.contains in prompt.user

    def _text(self, reply: ScriptedReply) -> str:
        if reply.file is None:
            return reply.text or ""
        path = Path(self._settings.model or "").parent / reply.file
        text = _read_file(path).decode("utf-8", "replace")
        return f"```{reply.fence}\n{text}```\n" if reply.fence else text

    def _read(self) -> Script:
        if self._script is None:
            self._script = _read_script(self._settings.model)
        return self._script


def _count(script: Script) -> str:
    return "1 reply that was" if len(script.replies) == 1 else f"{len(script.replies)} replies that were"


def _read_script(name: str | None) -> Script:
    if name is None:
        raise AgentUnavailable("the service `scripted` needs a script", hint="set `model` in coach.toml to the path of one")
    data = _read_file(Path(name))
    try:
        value = msgspec.json.decode(data) if name.endswith(".json") else tomli.loads(data.decode("utf-8"))
        script = msgspec.convert(value, Script)
    except (msgspec.MsgspecError, tomli.TOMLDecodeError, UnicodeDecodeError, RecursionError) as problem:
        raise AgentUnavailable(f"the script {name} cannot be understood: {problem}", hint="each reply is a table [[replies]]") from problem
    for index, reply in enumerate(script.replies, start=1):
        if (reply.text is not None) + (reply.file is not None) + (reply.fault is not None) != 1 or (reply.fault or "cut") not in _FAULTS:
            raise AgentUnavailable(
                f"reply {index} of the script {name} needs one of `text`, `file` and `fault`",
                hint=f"the faults are {', '.join(_FAULTS)}",
            )
    return script


def _read_file(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            data = file.read(MAX_SCRIPT_BYTES + 1)
    except OSError as problem:
        raise AgentUnavailable(f"{path} cannot be read: {problem.strerror or problem}", hint="check `model` in coach.toml") from problem
    if len(data) > MAX_SCRIPT_BYTES:
        raise AgentUnavailable(f"{path} is larger than {MAX_SCRIPT_BYTES >> 20} MiB", hint="a script is a small file")
    return data


def _pieces(text: str) -> list[str]:
    size = max(1, -(-len(text) // _PIECES))
    return [text[start : start + size] for start in range(0, len(text), size)]
