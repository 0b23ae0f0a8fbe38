"""Any endpoint that speaks OpenAI's chat completions: vLLM, LM Studio, a llama.cpp behind a proxy, a company's own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import msgspec

from pixel_coach.agents.address import read_address
from pixel_coach.agents.base import Availability, Log, OnText, Prompt, Reply
from pixel_coach.agents.chat_completions import completion_body, explain_refusal, stream_completion
from pixel_coach.agents.decode_reply import decode_reply
from pixel_coach.agents.finish_within import finish_within
from pixel_coach.agents.http_client import HttpClient, HttpOptions
from pixel_coach.agents.read_key import read_key
from pixel_coach.errors import AgentError, AgentUnavailable
from pixel_coach.settings import AgentSettings

_LOOK_S: Final = 5.0


class _Meta(msgspec.Struct):
    n_ctx: int | None = None


class _Listed(msgspec.Struct):
    id: str
    max_model_len: int | None = None
    meta: _Meta | None = None


class _Models(msgspec.Struct):
    data: list[_Listed]


class OpenAICompatibleAgent:
    """A model behind an endpoint of OpenAI's form."""

    def __init__(self, settings: AgentSettings, environment: Mapping[str, str], log: Log) -> None:
        """Prepare; nothing is asked yet.

        Raises:
            AgentUnavailable: The address or the key is none.
        """
        self._settings = settings
        key = read_key(environment, settings.key_variable) if settings.key_variable else ""
        if settings.url is None:
            raise AgentUnavailable(
                "the service `openai` has no address of its own",
                hint='set `url` under [generator] in coach.toml, such as "http://127.0.0.1:8000/v1"',
            )
        try:
            address = read_address(settings.url)
        except ValueError as problem:
            raise AgentUnavailable(
                f"the address in `url` under [generator] {problem}", hint="an example: http://127.0.0.1:8000/v1"
            ) from None
        if key and address.scheme == "http" and not address.is_loopback:
            raise AgentUnavailable(
                f"the key would travel unencrypted to {address.url}",
                hint="use https, or a tunnel to this machine such as `ssh -N -L 8000:127.0.0.1:8000 HOST`",
            )
        self._prefix = "" if address.path.endswith("/v1") else "/v1"
        self._client = HttpClient(
            HttpOptions(
                agent=self.name,
                service="the endpoint",
                address=address,
                log=log,
                key_headers={"authorization": f"Bearer {key}"} if key else {},
                key=key,
                silence_s=settings.timeout_s,
                absent_hint="start the service, or correct `url` under [generator] in coach.toml",
            )
        )
        self._model: _Listed | None = None

    @property
    def name(self) -> str:
        """`openai`."""
        return "openai"

    @property
    def takes_grammar(self) -> bool:
        """The form knows JSON schemas and no grammars."""
        return False

    async def is_available(self) -> Availability:
        """Look whether it lists the model. Never raises."""
        is_local = self._client.address.is_loopback
        try:
            model = await self._find_model()
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
            reason=f"{self._client.service} has {model.id}",
            model=model.id,
            context_tokens=self._context_tokens(model),
            is_local=is_local,
        )

    async def ask(self, prompt: Prompt, on_text: OnText | None = None) -> Reply:
        """Answer a prompt.

        Raises:
            AgentError: One of its children, when no whole answer came.
        """
        return await finish_within(self._settings.timeout_s, self._ask(prompt, on_text), self._client.service)

    async def close(self) -> None:
        """Close the connection."""
        await self._client.close()

    async def _ask(self, prompt: Prompt, on_text: OnText | None) -> Reply:
        if prompt.grammar is not None:
            raise AgentError(
                f"{self._client.service} cannot be held to a grammar", hint="use the service `llama.cpp` or `embedded` for this task"
            )
        model = self._model or await self._find_model()
        body = completion_body(prompt, model.id)
        return await stream_completion(self._client, f"{self._prefix}/chat/completions", body, prompt, on_text, model=model.id)

    def _context_tokens(self, model: _Listed) -> int:
        sizes = (self._settings.context_tokens, model.max_model_len, model.meta.n_ctx if model.meta else None)
        return min((size for size in sizes if size), default=0)

    async def _find_model(self) -> _Listed:
        wanted = self._settings.model
        status, data = await self._client.fetch("GET", f"{self._prefix}/models", connect_s=_LOOK_S)
        if status == 404 and wanted is not None:
            # Some endpoints answer chats and list nothing.
            self._model = _Listed(id=wanted)
            return self._model
        if status != 200:
            raise explain_refusal(self._client, status, data)
        models = decode_reply(data, _Models, self._client.service).data
        for model in models:
            if wanted is None or model.id == wanted:
                self._model = model
                return model
        if not models:
            raise AgentUnavailable(f"{self._client.service} has no model", hint="load one in that service")
        present = ", ".join(self._client.redact(model.id) for model in models[:5])
        raise AgentUnavailable(
            f"{self._client.service} has no model {wanted}; it has {present}",
            hint="set `model` under [generator] in coach.toml to one of these",
        )
