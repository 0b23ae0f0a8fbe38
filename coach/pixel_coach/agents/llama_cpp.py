"""llama.cpp's own server, `llama-server`.

Interface: https://github.com/ggml-org/llama.cpp/blob/master/tools/server/README.md
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePath
from typing import Final

import msgspec
from msgspec.structs import replace

from pixel_coach.agents.address import Address, read_address
from pixel_coach.agents.base import Availability, Log, OnText, Prompt, Reply
from pixel_coach.agents.chat_completions import completion_body, explain_refusal, stream_completion
from pixel_coach.agents.decode_reply import decode_reply
from pixel_coach.agents.finish_within import finish_within
from pixel_coach.agents.http_client import HttpClient, HttpOptions
from pixel_coach.agents.read_key import read_key
from pixel_coach.errors import AgentError, AgentUnavailable
from pixel_coach.settings import AgentSettings

DEFAULT_ADDRESS: Final = "http://127.0.0.1:8080"
_LOOK_S: Final = 5.0
_START: Final = "start it with `llama-server --model MODEL.gguf --ctx-size 16384`"


class _Defaults(msgspec.Struct):
    n_ctx: int


class _Props(msgspec.Struct):
    default_generation_settings: _Defaults
    model_path: str = ""
    model_alias: str = ""
    total_slots: int = 1


class _Tokens(msgspec.Struct):
    tokens: list[int]


class LlamaCppAgent:
    """The model of a llama.cpp server. It honours grammars, and closing the connection frees its slot."""

    def __init__(self, settings: AgentSettings, environment: Mapping[str, str], log: Log) -> None:
        """Prepare; nothing is asked yet.

        Raises:
            AgentUnavailable: The address or the key is none.
        """
        try:
            address = read_address(settings.url or DEFAULT_ADDRESS, default_port=8080)
        except ValueError as problem:
            raise AgentUnavailable(f"the address in `url` under [generator] {problem}", hint=f"an example: {DEFAULT_ADDRESS}") from None
        key = read_key(environment, settings.key_variable) if settings.key_variable else ""
        self._settings = settings
        self._client = open_client(self.name, address, key, settings.timeout_s, log)
        self._props: _Props | None = None

    @property
    def name(self) -> str:
        """`llama.cpp`."""
        return "llama.cpp"

    @property
    def takes_grammar(self) -> bool:
        """llama.cpp samples under GBNF grammars."""
        return True

    async def is_available(self) -> Availability:
        """Look whether it runs and has loaded its model. Never raises."""
        is_local = self._client.address.is_loopback
        try:
            props = await self._look()
        except AgentError as problem:
            return Availability(
                agent=self.name,
                is_available=False,
                reason=problem.message,
                hint=problem.hint or "",
                model=self._settings.model or "",
                is_local=is_local,
            )
        return Availability(
            agent=self.name,
            is_available=True,
            reason=f"{self._client.service} has {model_name(props)}",
            model=model_name(props),
            context_tokens=min(props.default_generation_settings.n_ctx, self._settings.context_tokens or 1 << 30),
            is_local=is_local,
        )

    async def ask(self, prompt: Prompt, on_text: OnText | None = None) -> Reply:
        """Answer a prompt.

        Raises:
            AgentError: One of its children, when no whole answer came.
        """
        return await finish_within(self._settings.timeout_s, self._ask(prompt, on_text), self._client.service)

    async def count_tokens(self, text: str) -> int:
        """Tokens of a text in the vocabulary of the model, without those of the chat template.

        Raises:
            AgentError: The server did not answer.
        """
        status, data = await self._client.fetch("POST", "/tokenize", {"content": text})
        if status != 200:
            raise explain_refusal(self._client, status, data)
        return len(decode_reply(data, _Tokens, self._client.service).tokens)

    async def close(self) -> None:
        """Close the connection."""
        await self._client.close()

    async def _ask(self, prompt: Prompt, on_text: OnText | None) -> Reply:
        props = self._props or await self._look()
        body = completion_body(prompt, model_name(props))
        if prompt.grammar is not None:
            body["grammar"] = prompt.grammar
        reply = await stream_completion(self._client, "/v1/chat/completions", body, prompt, on_text, model=model_name(props))
        # The server names the path of its file.
        return replace(reply, model=model_name(props))

    async def _look(self) -> _Props:
        status, _ = await self._client.fetch("GET", "/health", connect_s=_LOOK_S)
        if status == 503:
            raise AgentUnavailable(
                f"{self._client.service} is still loading its model", hint="wait until it has, then try again", retry_after_s=_LOOK_S
            )
        # /health is open to everybody; /props is not, so that a wrong key shows here and not in the middle of a task.
        status, data = await self._client.fetch("GET", "/props", connect_s=_LOOK_S)
        if status in {401, 403}:
            raise explain_refusal(self._client, status, data)
        try:
            props = decode_reply(data, _Props, self._client.service) if status == 200 else None
        except AgentError:
            props = None
        if props is None:
            raise AgentUnavailable(
                f"what answers at {self._client.address.url} is not llama.cpp's server",
                hint=f"give its address as `url` under [generator] in coach.toml, or {_START}",
            )
        wanted = self._settings.model
        if wanted is not None and wanted not in _names(props):
            raise AgentUnavailable(
                f"{self._client.service} has {model_name(props)}, not {wanted}",
                hint="start it with that model, or take `model` out of [generator] in coach.toml",
            )
        self._props = props
        return props


def open_client(agent: str, address: Address, key: str, silence_s: float, log: Log) -> HttpClient:
    """A client for a llama.cpp server.

    Raises:
        AgentUnavailable: The key would travel unencrypted.
    """
    if key and address.scheme == "http" and not address.is_loopback:
        raise AgentUnavailable(
            f"the key would travel unencrypted to {address.url}",
            hint=f"use https, or a tunnel to this machine such as `ssh -N -L {address.port}:127.0.0.1:{address.port} {address.host}`",
        )
    return HttpClient(
        HttpOptions(
            agent=agent,
            service="llama.cpp",
            address=address,
            log=log,
            key_headers={"authorization": f"Bearer {key}"} if key else {},
            key=key,
            silence_s=silence_s,
            absent_hint=_START,
        )
    )


def model_name(props: _Props) -> str:
    """What people call the loaded model: its alias, or the name of its file."""
    name = props.model_alias or props.model_path
    return PurePath(name).name if name else "a model without a name"


def _names(props: _Props) -> set[str]:
    given = {props.model_alias, props.model_path} - {""}
    return given | {PurePath(name).name for name in given} | {PurePath(name).stem for name in given}
