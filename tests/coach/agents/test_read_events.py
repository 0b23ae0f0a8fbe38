"""Server-sent events, cut into lines by what they are read through."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from pixel_coach.agents.read_events import read_events


@pytest.mark.parametrize(
    ("text", "events"),
    [
        (b"data: one\n\ndata: two\n\n", [b"one", b"two"]),
        (b"data:one\n\n", [b"one"]),
        (b"data: one\ndata: more\n\n", [b"one\nmore"]),
        (b": a comment\nevent: x\nid: 3\ndata: one\n\n", [b"one"]),
        (b"\n\n\ndata: one\n\n\n", [b"one"]),
        (b"data: cut off", [b"cut off"]),
        (b"error: {}\n\n", [b"{}"]),
        (b"", []),
    ],
)
async def test_events(text: bytes, events: list[bytes]) -> None:
    async def lines() -> AsyncIterator[bytes]:
        for line in text.split(b"\n"):
            yield line

    assert [event async for event in read_events(lines())] == events
