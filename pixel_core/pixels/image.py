"""Bytes as an image: one texel is 16 bytes, `rgba32uint`, little-endian."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from typing_extensions import Buffer, Self

TEXEL_BYTES: Final = 16
DEFAULT_WIDTH: Final = 1024
"""Texels, so that a row has 16 KiB: a multiple of what textures want rows aligned to."""

Texels = npt.NDArray[np.uint32]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PixelImage:
    """An image, and how many of its bytes mean something.

    Attributes:
        texels: u32[height, width, 4], C-contiguous.
        length: Bytes that were put in; what follows them is zero.
    """

    texels: Texels
    length: int

    def __post_init__(self) -> None:
        if self.texels.ndim != 3 or self.texels.shape[2] != 4 or self.texels.dtype != np.uint32 or not self.texels.flags.c_contiguous:
            raise ValueError(f"an image is a contiguous u32[height, width, 4], not {self.texels.dtype}{list(self.texels.shape)}")
        if not 0 <= self.length <= self.texels.nbytes:
            raise ValueError(f"{self.length:,} bytes do not fit into {self.texels.nbytes:,}")

    @classmethod
    def from_bytes(cls, data: Buffer, *, width: int = DEFAULT_WIDTH) -> Self:
        """The image of some bytes, row by row.

        Where they fill whole rows, the image is a view of them: no copy. Else they are copied once, since zeros have to follow.

        Args:
            data: Contiguous bytes.
            width: Texels in a row.

        Raises:
            ValueError: The width is less than 1.
        """
        require_little_endian()
        if width < 1:
            raise ValueError(f"a row has at least one texel, not {width}")
        view = memoryview(data).cast("B")
        row = width * TEXEL_BYTES
        height = -(-len(view) // row)
        if len(view) % row:
            flat = np.zeros(height * row, np.uint8)
            flat[: len(view)] = view
        else:
            flat = np.frombuffer(view, np.uint8)
        return cls(texels=flat.view(np.uint32).reshape(height, width, 4), length=len(view))

    @property
    def data(self) -> memoryview:
        """The bytes that were put in: a view, no copy."""
        return self.texels.reshape(-1).view(np.uint8).data[: self.length]


def require_little_endian() -> None:
    """Refuse a machine whose numbers are stored the other way round: views of files would be wrong there.

    Raises:
        NotImplementedError: This is one.
    """
    if sys.byteorder != "little":
        raise NotImplementedError("texels are little-endian, and this machine is not")
