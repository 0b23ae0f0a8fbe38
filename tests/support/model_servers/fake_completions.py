"""An endpoint of OpenAI's form, with which the faults are tried that a real llama.cpp server does not have on demand."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from model_servers.fake_server import FakeServer, Received, Sent, send_json


@dataclass(frozen=True, slots=True, kw_only=True)
class CompletionOutcome:
    """One outcome of a chat completion.

    Attributes:
        text: That it writes, in three pieces.
        finish: Why it ends; None where the stream ends without saying so.
        has_usage: Whether it counts tokens.
        status: Another than 200 sends `error` alone.
        error: In the middle of the stream, under status 200.
        is_cut: The connection breaks after the text.
        pause_s: Before each event.
    """

    text: str = "fine"
    finish: str | None = "stop"
    has_usage: bool = True
    status: int = 200
    error: Any = None
    is_cut: bool = False
    pause_s: float = 0.0


class FakeCompletions(FakeServer):
    """The server.

    Args:
        respond: Asked where no outcome is queued.
        models: What `/v1/models` lists; None where that path does not exist.
        key: That requests must bring; empty for none.
        is_loading: `/health` answers as llama.cpp does while it loads a model.
        is_llama_cpp: `/health` and `/props` exist.
    """

    def __init__(
        self,
        respond: Callable[[Received], CompletionOutcome] | None = None,
        *,
        models: tuple[str, ...] | None = ("served-model",),
        key: str = "",
        is_loading: bool = False,
        is_llama_cpp: bool = False,
    ) -> None:
        super().__init__(self._route)
        self._respond = respond or (lambda _: CompletionOutcome())
        self._models = models
        self._key = key
        self._is_loading = is_loading
        self._is_llama_cpp = is_llama_cpp
        self._queue: deque[CompletionOutcome] = deque()

    def queue(self, *outcomes: CompletionOutcome) -> None:
        """What to answer next, one outcome a completion."""
        self._queue.extend(outcomes)

    def _route(self, request: Received) -> Sent:
        if request.path == "/health" and self._is_llama_cpp:
            loading = {"error": {"code": 503, "message": "Loading model", "type": "unavailable_error"}}
            return send_json(loading, status=503) if self._is_loading else send_json({"status": "ok"})
        if self._key and request.headers.get("authorization") != f"Bearer {self._key}":
            return send_json({"error": {"code": 401, "message": "Invalid API Key", "type": "authentication_error"}}, status=401)
        if request.path == "/props" and self._is_llama_cpp:
            path = f"/models/{(self._models or ('served-model',))[0]}.gguf"
            return send_json({"default_generation_settings": {"n_ctx": 4096}, "total_slots": 1, "model_path": path})
        if request.path == "/v1/models" and self._models is not None:
            return send_json({"object": "list", "data": [{"id": name, "object": "model", "max_model_len": 8192} for name in self._models]})
        if request.path == "/v1/chat/completions":
            return self._complete(request)
        return send_json({"error": {"code": 404, "message": "File Not Found", "type": "not_found_error"}}, status=404)

    def _complete(self, request: Received) -> Sent:
        outcome = self._queue.popleft() if self._queue else self._respond(request)
        if outcome.status != 200:
            return send_json(outcome.error, status=outcome.status)
        events = [json.dumps(event) for event in _events(request, outcome)]
        pieces = [f"data: {event}\n\n".encode() for event in events]
        if outcome.finish is not None and not outcome.is_cut:
            pieces.append(b"data: [DONE]\n\n")
        return Sent(pieces=tuple(pieces), content_type="text/event-stream", pause_s=outcome.pause_s, is_cut=outcome.is_cut)


def _events(request: Received, outcome: CompletionOutcome) -> list[dict[str, Any]]:
    head = {"id": "chatcmpl-fake", "object": "chat.completion.chunk", "created": 1, "model": request.body["model"]}
    size = max(1, -(-len(outcome.text) // 3))
    texts = [outcome.text[start : start + size] for start in range(0, len(outcome.text), size)]

    def choice(delta: dict[str, Any], finish: str | None = None) -> dict[str, Any]:
        return {**head, "choices": [{"index": 0, "delta": delta, "finish_reason": finish}]}

    events = [choice({"role": "assistant", "content": None}), *(choice({"content": text}) for text in texts)]
    if outcome.error is not None:
        return [*events, {"error": outcome.error}]
    if outcome.finish is None or outcome.is_cut:
        return events
    events.append(choice({}, outcome.finish))
    if outcome.has_usage:
        events.append({**head, "choices": [], "usage": {"prompt_tokens": 31, "completion_tokens": 7, "total_tokens": 38}})
    return events
