from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pixel_core.processes.frames import MAX_FRAME_BYTES, FrameDecoder, FrameError, encode_frame, read_frame


def test_a_frame_is_a_length_and_json() -> None:
    assert encode_frame(7, "request", {"a": 1}) == b'\x00\x00\x00\x2a{"id":7,"kind":"request","body":{"a":1}}'.replace(b"\x2a", bytes([40]))


@given(st.lists(st.text(max_size=40), max_size=8), st.integers(1, 50))
def test_any_portions_give_the_same_messages(texts: list[str], portion: int) -> None:
    data = b"".join(encode_frame(number, "event", text) for number, text in enumerate(texts))
    decoder = FrameDecoder()
    received = [envelope for start in range(0, len(data), portion) for envelope in decoder.feed(data[start : start + portion])]
    assert [envelope.id for envelope in received] == list(range(len(texts)))
    stream = io.BytesIO(data)
    assert [read_frame(stream) for _ in texts] == received
    assert read_frame(stream) is None


def check_refused(data: bytes, message: str) -> None:
    with pytest.raises(FrameError, match=message):
        FrameDecoder().feed(data)
    with pytest.raises(FrameError, match=message):
        read_frame(io.BytesIO(data))


def test_refuses_a_length_above_the_cap() -> None:
    check_refused((MAX_FRAME_BYTES + 1).to_bytes(4, "big") + b"{}", "announces 67,108,865 bytes")


def test_refuses_what_is_no_envelope() -> None:
    check_refused(b"\x00\x00\x00\x02{}", "holds no message: Object missing required field `id`")
    check_refused(b"\x00\x00\x00\x01\xff", "holds no message")
    check_refused(b"\x00\x00\xc3\x50" + b"[" * 50_000, "holds no message")
    check_refused(b'\x00\x00\x00\x18{"id":1,"kind":"unheard"}'.replace(b"\x18", bytes([25])), "Invalid enum value 'unheard'")


def test_refuses_to_send_more_than_the_cap() -> None:
    with pytest.raises(FrameError, match="a message of 67,108,"):
        encode_frame(1, "request", "x" * MAX_FRAME_BYTES)


def test_a_cut_stream_is_an_error() -> None:
    frame = encode_frame(1, "reply")
    with pytest.raises(FrameError, match="inside the length"):
        read_frame(io.BytesIO(frame[:3]))
    with pytest.raises(FrameError, match="ended after 5 of 35 bytes"):
        read_frame(io.BytesIO(frame[:9]))
