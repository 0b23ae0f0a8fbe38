"""Reading little-endian numbers and texts out of bytes that may lie about their lengths."""

from __future__ import annotations

import struct

from pixel_core.errors import ModelFileError

_U32 = struct.Struct("<I")
_U64 = struct.Struct("<Q")


class Cursor:
    """A place in the bytes of a file; nothing is read past their end.

    Args:
        data: The bytes.
        offset: Where to begin.
    """

    __slots__ = ("data", "offset")

    def __init__(self, data: memoryview, offset: int = 0) -> None:
        self.data = data
        self.offset = offset

    @property
    def left(self) -> int:
        """Bytes behind the cursor."""
        return len(self.data) - self.offset

    def skip(self, count: int, what: str) -> None:
        """Go on by some bytes.

        Raises:
            ModelFileError: The file ends before; `what` says in the middle of what.
        """
        if count > self.left:
            raise ModelFileError(
                f"the file ends in the middle of {what} ({count:,} bytes at offset {self.offset:,}, {self.left:,} are left)"
            )
        self.offset += count

    def take_u32(self, what: str) -> int:
        """A number of four bytes."""
        self.skip(4, what)
        return int(_U32.unpack_from(self.data, self.offset - 4)[0])

    def take_u64(self, what: str) -> int:
        """A number of eight bytes."""
        self.skip(8, what)
        return int(_U64.unpack_from(self.data, self.offset - 8)[0])

    def take_text(self, what: str, limit: int | None = None) -> bytes:
        """A text: its length in eight bytes, then so many bytes.

        Raises:
            ModelFileError: The file ends before, or the text is longer than the limit.
        """
        length = self.take_u64(what)
        if limit is not None and length > limit:
            raise ModelFileError(f"{what} is {length:,} bytes long; at most {limit:,} are allowed")
        self.skip(length, what)
        return bytes(self.data[self.offset - length : self.offset])

    def skip_texts(self, count: int, what: str) -> None:
        """Go over some texts."""
        # A vocabulary has a hundred thousand of them: the loop is kept free of calls.
        data, offset, end, length_at = self.data, self.offset, len(self.data), _U64.unpack_from
        for _ in range(count):
            if offset + 8 > end:
                break
            offset += 8 + length_at(data, offset)[0]
        else:
            if offset <= end:
                self.offset = offset
                return
        raise ModelFileError(f"the file ends in the middle of {what}")

    def take_texts(self, count: int) -> list[bytes]:
        """Some texts."""
        start = self.offset
        self.skip_texts(count, "texts")
        data, offset, length_at = bytes(self.data[start : self.offset]), 0, _U64.unpack_from
        texts: list[bytes] = []
        for _ in range(count):
            end = offset + 8 + length_at(data, offset)[0]
            texts.append(data[offset + 8 : end])
            offset = end
        return texts
