"""The language server on standard input and output or on a loopback socket, from the first byte to the last child process."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys
import threading
from typing import BinaryIO, Final

from pygls.io_ import StdoutWriter, run_async

from pixel_core.errors import PixelError
from pixel_server.app import PixelServer
from pixel_server.guard import is_no_refusal
from pixel_server.idle_collection import collect_when_idle

LOOPBACK: Final = frozenset({"127.0.0.1", "::1", "localhost"})

_CHUNK_BYTES: Final = 1 << 16
_PARENT_POLL_S: Final = 2.0
_GREETING_POLL_S: Final = 0.02

_SWITCH_S: Final = 0.001
"""How long the analysis of a long text may keep the interpreter from other threads; Python's own 5 ms add up on the way of an answer."""


def serve(tcp: str | None = None) -> int:
    """Serve one editor until it says `exit`, closes its end or dies. Returns the exit code.

    Args:
        tcp: `HOST:PORT` of a loopback address to wait at for one connection; None for standard input and output.

    Raises:
        PixelError: The address is not one of this machine's own.
    """
    # Messages hold the user's sources: pygls logs them at INFO.
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    for handler in logging.getLogger().handlers:
        handler.addFilter(is_no_refusal)
    address = _address(tcp) if tcp is not None else None
    try:
        asyncio.run(_serve_stdio() if address is None else _serve_tcp(*address))
    except SystemExit as end:
        return int(end.code or 0)
    return 0


async def _serve_stdio() -> None:
    # From here on standard output is the editor's: whatever prints by mistake goes to the log.
    output = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    reader = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    thread = threading.Thread(target=_pump, args=(sys.stdin.buffer, reader, loop), name="stdin", daemon=True)
    thread.start()
    pixel = PixelServer()
    pixel.server.protocol.set_writer(_Connection(StdoutWriter(output)))
    await _serve(pixel, reader)


async def _serve_tcp(host: str, port: int) -> None:
    connected: asyncio.Future[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = asyncio.get_running_loop().create_future()

    async def connect(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if connected.done():
            writer.close()
        else:
            connected.set_result((reader, writer))

    server = await asyncio.start_server(connect, host, port)
    port = server.sockets[0].getsockname()[1]
    sys.stderr.write(f"pixel-lsp: waiting for an editor at {host}:{port}\n")
    sys.stderr.flush()
    reader, writer = await connected
    server.close()
    pixel = PixelServer()
    pixel.server.protocol.set_writer(_Connection(writer))
    await _serve(pixel, reader)


async def _serve(pixel: PixelServer, reader: asyncio.StreamReader) -> None:
    """Answer messages until there are none, then end what was started."""
    task = asyncio.current_task()
    assert task is not None
    if sys.platform != "win32":
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    sys.setswitchinterval(_SWITCH_S)
    watch = asyncio.ensure_future(_end_with_editor(pixel, task))
    collection = asyncio.ensure_future(collect_when_idle())
    try:
        await run_async(
            stop_event=threading.Event(),
            reader=reader,
            protocol=pixel.server.protocol,
            # It logs what cannot be read; no user could do anything about a message.
            logger=logging.getLogger("pygls"),
        )
    except (asyncio.IncompleteReadError, asyncio.CancelledError, ValueError, OSError) as end:
        if isinstance(end, (ValueError, OSError)):
            logging.getLogger(__name__).error("the connection to the editor is lost: %s", end)
    finally:
        watch.cancel()
        collection.cancel()
        await pixel.close()


class _Connection:
    """What pygls writes to. After `exit` nobody reads, and what was under way may still have something to say: it is dropped."""

    def __init__(self, writer: StdoutWriter | asyncio.StreamWriter) -> None:
        self._writer = writer
        self._is_closed = False

    def write(self, data: bytes) -> None:
        if not self._is_closed:
            self._writer.write(data)

    def close(self) -> None:
        self._is_closed = True
        self._writer.close()


def _pump(stdin: BinaryIO, reader: asyncio.StreamReader, loop: asyncio.AbstractEventLoop) -> None:
    """Carry bytes from standard input to the loop.

    It runs in a thread of its own, for standard input may be a pipe, a file or a console; it never keeps the process alive.
    """
    descriptor = stdin.fileno()
    try:
        while True:
            data = os.read(descriptor, _CHUNK_BYTES)
            loop.call_soon_threadsafe(reader.feed_data, data) if data else loop.call_soon_threadsafe(reader.feed_eof)
            if not data:
                return
    except (OSError, RuntimeError):
        # The loop has ended.
        return


async def _end_with_editor(pixel: PixelServer, task: asyncio.Task[None]) -> None:
    """End the server when the editor's process is gone, in case its end of the pipe was inherited by somebody else."""
    # Soon after it is named: whether it is of this machine can be seen only while it lives.
    while pixel.server.process_id is None:
        await asyncio.sleep(_GREETING_POLL_S)
    process = pixel.server.process_id
    # An editor in another container has a number that means nothing here.
    if not _is_alive(process):
        return
    while _is_alive(process):
        await asyncio.sleep(_PARENT_POLL_S)
    task.cancel()


def _is_alive(process: int) -> bool:
    if sys.platform == "win32":
        return True  # os.kill would end it; there the pipe's end is what counts
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        return True
    return True


def _address(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    host = host.strip("[]")
    if host not in LOOPBACK or not port.isdecimal() or int(port) > 65535:
        raise PixelError(f"`{text}` is not an address of this machine alone", hint="name one as `127.0.0.1:9257`; port 0 takes a free one")
    return host, int(port)
