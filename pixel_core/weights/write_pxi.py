"""GGUF → PXI, a tile at a time: in bounded memory, going on where an earlier run was killed, and verified before it is called done."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np

from pixel_core.errors import ModelFileError
from pixel_core.weights.compress import compressor
from pixel_core.weights.conversion import Conversion, OnProgress, Step, keep_silent, read_from
from pixel_core.weights.gguf import GgufHeader, open_gguf
from pixel_core.weights.partial_file import exists_already, open_partial, partial_path, publish
from pixel_core.weights.plan_pxi import PxiPlan, plan_pxi
from pixel_core.weights.pxi import open_pxi
from pixel_core.weights.pxi_records import (
    FLAG_COMPRESSED,
    GAP,
    MAX_GAP_BYTES,
    PAGE,
    PARTIAL_MAGIC,
    RAW,
    SECTIONS,
    TILE,
    VERSION,
    ZSTD,
    Plane,
    PxiHeader,
    Section,
    TensorPlace,
    Tile,
    encode_planes,
    encode_tensors,
    on_page,
)
from pixel_core.weights.read_rows import ReadBytes
from pixel_core.weights.rebuild_gguf import rebuild_gguf
from pixel_core.weights.texel_formats import TEXEL_BYTES, pack_rows, plane_sizes, source_range

WORTH_IT = 0.9
"""A plane is compressed where its first tile shrinks to less than that."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Job:
    """All that is known before the first tile.

    Attributes:
        header: Of the GGUF.
        plan: Of the PXI.
        sections: Bytes of all sections; those of `tiles` are zeros.
        compress: What compresses a tile; None leaves all as they are.
        on_progress: Told of every tile.
    """

    header: GgufHeader
    plan: PxiPlan
    sections: Mapping[str, bytes]
    compress: Callable[[bytes | memoryview], bytes] | None
    on_progress: OnProgress

    def offset(self, name: str) -> int:
        """Where a section begins, or `data`."""
        position = PAGE
        for one, data in self.sections.items():
            if one == name:
                break
            position = on_page(position + len(data))
        return position

    def head(self) -> bytes:
        """Everything in front of the data, as it stands while tiles are being written: page 0 says which conversion this is."""
        body = b"".join(data.ljust(on_page(len(data)), b"\0") for data in self.sections.values())
        flags = FLAG_COMPRESSED if self.compress else 0
        page = PARTIAL_MAGIC + bytes((VERSION, flags)) + hashlib.sha256(self.header.file_bytes.to_bytes(8, "little") + body).digest()
        return page.ljust(PAGE, b"\0") + body


def write_pxi(
    source: Path, target: Path, *, compress: bool = False, replace: bool = False, on_progress: OnProgress = keep_silent
) -> Conversion:
    """Make the PXI of a GGUF.

    Args:
        source: The GGUF.
        target: Where the PXI goes; while it is made, `target.partial` lies beside it.
        compress: Compress planes that shrink by a tenth or more; the others can still be mapped.
        replace: Overwrite another file at `target`.
        on_progress: Told of every tile.

    Raises:
        ModelFileError: The source cannot be used, the target is something else, or what was written does not give the source back.
        OSError: A file cannot be read or written.
    """
    with open_gguf(source) as gguf, source.open("rb") as source_file:
        read = read_from(source_file)
        header = gguf.header
        plan = plan_pxi(header)
        sections = {
            "metadata": bytes(read(0, header.metadata_bytes)),
            "tensors": encode_tensors(plan.places),
            "planes": encode_planes([plane for _, plane in plan.planes]),
            "tiles": bytes(plan.tile_count * TILE.size),
            "gaps": _encode_gaps(read, header),
        }
        packer = compressor() if compress else None
        job = _Job(header=header, plan=plan, sections=sections, compress=packer, on_progress=on_progress)
        if target.exists() and not replace:
            return _as_it_is(job, source, target, source_file)
        with open_partial(target) as file:
            try:
                tiles, resumed = _write_tiles(job, read, file)
                digest = _verify(job, tiles, file, source_file)
                if digest is None and resumed:
                    # What an earlier run left came from other data under the same header.
                    file.truncate(0)
                    tiles, resumed = _write_tiles(job, read, file)
                    digest = _verify(job, tiles, file, source_file)
                if digest is None:
                    raise ModelFileError(f"{source} changed while it was read; run it again")
            except ModelFileError:
                partial_path(target).unlink(missing_ok=True)
                raise
            length = _write_header(job, tiles, digest, file)
            publish(target, replace=replace)
    return Conversion(
        source=source,
        target=target,
        source_bytes=header.file_bytes,
        target_bytes=length,
        gguf_sha256=digest.hex(),
        tensors=len(header.tensors),
        resumed_bytes=resumed,
    )


def _as_it_is(job: _Job, source: Path, target: Path, source_file: BinaryIO) -> Conversion:
    """The target is there: it is what would be made, or something else."""
    try:
        with open_pxi(target) as there:
            header = there.header
    except ModelFileError:
        raise exists_already(target) from None
    if header.gguf_bytes != job.header.file_bytes or header.gguf_sha256 != _digest(job, source_file):
        raise exists_already(target)
    return Conversion(
        source=source,
        target=target,
        source_bytes=job.header.file_bytes,
        target_bytes=header.file_bytes,
        gguf_sha256=header.gguf_sha256.hex(),
        tensors=header.tensor_count,
        was_there=True,
    )


def _digest(job: _Job, source_file: BinaryIO) -> bytes:
    digest, done = hashlib.sha256(), 0
    source_file.seek(0)
    while piece := source_file.read(1 << 20):
        digest.update(piece)
        done += len(piece)
        job.on_progress(Step(stage="looking at what is there", what="", done=done, total=job.header.file_bytes))
    return digest.digest()


def _encode_gaps(read: ReadBytes, header: GgufHeader) -> bytes:
    """What stands between tensors and is not zeros."""
    position, found, total = header.header_bytes, bytearray(), 0
    ends = [(header.offsets[name], tensor.byte_count) for name, tensor in header.tensors.items()]
    for offset, length in [*sorted(ends), (header.file_bytes, 0)]:
        size = offset - position
        total += size
        if total > MAX_GAP_BYTES:
            raise ModelFileError(f"more than {MAX_GAP_BYTES:,} bytes of the GGUF belong to no tensor")
        gap = read(position, size)
        if any(gap):
            found += GAP.pack(position, size) + gap
        position = offset + length
    return bytes(found)


def _write_tiles(job: _Job, read: ReadBytes, file: BinaryIO) -> tuple[list[Tile], int]:
    """Write what is missing. Returns all tiles, and how many bytes of them an earlier run had written."""
    tiles = _tiles_there(job, file)
    position = job.offset("data")
    resumed = 0
    total = sum(plane.byte_count for _, plane in job.plan.planes)
    done = 0
    if tiles:
        position = on_page(tiles[-1].offset + tiles[-1].stored_bytes)
        resumed = position - job.offset("data")
    else:
        file.truncate(0)
        file.seek(0)
        file.write(job.head())
    for place, plane in job.plan.planes:
        first_tile = tiles[plane.first_tile] if plane.first_tile < len(tiles) else None
        packer = job.compress if first_tile is None or first_tile.codec == ZSTD else None
        for index in range(plane.tile_count):
            first, last = plane.rows_of_tile(index)
            done += (last - first) * plane.pitch
            if plane.first_tile + index < len(tiles):
                continue
            data = _pack_tile(read, place, plane, first, last)
            stored, codec = data, RAW
            if packer is not None:
                packed = packer(data)
                if len(packed) < WORTH_IT * len(data):
                    stored, codec = packed, ZSTD
                elif index == 0:
                    packer = None  # a plane that is raw as a whole can be mapped
            tile = Tile(offset=position, stored_bytes=len(stored), codec=codec, sha256=hashlib.sha256(stored).digest())
            file.seek(position)
            file.write(stored)
            position = on_page(position + len(stored))
            file.truncate(position)
            # Of a record that is there before its tile, the next run finds the hash wrong.
            file.seek(job.offset("tiles") + len(tiles) * TILE.size)
            file.write(tile.encode())
            tiles.append(tile)
            job.on_progress(Step(stage="converting", what=place.tensor.name, done=done, total=total))
    return tiles, resumed


def _tiles_there(job: _Job, file: BinaryIO) -> list[Tile]:
    """Tiles that an earlier run of the same conversion has written whole."""
    head = job.head()
    file.seek(0)
    there = file.read(len(head))
    begin = job.offset("tiles")
    end = begin + len(job.sections["tiles"])
    if len(there) != len(head) or there[:begin] != head[:begin] or there[end:] != head[end:]:
        return []
    tiles: list[Tile] = []
    position = job.offset("data")
    lengths = [
        (last - first) * plane.pitch for _, plane in job.plan.planes for first, last in map(plane.rows_of_tile, range(plane.tile_count))
    ]
    for length, record in zip(lengths, TILE.iter_unpack(there[begin:end]), strict=True):
        tile = Tile(offset=record[0], stored_bytes=record[1], codec=record[2], sha256=record[3])
        if tile.offset != position or tile.stored_bytes > length or (tile.codec == RAW) != (tile.stored_bytes == length):
            break
        file.seek(position)
        if hashlib.sha256(file.read(tile.stored_bytes)).digest() != tile.sha256:
            break
        tiles.append(tile)
        position = on_page(position + tile.stored_bytes)
    return tiles


def _pack_tile(read: ReadBytes, place: TensorPlace, plane: Plane, first: int, last: int) -> memoryview:
    tensor = place.tensor
    begin, end = source_range(tensor, plane_sizes(tensor, place.texel_format)[plane.name], first, last)
    blocks = read(place.gguf_offset + begin, end - begin)
    if len(blocks) != end - begin:
        raise ModelFileError(f"the GGUF ended in the middle of `{tensor.name}` while it was read")
    texels = pack_rows(tensor, place.texel_format, plane.name, last - first, blocks)
    if plane.pitch != plane.width * TEXEL_BYTES:
        padded = np.zeros((last - first, plane.pitch // TEXEL_BYTES, 4), np.uint32)
        padded[:, : plane.width] = texels
        texels = padded
    return np.ascontiguousarray(texels).reshape(-1).view(np.uint8).data


def _verify(job: _Job, tiles: Sequence[Tile], file: BinaryIO, source_file: BinaryIO) -> bytes | None:
    """Rebuild the GGUF from what was written. Returns its hash, or None where it differs from the source."""
    digest = hashlib.sha256()
    source_file.seek(0)
    places = {place.tensor.name: place for place in job.plan.places}
    metadata, gaps = memoryview(job.sections["metadata"]), memoryview(job.sections["gaps"])
    for piece in rebuild_gguf(read_from(file), places, tiles, metadata, gaps, job.header.file_bytes):
        data = bytes(piece.make())  # two memoryviews would be compared element by element
        if source_file.read(piece.length) != data:
            return None
        digest.update(data)
        job.on_progress(Step(stage="verifying", what="", done=piece.offset + piece.length, total=job.header.file_bytes))
    return digest.digest()


def _write_header(job: _Job, tiles: Sequence[Tile], digest: bytes, file: BinaryIO) -> int:
    """Write the tables and, last of all, page 0. Returns the length of the file."""
    sections = {**job.sections, "tiles": b"".join(tile.encode() for tile in tiles)}
    length = on_page(tiles[-1].offset + tiles[-1].stored_bytes) if tiles else job.offset("data")
    header = PxiHeader(
        flags=FLAG_COMPRESSED if any(tile.codec == ZSTD for tile in tiles) else 0,
        file_bytes=length,
        gguf_bytes=job.header.file_bytes,
        gguf_sha256=digest,
        tensor_count=len(job.plan.places),
        plane_count=len(job.plan.planes),
        tile_count=len(tiles),
        data_offset=job.offset("data"),
        sections={
            name: Section(offset=job.offset(name), length=len(sections[name]), sha256=hashlib.sha256(sections[name]).digest())
            for name in SECTIONS
        },
    )
    file.seek(job.offset("tiles"))
    file.write(sections["tiles"])
    file.truncate(length)
    _sync(file)  # so that no page 0 is ever there before what it vouches for
    file.seek(0)
    file.write(header.encode())
    _sync(file)
    return length


def _sync(file: BinaryIO) -> None:
    file.flush()
    os.fsync(file.fileno())
