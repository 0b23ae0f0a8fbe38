"""The types of a C header, as cffi's compiled form of them, kept between processes.

Parsing wgpu's header with pycparser, and then every C type that is named for the first time, was half of what a worker computed before it
was ready. What cffi makes of a header is plain data: tables of bytes and numbers. They are kept as JSON, never as code, in a folder that is
the user's alone. A file that somebody else could have written, or whose checksum is wrong, is as good as none.
"""

from __future__ import annotations

import ast
import contextlib
import hashlib
import os
import stat
import struct
import sys
import tempfile
from pathlib import Path
from typing import Union

import _cffi_backend
import cffi
import msgspec
from cffi import recompiler

_FOLDER = "c-types"
_MODULE = "wgpu_types"
_MOST_BYTES = 1 << 24
_CHECKSUM_CHARACTERS = 64


class HeaderTypes(msgspec.Struct, frozen=True, kw_only=True):
    """The arguments that cffi's own generated modules give to its back end (`FFI.emit_python_code`); their meaning is cffi's affair."""

    version: int
    types: bytes = b""
    globals: tuple[Union[bytes, int], ...] = ()
    struct_unions: tuple[tuple[bytes, ...], ...] = ()
    enums: tuple[bytes, ...] = ()
    typenames: tuple[bytes, ...] = ()

    def arguments(self) -> dict[str, object]:
        """By the names that the back end knows."""
        return {f"_{name}": getattr(self, name) for name in self.__struct_fields__}


def header_types(header: str, cache_folder: Path | None) -> HeaderTypes:
    """The types of a header, from the cache, or parsed and put there.

    Args:
        header: C declarations as `FFI.cdef` takes them.
        cache_folder: None keeps nothing.

    Raises:
        cffi.CDefError, cffi.FFIError: It cannot be parsed.
        ValueError, msgspec.ValidationError: This version of cffi writes something else than is known here.
    """
    file = None if cache_folder is None else cache_folder / _FOLDER / f"{_key(header)}.json"
    known = None if file is None else _read(file)
    if known is not None:
        return known
    types = _parse(header)
    if file is not None:
        _keep(file, types)
    return types


def _key(header: str) -> str:
    """What the tables depend on: the text, who makes and reads them, and the sizes of this platform."""
    parts = (header, cffi.__version__, _cffi_backend.__version__, sys.platform, str(struct.calcsize("P")))
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def _parse(header: str) -> HeaderTypes:
    ffi = cffi.FFI()
    ffi.cdef(header)
    ffi.set_source(_MODULE, None)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "types.py"
        recompiler.make_py_source(ffi, _MODULE, str(path))
        statement = ast.parse(path.read_text(encoding="utf-8")).body[-1]
    if not isinstance(statement, ast.Assign) or not isinstance(statement.value, ast.Call):
        raise ValueError("cffi does not write what is known here")
    arguments = {(one.arg or "").lstrip("_"): ast.literal_eval(one.value) for one in statement.value.keywords}
    if not arguments.keys() <= set(HeaderTypes.__struct_fields__):
        raise ValueError(f"cffi writes tables that are not known here: {', '.join(arguments)}")
    return msgspec.convert(arguments, HeaderTypes)


def _read(file: Path) -> HeaderTypes | None:
    try:
        if not _is_ours_alone(file.parent.lstat()):
            return None
        with os.fdopen(os.open(file, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0)), "rb") as stream:
            status = os.fstat(stream.fileno())
            if not _is_ours_alone(status) or not stat.S_ISREG(status.st_mode) or status.st_size > _MOST_BYTES:
                return None
            checksum, content = stream.read(_CHECKSUM_CHARACTERS), stream.read()
        if checksum != hashlib.sha256(content).hexdigest().encode():
            return None
        return msgspec.json.decode(content, type=HeaderTypes)
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError):
        return None


def _keep(file: Path, types: HeaderTypes) -> None:
    content = msgspec.json.encode(types)
    with contextlib.suppress(OSError):
        file.parent.parent.mkdir(parents=True, exist_ok=True)
        file.parent.mkdir(mode=0o700, exist_ok=True)
        if _is_ours_alone(file.parent.lstat()):
            # Readable and writable for the user alone from its first byte; readers see the old one or the new one, whole.
            descriptor, temporary = tempfile.mkstemp(dir=file.parent, prefix=file.stem)
            with os.fdopen(descriptor, "wb") as stream:
                stream.write(hashlib.sha256(content).hexdigest().encode() + content)
            Path(temporary).replace(file)


def _is_ours_alone(status: os.stat_result) -> bool:
    """Whether nobody else can have written it. On Windows the user's cache is so by its place."""
    return sys.platform == "win32" or (status.st_uid == os.getuid() and not status.st_mode & (stat.S_IWGRP | stat.S_IWOTH))
