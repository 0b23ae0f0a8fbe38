"""Models whose maps are looked at."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import gguf
import numpy as np
from numpy.typing import NDArray

from pixel_core.weights.gguf import Gguf
from pixel_core.weights.pxi import Pxi
from tiny_models import Tensors

OpenBoth = Callable[[Tensors], tuple[Gguf, Pxi]]
"""Opens random tensors as a GGUF and as the PXI of it."""


def write_plain(path: Path, **tensors: NDArray[np.float32]) -> Path:
    """Write a GGUF of these values."""
    writer = gguf.GGUFWriter(path, "plain")
    for name, values in tensors.items():
        writer.add_tensor(name, values)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path
