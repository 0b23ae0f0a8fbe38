"""The child's end of the pipe: frames on private descriptors, requests one at a time, cancellation from the side."""

from __future__ import annotations

import argparse
import faulthandler
import os
import queue
import sys
import threading
from collections.abc import Callable, Sequence
from typing import BinaryIO

import msgspec

from pixel_core.processes.frames import Envelope, FrameError, encode_frame, read_frame
from pixel_core.processes.limits import die_with_parent, limit_process

_EXIT_GRACE_S = 0.5


class Request(msgspec.Struct, frozen=True):
    """One request as the child sees it.

    Attributes:
        body: JSON.
        is_cancelled: Whether the parent has withdrawn the request; cheap, to be asked between steps.
        send_event: Tell the parent something before the reply.
    """

    body: bytes
    is_cancelled: Callable[[], bool]
    send_event: Callable[[object], None]


class Channel:
    """Frames from and to the parent."""

    def __init__(self, incoming: BinaryIO, outgoing: BinaryIO) -> None:
        self._incoming = incoming
        self._outgoing = outgoing
        self._write_lock = threading.Lock()
        self._requests: queue.SimpleQueue[Envelope | None] = queue.SimpleQueue()
        self._withdrawn: set[int] = set()

    def serve(self, answer: Callable[[Request], object]) -> None:
        """Answer requests, in order, until the parent closes its end.

        Args:
            answer: Gives the body of the reply. It must turn what goes wrong into an answer: what it raises ends the child.
        """
        threading.Thread(target=self._read, name="frames", daemon=True).start()
        while (envelope := self._requests.get()) is not None:
            number = envelope.id
            request = Request(bytes(envelope.body), lambda number=number: number in self._withdrawn, self._event_sender(number))
            reply = answer(request)
            self._send(encode_frame(number, "reply", reply))
            self._withdrawn.discard(number)

    def _event_sender(self, number: int) -> Callable[[object], None]:
        return lambda body: self._send(encode_frame(number, "event", body))

    def _send(self, frame: bytes) -> None:
        with self._write_lock:
            self._outgoing.write(frame)
            self._outgoing.flush()

    def _read(self) -> None:
        try:
            while (envelope := read_frame(self._incoming)) is not None:
                if envelope.kind == "cancel":
                    self._withdrawn.add(envelope.id)
                else:
                    # First of all: a request that ends this child at once must not be taken for one that it never read.
                    self._send(encode_frame(envelope.id, "received"))
                    self._requests.put(envelope)
        except (FrameError, OSError) as problem:
            sys.stderr.write(f"{problem}\n")
        self._requests.put(None)
        # Nobody is left to answer. A request that is stuck in native code must not keep the process.
        timer = threading.Timer(_EXIT_GRACE_S, os._exit, (0,))
        timer.daemon = True
        timer.start()


def start_child(arguments: Sequence[str]) -> Channel:
    """What every child does first, before it loads anything heavy.

    Args:
        arguments: `--parent PID --memory-bytes N`, as `launcher.launch_module` writes them.
    """
    parser = argparse.ArgumentParser(description="A child process of pixel-lsp; it is of no use alone.")
    parser.add_argument("--parent", type=int, required=True)
    parser.add_argument("--memory-bytes", type=int, default=0)
    options = parser.parse_args(arguments)
    die_with_parent(options.parent)
    limit_process(options.memory_bytes)
    faulthandler.enable()
    return open_channel()


def open_channel() -> Channel:
    """Take standard input and output for frames; whatever prints from now on, native code too, goes to standard error."""
    incoming = os.fdopen(os.dup(0), "rb")
    outgoing = os.fdopen(os.dup(1), "wb")
    with open(os.devnull, "rb") as nothing:  # noqa: PTH123 -- a descriptor, not a path
        os.dup2(nothing.fileno(), 0)
    os.dup2(2, 1)
    return Channel(incoming, outgoing)
