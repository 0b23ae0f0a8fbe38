"""A model in a process of its own, as its parent sees it. Loads neither numpy nor a model."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

import msgspec

from pixel_core.errors import ContextFull, ModelProcessEnded, ModelUnusable, PixelError, RequestRefused
from pixel_core.inference.messages import (
    GenerateRequest,
    LoadRequest,
    Measured,
    MeasureRequest,
    ModelFacts,
    ModelSource,
    Outcome,
    Refusal,
    Split,
    SplitRequest,
    Text,
    WorkerReply,
    WorkerRequest,
)
from pixel_core.processes.exits import ChildExit
from pixel_core.processes.launcher import launch_module
from pixel_core.processes.supervisor import Supervisor

LOAD_TIMEOUT_S: Final = 900.0
REPLY_TIMEOUT_S: Final = 6 * 3600.0
_CANCEL_GRACE_S: Final = 10.0
"""One step of a large model without a GPU takes seconds, and to load it again takes longer."""
_MEMORY_BYTES: Final = 16 << 30
_MEMORY_FACTOR: Final = 12
"""A weight of four bits is four bytes in the reference; the rest is for cache, device and libraries."""

_ANY_REPLY: Final[Any] = WorkerReply
"""msgspec takes unions, which are no classes."""
_text = msgspec.json.Decoder(Text)


class ModelProcess:
    """Loads a model with the first request. A process that dies is started anew with the next one. Use it from one event loop.

    Args:
        source: Which model.
    """

    def __init__(self, source: ModelSource) -> None:
        self.source = source
        size = 0
        with contextlib.suppress(OSError):
            size = Path(source.path).stat().st_size
        launch = launch_module("pixel_core.inference.worker", memory_bytes=_MEMORY_BYTES + _MEMORY_FACTOR * size)
        self._supervisor = Supervisor(launch, keep_spare=False, cancel_grace_s=_CANCEL_GRACE_S)

    @property
    def process_id(self) -> int | None:
        """Of the worker, while it runs."""
        return self._supervisor.process_id

    async def load(self) -> ModelFacts:
        """Load the model.

        Raises:
            ModelUnusable: It cannot be used.
            ModelProcessEnded: The process ended instead.
            PixelError: Something is missing here.
        """
        reply = await self._ask(LoadRequest(model=self.source), LOAD_TIMEOUT_S, None, None)
        assert isinstance(reply, ModelFacts), "the request and its answer belong together"
        return reply

    async def generate(
        self, request: GenerateRequest, on_text: Callable[[str], None] | None = None, cancel: asyncio.Event | None = None
    ) -> Outcome | None:
        """Go on with a text or a conversation; one request at a time, the others wait in order.

        Args:
            request: What is asked.
            on_text: Told of each piece of the reply as it comes.
            cancel: Set to withdraw the request. So does cancelling the task that awaits this.

        Returns:
            How the reply ended; None where it was withdrawn.

        Raises:
            ContextFull: The prompt does not fit.
            RequestRefused: What is asked for is not possible.
            ModelUnusable: The model cannot be used.
            ModelProcessEnded: The process ended instead.
            PixelError: Something is missing here.
        """
        reply = await self._ask(request, REPLY_TIMEOUT_S, on_text, cancel)
        assert reply is None or isinstance(reply, Outcome), "the request and its answer belong together"
        return reply

    async def measure(self, prompt: Sequence[int], reply_tokens: int) -> Measured:
        """Take the time of a prompt and a greedy reply; raises as `load`, and `ContextFull`."""
        reply = await self._ask(
            MeasureRequest(model=self.source, prompt=tuple(prompt), reply_tokens=reply_tokens), REPLY_TIMEOUT_S, None, None
        )
        assert isinstance(reply, Measured), "the request and its answer belong together"
        return reply

    async def split(self, position: int) -> Split:
        """Take the time of each kernel for the token at a position; raises as `load`, and `ContextFull`."""
        reply = await self._ask(SplitRequest(model=self.source, position=position), REPLY_TIMEOUT_S, None, None)
        assert isinstance(reply, Split), "the request and its answer belong together"
        return reply

    async def close(self) -> None:
        """End the process."""
        await self._supervisor.close()

    async def _ask(
        self, request: WorkerRequest, timeout_s: float, on_text: Callable[[str], None] | None, cancel: asyncio.Event | None
    ) -> ModelFacts | Outcome | Measured | Split | None:
        reply: WorkerReply | ChildExit = await self._supervisor.request(
            request,
            _ANY_REPLY,
            timeout_s=timeout_s,
            on_event=None if on_text is None else lambda body: on_text(_text.decode(body).text),
            cancel=cancel,
        )
        if isinstance(reply, ChildExit):
            if reply.reason == "cancelled":
                return None
            raise ModelProcessEnded(_ended(reply), hint="ask again: it is started anew")
        if isinstance(reply, Refusal):
            raise _problem(reply)
        return reply


def _problem(refusal: Refusal) -> PixelError:
    kinds = {"model": ModelUnusable, "context": ContextFull, "request": RequestRefused, "environment": PixelError}
    return kinds[refusal.kind](refusal.message, hint=refusal.hint or None)


def _ended(end: ChildExit) -> str:
    lines = [line.strip() for line in end.stderr_tail.splitlines() if line.strip()]
    last = f": {lines[-1][:200]}" if lines else ""
    return {
        "timeout": "the model's process gave no answer in time and was ended",
        "killed": "the model's process was killed from outside",
        "memory": "the model's process ran out of memory",
        "protocol": f"the model's process sent what is no answer{last}",
    }.get(end.reason, f"the model's process crashed{last}")
