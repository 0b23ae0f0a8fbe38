"""Reads server-sent events: the frames in which Gemini and OpenAI-style services stream.

Format: https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation, without ids and retries.
"""

from __future__ import annotations

from collections.abc import AsyncIterator


async def read_events(lines: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """The data of each event.

    Args:
        lines: Of the body, without line ends.

    Yields:
        The `data` lines of one event, joined by line feeds. A last event that no blank line ends is given too: whether the
        stream is whole, its own messages say. `error` lines, which llama.cpp once sent, count as data.
    """
    data: list[bytes] = []
    async for line in lines:
        if not line:
            if data:
                yield b"\n".join(data)
                data.clear()
            continue
        name, _, value = line.partition(b":")
        if name in {b"data", b"error"}:
            data.append(value.removeprefix(b" "))
    if data:
        yield b"\n".join(data)
