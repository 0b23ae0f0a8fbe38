"""The body of a request, up to a size and within a time."""

from __future__ import annotations

import asyncio
from typing import Final

from starlette.requests import ClientDisconnect, Request

from pixel_server.http.problems import Problem

BODY_BYTES: Final = 1 << 20
_BODY_S: Final = 30.0


async def read_body(request: Request) -> bytes:
    """Read it whole.

    Raises:
        Problem: It is too long, or takes too long.
    """
    try:
        return await asyncio.wait_for(_read(request), _BODY_S)
    except asyncio.TimeoutError:
        raise Problem(408, f"the body did not arrive within {_BODY_S:g} s", headers={"connection": "close"}) from None
    except ClientDisconnect:
        raise Problem(400, "the client went away") from None


async def _read(request: Request) -> bytes:
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > BODY_BYTES:
            raise Problem(413, f"the body is longer than {BODY_BYTES:,} bytes", code="request_too_large", headers={"connection": "close"})
    return bytes(body)
