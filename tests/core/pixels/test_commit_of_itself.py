from __future__ import annotations

import random
from pathlib import Path

from map_testing.flip_bits import make_files
from map_testing.hostile_maps import records_of
from pixel_core.pixels.map_header import SLOT_BYTES, SLOT_OFFSETS, Slot
from pixel_core.pixels.records import ALIGNMENT, COMMIT, commit_record
from pixel_core.pixels.verify_map import verify_map


def test_a_commit_that_is_based_on_itself_is_read_once(tmp_path: Path) -> None:
    """`partial_state` went on reading it until the memory was full."""
    path = tmp_path / "itself.map"
    make_files(path, random.Random(7), 3)
    data = bytearray(path.read_bytes())
    offset, record = [place for place in records_of(bytes(data)) if place[1].kind == COMMIT][-1]
    content = bytearray(data[offset + ALIGNMENT : offset + ALIGNMENT + record.stored_length])
    content[:8] = offset.to_bytes(8, "little")
    new = commit_record(bytes(content), record.sequence)
    data[offset:] = new.pack() + content
    data += bytes(offset + new.size - len(data))
    slot = Slot(sequence=record.sequence, offset=offset, end=len(data), digest=new.digest)
    for at in SLOT_OFFSETS:
        data[at : at + SLOT_BYTES] = slot.pack()
    path.write_bytes(data)
    (problem,) = verify_map(path).problems.values()
    assert problem.startswith(f"the commit at offset {offset:,} is based on what cannot be")
