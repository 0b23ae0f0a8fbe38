"""Logical arrays ⇄ bytes of whatever a case calls a buffer: storage, packed storage, or a texture."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pixel_core.kernels.memory import decode_buffer, encode_buffer, poison
from pixel_core.kernels.planned import BufferPlan
from pixel_core.kernels.texels import decode_texels, encode_texels, raw_levels


def encode_content(buffer: BufferPlan, parts: Mapping[str, NDArray[Any]]) -> bytes:
    """The bytes of a buffer or texture without its slack; what no part covers is zero."""
    if buffer.texture is not None:
        return encode_texels(buffer.texture, parts)
    return encode_buffer(buffer.type, buffer.shapes, buffer.codec, parts, size_bytes=buffer.size_bytes - buffer.slack_bytes)


def decode_content(buffer: BufferPlan, data: bytes | memoryview) -> dict[str, NDArray[Any]]:
    """The parts of a buffer or texture, each of its logical shape; the bare words, where only Python could decode them."""
    if buffer.texture is not None:
        return decode_texels(buffer.texture, data)
    if buffer.has_python_codec:
        # What its words mean only Python knows; whether they changed can be seen without.
        return {"": np.frombuffer(data, "<u4")}
    return decode_buffer(buffer.type, buffer.shapes, buffer.codec, data)


def content_words(buffer: BufferPlan, data: bytes | memoryview) -> dict[str, NDArray[Any]]:
    """The same parts as unsigned numbers that are equal exactly where the bits in memory are."""
    levels = dict(raw_levels(buffer.texture, data)) if buffer.texture is not None else decode_content(buffer, data)
    return {part: np.ascontiguousarray(one).view(f"<u{one.dtype.itemsize}").reshape(one.shape) for part, one in levels.items()}


def still_holds(buffer: BufferPlan, data: bytes, word: int) -> dict[str, NDArray[np.bool_]]:
    """Which elements of each part hold a poison word; of a texel, all channels or none, because one alone may do so by chance."""
    found, filling = content_words(buffer, data), content_words(buffer, poison(len(data), word))
    held = {part: words == filling[part] for part, words in found.items()}
    if buffer.texture is None:
        return held
    return {part: np.broadcast_to(one.all(axis=-1, keepdims=True), one.shape) for part, one in held.items()}
