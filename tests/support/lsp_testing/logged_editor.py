"""An editor whose server keeps a log, may live long, and can be ended in every way that editors end servers."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path
from typing import Final

from lsprotocol import types

from lsp_testing.editor import Editor, descendants, gone

WAYS_TO_END: Final = ("shutdown", "exit", "end of input", "SIGTERM", "SIGKILL")

_EXIT_CODES: Final = {"shutdown": 0, "exit": 1, "end of input": 0, "SIGTERM": 0, "SIGKILL": -signal.SIGKILL}
# `exit` without `shutdown` is 1 by LSP 3.17, "Exit Notification".

_LOGGING: Final = 'exec "$@" 2>"$0"'
"""For a shell: run the arguments in this same process, with standard error in the file `$0`."""


class LoggedEditor(Editor):
    """One editor with one server.

    Args:
        workspace: Its folder.
        state: Where the server remembers what it is told about trust; its log stands there too.
    """

    def __init__(self, workspace: Path, state: Path) -> None:
        super().__init__()
        self.workspace = workspace
        self.state = state
        self._log = state / "log"

    async def start(self, capabilities: types.ClientCapabilities, options: object = None) -> None:
        """Start the server, up to its answer to `initialize`."""
        self.state.mkdir(parents=True, exist_ok=True)
        environment = {**os.environ, "XDG_STATE_HOME": str(self.state)}
        server = (sys.executable, "-m", "pixel_server.cli", "--stdio")
        await self.client.start_io("sh", "-c", _LOGGING, str(self._log), *server, env=environment)
        params = types.InitializeParams(root_uri=self.workspace.as_uri(), capabilities=capabilities, initialization_options=options)
        self.server = (await self.client.initialize_session(params)).capabilities

    @property
    def is_alive(self) -> bool:
        """Whether the server's process is there."""
        return self.client._server is not None and self.client._server.returncode is None

    def complaints(self) -> list[str]:
        """The errors and tracebacks in the server's log."""
        lines = self._log.read_text(encoding="utf-8", errors="replace").splitlines()
        bad = [number for number, line in enumerate(lines) if " ERROR " in line or line.startswith("Traceback")]
        return lines[bad[0] : bad[0] + 60] if bad else []

    async def end(self, way: str) -> None:
        """End the server; it must leave with the right exit code, no process behind and no complaint in its log.

        Args:
            way: One of `WAYS_TO_END`.
        """
        process = self.client._server
        assert process is not None
        assert process.stdin is not None
        assert self.client.error is None, self.client.error
        family = {process.pid} | descendants(process.pid)
        if way == "shutdown":
            await self.client.shutdown_async(None)
        if way in ("shutdown", "exit"):
            self.client.exit(None)
        elif way == "end of input":
            process.stdin.close()
        else:
            process.send_signal(getattr(signal, way))
        code = await asyncio.wait_for(process.wait(), 60)
        await self.client.stop()
        await gone(family)
        assert not self.complaints(), "\n".join(self.complaints())
        assert code == _EXIT_CODES[way], f"exit code {code} after {way}"

    async def abandon(self) -> None:
        """Get rid of the server after a test failed; checks nothing."""
        if self.is_alive:
            os.kill(self.process_id, signal.SIGKILL)
        await asyncio.gather(self.client.stop(), return_exceptions=True)
