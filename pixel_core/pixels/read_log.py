"""From a map's file to its newest state: the slots, the commit that they name, and what that one is based on."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Final

from pixel_core.pixels.commits import MAX_COMMIT_BYTES, Commit, Place, decode_commit
from pixel_core.pixels.errors import MapDamaged, MapError
from pixel_core.pixels.log_file import LogFile
from pixel_core.pixels.map_header import (
    HEADER_BYTES,
    LOG_OFFSET,
    SLOT_BYTES,
    SLOT_OFFSETS,
    TILE_SIDES,
    VERSION,
    MapHeader,
    Slot,
    unpack_header,
    unpack_slot,
)
from pixel_core.pixels.records import ALIGNMENT, COMMIT, COPY, RAW, TILE, Record, unpack_record

MAX_CHAIN: Final = 1024
"""Commits that are based on one another; the next one holds the whole state."""


@dataclass(slots=True, kw_only=True)
class State:
    """All tiles and attributes after a commit.

    Attributes:
        slot: Which commit.
        time: Of the commit, milliseconds since 1970.
        tiles: Morton code to place.
        attributes: Name to value.
        chain: Number of commits that it was read from.
        full_bytes: Of the commit at the bottom, which holds a whole state.
        later_bytes: Of those on top of it.
    """

    slot: Slot
    time: int
    tiles: dict[int, Place] = field(default_factory=dict)
    attributes: dict[str, bytes] = field(default_factory=dict)
    chain: int = 1
    full_bytes: int = 0
    later_bytes: int = 0


def read_header(file: LogFile) -> MapHeader:
    """The header.

    Raises:
        MapError: The file is no map, or one of a later version.
        MapDamaged: The header is damaged.
    """
    header = unpack_header(file.read(0, HEADER_BYTES))
    if header is None:
        if file.size() < LOG_OFFSET or not any(read_slots(file)):
            raise MapError(f"`{file.path}` is no map", hint="make one: pixel-lsp fs init MAP")
        raise MapDamaged("its first page is not what was written")
    if header.version != VERSION:
        raise MapError(
            f"`{file.path}` is a map of version {header.version}, and this pixel-lsp reads version {VERSION}", hint="update pixel-lsp"
        )
    if header.tile_side not in TILE_SIDES:
        raise MapDamaged(f"its tiles would be {header.tile_side:,} texels wide")
    return header


def read_slots(file: LogFile) -> tuple[Slot | None, ...]:
    """Both slots, None where one is damaged."""
    return tuple(unpack_slot(file.read(offset, SLOT_BYTES)) for offset in SLOT_OFFSETS)


def newest_slot(file: LogFile) -> Slot:
    """The slot of the newest commit.

    A slot that cannot be read was damaged later, or torn while it was written; then the commit is complete in the log, since the disk had
    that before the slot was touched, and it is found behind the end that the other slot names.

    Raises:
        MapDamaged: Neither slot can be read.
    """
    slots = read_slots(file)
    readable = [slot for slot in slots if slot is not None]
    if not readable:
        raise MapDamaged("neither of its slots can be read")
    newest = max(readable, key=lambda slot: slot.sequence)
    if len(readable) < len(slots):
        for slot in commits_behind(file, newest):
            newest = slot
    if not LOG_OFFSET <= newest.offset < newest.end <= file.size():
        raise MapDamaged(f"it ends before its last commit, which reaches to byte {newest.end:,}")
    return newest


def commits_behind(file: LogFile, slot: Slot) -> Iterator[Slot]:
    """The complete commits that follow a slot's one in the log without a gap."""
    offset, size = slot.end, file.size()
    while offset + ALIGNMENT <= size:
        record = unpack_record(file.read(offset, ALIGNMENT))
        if record is None or offset + record.size > size:
            return
        is_copy = record.kind == COPY and record.sequence == slot.sequence
        if record.sequence <= slot.sequence and not is_copy:
            return
        # A tile is checked when it is read; were it checked here, one damaged tile would hide a whole commit.
        if record.kind != TILE and zlib.crc32(file.read(offset + ALIGNMENT, record.stored_length)) != record.crc32:
            return
        if is_copy:
            slot = replace(slot, end=offset + record.size)
            yield slot
        elif record.kind == COMMIT:
            slot = Slot(sequence=record.sequence, offset=offset, end=offset + record.size, digest=record.digest)
            yield slot
        offset += record.size


def read_record(file: LogFile, offset: int, end: int) -> tuple[Record, memoryview]:
    """A committed record and its stored bytes, which are not checked yet.

    Raises:
        MapDamaged: There is none, or it reaches beyond `end`.
    """
    try:
        record = unpack_record(file.view(offset, ALIGNMENT)) if offset + ALIGNMENT <= end else None
        if record is None or offset + record.size > end:
            raise MapDamaged(f"there is no record at offset {offset:,}")
        return record, file.view(offset + ALIGNMENT, record.stored_length)
    except EOFError:
        raise MapDamaged(f"it ends before the record at offset {offset:,}") from None


def read_commit(file: LogFile, offset: int, end: int) -> tuple[Record, Commit]:
    """A commit, checked.

    Raises:
        MapDamaged: It is not what was written.
    """
    record, stored = read_record(file, offset, end)
    if record.kind != COMMIT or record.codec != RAW or not record.stored_length == record.content_length <= MAX_COMMIT_BYTES:
        raise MapDamaged(f"the record at offset {offset:,} is no commit")
    if zlib.crc32(stored) != record.crc32 or hashlib.sha256(stored).digest() != record.digest:
        raise MapDamaged(f"commit {record.sequence:,} is not what was written")
    return record, decode_commit(stored, offset)


def read_state(file: LogFile, slot: Slot) -> State:
    """The state after a commit.

    Commits lie behind what they are based on and do not overlap, so the work is bounded by the length of the file.

    Raises:
        MapDamaged: It cannot be read.
    """
    commits: list[Commit] = []
    sizes: list[int] = []
    offset, end, sequence = slot.offset, slot.end, slot.sequence
    while True:
        record, commit = read_commit(file, offset, end)
        if record.sequence != sequence if not commits else record.sequence >= sequence:
            raise MapDamaged(f"the commit at offset {offset:,} has the wrong number")
        commits.append(commit)
        sizes.append(record.stored_length)
        if commit.base == 0:
            break
        if not LOG_OFFSET <= commit.base < offset or commit.base % ALIGNMENT or len(commits) >= MAX_CHAIN:
            raise MapDamaged(f"the commit at offset {offset:,} is based on what cannot be")
        end, offset, sequence = offset, commit.base, record.sequence
    state = State(slot=slot, time=commits[0].time, chain=len(commits), full_bytes=sizes[-1], later_bytes=sum(sizes[:-1]))
    for commit in reversed(commits):
        apply_commit(commit, state)
    return state


def apply_commit(commit: Commit, state: State) -> None:
    """Change a state as a commit says."""
    for code, place in commit.changes.tiles.items():
        if place is None:
            state.tiles.pop(code, None)
        else:
            state.tiles[code] = place
    for name, value in commit.changes.attributes.items():
        if value is None:
            state.attributes.pop(name, None)
        else:
            state.attributes[name] = value
