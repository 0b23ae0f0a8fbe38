from __future__ import annotations

import asyncio

import pytest
from pygls.lsp.server import LanguageServer

from pixel_server.protocol import PixelProtocol


class Nowhere:
    def write(self, data: bytes) -> None:
        pass

    def close(self) -> None:
        pass


async def test_an_answer_after_the_wait_was_given_up_is_no_error() -> None:
    protocol = LanguageServer("test", "1", protocol_cls=PixelProtocol).protocol
    protocol.set_writer(Nowhere())
    answer = protocol.send_request_async("workspace/codeLens/refresh", None, msg_id="1")
    answer.cancel()
    with pytest.raises(asyncio.CancelledError):
        await answer

    await asyncio.sleep(0)
    protocol._handle_response("1", None)


async def test_an_answer_arrives() -> None:
    protocol = LanguageServer("test", "1", protocol_cls=PixelProtocol).protocol
    protocol.set_writer(Nowhere())
    answer = protocol.send_request_async("workspace/codeLens/refresh", None, msg_id="1")
    protocol._handle_response("1", "yes")
    assert await answer == "yes"


async def test_a_handler_that_ends_with_the_server_is_no_error() -> None:
    problems: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: problems.append(context))
    server = LanguageServer("test", "1", protocol_cls=PixelProtocol)
    began = asyncio.Event()

    @server.feature("initialized")
    async def initialized(*_: object) -> None:
        began.set()
        await asyncio.sleep(60)

    before = asyncio.all_tasks()
    server.protocol._handle_notification("initialized", None)
    await asyncio.wait_for(began.wait(), 20)
    (task,) = asyncio.all_tasks() - before
    task.cancel()
    await asyncio.wait({task})
    await asyncio.sleep(0)
    assert problems == []
