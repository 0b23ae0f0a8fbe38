"""Files beside a shader change without a word from the editor: what was shown of the shader is not shown any longer."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from lsprotocol import types

from lsp_testing.editor import editor
from lsp_testing.kernels import CODE, REFERENCE, REFERRING, RIGHT, write

pytestmark = pytest.mark.device

OPTIONS = {"trusted": True, "python": sys.executable}


async def test_an_editor_watches_its_workspace_and_the_server_what_lies_elsewhere(
    tmp_path: Path, clients: dict[str, types.ClientCapabilities]
) -> None:
    watching = clients.get("eglot19") or clients["visual-studio-code"]
    workspace, elsewhere = tmp_path / "workspace", tmp_path / "elsewhere"
    for folder in (workspace, elsewhere):
        folder.mkdir()
    reference = write(elsewhere, "ref.py", REFERENCE)
    async with editor(watching, workspace, tmp_path / "state", OPTIONS) as client:
        uri = client.open(write(elsewhere, "k.wgsl", REFERRING), REFERRING)
        await client.until_verdict(uri, "passed")
        assert [one.method for one in client.registrations if "Files" in one.method] == [types.WORKSPACE_DID_CHANGE_WATCHED_FILES]
        reference.write_text(REFERENCE.replace("2 *", "4 *"), encoding="utf-8")
        await client.codes(uri, "PX401")


async def test_a_workspace_behind_a_link_is_watched(tmp_path: Path, pushed: types.ClientCapabilities) -> None:
    folder, link = tmp_path / "folder", tmp_path / "link"
    folder.mkdir()
    link.symlink_to(folder)
    contract = "".join(line[4:] + "\n" for line in RIGHT.splitlines() if line.startswith("//! "))
    sidecar = write(folder, "k.contract.toml", contract)
    async with editor(pushed, link, tmp_path / "state", OPTIONS) as client:
        uri = client.open(write(link, "k.wgsl", CODE), CODE)
        await client.until_verdict(uri, "passed")
        sidecar.write_text(contract.replace("2 * x", "4 * x"), encoding="utf-8")
        # What is shown is looked at, for nobody but the server is to begin anything.
        await client.codes(uri, "PX401")
