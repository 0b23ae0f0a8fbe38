"""One reply of the model to one client: waits for its turn, streams, and ends when the client goes away."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, Final

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from pixel_core.errors import PixelError
from pixel_core.inference.messages import GenerateRequest, Outcome
from pixel_core.inference.model_process import ModelProcess
from pixel_server.http.openai_replies import ReplyForm
from pixel_server.http.problems import Problem, problem_body, problem_of, problem_response
from pixel_server.http.turns import QueueFull, Turns

_SEND_S: Final = 60.0
"""A client that takes nothing for so long is given up."""


class GenerationResponse(Response):
    """Answers with what the model makes of a request.

    The model goes on while a slow client reads: what it wrote waits here, at most a context's worth, and the turn is over when the model
    has ended. A client that goes away withdraws its request, waiting or running.

    Args:
        process: The model.
        turns: Who is answered next.
        client: Whose request it is.
        request: What is asked.
        form: Of the reply.
        is_stream: Send pieces as they come.
    """

    def __init__(
        self, process: ModelProcess, turns: Turns, client: str, request: GenerateRequest, form: ReplyForm, *, is_stream: bool
    ) -> None:
        super().__init__()
        self._process = process
        self._turns = turns
        self._client = client
        self._request = request
        self._form = form
        self._is_stream = is_stream
        self._pieces: asyncio.Queue[str | None] = asyncio.Queue()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        generation = asyncio.ensure_future(self._generate())
        answer = asyncio.ensure_future(self._answer(generation, scope, receive, send))
        gone = asyncio.ensure_future(_wait_for_disconnect(receive))
        try:
            await asyncio.wait({answer, gone}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            # Also where the server ends. The model is told to stop, and is free when `generation` has ended.
            for task in (answer, gone, generation):
                task.cancel()
            results = await asyncio.gather(answer, gone, generation, return_exceptions=True)
        failure = results[0]
        if isinstance(failure, Exception) and not isinstance(failure, OSError | asyncio.TimeoutError):
            raise failure

    async def _generate(self) -> Outcome | Problem:
        try:
            async with self._turns.turn(self._client):
                outcome = await self._process.generate(self._request, self._pieces.put_nowait)
            return outcome if outcome is not None else Problem(503, "the request was withdrawn", kind="server_error")
        except QueueFull:
            return Problem(
                429,
                "too many requests are waiting for the model; try again later",
                kind="rate_limit_error",
                code="queue_full",
                headers={"retry-after": "5"},
            )
        except PixelError as error:
            return problem_of(error)
        finally:
            self._pieces.put_nowait(None)

    async def _answer(self, generation: asyncio.Future[Outcome | Problem], scope: Scope, receive: Receive, send: Send) -> None:
        # What is refused before its first piece has a status of its own.
        piece = await self._pieces.get()
        if piece is None or not self._is_stream:
            result = await generation
            if isinstance(result, Problem):
                await problem_response(result)(scope, receive, send)
                return
            if not self._is_stream:
                await Response(self._form.whole(result), media_type="application/json")(scope, receive, send)
                return
        headers = [(b"content-type", b"text/event-stream; charset=utf-8"), (b"cache-control", b"no-store")]
        await _within(_SEND_S, send({"type": "http.response.start", "status": 200, "headers": headers}))
        push = _pusher(send)
        await push(self._form.first())
        while piece is not None:
            await push(self._form.piece(piece))
            piece = await self._pieces.get()
        result = await generation
        if isinstance(result, Problem):
            await push(b"data: " + problem_body(result) + b"\n\n")
        else:
            await push(self._form.last(result))
        await send({"type": "http.response.body", "body": b"", "more_body": False})


def _pusher(send: Send) -> Callable[[bytes], Coroutine[Any, Any, None]]:
    async def push(data: bytes) -> None:
        if data:
            await _within(_SEND_S, send({"type": "http.response.body", "body": data, "more_body": True}))

    return push


async def _within(seconds: float, sending: Any) -> None:
    await asyncio.wait_for(sending, seconds)


async def _wait_for_disconnect(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
