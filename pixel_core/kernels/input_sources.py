"""Where the content of a buffer comes from when it is not drawn, and packed formats that only the user's Python knows. Data only."""

from __future__ import annotations

from typing import Union

import msgspec

from pixel_core.findings import Span


class InputFile(msgspec.Struct, frozen=True, kw_only=True):
    """`file x.npy`: content that a file holds; resolved against the contract's folder by the runner, never here.

    Attributes:
        file: Relative to the contract's folder.
        key: Dotted key of its line: `inputs.x`, `cases[2].inputs.x`.
    """

    file: str
    key: str
    span: Span

    @property
    def text(self) -> str:
        """As contracts write it."""
        return f"file {self.file}"


class InputFunction(msgspec.Struct, frozen=True, kw_only=True):
    """`gen.py:row_ptr`: content that a Python function makes; `key` as of `InputFile`."""

    file: str
    function: str
    key: str
    span: Span

    @property
    def text(self) -> str:
        """As contracts write it."""
        return f"{self.file}:{self.function}"


InputSource = Union[InputFile, InputFunction]


class PythonCodec(msgspec.Struct, frozen=True, kw_only=True):
    """`{ python = "nf4.py:nf4", values = 64, bytes = 36 }`: a packed format that Python knows; as many bytes hold as many values."""

    file: str
    name: str
    values: int
    bytes: int
    span: Span

    @property
    def text(self) -> str:
        """As contracts write it."""
        return f"{self.file}:{self.name}"
