"""The coach as a child of the language server: the command line's own `coach`, which ends when the server does.

Its standard input is a pipe that the server holds and never writes to. When the server is gone, however it went, the pipe ends, and the
coach gives its task back as after SIGTERM. On Windows, which has no such signal, the server closes the pipe to stop a run.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Sequence

from pixel_server.cli import main as run_command_line


def main(arguments: Sequence[str]) -> int:
    """Run `pixel-lsp coach` with some arguments, and return its exit code."""
    held = os.dup(0)
    with open(os.devnull, "rb") as nothing:  # noqa: PTH123 - a descriptor, not a path
        # No process that the coach starts may hold the pipe, or it would not end.
        os.dup2(nothing.fileno(), 0)
    threading.Thread(target=_stop_with_server, args=(held,), name="server", daemon=True).start()
    return run_command_line(("coach", *arguments))


def _stop_with_server(held: int) -> None:
    while os.read(held, 4096):
        pass
    signal.raise_signal(signal.SIGINT if sys.platform == "win32" else signal.SIGTERM)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
