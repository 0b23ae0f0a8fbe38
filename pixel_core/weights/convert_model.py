"""A model from one kind of file to another, by what the source is and how the target is called."""

from __future__ import annotations

from pathlib import Path

from pixel_core.errors import ModelFileError
from pixel_core.weights.conversion import Conversion, OnProgress, keep_silent

SUFFIXES = (".gguf", ".pxi", ".png")
_MAGICS = ((b"GGUF", ".gguf"), (b"PXI", ".pxi"), (b"\x89PNG", ".png"))


def convert_model(
    source: Path, target: Path, *, compress: bool = False, replace: bool = False, on_progress: OnProgress = keep_silent
) -> Conversion:
    """Convert a GGUF to a PXI, a PXI to its GGUF or to a PNG cartridge, or a cartridge to its PXI.

    Args:
        source: The model; what it is, its first bytes say.
        target: Where it goes; what it becomes, its suffix says.
        compress: Compress the planes of a PXI that gain by it.
        replace: Overwrite another file at `target`.
        on_progress: Told how far it is.

    Raises:
        ModelFileError: The source cannot be used, the target is something else, or there is no way from one to the other.
        OSError: A file cannot be read or written.
    """
    kinds = (kind_of(source), target.suffix.lower())
    if target.exists() and target.samefile(source):
        raise ModelFileError(f"{source} and {target} are the same file")
    if compress and kinds != (".gguf", ".pxi"):
        raise ModelFileError("only what becomes a PXI of a GGUF can be compressed", hint="leave out `--compress`")
    if kinds == (".gguf", ".pxi"):
        from pixel_core.weights.write_pxi import write_pxi

        return write_pxi(source, target, compress=compress, replace=replace, on_progress=on_progress)
    if kinds == (".pxi", ".gguf"):
        from pixel_core.weights.write_gguf import write_gguf

        return write_gguf(source, target, replace=replace, on_progress=on_progress)
    if kinds == (".pxi", ".png"):
        from pixel_core.weights.cartridge import write_cartridge

        return write_cartridge(source, target, replace=replace, on_progress=on_progress)
    if kinds == (".png", ".pxi"):
        from pixel_core.weights.cartridge import unpack_cartridge

        return unpack_cartridge(source, target, replace=replace, on_progress=on_progress)
    if kinds[1] not in SUFFIXES:
        raise ModelFileError(f"what {target} is to be cannot be told by its name", hint=f"end it with {', '.join(SUFFIXES)}")
    raise ModelFileError(f"there is no way from a {kinds[0]} to a {kinds[1]} at once", hint="go by way of a .pxi")


def kind_of(path: Path) -> str:
    """`.gguf`, `.pxi` or `.png`, by the first bytes of a file.

    Raises:
        ModelFileError: It is none of them.
        OSError: It cannot be read.
    """
    if not path.is_file():  # opening a pipe would wait for ever
        raise ModelFileError(f"{path} is not a file")
    with path.open("rb") as file:
        head = file.read(8)
    for magic, kind in _MAGICS:
        if head.startswith(magic):
            return kind
    raise ModelFileError(f"{path} is neither a GGUF nor a PXI nor a PNG: it begins with {head!r}")
