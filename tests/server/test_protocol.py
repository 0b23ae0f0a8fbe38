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
