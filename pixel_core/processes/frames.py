"""Messages between a parent and its child: a length of four bytes (big endian), then that many bytes of JSON.

One message is an `Envelope`. The parent sends `request` and `cancel`; the child sends `received` as soon as it has read a request, any
number of `event`, and one `reply`, all with the request's id.
"""

from __future__ import annotations

from typing import BinaryIO, Literal

import msgspec

MAX_FRAME_BYTES = 1 << 26
"""64 MiB: far above any shader or report, far below what would exhaust a machine. Arrays travel as files."""

_LENGTH_BYTES = 4


FrameKind = Literal["request", "cancel", "received", "event", "reply"]


class FrameError(Exception):
    """The other side does not speak this protocol: a length above the cap, a cut frame, or text that is no envelope."""


class Envelope(msgspec.Struct, frozen=True, kw_only=True):
    """One message.

    Attributes:
        id: Number of the request that this belongs to.
        kind: What the message is.
        body: The payload, still JSON: each side decodes it to the type it expects.
    """

    id: int
    kind: FrameKind
    body: msgspec.Raw = msgspec.Raw(b"null")


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Envelope).decode


def encode_frame(number: int, kind: FrameKind, body: object = None) -> bytes:
    """One message as the bytes that go over the pipe.

    Raises:
        FrameError: The message is longer than a frame may be.
    """
    data = _encode(Envelope(id=number, kind=kind, body=msgspec.Raw(_encode(body))))
    if len(data) > MAX_FRAME_BYTES:
        raise FrameError(f"a message of {len(data):,} bytes is longer than the {MAX_FRAME_BYTES:,} a frame may hold")
    return len(data).to_bytes(_LENGTH_BYTES, "big") + data


class FrameDecoder:
    """Bytes in any portions to envelopes."""

    def __init__(self) -> None:
        self._pending = bytearray()

    def feed(self, data: bytes) -> list[Envelope]:
        """Take the next bytes; give the messages they complete.

        Raises:
            FrameError: The bytes are no frames of this protocol. The decoder is of no use afterwards.
        """
        self._pending += data
        complete: list[Envelope] = []
        start = 0
        while len(self._pending) - start >= _LENGTH_BYTES:
            length = _checked_length(self._pending[start : start + _LENGTH_BYTES])
            end = start + _LENGTH_BYTES + length
            if len(self._pending) < end:
                break
            complete.append(_envelope(bytes(self._pending[start + _LENGTH_BYTES : end])))
            start = end
        del self._pending[:start]
        return complete


def read_frame(stream: BinaryIO) -> Envelope | None:
    """Wait for the next message of a stream; None at its end.

    Raises:
        FrameError: What came is no frame, or was cut short.
    """
    head = stream.read(_LENGTH_BYTES)
    if not head:
        return None
    if len(head) < _LENGTH_BYTES:
        raise FrameError("the stream ended inside the length of a frame")
    length = _checked_length(head)
    data = stream.read(length)
    if len(data) < length:
        raise FrameError(f"the stream ended after {len(data):,} of {length:,} bytes of a frame")
    return _envelope(data)


def _checked_length(head: bytes | bytearray) -> int:
    length = int.from_bytes(head, "big")
    if length > MAX_FRAME_BYTES:
        raise FrameError(f"a frame announces {length:,} bytes, more than the {MAX_FRAME_BYTES:,} it may hold")
    return length


def _envelope(data: bytes) -> Envelope:
    try:
        return _decode(data)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as problem:
        raise FrameError(f"a frame holds no message: {problem}") from problem
