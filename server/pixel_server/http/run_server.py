"""Runs an application on a port of the loopback interface, until it is told to stop."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Generator
from typing import Final

import uvicorn
from starlette.types import ASGIApp

from pixel_core.errors import PixelError

_MOST_CONNECTIONS: Final = 256
_GRACE_S: Final = 5
_BACKLOG: Final = 128


def open_port(port: int) -> socket.socket:
    """Take a port of 127.0.0.1; 0 takes a free one.

    Raises:
        PixelError: Somebody else has it.
    """
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        # A port that was left a minute ago may be taken again; one that is in use may not.
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(("127.0.0.1", port))
        # Whoever is told the address may come before the server is ready, and then waits instead of being turned away.
        listening.listen(_BACKLOG)
    except OSError as problem:
        listening.close()
        raise PixelError(f"port {port} cannot be used: {problem.strerror or problem}", hint="choose another one with --port") from problem
    return listening


class LocalServer(uvicorn.Server):
    """uvicorn on a socket that is already there; signals are left to whoever runs it.

    Args:
        app: What answers.
    """

    def __init__(self, app: ASGIApp) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                http="h11",
                ws="none",
                lifespan="off",
                # Requests are nobody's business, and uvicorn would write to standard output.
                access_log=False,
                log_config=None,
                server_header=False,
                proxy_headers=False,
                backlog=_BACKLOG,
                limit_concurrency=_MOST_CONNECTIONS,
                timeout_graceful_shutdown=_GRACE_S,
            )
        )

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        """Capture none."""
        yield

    def stop(self) -> None:
        """End: kindly the first time, at once the second time."""
        self.force_exit = self.should_exit
        self.should_exit = True
