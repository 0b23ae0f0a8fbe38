"""GGUF, versions 2 and 3, little-endian, mapped into memory. Every number in the file is taken for a lie until it is checked.

Source: docs/gguf.md of ggml; what ggml's own reader refuses is refused here too.
"""

from __future__ import annotations

import mmap
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from pathlib import Path
from types import MappingProxyType, TracebackType

import numpy as np
from numpy.typing import NDArray

from pixel_core.errors import ModelFileError
from pixel_core.weights.cursor import Cursor
from pixel_core.weights.ggml_types import GgmlType
from pixel_core.weights.map_file import map_file, unmap
from pixel_core.weights.metadata import Metadata, MetadataValue, ValueType, decode_text, scan_metadata
from pixel_core.weights.model_file import Tensor
from pixel_core.weights.texel_formats import pack_plane, texel_format_of

GGUF_MAGIC = b"GGUF"
VERSIONS = (2, 3)
DEFAULT_ALIGNMENT = 32
MAX_TENSORS = 1 << 16
MAX_NAME_BYTES = 255
MAX_AXES = 4
MAX_HEADER_BYTES = 1 << 28
"""What lies in front of the tensors' data, above all the vocabulary."""
_SMALLEST_ENTRY = 8 + 4 + 8 + 4 + 8  # an empty name, one axis


@dataclass(frozen=True, slots=True, kw_only=True)
class GgufHeader:
    """What stands in front of a GGUF's data.

    Attributes:
        metadata: All key-values.
        tensors: All tensors by name, in the order of the file.
        offsets: By name, where a tensor's bytes begin in the file.
        metadata_bytes: Length of everything up to the last key-value.
        header_bytes: Length of everything up to the last tensor's entry, without the padding behind it.
        data_offset: Where the data begins.
        file_bytes: Length of the whole file.
    """

    metadata: Metadata
    tensors: Mapping[str, Tensor]
    offsets: Mapping[str, int]
    metadata_bytes: int
    header_bytes: int
    data_offset: int
    file_bytes: int


class Gguf:
    """An open GGUF; a `ModelFile`.

    Attributes:
        path: Where the file lies.
        header: All that stands in front of the data.
    """

    def __init__(self, path: Path, mapping: mmap.mmap, header: GgufHeader) -> None:
        self.path = path
        self.header = header
        self._mapping = mapping

    @property
    def metadata(self) -> Mapping[str, MetadataValue]:
        """All key-values, in the order of the file."""
        return self.header.metadata

    @property
    def tensors(self) -> Mapping[str, Tensor]:
        """All tensors by name, in the order of the file."""
        return self.header.tensors

    def blocks(self, name: str) -> memoryview:
        """A tensor's bytes, as they lie in the file.

        Raises:
            KeyError: There is no such tensor.
        """
        offset = self.header.offsets[name]
        return memoryview(self._mapping)[offset : offset + self.tensors[name].byte_count]

    def texels(self, name: str, plane: str) -> NDArray[np.uint32]:
        """A plane of a tensor, `u32[height, width, 4]`, packed anew at every call.

        Raises:
            KeyError: There is no such tensor or plane.
        """
        tensor = self.tensors[name]
        return pack_plane(tensor, texel_format_of(tensor), plane, self.blocks(name))

    def close(self) -> None:
        """Let go of the file."""
        unmap(self._mapping)

    def __enter__(self) -> Gguf:  # noqa: PYI034 -- typing.Self needs Python 3.11
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()


def open_gguf(path: Path) -> Gguf:
    """Map a GGUF and read its header.

    Raises:
        ModelFileError: It is no GGUF that can be used; the message says why.
        OSError: It cannot be opened.
    """
    mapping = map_file(path)
    try:
        return Gguf(path, mapping, read_gguf_header(memoryview(mapping), len(mapping)))
    except ModelFileError as problem:
        raise ModelFileError(f"{path}: {problem.message}", hint=problem.hint) from None


def read_gguf_header(data: memoryview, file_bytes: int) -> GgufHeader:
    """Read what stands in front of the data.

    Args:
        data: The file, or as much of it as the header takes.
        file_bytes: Length of the whole file; no tensor may reach past it.

    Raises:
        ModelFileError: Something in it cannot be.
    """
    cursor = Cursor(data[:MAX_HEADER_BYTES])
    if bytes(data[:4]) != GGUF_MAGIC:
        raise ModelFileError(f"this is no GGUF: it begins with {bytes(data[:4])!r}")
    cursor.skip(4, "the magic")
    version = cursor.take_u32("the version")
    if version not in VERSIONS:
        raise _version_problem(version)
    tensor_count, key_count = cursor.take_u64("the number of tensors"), cursor.take_u64("the number of keys")
    if tensor_count > MAX_TENSORS or tensor_count * _SMALLEST_ENTRY > cursor.left:
        raise ModelFileError(f"the file claims {tensor_count:,} tensors, which is more than it can hold")
    metadata = scan_metadata(cursor, key_count)
    metadata_bytes = cursor.offset
    alignment = alignment_of(metadata)
    tensors: dict[str, Tensor] = {}
    relative: dict[str, int] = {}
    for _ in range(tensor_count):
        tensor = _take_tensor(cursor)
        if tensor.name in tensors:
            raise ModelFileError(f"the tensor `{tensor.name}` stands in the file twice")
        tensors[tensor.name] = tensor
        relative[tensor.name] = cursor.take_u64(f"the offset of `{tensor.name}`")
    data_offset = -(-cursor.offset // alignment) * alignment
    offsets = {name: data_offset + offset for name, offset in relative.items()}
    _check_places(tensors, offsets, data_offset, alignment, file_bytes)
    return GgufHeader(
        metadata=metadata,
        tensors=MappingProxyType(tensors),
        offsets=MappingProxyType(offsets),
        metadata_bytes=metadata_bytes,
        header_bytes=cursor.offset,
        data_offset=data_offset,
        file_bytes=file_bytes,
    )


def _version_problem(version: int) -> ModelFileError:
    if version == 1:
        return ModelFileError("this is GGUF version 1, of August 2023", hint="convert the model anew with a llama.cpp of today")
    if struct.unpack("<I", struct.pack(">I", version))[0] in VERSIONS:
        return ModelFileError("this GGUF is big-endian", hint="turn it round: pip install gguf && gguf-convert-endian FILE little")
    return ModelFileError(f"this is GGUF version {version}; versions 2 and 3 are known")


def alignment_of(metadata: Mapping[str, MetadataValue]) -> int:
    """Of the tensors, in bytes.

    Raises:
        ModelFileError: The key says something else than a power of two.
    """
    found = metadata.get("general.alignment")
    if found is None:
        return DEFAULT_ALIGNMENT
    value = found.value
    if found.type is not ValueType.UINT32 or not isinstance(value, int) or value <= 0 or value & (value - 1):
        raise ModelFileError(f"`general.alignment` is {str(value)[:40]}, not a power of two as a UINT32")
    return value


def _take_tensor(cursor: Cursor) -> Tensor:
    name = decode_text(cursor.take_text("a tensor's name", MAX_NAME_BYTES))
    if not name:
        raise ModelFileError("a tensor has an empty name")
    axes = cursor.take_u32(f"the shape of `{name}`")
    if not 1 <= axes <= MAX_AXES:
        raise ModelFileError(f"tensor `{name}` has {axes:,} axes; 1 to {MAX_AXES} are possible")
    shape = tuple(cursor.take_u64(f"the shape of `{name}`") for _ in range(axes))
    kind = GgmlType.from_number(cursor.take_u32(f"the type of `{name}`"), name)
    if prod(shape) == 0:
        raise ModelFileError(f"tensor `{name}` has the shape {list(shape)} and so no values")
    if shape[0] % kind.block_length:
        raise ModelFileError(f"tensor `{name}` has rows of {shape[0]:,} values; {kind.name} needs a multiple of {kind.block_length}")
    return Tensor(name=name, shape=shape, type=kind)


def _check_places(tensors: Mapping[str, Tensor], offsets: Mapping[str, int], data_offset: int, alignment: int, file_bytes: int) -> None:
    end, before = data_offset, ""
    for name in sorted(tensors, key=lambda one: offsets[one]):
        offset, size = offsets[name], tensors[name].byte_count
        if (offset - data_offset) % alignment:
            raise ModelFileError(f"tensor `{name}` begins at offset {offset - data_offset:,}, which is no multiple of {alignment:,}")
        if offset < end:
            raise ModelFileError(f"the tensors `{before}` and `{name}` overlap")
        if offset + size > file_bytes:
            raise ModelFileError(
                f"tensor `{name}` reaches to byte {offset + size:,} of a file of {file_bytes:,} bytes",
                hint="the file was probably not downloaded to its end",
            )
        end, before = offset + size, name
