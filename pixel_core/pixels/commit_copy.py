"""The second copy of a commit that holds a whole state: its loss would take all names with it, and it is small beside the tiles."""

from __future__ import annotations

import hashlib
import zlib
from dataclasses import replace

from pixel_core.pixels.check_record import Patch
from pixel_core.pixels.log_file import LogFile
from pixel_core.pixels.records import ALIGNMENT, COMMIT, COPY, unpack_record


def find_commit_copy(file: LogFile, offset: int, end: int) -> Patch | None:
    """What to write over a damaged commit: its copy, which stands right behind it; None where there is none.

    Args:
        file: The map's file.
        offset: Of the damaged record.
        end: Of the log.
    """
    record = unpack_record(file.read(offset, ALIGNMENT))
    places = range(offset + ALIGNMENT, end, ALIGNMENT) if record is None else (offset + record.size,)
    for place in places:
        copy = unpack_record(file.read(place, ALIGNMENT))
        # As long as what it is a copy of, so it can be no other.
        if copy is not None and copy.kind == COPY and copy.size == place - offset and place + copy.size <= end:
            stored = file.read(place + ALIGNMENT, copy.stored_length)
            if zlib.crc32(stored) == copy.crc32 and hashlib.sha256(stored).digest() == copy.digest:
                return offset, replace(copy, kind=COMMIT).pack() + stored + bytes(copy.size - ALIGNMENT - len(stored))
            return None
    return None
