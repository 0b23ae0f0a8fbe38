"""Models to look at: of every type, as GGUF and as PXI."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from model_testing.map_models import OpenBoth
from pixel_core.weights.gguf import Gguf
from pixel_core.weights.model_file import open_model
from pixel_core.weights.pxi import Pxi
from pixel_core.weights.write_pxi import write_pxi
from tiny_models import Tensors, write_tiny_model


@pytest.fixture
def open_both(tmp_path: Path) -> Iterator[OpenBoth]:
    """Opens random tensors as a GGUF and as the PXI of it."""
    with ExitStack() as stack:

        def both(tensors: Tensors) -> tuple[Gguf, Pxi]:
            gguf = write_tiny_model(tmp_path / "a.gguf", tensors)
            write_pxi(gguf, tmp_path / "a.pxi", compress=True)
            opened = [stack.enter_context(open_model(path)) for path in (gguf, tmp_path / "a.pxi")]
            assert isinstance(opened[0], Gguf)
            assert isinstance(opened[1], Pxi)
            return opened[0], opened[1]

        yield both
