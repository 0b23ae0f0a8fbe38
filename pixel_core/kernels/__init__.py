"""Contracts and their proof: from a shader with a promise to a verdict.

`from pixel_core.kernels import check, check_text` is what programs need; the names below are loaded when they are first used, so that
importing a single module of this package loads no other.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pixel_core.kernels.library import check, check_text, read_kernel
    from pixel_core.kernels.report import CaseReport, CheckReport, ValidationReport
    from pixel_core.kernels.validate import Checker, CheckOptions

__all__ = ["CaseReport", "CheckOptions", "CheckReport", "Checker", "ValidationReport", "check", "check_text", "read_kernel"]

_MODULES = {
    "CaseReport": "report",
    "CheckOptions": "validate",
    "CheckReport": "report",
    "Checker": "validate",
    "ValidationReport": "report",
    "check": "library",
    "check_text": "library",
    "read_kernel": "library",
}


def __getattr__(name: str) -> object:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
