"""What every file of a model offers, whether it is a GGUF or a PXI."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from pathlib import Path
from types import TracebackType
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from pixel_core.errors import ModelFileError
from pixel_core.weights.ggml_types import GgmlType
from pixel_core.weights.metadata import MetadataValue


@dataclass(frozen=True, slots=True, kw_only=True)
class Tensor:
    """A tensor as a file describes it.

    Attributes:
        name: Its name, such as `blk.0.attn_q.weight`.
        shape: Lengths of one to four axes in ggml's order: the first one is that of a row, whose values lie side by side.
        type: The type of its blocks.
    """

    name: str
    shape: tuple[int, ...]
    type: GgmlType

    @property
    def columns(self) -> int:
        """Values in a row."""
        return self.shape[0]

    @property
    def rows(self) -> int:
        """Rows, over all further axes."""
        return prod(self.shape[1:])

    @property
    def row_bytes(self) -> int:
        """Bytes of a row."""
        return self.columns // self.type.block_length * self.type.block_bytes

    @property
    def byte_count(self) -> int:
        """Bytes of the whole tensor."""
        return self.rows * self.row_bytes


class ModelFile(Protocol):
    """A model's file, open and mapped. What it hands out stays valid after `close`, for as long as somebody holds it."""

    @property
    def path(self) -> Path:
        """Where the file lies."""
        ...

    @property
    def metadata(self) -> Mapping[str, MetadataValue]:
        """All key-values, in the order of the GGUF."""
        ...

    @property
    def tensors(self) -> Mapping[str, Tensor]:
        """All tensors by name, in the order of the GGUF."""
        ...

    def blocks(self, name: str) -> memoryview:
        """A tensor's bytes as ggml has them; no copy where the file holds them like that.

        Raises:
            KeyError: There is no such tensor.
        """
        ...

    def texels(self, name: str, plane: str) -> NDArray[np.uint32]:
        """A plane of a tensor, `u32[height, width, 4]`, read-only; no copy where the file holds it like that.

        Args:
            name: The tensor.
            plane: One of `texel_format_of(tensor).planes`, such as `quants`.

        Raises:
            KeyError: There is no such tensor or plane.
        """
        ...

    def close(self) -> None:
        """Let go of the file."""
        ...

    def __enter__(self) -> ModelFile: ...  # noqa: PYI034 -- typing.Self needs Python 3.11

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None: ...


def open_model(path: Path) -> ModelFile:
    """Open a GGUF, a PXI or a PNG cartridge, whatever it is called.

    Raises:
        ModelFileError: It is none of them, or it is damaged.
        OSError: It cannot be read.
    """
    from pixel_core.weights.cartridge import PNG_MAGIC, open_cartridge
    from pixel_core.weights.gguf import GGUF_MAGIC, open_gguf
    from pixel_core.weights.pxi import open_pxi

    if not path.is_file():
        raise ModelFileError(f"{path} is not a file")
    with path.open("rb") as file:
        magic = file.read(8)
    if magic[:4] == GGUF_MAGIC:
        return open_gguf(path)
    if magic[:3] == b"PXI":  # which of several kinds, open_pxi says
        return open_pxi(path)
    if magic == PNG_MAGIC:
        return open_cartridge(path)
    raise ModelFileError(
        f"{path} is not a model: it begins with {magic!r}",
        hint="a GGUF begins with b'GGUF', a PXI with b'PXI', a PNG cartridge with b'\\x89PNG'",
    )
