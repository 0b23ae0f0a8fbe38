"""pygls's protocol, mended: waiting for an editor's answer can be given up."""

from __future__ import annotations

import asyncio
from typing import Any

from pygls.protocol import LanguageServerProtocol


class PixelProtocol(LanguageServerProtocol):
    """The protocol of the server.

    In pygls, whoever stops waiting cancels the request's future, and an answer that comes after all is then an error in the log.
    """

    def send_request_async(self, method: str, params: Any | None = None, msg_id: str | int | None = None) -> asyncio.Future[Any]:
        """Ask the editor something; the wait may be cancelled."""
        return asyncio.shield(super().send_request_async(method, params=params, msg_id=msg_id))
