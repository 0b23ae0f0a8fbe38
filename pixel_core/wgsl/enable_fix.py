"""The edit that enables a language extension."""

from __future__ import annotations

from collections.abc import Sequence

from pixel_core.findings import Fix, Span
from pixel_core.wgsl.syntax import Declaration, Directive


def enable_fix(directives: Sequence[Directive], declarations: Sequence[Declaration], extension: str) -> Fix:
    """Insert `enable …;` after the last directive, else before the first declaration.

    Comments at the top stay above it: the contract among them is read only where no code comes before.

    Args:
        directives: Of the file.
        declarations: Of the file.
        extension: Such as `f16`.
    """
    if directives:
        place, text = directives[-1].end, f"\nenable {extension};"
    else:
        place, text = declarations[0].start if declarations else 0, f"enable {extension};\n"
    return Fix(f"insert `enable {extension};`", Span(place, place), text)
