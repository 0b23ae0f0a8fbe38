"""Looking at every byte of a map's file: what is not what was written, where that is, and how to have it again if one bit flipped."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from pixel_core.pixels import damage
from pixel_core.pixels.correct_bit import correct_bit
from pixel_core.pixels.damage import Damage, TileUse
from pixel_core.pixels.errors import CodecMissing, MapDamaged
from pixel_core.pixels.log_file import LogFile
from pixel_core.pixels.map_header import (
    HEADER_BYTES,
    LOG_OFFSET,
    PAGE,
    SLOT_BYTES,
    SLOT_OFFSETS,
    Slot,
    unpack_header,
    unpack_slot,
)
from pixel_core.pixels.read_log import State, read_commit
from pixel_core.pixels.records import ALIGNMENT, COMMIT, RAW, Record, unpack_record
from pixel_core.pixels.tile_codec import decode_tile

Told = Callable[[int], None]


@dataclass(slots=True, kw_only=True)
class Uses:
    """What the states of a map need of its log.

    Attributes:
        tiles: Offset of a record to the digests it should have and where it is used.
        commits: Offset of a commit's record to the states that need it.
    """

    tiles: dict[int, list[tuple[bytes, TileUse]]] = field(default_factory=dict)
    commits: dict[int, list[str | None]] = field(default_factory=dict)

    def add(self, name: str | None, state: State, commits: list[int]) -> None:
        """Count what a state needs."""
        for code, place in state.tiles.items():
            self.tiles.setdefault(place.offset, []).append((place.digest, TileUse(code=code, snapshot=name)))
        for offset in commits:
            self.commits.setdefault(offset, []).append(name)


def verify_front(file: LogFile) -> Iterator[Damage]:
    """What is damaged in the three pages in front of the log."""
    checks: tuple[tuple[int, int, str, str, Callable[[bytes], object]], ...] = (
        (0, HEADER_BYTES, damage.HEADER, "the header", unpack_header),
        *((offset, SLOT_BYTES, damage.SLOT, f"slot {number}", unpack_slot) for number, offset in enumerate(SLOT_OFFSETS)),
    )
    for offset, length, kind, name, unpack in checks:
        page = file.read(offset, PAGE)
        if unpack(page[:length]) is None:
            corrected = _flipped(page[:length], unpack)
            yield Damage(
                kind=kind,
                what=f"{name} is not what was written",
                offset=offset,
                length=length,
                correction=((offset, corrected),) if corrected else (),
            )
        if any(page[length:]):
            rest = len(page) - length
            yield Damage(
                kind=kind,
                what=f"the zeros behind {name} are not zero",
                offset=offset + length,
                length=rest,
                correction=((offset + length, bytes(rest)),),
            )


def verify_log(file: LogFile, slot: Slot, uses: Uses, tile_bytes: int, told: Told | None = None) -> Iterator[Damage]:
    """What is damaged in the log, record by record, up to the end that a slot names.

    Args:
        file: The map's file.
        slot: Of its newest commit.
        uses: What the states need.
        tile_bytes: Bytes in a tile.
        told: Is called with the length of each record that was looked at.

    Raises:
        CodecMissing: A tile is compressed, and zstandard is not installed.
    """
    known = sorted({*uses.tiles, *uses.commits})
    seen: set[int] = set()
    offset, next_known = LOG_OFFSET, 0
    while offset < slot.end:
        while next_known < len(known) and known[next_known] <= offset:
            next_known += 1
        header = file.read(offset, ALIGNMENT)
        record = unpack_record(header)
        corrections: list[tuple[int, bytes]] = []
        problems: list[str] = []
        if record is None:
            corrected = _flipped(header, unpack_record)
            if corrected is None:
                end = known[next_known] if next_known < len(known) else slot.end
                yield _damage(uses, offset, end - offset, "the header of the record is not what was written", ())
                seen.add(offset)
                if told:
                    told(end - offset)
                offset = end
                continue
            record = unpack_record(corrected)
            assert record is not None
            corrections.append((offset, corrected))
            problems.append("the header of the record is not what was written")
        end = offset + record.size
        if end > slot.end:
            yield _damage(uses, offset, slot.end - offset, "the record reaches beyond the end of the log", ())
            return
        stored = file.view(offset + ALIGNMENT, record.stored_length)
        problem = _content_problem(record, stored, tile_bytes)
        if problem:
            problems.append(problem)
            corrected = _corrected_content(record, stored, tile_bytes)
            corrections = [*corrections, (offset + ALIGNMENT, corrected)] if corrected else []
        padding = file.view(offset + ALIGNMENT + record.stored_length, record.size - ALIGNMENT - record.stored_length)
        if any(padding):
            problems.append("the zeros behind it are not zero")
            if corrections or not problem:
                corrections.append((end - len(padding), bytes(len(padding))))
        if any(digest != record.digest for digest, _ in uses.tiles.get(offset, ())):
            problems.append("it is another tile than the one that the map names")
            corrections = []
        if problems:
            yield _damage(uses, offset, record.size, "; ".join(problems), tuple(corrections))
        seen.add(offset)
        if told:
            told(record.size)
        offset = end
    for missing in sorted({*uses.tiles, *uses.commits} - seen):
        yield _damage(uses, missing, ALIGNMENT, "there is no record where the map names one", ())


def commit_offsets(file: LogFile, slot: Slot) -> list[int]:
    """The offsets of the commits that the state of a slot is made of, the newest first, as far as they can be read."""
    found: list[int] = []
    offset, end = slot.offset, slot.end
    while offset and (not found or offset < found[-1]):
        found.append(offset)
        try:
            _, commit = read_commit(file, offset, end)
        except MapDamaged:
            break
        offset, end = commit.base, offset
    return found


def _damage(uses: Uses, offset: int, length: int, what: str, correction: tuple[tuple[int, bytes], ...]) -> Damage:
    used = tuple(use for _, use in uses.tiles.get(offset, ()))
    lost = tuple(uses.commits.get(offset, ()))
    kind = damage.TILE if used else damage.COMMIT if lost else damage.UNUSED
    return Damage(kind=kind, what=what, offset=offset, length=length, uses=used, lost=lost, correction=correction)


def _content_problem(record: Record, stored: memoryview, tile_bytes: int) -> str:
    if record.kind != COMMIT:
        try:
            decode_tile(record, stored, tile_bytes)
        except MapDamaged as problem:
            return problem.what
        return ""
    is_right = zlib.crc32(stored) == record.crc32 and hashlib.sha256(stored).digest() == record.digest
    return "" if is_right and record.codec == RAW else f"commit {record.sequence:,} is not what was written"


def _corrected_content(record: Record, stored: memoryview, tile_bytes: int) -> bytes | None:
    """The stored bytes without the flipped bit, if one bit is all; SHA-256 proves it."""
    corrected = correct_bit(stored, record.crc32)
    return corrected if corrected is not None and not _content_problem(record, memoryview(corrected), tile_bytes) else None


def _flipped(data: bytes, unpack: Callable[[bytes], object]) -> bytes | None:
    """The bytes with the one bit flipped that makes them readable; None when there is no such bit."""
    for bit in range(8 * len(data)):
        candidate = bytearray(data)
        candidate[bit // 8] ^= 1 << bit % 8
        if unpack(bytes(candidate)) is not None:
            return bytes(candidate)
    return None
