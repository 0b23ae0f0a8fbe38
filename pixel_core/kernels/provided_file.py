"""What a file, a function or a codec in Python left for an input: data that the case's planner, its caller and the kernel worker know."""

from __future__ import annotations

import msgspec


class ProvidedFile(msgspec.Struct, frozen=True, kw_only=True):
    """Content that is not drawn.

    Attributes:
        key: Dotted key of the contract's line: `inputs.x`, `codecs.w`.
        name: As the contract calls it.
        values: Path of an `.npy` file with the values, or empty.
        memory: Path of a file with the bytes of the whole buffer, or empty.
        is_exact: Whether the values must have a type that fits the buffer's; else they are rounded to it, as what is drawn.
        sha256: Of the file of the user's, or of what Python made.
    """

    key: str
    name: str
    values: str = ""
    memory: str = ""
    is_exact: bool = False
    sha256: str = ""
