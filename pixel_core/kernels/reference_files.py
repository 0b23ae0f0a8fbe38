"""Where the result of a reference function is: data that both the reference's caller and the kernel worker know."""

from __future__ import annotations

import msgspec


class ReferenceFiles(msgspec.Struct, frozen=True, kw_only=True):
    """One output: names of the `.npy` files of its value and of its scale, the magnitude that a unit roundoff multiplies."""

    value: str
    scale: str | None = None
