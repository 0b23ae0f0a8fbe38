"""Ends a reply where one of some texts begins in it, whatever pieces it comes in."""

from __future__ import annotations

from collections.abc import Sequence


class StopTexts:
    """Passes text on, and keeps back what may turn out to begin a stop text.

    Args:
        texts: The stop texts; empty ones count as none.
    """

    def __init__(self, texts: Sequence[str]) -> None:
        self._texts = tuple(text for text in texts if text)
        self._held = ""
        self.is_found = False

    def push(self, piece: str) -> str:
        """Take the next piece; give what can be shown. Nothing more is shown once a stop text was found."""
        if self.is_found:
            return ""
        text = self._held + piece
        found = [at for at in (text.find(stop) for stop in self._texts) if at >= 0]
        if found:
            self.is_found = True
            self._held = ""
            return text[: min(found)]
        held = max((_overlap(text, stop) for stop in self._texts), default=0)
        self._held = text[len(text) - held :]
        return text[: len(text) - held]

    def finish(self) -> str:
        """What was kept back and is no stop text after all."""
        held, self._held = self._held, ""
        return held


def _overlap(text: str, stop: str) -> int:
    """Length of the longest end of the text that begins a stop text."""
    longest = min(len(text), len(stop) - 1)
    return next((length for length in range(longest, 0, -1) if text.endswith(stop[:length])), 0)
