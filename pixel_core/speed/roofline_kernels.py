"""The two kernels whose speed is the roofline: they have contracts like any other, and are checked like any other before they are timed."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Final

from pixel_core.kernels.load_shader import LoadedShader, understand
from pixel_core.source import SourceText

MULTIPLY_ADD, COPY = "multiply_add", "copy"

_FOLDER: Final = Path(__file__).parent / "kernels"


def roofline_kernels() -> dict[str, LoadedShader]:
    """By the names of their contracts; the cases of each go from small to large."""
    return {name: understand(SourceText(Path(f"{name}.wgsl"), _text(name)), None) for name in (MULTIPLY_ADD, COPY)}


def roofline_sha256() -> str:
    """Of both texts: shares of rooflines that other kernels measured are not to be compared."""
    return hashlib.sha256("".join(_text(name) for name in (MULTIPLY_ADD, COPY)).encode()).hexdigest()


def _text(name: str) -> str:
    return (_FOLDER / f"{name}.wgsl").read_text(encoding="utf-8")
