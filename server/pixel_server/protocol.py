"""pygls's protocol, mended: waiting for an editor's answer can be given up, and so can a handler."""

from __future__ import annotations

import asyncio
from collections.abc import Generator
from concurrent.futures import Future
from typing import Any, Union

from pygls.protocol import LanguageServerProtocol


class PixelProtocol(LanguageServerProtocol):
    """The protocol of the server.

    In pygls, whoever stops waiting cancels the request's future, and an answer that comes after all is then an error in the log. So is the
    cancellation of a handler that pygls has a part of its own in (`initialized`, `shutdown`), when the server ends meanwhile.
    """

    def send_request_async(self, method: str, params: Any | None = None, msg_id: str | int | None = None) -> asyncio.Future[Any]:
        """Ask the editor something; the wait may be cancelled."""
        return asyncio.shield(super().send_request_async(method, params=params, msg_id=msg_id))

    def _run_generator(
        self, future: Union[Future[Any], asyncio.Future[Any], None], *, gen: Generator[Any, Any, Any], result_future: Future[Any]
    ) -> None:
        if future is not None and future.cancelled():
            gen.close()
            result_future.cancel()
            return
        super()._run_generator(future, gen=gen, result_future=result_future)  # pyright: ignore[reportArgumentType] -- pygls passes tasks
