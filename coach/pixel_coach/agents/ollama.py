"""Ollama through its native interface: the OpenAI-style one ignores `num_ctx`, and then cuts prompts silently.

Interface: https://github.com/ollama/ollama/blob/main/docs/api.md
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import AsyncIterator, Mapping
from typing import Any, Final

import msgspec

from pixel_coach.agents.address import Address, read_address
from pixel_coach.agents.base import Availability, Log, OnText, Prompt, Reply, Usage
from pixel_coach.agents.decode_reply import decode_reply
from pixel_coach.agents.estimate_tokens import TEMPLATE_TOKENS, estimate_tokens, fewest_tokens
from pixel_coach.agents.finish_within import finish_within
from pixel_coach.agents.http_client import HttpClient, HttpOptions
from pixel_coach.errors import AgentError, AgentUnavailable, PromptTooLong, QuotaExceeded, ReplyCut
from pixel_coach.settings import AgentSettings

SUGGESTED_MODEL: Final = "qwen2.5-coder:7b"
MAX_CONTEXT: Final = 16_384
"""Asked for unless the settings say otherwise; the memory that a context takes grows with it."""

_LOOK_S: Final = 5.0
_KEEP_ALIVE: Final = "15m"
"""Longer than the service's own five minutes: between two rounds a candidate is executed."""
_BUSY_RETRY_S: Final = 5.0


class _Listed(msgspec.Struct):
    name: str
    remote_host: str = ""


class _Tags(msgspec.Struct):
    models: list[_Listed] | None = None


class _Version(msgspec.Struct):
    version: str = "of an unknown version"


class _Shown(msgspec.Struct):
    model_info: dict[str, Any] = {}
    capabilities: list[str] = []
    remote_host: str = ""


class _Message(msgspec.Struct):
    content: str = ""
    thinking: str | None = None


class _Line(msgspec.Struct):
    message: _Message | None = None
    done: bool = False
    done_reason: str = ""
    prompt_eval_count: int | None = None
    eval_count: int | None = None
    error: str | None = None


class _Refusal(msgspec.Struct):
    error: str = ""


class _Model(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    context_tokens: int
    is_local: bool


class OllamaAgent:
    """A model of an Ollama server."""

    def __init__(self, settings: AgentSettings, environment: Mapping[str, str], log: Log) -> None:
        """Prepare; nothing is asked yet.

        Raises:
            AgentUnavailable: The address is none.
        """
        self._settings = settings
        self._client = HttpClient(
            HttpOptions(
                agent=self.name,
                service="Ollama",
                address=_address(settings, environment),
                log=log,
                key_headers={},
                silence_s=settings.timeout_s,
                absent_hint=f"start it with `ollama serve` (https://ollama.com/download), then `ollama pull {SUGGESTED_MODEL}`",
            )
        )
        self._model: _Model | None = None

    @property
    def name(self) -> str:
        """`ollama`."""
        return "ollama"

    @property
    def takes_grammar(self) -> bool:
        """Ollama takes JSON schemas and no grammars."""
        return False

    async def is_available(self) -> Availability:
        """Look for the server and the model. Never raises."""
        try:
            version = await self._get("GET", "/api/version", None, _Version)
            model = await self._find_model()
        except AgentError as problem:
            return Availability(
                agent=self.name,
                is_available=False,
                reason=problem.message,
                hint=problem.hint or "",
                model=self._settings.model or "",
                is_local=self._client.address.is_loopback,
            )
        return Availability(
            agent=self.name,
            is_available=True,
            reason=f"Ollama {version.version} at {self._client.address.url} has {model.name}",
            model=model.name,
            context_tokens=model.context_tokens,
            is_local=model.is_local,
        )

    async def ask(self, prompt: Prompt, on_text: OnText | None = None) -> Reply:
        """Answer a prompt.

        Raises:
            AgentError: One of its children, when no whole answer came.
        """
        return await finish_within(self._settings.timeout_s, self._ask(prompt, on_text), self._client.service)

    async def close(self) -> None:
        """Close the connection; the server keeps the model for a quarter of an hour."""
        await self._client.close()

    async def _ask(self, prompt: Prompt, on_text: OnText | None) -> Reply:
        if prompt.grammar is not None:
            raise AgentError("Ollama cannot be held to a grammar", hint="use the service `llama.cpp` or `embedded` for this task")
        model = self._model or await self._find_model()
        both = f"{prompt.system}\n{prompt.user}"
        needed = fewest_tokens(both) + TEMPLATE_TOKENS
        if needed + 1 > model.context_tokens:
            raise self._too_long(model, f"the prompt has at least {needed:,} tokens")
        began = time.monotonic()
        async with self._client.exchange("POST", "/api/chat", _chat_body(prompt, model)) as exchange:
            if exchange.status != 200:
                raise self._refusal(exchange.status, await exchange.read(), model)
            text, last = await self._read_stream(exchange.lines(), model, on_text)
        self._check_whole(last, model, both)
        seconds = time.monotonic() - began
        usage = Usage(
            prompt_tokens=estimate_tokens(both) if last.prompt_eval_count is None else last.prompt_eval_count,
            reply_tokens=estimate_tokens(text) if last.eval_count is None else last.eval_count,
            seconds=seconds,
            is_exact=last.prompt_eval_count is not None and last.eval_count is not None,
        )
        detail = {"done_reason": last.done_reason, "num_ctx": model.context_tokens}
        return Reply(text=text, is_complete=last.done_reason in {"stop", ""}, model=model.name, usage=usage, detail=detail)

    async def _read_stream(self, lines: AsyncIterator[bytes], model: _Model, on_text: OnText | None) -> tuple[str, _Line]:
        pieces: list[str] = []
        async for data in lines:
            if not data.strip():
                continue
            line = decode_reply(data, _Line, self._client.service)
            if line.error is not None:
                raise self._failure(line.error, model, is_under_way=bool(pieces))
            if line.message is not None and line.message.content:
                pieces.append(line.message.content)
                if on_text is not None:
                    on_text(line.message.content)
            if line.done:
                return "".join(pieces), line
        raise ReplyCut(
            f"{self._client.service} closed the connection before the reply was whole",
            hint="try again; if it recurs, look into the log of Ollama",
        )

    def _check_whole(self, last: _Line, model: _Model, text: str) -> None:
        # An older server takes no notice of `truncate: false`. What it evaluated gives it away: a context filled to the brim, or
        # fewer tokens than the prompt has words.
        seen = last.prompt_eval_count
        if seen is not None and (seen >= model.context_tokens - 1 or seen < fewest_tokens(text)):
            raise self._too_long(model, f"Ollama cut the prompt and gave the model {seen:,} tokens of about {estimate_tokens(text):,}")

    def _too_long(self, model: _Model, what: str) -> PromptTooLong:
        return PromptTooLong(
            f"{what}, and the context of {model.name} is {model.context_tokens:,}",
            hint="raise `context_tokens` under [generator] in coach.toml as far as the model and the memory allow",
        )

    def _refusal(self, status: int, data: bytes, model: _Model) -> AgentError:
        message = ""
        with contextlib.suppress(AgentError):
            message = decode_reply(data, _Refusal, self._client.service).error
        if status in {429, 503}:
            return QuotaExceeded(
                f"{self._client.service} has too many requests in its queue", hint="try again in a moment", retry_after_s=_BUSY_RETRY_S
            )
        if status == 404:
            return _model_missing(self._client.service, model.name, ())
        return self._failure(message or f"status {status}", model, is_under_way=False)

    def _failure(self, message: str, model: _Model, *, is_under_way: bool) -> AgentError:
        told = self._client.redact(message)
        lowered = told.lower()
        if "context length" in lowered or "context size" in lowered:
            return self._too_long(model, "the prompt is too long for Ollama")
        if "memory" in lowered or "unable to load model" in lowered or "failed to load" in lowered:
            return AgentUnavailable(
                f"Ollama cannot load {model.name}: {told}",
                hint="choose a smaller model, or lower `context_tokens` under [generator] in coach.toml",
            )
        if is_under_way:
            return ReplyCut(f"Ollama broke off its reply: {told}", hint="try again; if it recurs, look into the log of Ollama")
        return AgentError(f"Ollama refuses the request: {told}", hint="the request is in the log of this run")

    async def _find_model(self) -> _Model:
        tags = await self._get("GET", "/api/tags", None, _Tags)
        listed = {model.name: model for model in tags.models or ()}
        wanted = self._settings.model
        if wanted is None:
            # One of Ollama's cloud models would send the prompt away, so none is taken unasked.
            candidates = [model.name for model in listed.values() if not model.remote_host]
        else:
            candidates = [name for name in (wanted, f"{wanted}:latest") if name in listed]
        for name in candidates:
            shown = await self._get("POST", "/api/show", {"model": name}, _Shown)
            if wanted is None and shown.capabilities and "completion" not in shown.capabilities:
                continue
            is_remote = bool(listed[name].remote_host or shown.remote_host)
            self._model = _Model(
                name=name,
                context_tokens=_context_tokens(shown.model_info, self._settings.context_tokens),
                is_local=self._client.address.is_loopback and not is_remote,
            )
            return self._model
        raise _model_missing(self._client.service, wanted, tuple(listed))

    async def _get(self, method: str, path: str, body: Mapping[str, Any] | None, promised: type[Any]) -> Any:
        status, data = await self._client.fetch(method, path, body, connect_s=_LOOK_S)
        if status != 200:
            raise AgentUnavailable(
                f"what answers at {self._client.address.url} is not Ollama ({path} gives {status})",
                hint="give its address as `url` under [generator] in coach.toml",
            )
        return decode_reply(data, promised, self._client.service)


def _address(settings: AgentSettings, environment: Mapping[str, str]) -> Address:
    text = settings.url or environment.get("OLLAMA_HOST", "").strip() or "127.0.0.1"
    try:
        return read_address(text, default_port=11434)
    except ValueError as problem:
        source = "`url`" if settings.url else "OLLAMA_HOST"
        raise AgentUnavailable(f"the address of Ollama in {source} {problem}", hint="an example: http://127.0.0.1:11434") from None


def _context_tokens(model_info: Mapping[str, Any], wanted: int | None) -> int:
    sizes = [size for key, size in model_info.items() if key.endswith(".context_length") and isinstance(size, int) and size > 0]
    return min([wanted or MAX_CONTEXT, *sizes])


def _model_missing(service: str, wanted: str | None, present: tuple[str, ...]) -> AgentUnavailable:
    if wanted is None:
        return AgentUnavailable(f"{service} has no model that writes text", hint=f"ollama pull {SUGGESTED_MODEL}")
    others = f"; it has {', '.join(sorted(present)[:5])}" if present else ""
    return AgentUnavailable(f"{service} has no model {wanted}{others}", hint=f"ollama pull {wanted}")


def _chat_body(prompt: Prompt, model: _Model) -> dict[str, Any]:
    options: dict[str, Any] = {
        "num_ctx": model.context_tokens,
        "num_predict": prompt.max_tokens,
        "temperature": prompt.temperature,
        "seed": prompt.seed,
    }
    if prompt.stop:
        options["stop"] = list(prompt.stop)
    body: dict[str, Any] = {
        "model": model.name,
        "messages": [{"role": "system", "content": prompt.system}, {"role": "user", "content": prompt.user}],
        "stream": True,
        "keep_alive": _KEEP_ALIVE,
        # Newer servers then refuse what does not fit, instead of cutting it from the front without a word.
        "truncate": False,
        "shift": False,
        "options": options,
    }
    if prompt.json_schema is not None:
        body["format"] = dict(prompt.json_schema)
    return body
