"""Tokens to text while they come: a character is given when its last byte is there, never a part of it."""

from __future__ import annotations

import codecs
from collections.abc import Callable


class TextStream:
    """The text of one reply.

    Args:
        bytes_of: What a token stands for, in UTF-8, perhaps a part of a character.
    """

    def __init__(self, bytes_of: Callable[[int], bytes]) -> None:
        self._bytes_of = bytes_of
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")

    def push(self, token: int) -> str:
        """Take a token; give the characters that are whole by now. Bytes that can be no UTF-8 become U+FFFD."""
        return self._decoder.decode(self._bytes_of(token))

    def finish(self) -> str:
        """What a character that never became whole turns into: U+FFFD, or nothing."""
        return self._decoder.decode(b"", final=True)
