"""One server for the tests that need none of their own; each test closes what it opened, however it ends."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from lsprotocol import types

from lsp_testing.editor import Editor, editor, recorded_clients


@pytest.fixture(scope="session")
def clients() -> dict[str, types.ClientCapabilities]:
    """What editors declare, by name."""
    return recorded_clients()


@pytest.fixture(scope="session")
def pushed(clients: dict[str, types.ClientCapabilities]) -> types.ClientCapabilities:
    """A client that is told its diagnostics, and that leaves it to the server to watch files."""
    return clients.get("nvim012") or clients["neovim@v0.11"]


@pytest.fixture(scope="session")
def silent(clients: dict[str, types.ClientCapabilities]) -> types.ClientCapabilities:
    """A client that says nothing about trust."""
    return clients.get("nvim072") or clients["neovim@v0.7"]


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def shared_client(pushed: types.ClientCapabilities, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Editor]:
    folder = tmp_path_factory.mktemp("workspace")
    async with editor(pushed, folder, folder / "state", {"trusted": True, "python": sys.executable}) as made:
        yield made


@pytest_asyncio.fixture(loop_scope="session")
async def client(shared_client: Editor) -> AsyncIterator[Editor]:
    """An editor of a trusted workspace with nothing open."""
    yield shared_client
    shared_client.forget()
