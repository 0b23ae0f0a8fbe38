"""What the tests of the agents share: one real llama.cpp server."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from model_servers.llama_server import LlamaServer, run_llama_server, small_model_path


@pytest.fixture(scope="session")
def small_model() -> Path:
    return small_model_path()


@pytest.fixture(scope="session")
def llama_server(small_model: Path) -> Iterator[LlamaServer]:
    with run_llama_server(small_model, context_tokens=1024) as server:
        yield server
