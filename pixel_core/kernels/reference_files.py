"""Where the result of a reference function is: data that both the reference's caller and the kernel worker know."""

from __future__ import annotations

import msgspec


class ReferenceFiles(msgspec.Struct, frozen=True, kw_only=True):
    """One array of an answer.

    Attributes:
        value: Name of its `.npy` file.
        scale: Of that of its scale, the magnitude that a unit roundoff multiplies.
        memory: Of the file with its bytes, where a codec packed it.
        nearest: Of what a codec makes of the truth of an output.
        step: Of how far each of these lies from its neighbours, where the codec says it.
    """

    value: str
    scale: str | None = None
    memory: str | None = None
    nearest: str | None = None
    step: str | None = None
