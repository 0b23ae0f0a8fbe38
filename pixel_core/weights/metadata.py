"""What a model says of itself: GGUF's typed key-values, kept in GGUF's own bytes and decoded when they are asked for.

Source of the encoding: docs/gguf.md of ggml. A PXI holds the same bytes, so that a GGUF can be made of it bit for bit.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, Union

import numpy as np
from numpy.typing import NDArray

from pixel_core.errors import ModelFileError
from pixel_core.weights.cursor import Cursor

MAX_KEYS = 1 << 16
MAX_KEY_BYTES = (1 << 16) - 1


class ValueType(IntEnum):
    """The type of a value, by the number that files hold."""

    UINT8 = 0
    INT8 = 1
    UINT16 = 2
    INT16 = 3
    UINT32 = 4
    INT32 = 5
    FLOAT32 = 6
    BOOL = 7
    STRING = 8
    ARRAY = 9
    UINT64 = 10
    INT64 = 11
    FLOAT64 = 12


Value = Union[int, float, bool, str, tuple[str, ...], NDArray[Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class MetadataValue:
    """One value.

    Attributes:
        type: Its type.
        element_type: Of an array, the type of its elements; else None.
        value: A number, a text, a tuple of texts, or a read-only numpy array of numbers. What is not UTF-8 in a text is kept as
            `surrogateescape` does.
    """

    type: ValueType
    element_type: ValueType | None = None
    value: Value


class Metadata(Mapping[str, MetadataValue]):
    """Key-values in the order of the file.

    Args:
        data: Bytes of a file, as far as the values reach or further.
        places: By key, the value's type and where its bytes begin, as `scan_metadata` found them.
    """

    def __init__(self, data: memoryview, places: Mapping[str, tuple[ValueType, int]]) -> None:
        self._data = data
        self._places = places
        self._decoded: dict[str, MetadataValue] = {}

    def __getitem__(self, key: str) -> MetadataValue:
        if key not in self._decoded:
            kind, offset = self._places[key]
            self._decoded[key] = _decode(Cursor(self._data, offset), kind)
        return self._decoded[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._places)

    def __len__(self) -> int:
        return len(self._places)


def scan_metadata(cursor: Cursor, count: int) -> Metadata:
    """Find the key-values that begin at the cursor, and leave the cursor behind them.

    Args:
        cursor: In front of the first key.
        count: How many the file says there are.

    Raises:
        ModelFileError: They are damaged, too many, or a key stands there twice.
    """
    # A key takes 13 bytes at the very least, so a count from a damaged file cannot make us work for long.
    if count > MAX_KEYS or count * 13 > cursor.left:
        raise ModelFileError(f"the file claims {count:,} keys of metadata, which is more than it can hold")
    places: dict[str, tuple[ValueType, int]] = {}
    for _ in range(count):
        key = decode_text(cursor.take_text("a key of the metadata", MAX_KEY_BYTES))
        if key in places:
            raise ModelFileError(f"the key `{key}` stands in the metadata twice")
        kind = _value_type(cursor, key)
        places[key] = (kind, cursor.offset)
        _skip(cursor, kind, key)
    return Metadata(cursor.data, places)


def decode_text(data: bytes) -> str:
    """A text of a file; bytes that are not UTF-8 come back unchanged from `encode("utf-8", "surrogateescape")`."""
    return data.decode("utf-8", "surrogateescape")


def _value_type(cursor: Cursor, key: str) -> ValueType:
    number = cursor.take_u32(f"the type of `{key}`")
    try:
        return ValueType(number)
    except ValueError:
        raise ModelFileError(f"the key `{key}` has a value of the unknown type {number}") from None


def _skip(cursor: Cursor, kind: ValueType, key: str) -> None:
    if kind is ValueType.STRING:
        cursor.skip_texts(1, f"the value of `{key}`")
    elif kind is not ValueType.ARRAY:
        cursor.skip(_NUMBERS[kind].itemsize, f"the value of `{key}`")
    else:
        element, count = _array_head(cursor, key)
        if element is ValueType.STRING:
            cursor.skip_texts(count, f"the texts of `{key}`")
        else:
            cursor.skip(count * _NUMBERS[element].itemsize, f"the {count:,} values of `{key}`")


def _array_head(cursor: Cursor, key: str) -> tuple[ValueType, int]:
    element = _value_type(cursor, key)
    if element is ValueType.ARRAY:
        raise ModelFileError(f"the value of `{key}` is an array of arrays, which ggml does not read either")
    count = cursor.take_u64(f"the length of `{key}`")
    least = 8 if element is ValueType.STRING else _NUMBERS[element].itemsize
    if count * least > cursor.left:
        raise ModelFileError(f"the array `{key}` claims {count:,} elements, which is more than the file can hold")
    return element, count


def _decode(cursor: Cursor, kind: ValueType) -> MetadataValue:
    """A value whose bytes `_skip` has been over already."""
    if kind is ValueType.STRING:
        return MetadataValue(type=kind, value=decode_text(cursor.take_text("a value")))
    if kind is not ValueType.ARRAY:
        return MetadataValue(type=kind, value=_numbers(cursor, kind, 1)[0].item())
    element, count = _array_head(cursor, "")
    if element is ValueType.STRING:
        return MetadataValue(
            type=kind, element_type=element, value=tuple([text.decode("utf-8", "surrogateescape") for text in cursor.take_texts(count)])
        )
    return MetadataValue(type=kind, element_type=element, value=_numbers(cursor, element, count))


def _numbers(cursor: Cursor, kind: ValueType, count: int) -> NDArray[Any]:
    dtype = _NUMBERS[kind]
    values = np.frombuffer(cursor.data, dtype=dtype, count=count, offset=cursor.offset)
    cursor.skip(count * dtype.itemsize, "values")
    # ggml writes 0 and 1, and takes everything else for true.
    return values != 0 if kind is ValueType.BOOL else values


_NUMBERS = {
    ValueType.UINT8: np.dtype("u1"),
    ValueType.INT8: np.dtype("i1"),
    ValueType.UINT16: np.dtype("<u2"),
    ValueType.INT16: np.dtype("<i2"),
    ValueType.UINT32: np.dtype("<u4"),
    ValueType.INT32: np.dtype("<i4"),
    ValueType.FLOAT32: np.dtype("<f4"),
    ValueType.BOOL: np.dtype("u1"),
    ValueType.UINT64: np.dtype("<u8"),
    ValueType.INT64: np.dtype("<i8"),
    ValueType.FLOAT64: np.dtype("<f8"),
}
