"""Looking at every byte of a map's file: what is not what was written, and where."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Final

from pixel_core.pixels import damage
from pixel_core.pixels.check_record import CheckedRecord, Patch, check_record, flip_back
from pixel_core.pixels.commit_copy import find_commit_copy
from pixel_core.pixels.damage import Damage
from pixel_core.pixels.find_states import FoundStates
from pixel_core.pixels.log_file import LogFile
from pixel_core.pixels.map_header import HEADER_BYTES, LOG_OFFSET, PAGE, SLOT_BYTES, SLOT_OFFSETS, Slot, unpack_header, unpack_slot
from pixel_core.pixels.records import ALIGNMENT, unpack_record

MAX_CORRECTIONS: Final = 10_000
"""Records of which a flipped bit is looked for; a hostile file shall not keep us for hours."""

Told = Callable[[int], None]


@dataclass(slots=True, kw_only=True)
class Needs:
    """What the states of a map need of its log.

    Attributes:
        tiles: Offset of a record to the digest that it should have.
        disputed: Offsets that should have several.
        commits: Offset of a commit's record to the states that need it.
    """

    tiles: dict[int, bytes] = field(default_factory=dict)
    disputed: set[int] = field(default_factory=set)
    commits: dict[int, list[str | None]] = field(default_factory=dict)

    @classmethod
    def of(cls, found: FoundStates) -> Needs:
        """What these states need."""
        needs = cls()
        for name in found.slots:
            for place in found.state(name).tiles.values():
                if needs.tiles.setdefault(place.offset, place.digest) != place.digest:
                    needs.disputed.add(place.offset)
        for name, offsets in found.commits.items():
            for offset in offsets:
                needs.commits.setdefault(offset, []).append(name)
        return needs


def verify_front(file: LogFile) -> Iterator[Damage]:
    """What is damaged in the three pages in front of the log."""
    pieces: tuple[tuple[int, int, str, str, Callable[[bytes], object]], ...] = (
        (0, HEADER_BYTES, damage.HEADER, "the header", unpack_header),
        *((offset, SLOT_BYTES, damage.SLOT, f"slot {number}", unpack_slot) for number, offset in enumerate(SLOT_OFFSETS)),
    )
    for offset, length, kind, name, unpack in pieces:
        page = file.read(offset, PAGE)
        if unpack(page[:length]) is None:
            flipped = flip_back(page[:length], unpack)
            correction = ((offset, flipped),) if flipped else ()
            yield Damage(kind=kind, what=f"{name} is not what was written", offset=offset, length=length, correction=correction)
        if any(page[length:]):
            zeros = bytes(len(page) - length)
            what = f"the zeros behind {name} are not zero"
            yield Damage(kind=kind, what=what, offset=offset + length, length=len(zeros), correction=((offset + length, zeros),))


def verify_log(file: LogFile, slot: Slot, needs: Needs, tile_bytes: int, told: Told | None = None) -> Iterator[Damage]:
    """What is damaged in the log, record by record, up to the end that a slot names.

    Args:
        file: The map's file.
        slot: Of its newest commit.
        needs: What the states need.
        tile_bytes: Bytes in a tile.
        told: Is called with the bytes of each record that was looked at.

    Raises:
        CodecMissing: A tile is compressed, and zstandard is not installed.
    """
    known = sorted({*needs.tiles, *needs.commits}, reverse=True)
    corrections_left = MAX_CORRECTIONS
    offset = LOG_OFFSET
    while offset < slot.end:
        while known and known[-1] < offset:
            yield _damage(needs, known.pop(), ALIGNMENT, "there is no record where the map names one", ())
        if known and known[-1] == offset:
            known.pop()
        checked = check_record(file, offset, slot.end, tile_bytes, correct=corrections_left > 0)
        if checked.problems and not checked.correction and offset in needs.commits:
            checked = _with_copy(file, offset, slot.end, checked)
        # Behind a header that cannot be read goes on what the map names next.
        end = offset + checked.record.size if checked.record else known[-1] if known else slot.end
        problems, correction = checked.problems, checked.correction
        if checked.record and (offset in needs.disputed or needs.tiles.get(offset, checked.record.digest) != checked.record.digest):
            problems, correction = (*problems, "it is not the tile that the map names"), ()
        if problems:
            corrections_left -= 1
            yield _damage(needs, offset, end - offset, "; ".join(problems), correction)
        if told:
            told(end - offset)
        offset = end
    for missing in known:
        yield _damage(needs, missing, ALIGNMENT, "there is no record where the map names one", ())


def _with_copy(file: LogFile, offset: int, end: int, checked: CheckedRecord) -> CheckedRecord:
    copy = find_commit_copy(file, offset, end)
    if copy is None:
        return checked
    return CheckedRecord(record=unpack_record(copy[1][:ALIGNMENT]), problems=checked.problems, correction=(copy,))


def _damage(needs: Needs, offset: int, length: int, what: str, correction: tuple[Patch, ...]) -> Damage:
    lost = tuple(needs.commits.get(offset, ()))
    kind = damage.TILE if offset in needs.tiles else damage.COMMIT if lost else damage.UNUSED
    return Damage(kind=kind, what=what, offset=offset, length=length, lost=lost, correction=correction)
