"""Dispatches that a program makes, as data: what `fit_dispatches` makes cases of."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec


class ObservedBinding(msgspec.Struct, frozen=True, kw_only=True):
    """What stands behind a variable.

    Attributes:
        size: Of a buffer, in bytes; 0 for a texture.
        extent: Height and width of a texture in texels; None for a buffer.
        contents: Of a small buffer that the host writes: its bytes when the dispatch ran first and when it ran last; else empty.
    """

    size: int = 0
    extent: tuple[int, int] | None = None
    contents: tuple[bytes, ...] = ()


class ObservedDispatch(msgspec.Struct, frozen=True, kw_only=True):
    """One dispatch, as often as it ran.

    Attributes:
        shader: Path of the shader's file.
        entry: Entry point.
        macros: That its text was made with.
        constants: Values of overrides.
        workgroups: In x, y and z.
        bindings: Shader variable → what it is bound to.
        followers: Numbers, in the list that this one stands in, of the dispatches that ran right after it.
    """

    shader: str
    entry: str
    macros: Mapping[str, str]
    constants: Mapping[str, float]
    workgroups: tuple[int, int, int]
    bindings: Mapping[str, ObservedBinding]
    followers: tuple[int, ...] = ()
