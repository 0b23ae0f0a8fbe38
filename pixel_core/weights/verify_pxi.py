"""Every byte of a PXI against its hashes: what is damaged, by tensor and tile."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from pixel_core.errors import ModelFileError, one_line
from pixel_core.weights.conversion import OnProgress, Step, keep_silent, read_from
from pixel_core.weights.pxi import Pxi, open_pxi
from pixel_core.weights.pxi_records import PXI_MAGIC, VERSION, Plane, TensorPlace, on_page
from pixel_core.weights.rebuild_gguf import rebuild_gguf

MAX_DAMAGES = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Damage:
    """A place that is not as it was written.

    Attributes:
        where: In words.
        offset: Where it begins in the file.
        length: Its bytes.
        tensor: The tensor, or None outside of tensors.
        plane: Its plane.
        tile: Number of the tile in the file.
        rows: Rows of the plane that the tile holds: the first, and the one after the last.
    """

    where: str
    offset: int
    length: int
    tensor: str | None = None
    plane: str | None = None
    tile: int | None = None
    rows: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Verification:
    """What verifying a PXI came to.

    Attributes:
        path: The file.
        file_bytes: Its length.
        tiles: How many tiles were checked.
        gguf_sha256: Hash of the GGUF that it gives back; None where that is not the one it came from, or tiles are damaged.
        damages: What is damaged, in the order of the file; no more than `MAX_DAMAGES`.
    """

    path: Path
    file_bytes: int
    tiles: int
    gguf_sha256: str | None
    damages: Sequence[Damage]


def verify_pxi(path: Path, *, on_progress: OnProgress = keep_silent) -> Verification:
    """Check every byte of a PXI, and that it gives back the GGUF it came from.

    Raises:
        ModelFileError: It is no PXI of a version that is known.
        OSError: It cannot be read.
    """
    try:
        pxi = open_pxi(path)
    except ModelFileError as problem:
        length = _length_of_known_pxi(path)
        if length is None:
            raise
        # Without the tables nothing can be said of the tiles.
        where = problem.message.removeprefix(f"{path}: ")
        return Verification(path=path, file_bytes=length, tiles=0, gguf_sha256=None, damages=[Damage(where=where, offset=0, length=length)])
    with pxi, path.open("rb") as file:
        damages = [*_check_paddings(pxi, file), *_check_tiles(pxi, file, on_progress)]
        digest = None
        if not damages:
            digest = _rebuilt_digest(pxi, file, on_progress)
            if digest != pxi.header.gguf_sha256:
                damages.append(Damage(where="the GGUF in it is not the one it came from", offset=0, length=pxi.header.file_bytes))
        return Verification(
            path=path,
            file_bytes=pxi.header.file_bytes,
            tiles=len(pxi.tiles),
            gguf_sha256=pxi.header.gguf_sha256.hex() if not damages else None,
            damages=damages[:MAX_DAMAGES],
        )


def _length_of_known_pxi(path: Path) -> int | None:
    if not path.is_file():
        return None
    with path.open("rb") as file:
        head = file.read(len(PXI_MAGIC) + 4)
    return path.stat().st_size if head == PXI_MAGIC + VERSION.to_bytes(4, "little") else None


def _check_paddings(pxi: Pxi, file: BinaryIO) -> list[Damage]:
    """Between sections there are zeros, which no hash covers."""
    found: list[Damage] = []
    for name, section in pxi.header.sections.items():
        end = section.offset + section.length
        file.seek(end)
        if any(file.read(on_page(end) - end)):
            found.append(Damage(where=f"the padding behind the section `{name}`", offset=end, length=on_page(end) - end))
    return found


def _check_tiles(pxi: Pxi, file: BinaryIO, on_progress: OnProgress) -> list[Damage]:
    owners: list[tuple[TensorPlace, Plane]] = [(place, plane) for place in pxi.places.values() for plane in place.planes.values()]
    found: list[Damage] = []
    done, total = 0, pxi.header.file_bytes - pxi.header.data_offset
    for place, plane in sorted(owners, key=lambda owner: owner[1].number):
        for index in range(plane.tile_count):
            number = plane.first_tile + index
            tile = pxi.tiles[number]
            file.seek(tile.offset)
            data = file.read(on_page(tile.stored_bytes))
            rows = plane.rows_of_tile(index)
            where = f"tensor `{one_line(place.tensor.name)}`, plane `{plane.name}`, tile {number:,} (rows {rows[0]:,} to {rows[1] - 1:,})"
            is_padding = hashlib.sha256(data[: tile.stored_bytes]).digest() == tile.sha256
            if not is_padding or any(data[tile.stored_bytes :]) or len(data) < on_page(tile.stored_bytes):
                found.append(
                    Damage(
                        where=f"the padding behind {where}" if is_padding else where,
                        offset=tile.offset,
                        length=tile.stored_bytes,
                        tensor=place.tensor.name,
                        plane=plane.name,
                        tile=number,
                        rows=rows,
                    )
                )
            done += len(data)
            on_progress(Step(stage="checking tiles", what=place.tensor.name, done=done, total=total))
    return found


def _rebuilt_digest(pxi: Pxi, file: BinaryIO, on_progress: OnProgress) -> bytes | None:
    digest = hashlib.sha256()
    try:
        for piece in rebuild_gguf(
            read_from(file), pxi.places, pxi.tiles, pxi.section("metadata"), pxi.section("gaps"), pxi.header.gguf_bytes
        ):
            digest.update(piece.make())
            on_progress(Step(stage="rebuilding", what="", done=piece.offset + piece.length, total=pxi.header.gguf_bytes))
    except ModelFileError as problem:
        if "pixel-lsp[zstd]" in (problem.hint or ""):
            raise
        return None
    return digest.digest()
