"""llama.cpp in a process of its own, as its parent sees it: what a model's speed is compared with."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, Union

from pixel_core.errors import ModelProcessEnded, PixelError
from pixel_core.inference.messages import Measured, PeerRequest, Refusal
from pixel_core.processes.exits import ChildExit
from pixel_core.processes.launcher import launch_module
from pixel_core.processes.supervisor import Supervisor

_TIMEOUT_S: Final = 3600.0
_ANY_REPLY: Final[Any] = Union[Measured, Refusal]
"""msgspec takes unions, which are no classes."""


class LlamaCppProcess:
    """Loads a model with the first request.

    Args:
        path: A GGUF file.
        context_tokens: Room of the cache.
        threads: Of the processor.
    """

    def __init__(self, path: Path, *, context_tokens: int, threads: int) -> None:
        self._path, self._context_tokens, self._threads = path, context_tokens, threads
        self._supervisor = Supervisor(launch_module("pixel_core.inference.llama_cpp_worker"), keep_spare=False)

    async def measure(self, prompt: Sequence[int], reply_tokens: int) -> Measured:
        """Take the time of a prompt and a greedy reply, by llama.cpp's own clock.

        Raises:
            PixelError: It is not installed or does not load the model.
            ModelProcessEnded: The process ended instead.
        """
        request = PeerRequest(
            path=str(self._path),
            context_tokens=self._context_tokens,
            threads=self._threads,
            prompt=tuple(prompt),
            reply_tokens=reply_tokens,
        )
        reply: Measured | Refusal | ChildExit = await self._supervisor.request(request, _ANY_REPLY, timeout_s=_TIMEOUT_S)
        if isinstance(reply, ChildExit):
            raise ModelProcessEnded(f"llama.cpp's process ended: {reply.reason}")
        if isinstance(reply, Refusal):
            raise PixelError(reply.message, hint=reply.hint or None)
        return reply

    async def close(self) -> None:
        """End the process."""
        await self._supervisor.close()
