"""Files that lie: whatever is in them, the answer is a model or one sentence, and memory stays small.

A hundred of each kind here, ten thousand with the profile `soak`. Of a PXI and a PNG the hashes are made right again after each change,
or no change would come further than to them.
"""

from __future__ import annotations

import hashlib
import random
import struct
import tracemalloc
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from pixel_core.errors import ModelFileError
from pixel_core.weights.cartridge import MAX_PIXELS, MAX_RATIO, read_cartridge, write_cartridge
from pixel_core.weights.ggml_types import GgmlType
from pixel_core.weights.gguf import open_gguf
from pixel_core.weights.metadata import ValueType
from pixel_core.weights.model_file import ModelFile, open_model
from pixel_core.weights.pxi import open_pxi
from pixel_core.weights.pxi_records import HEADER, PAGE, ROOT_OFFSET, SECTION, SECTIONS, root_hash
from pixel_core.weights.texel_formats import texel_format_of
from pixel_core.weights.verify_pxi import verify_pxi
from pixel_core.weights.write_gguf import write_gguf
from pixel_core.weights.write_pxi import write_pxi
from tiny_models import write_tiny_model

TENSORS = {
    "token_embd.weight": (GgmlType.Q8_0, (64, 9)),
    "blk.0.attn_q.weight": (GgmlType.Q4_0, (64, 16)),
    "blk.1.attn_q.weight": (GgmlType.Q4_1, (64, 16)),
    "output_norm.weight": (GgmlType.F32, (5,)),
}
MEMORY = 80 << 20
NUMBERS = (
    0,
    1,
    2,
    3,
    4,
    7,
    8,
    9,
    31,
    32,
    63,
    64,
    255,
    256,
    4095,
    4096,
    65_535,
    1 << 24,
    (1 << 31) - 1,
    1 << 31,
    (1 << 32) - 1,
    1 << 40,
    1 << 62,
)
seeds = st.integers(0, 2**63)
fuzzed = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the files that are changed."""
    folder = tmp_path_factory.mktemp("whole")
    gguf = write_tiny_model(folder / "a.gguf", TENSORS)
    write_pxi(gguf, folder / "a.pxi")
    write_pxi(gguf, folder / "z.pxi", compress=True)
    write_cartridge(folder / "a.pxi", folder / "a.png")
    return folder


def changed(data: bytes, source: random.Random, length: int) -> bytearray:
    """Some changes in the first `length` bytes."""
    result = bytearray(data)
    for _ in range(source.choice((1, 1, 1, 2, 4))):
        length = min(length, len(result))
        if not length:
            break
        offset = source.randrange(length)
        kind = source.randrange(6)
        if kind == 0:
            result[offset] ^= 1 << source.randrange(8)
        elif kind == 1:
            result[offset] = source.randrange(256)
        elif kind in (2, 3):
            size = source.choice((2, 4, 8))
            at = offset // size * size
            result[at : at + size] = (source.choice(NUMBERS) + source.choice((0, 0, -1))).to_bytes(9, "little", signed=True)[:size]
        elif kind == 4:
            other = source.randrange(length)
            result[offset : offset + 16] = result[other : other + 16]
        elif source.randrange(4) == 0:
            del result[source.randrange(len(result)) :]
    return result


def signed(data: bytearray) -> bytearray:
    """The same PXI with right hashes, as far as its sections can be found."""
    if len(data) < PAGE:
        return data
    for index in range(len(SECTIONS)):
        at = HEADER.size + index * SECTION.size
        offset, length, _ = SECTION.unpack_from(data, at)
        data[at + 16 : at + 48] = hashlib.sha256(data[offset : min(offset + length, len(data))]).digest()
    data[ROOT_OFFSET : ROOT_OFFSET + 32] = root_hash(bytes(data[:PAGE]))
    return data


def use_all(model: ModelFile) -> None:
    """Whatever a model offers."""
    for value in model.metadata.values():
        assert isinstance(value.type, ValueType)
    for name, tensor in model.tensors.items():
        assert len(model.blocks(name)) == tensor.byte_count
        for plane in texel_format_of(tensor).planes:
            if not hasattr(model, "places") or plane in model.places[name].planes:
                model.texels(name, plane)


def answered(attempt: Callable[[], None], memory: int = MEMORY) -> None:
    """Run it: it ends, or is refused with a sentence, in little memory. (What Pillow allocates in C is not counted.)"""
    refusal = "none"
    tracemalloc.start()
    try:
        attempt()
    except ModelFileError as problem:
        refusal = problem.message
    finally:
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert 0 < len(refusal) < 1000
    assert refusal.isprintable()
    assert peak < memory


@fuzzed
@given(seed=seeds)
def test_fuzzed_ggufs(whole: Path, tmp_path: Path, seed: int) -> None:
    source = random.Random(seed)
    path, target, back = tmp_path / "a.gguf", tmp_path / "a.pxi", tmp_path / "b.gguf"
    data = (whole / "a.gguf").read_bytes()
    path.write_bytes(changed(data, source, len(data) - 2000))

    def attempt() -> None:
        with open_gguf(path) as model:
            use_all(model)
        write_pxi(path, target, replace=True)
        write_gguf(target, back, replace=True)
        assert back.read_bytes() == path.read_bytes()

    answered(attempt)


@fuzzed
@given(seed=seeds)
def test_fuzzed_pxis(whole: Path, tmp_path: Path, seed: int) -> None:
    source = random.Random(seed)
    path = tmp_path / "a.pxi"
    data = (whole / source.choice(("a.pxi", "z.pxi"))).read_bytes()
    fuzz = changed(data, source, source.choice((HEADER.size, HEADER.size + 250, 6 * PAGE, len(data))))
    path.write_bytes(signed(fuzz) if source.randrange(8) else fuzz)

    def attempt() -> None:
        with open_pxi(path) as model:
            use_all(model)
        verified = verify_pxi(path)
        assert (verified.gguf_sha256 is None) == bool(verified.damages)
        write_gguf(path, tmp_path / "b.gguf", replace=True)

    answered(attempt)


@fuzzed
@given(seed=seeds)
@example(seed=457)  # a chunk that says it has 4 GiB
def test_fuzzed_cartridges(whole: Path, tmp_path: Path, seed: int) -> None:
    source = random.Random(seed)
    path = tmp_path / "a.png"
    data = (whole / "a.png").read_bytes()
    path.write_bytes(png_with_right_checksums(changed(data, source, source.choice((60, 200, len(data))))))

    def attempt() -> None:
        with open_model(path) as model:
            use_all(model)

    # A picture may say that it is higher than its data, up to what data of that length could be.
    answered(attempt, MEMORY + 3 * min(3 * MAX_PIXELS, MAX_RATIO * len(data)))


def png_with_right_checksums(data: bytearray) -> bytearray:
    at = 8
    while at + 12 <= len(data):
        length = int.from_bytes(data[at : at + 4], "big")
        end = at + 8 + length
        if end + 4 > len(data):
            break
        data[end : end + 4] = zlib.crc32(data[at + 4 : end]).to_bytes(4, "big")
        at = end + 4
    return data


def png(width: int, height: int, rows: bytes, *chunks: bytes, colour: int = 2) -> bytes:
    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, colour, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + b"".join(chunk(one[:4], one[4:]) for one in chunks) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


PACKER = zlib.compressobj(1)
ZEROS = b"".join(PACKER.compress(bytes(1 << 20)) for _ in range(128)) + PACKER.flush()
"""128 MiB of them."""


BOMBS = {
    "nothing in it": (png(8192, 8192, b""), "has 8,192 × 8,192 pixels, which no cartridge has"),
    "huge picture": (png(100_000, 100_000, b""), "has 100,000 × 100,000 pixels, which no cartridge has"),
    "just too large": (png(8192, MAX_PIXELS // 8192 + 1, bytes(1 << 18)), "pixels, which no cartridge has"),
    "endless pixels": (png(512, 60, ZEROS), "is a picture, but no cartridge of a model"),
    "text": (png(512, 60, b"", b"zTXta\0\0" + ZEROS), "is a damaged PNG: "),
    "profile": (png(512, 60, b"", b"iCCPa\0\0" + ZEROS), "is a damaged PNG: "),
    "transparent": (png(512, 60, b"", colour=6), "a cartridge is opaque RGB of eight bits, not interlaced"),
}


@pytest.mark.parametrize(("data", "message"), BOMBS.values(), ids=BOMBS)
def test_pictures_that_are_bombs(tmp_path: Path, data: bytes, message: str) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(data)

    def attempt() -> None:
        with pytest.raises(ModelFileError) as caught:
            read_cartridge(path)
        assert message in caught.value.message

    answered(attempt)


def test_a_tile_that_is_a_bomb(tmp_path: Path) -> None:
    """A compressed tile may claim to be 16 rows and decompress to a gigabyte: no more than its rows is ever taken."""
    import zstandard

    source = write_tiny_model(tmp_path / "a.gguf", {"a": (GgmlType.F32, (64, 16))})
    data = source.read_bytes()
    source.write_bytes(data[:-4096] + bytes(4096))
    path = tmp_path / "a.pxi"
    write_pxi(source, path, compress=True)
    bomb = zstandard.ZstdCompressor(level=19).compress(bytes(1 << 28))
    with open_pxi(path) as pxi:
        [tile], table = pxi.tiles, pxi.header.sections["tiles"].offset
    packed = bytearray(path.read_bytes())
    bomb = bomb[:4000]
    packed[tile.offset : tile.offset + len(bomb)] = bomb
    struct.pack_into("<QII32s", packed, table, tile.offset, len(bomb), 1, hashlib.sha256(bomb).digest())
    path.write_bytes(signed(packed))

    def attempt() -> None:
        with open_pxi(path) as pxi, pytest.raises(ModelFileError, match="tile 0"):
            pxi.blocks("a")
        [damage] = verify_pxi(path).damages
        assert damage.where == "the GGUF in it is not the one it came from"

    answered(attempt)
