"""An Ollama: version, tags, show, chat and generate. `test_fake_ollama` has the official client talk to it."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from model_servers.fake_server import FakeServer, Received, Sent, send_json

CREATED = "2026-11-01T12:00:00.000000Z"
_DEFAULT_CONTEXT = 4096


@dataclass(frozen=True, slots=True, kw_only=True)
class FakeModel:
    """A model that it claims to have."""

    context_tokens: int = 32_768
    capabilities: tuple[str, ...] = ("completion",)
    remote_host: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class OllamaOutcome:
    """One outcome of a chat.

    Attributes:
        text: That it writes, in three pieces.
        done_reason: At its end.
        thinking: Before the text.
        status: Another than 200 sends `error` alone.
        error: After the text, in the middle of the stream, under status 200.
        is_cut: The connection breaks after the text.
        is_short: The stream ends after the text, without its last line.
        raw: Sent after the text as it is.
        pause_s: Before each line.
    """

    text: str = "fine"
    done_reason: str = "stop"
    thinking: str = ""
    status: int = 200
    error: str | None = None
    is_cut: bool = False
    is_short: bool = False
    raw: bytes = b""
    pause_s: float = 0.0


MODELS: Mapping[str, FakeModel] = {"nomic-embed-text:latest": FakeModel(capabilities=("embedding",)), "qwen2.5-coder:7b": FakeModel()}


class FakeOllama(FakeServer):
    """The server.

    Args:
        respond: Asked where no outcome is queued.
        models: By name.
        is_old: It takes no notice of `truncate`, as versions before 0.12.5, and cuts prompts silently.
    """

    def __init__(
        self,
        respond: Callable[[Received], OllamaOutcome] | None = None,
        *,
        models: Mapping[str, FakeModel] = MODELS,
        is_old: bool = False,
    ) -> None:
        super().__init__(self._route)
        self._respond = respond or (lambda _: OllamaOutcome())
        self._models = models
        self._is_old = is_old
        self._queue: deque[OllamaOutcome] = deque()

    def queue(self, *outcomes: OllamaOutcome) -> None:
        """What to answer next, one outcome a chat."""
        self._queue.extend(outcomes)

    def _route(self, request: Received) -> Sent:
        if request.path == "/api/version":
            return send_json({"version": "0.9.1" if self._is_old else "0.13.0"})
        if request.path == "/api/tags":
            return send_json({"models": [_listed(name, model) for name, model in self._models.items()]})
        if request.path not in {"/api/show", "/api/chat", "/api/generate"}:
            return Sent(status=404, pieces=(b"404 page not found",), content_type="text/plain")
        name = request.body["model"]
        if name not in self._models:
            return send_json({"error": f"model '{name}' not found"}, status=404)
        if request.path == "/api/show":
            return send_json(_shown(self._models[name]))
        return self._chat(request)

    def _chat(self, request: Received) -> Sent:
        outcome = self._queue.popleft() if self._queue else self._respond(request)
        if outcome.status != 200:
            return send_json({"error": outcome.error}, status=outcome.status)
        context = request.body.get("options", {}).get("num_ctx", _DEFAULT_CONTEXT)
        tokens = _count(request)
        if tokens > context and request.body.get("truncate") is False and not self._is_old:
            return send_json({"error": "the input length exceeds the context length"}, status=400)
        lines = _lines(request, outcome, min(tokens, context))
        if request.body.get("stream", True) is False:
            return send_json(_joined(lines, request))
        pieces = [json.dumps(line, ensure_ascii=False).encode() + b"\n" for line in lines]
        return Sent(
            pieces=(*pieces, *([outcome.raw] if outcome.raw else [])),
            content_type="application/x-ndjson",
            pause_s=outcome.pause_s,
            is_cut=outcome.is_cut,
        )


def _lines(request: Received, outcome: OllamaOutcome, tokens: int) -> list[dict[str, Any]]:
    head = {"model": request.body["model"], "created_at": CREATED}
    size = max(1, -(-len(outcome.text) // 3))
    texts = [outcome.text[start : start + size] for start in range(0, len(outcome.text), size)]
    is_chat = request.path == "/api/chat"

    def say(text: str, **more: Any) -> dict[str, Any]:
        said = {"message": {"role": "assistant", "content": text, **more}} if is_chat else {"response": text, **more}
        return {**head, **said, "done": False}

    lines = [say("", thinking=outcome.thinking)] if outcome.thinking else []
    lines += [say(text) for text in texts]
    if outcome.error is not None:
        return [*lines, {"error": outcome.error}]
    if outcome.is_cut or outcome.is_short or outcome.raw:
        return lines
    last = {
        "done": True,
        "done_reason": outcome.done_reason,
        "total_duration": 2_000_000_000,
        "load_duration": 10_000_000,
        "prompt_eval_count": tokens,
        "prompt_eval_duration": 90_000_000,
        "eval_count": len(outcome.text) // 4 + 1,
        "eval_duration": 1_900_000_000,
    }
    return [*lines, {**say(""), **last}]


def _joined(lines: list[dict[str, Any]], request: Received) -> dict[str, Any]:
    last = lines[-1]
    if "error" in last:
        return last
    if request.path == "/api/chat":
        return {**last, "message": {"role": "assistant", "content": "".join(line["message"]["content"] for line in lines)}}
    return {**last, "response": "".join(line["response"] for line in lines)}


def _count(request: Received) -> int:
    texts = [message["content"] for message in request.body.get("messages", [])] or [request.body.get("prompt", "")]
    return sum(len(text) // 4 + 1 for text in texts) + 10


def _listed(name: str, model: FakeModel) -> dict[str, Any]:
    listed: dict[str, Any] = {
        "name": name,
        "model": name,
        "modified_at": CREATED,
        "size": 4_683_087_332,
        "digest": "dae161e27b0e90dd1856c8bb3209201fd6736d8eb66298e75ed87571486f4364",
        "details": {"format": "gguf", "family": "qwen2", "parameter_size": "7.6B", "quantization_level": "Q4_K_M"},
    }
    return {**listed, "remote_host": model.remote_host} if model.remote_host else listed


def _shown(model: FakeModel) -> dict[str, Any]:
    return {
        "modelfile": "FROM fake",
        "parameters": "",
        "template": "{{ .Prompt }}",
        "details": {"format": "gguf", "family": "qwen2", "parameter_size": "7.6B", "quantization_level": "Q4_K_M"},
        "model_info": {"general.architecture": "qwen2", "qwen2.context_length": model.context_tokens},
        "capabilities": list(model.capabilities),
        "modified_at": CREATED,
    }
