"""Looking at one record of a log: what is wrong with it, and how to have again what was written if one bit flipped."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Callable
from dataclasses import dataclass

from pixel_core.pixels.correct_bit import correct_bit
from pixel_core.pixels.errors import MapDamaged
from pixel_core.pixels.log_file import LogFile
from pixel_core.pixels.records import ALIGNMENT, RAW, TILE, Record, unpack_record
from pixel_core.pixels.tile_codec import decode_tile

Patch = tuple[int, bytes]


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedRecord:
    """What is known of a record.

    Attributes:
        record: Its header, corrected where that was possible; None where it cannot be read.
        problems: What is wrong, as half sentences.
        correction: What to write where; empty where that is not known, or nothing is wrong.
    """

    record: Record | None
    problems: tuple[str, ...] = ()
    correction: tuple[Patch, ...] = ()


def check_record(file: LogFile, offset: int, end: int, tile_bytes: int, *, correct: bool = True) -> CheckedRecord:
    """Look at a record, its content and its padding.

    Args:
        file: The map's file.
        offset: Of the record.
        end: Of the log.
        tile_bytes: Bytes in a tile.
        correct: Look for a flipped bit where something is wrong, which takes its time.

    Raises:
        CodecMissing: A tile is compressed, and zstandard is not installed.
    """
    header = file.read(offset, ALIGNMENT)
    record = unpack_record(header)
    problems: list[str] = []
    patches: list[Patch] = []
    if record is None:
        problems.append("the header of the record is not what was written")
        flipped = flip_back(header, unpack_record) if correct else None
        if flipped is None:
            return CheckedRecord(record=None, problems=tuple(problems))
        patches.append((offset, flipped))
        record = unpack_record(flipped)
    if record is None or offset + record.size > min(end, file.size()):
        return CheckedRecord(record=None, problems=(*problems, "the record reaches beyond the end of the log"))
    stored = file.view(offset + ALIGNMENT, record.stored_length)
    problem = _content_problem(record, stored, tile_bytes)
    if problem:
        problems.append(problem)
        corrected = _corrected(record, stored, tile_bytes) if correct else None
        if corrected is None:
            return CheckedRecord(record=record, problems=tuple(problems))
        patches.append((offset + ALIGNMENT, corrected))
    padding = offset + ALIGNMENT + record.stored_length
    length = offset + record.size - padding
    if any(file.view(padding, length)):
        problems.append("the zeros behind the record are not zero")
        patches.append((padding, bytes(length)))
    return CheckedRecord(record=record, problems=tuple(problems), correction=tuple(patches))


def flip_back(data: bytes, unpack: Callable[[bytes], object]) -> bytes | None:
    """The bytes with the one bit flipped that makes them readable; None when there is no such bit."""
    for bit in range(8 * len(data)):
        candidate = bytearray(data)
        candidate[bit // 8] ^= 1 << bit % 8
        if unpack(bytes(candidate)) is not None:
            return bytes(candidate)
    return None


def _content_problem(record: Record, stored: memoryview, tile_bytes: int) -> str:
    if record.kind == TILE:
        try:
            decode_tile(record, stored, tile_bytes)
        except MapDamaged as problem:
            return problem.what
        return ""
    is_right = zlib.crc32(stored) == record.crc32 and hashlib.sha256(stored).digest() == record.digest
    return "" if is_right and record.codec == RAW else f"commit {record.sequence:,} is not what was written"


def _corrected(record: Record, stored: memoryview, tile_bytes: int) -> bytes | None:
    """The stored bytes without the flipped bit, if one bit is all; SHA-256 proves it."""
    corrected = correct_bit(stored, record.crc32)
    return corrected if corrected is not None and not _content_problem(record, memoryview(corrected), tile_bytes) else None
