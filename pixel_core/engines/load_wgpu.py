"""Loading wgpu's native back end without parsing its C header, where that was done before."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from pathlib import Path
from typing import Any, cast

import _cffi_backend
import cffi

from pixel_core.engines.header_types import HeaderTypes, header_types

_NATIVE = "wgpu.backends.wgpu_native"


def load_wgpu(cache_folder: Path | None) -> None:
    """Import wgpu and its native back end, so that whoever imports them later finds them loaded.

    The back end makes `cffi.FFI()` and gives it the header. While it is imported, that name stands for an FFI that knows the header's types
    already. Where anything is unlike what is known here, wgpu is imported as always. Not for use while another thread imports a module that
    makes an FFI of its own.

    Args:
        cache_folder: Where the header's types are kept; None keeps nothing, and still saves parsing every C type's name.

    Raises:
        Exception: What importing wgpu raises.
    """
    if _NATIVE in sys.modules:
        return
    original = cffi.FFI
    try:
        header = _header()
        cast("Any", cffi).FFI = _ready_ffi(header, header_types(header, cache_folder))
        importlib.import_module(_NATIVE)
    except Exception:  # noqa: BLE001 -- another wgpu or cffi: what fails here is tried again without us, and may then raise
        cast("Any", cffi).FFI = original
        importlib.import_module(_NATIVE)
    finally:
        cast("Any", cffi).FFI = original


def _header() -> str:
    found = importlib.util.find_spec("wgpu")
    if found is None or found.origin is None:
        raise ImportError("there is no wgpu")
    return (Path(found.origin).parent / "resources" / "combined_header.h").read_text(encoding="utf-8")


def _ready_ffi(header: str, types: HeaderTypes) -> object:
    """What stands for the class `cffi.FFI`: called without arguments, it gives an FFI of the back end that takes this header alone."""

    class ReadyFFI(_cffi_backend.FFI):
        def cdef(self, source: str) -> None:
            if source != header:
                raise ValueError("wgpu declares more than its header")

        def set_source(self, name: str, source: None) -> None:
            """Nothing is to be compiled."""

    return lambda: cast("Any", ReadyFFI)("wgpu_types", **types.arguments())
