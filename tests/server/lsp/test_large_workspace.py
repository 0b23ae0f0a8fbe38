"""A workspace of thousands of files costs a server no more than an empty one; figures are in bench/large_workspace.py."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import pytest
from lsprotocol import types

from lsp_testing.editor import Editor, descendants, editor
from lsp_testing.large_workspace import KERNEL, PLAIN, make_large_workspace
from pixel_server.discover import discover

FILES = 10_000
SLACK_KIB = 8 << 10
"""What two runs of the same server differ by is below 1 MiB; a name alone of each file would take more than this."""

WATCHES_NOTHING = types.ClientCapabilities()
"""The worse case: the server has to watch files itself."""


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("large")
    make_large_workspace(folder, FILES)
    return folder


def test_a_search_finds_what_is_not_ignored_and_follows_no_circle(workspace: Path) -> None:
    found = [path.relative_to(workspace) for path in discover([str(workspace)]).shaders]
    outside = {path.as_posix() for path in found if path.parts[0] != "source"}
    # Root may read the folder that nobody may read.
    assert outside - {"closed/secret.wgsl"} == {"big.wgsl", "binary.wgsl"}
    assert len(found) - len(outside) == FILES // 5
    assert not any("loop" in path.parts for path in found)


@pytest.mark.skipif(sys.platform != "linux", reason="processes are looked at through /proc")
async def test_opening_a_shader_reads_no_other_and_starts_no_more(workspace: Path, tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    seen: list[tuple[int, int]] = []
    for folder in (empty, workspace):
        (folder / "opened.wgsl").write_text(PLAIN, encoding="utf-8")
        async with editor(WATCHES_NOTHING, folder, tmp_path / "state", {"trusted": True}) as client:
            uri = client.open(folder / "opened.wgsl", PLAIN + "fn f() { let x = missing; }\n")
            await client.diagnostics(uri, lambda shown: any("`missing`" in one.message for one in shown))
            assert {one.uri for one in client.published} == {uri}
            assert await client.command("pixel-lsp.report", uri)
            # The compilers are asked about the one that is open; then its folder is watched.
            while not watches(client):
                await asyncio.sleep(0.05)
            assert len(descendants(client.process_id)) <= 2
            seen.append((resident_kib(client), watches(client)))
    assert seen[1][0] - seen[0][0] < SLACK_KIB
    assert seen[1][1] == seen[0][1] == 1


async def test_thousands_of_changes_elsewhere_check_nothing(workspace: Path, tmp_path: Path) -> None:
    path = workspace / "source" / "part_000" / "kernel_00000.wgsl"
    async with editor(WATCHES_NOTHING, workspace, tmp_path / "state", {"trusted": False}) as client:
        uri = client.open(path, KERNEL)
        await client.codes(uri, "PX708")
        published = len(client.published)
        files = [file for file in workspace.glob("source/*/*.wgsl") if file != path]
        changes = [types.FileEvent(uri=file.as_uri(), type=types.FileChangeType.Changed) for file in files]
        client.client.workspace_did_change_watched_files(types.DidChangeWatchedFilesParams(changes=changes))
        assert await client.hover(uri, 7, 36) is not None
        await asyncio.sleep(0.3)
        assert client.published[published:] == []
        assert descendants(client.process_id) == set()


def resident_kib(client: Editor) -> int:
    status = Path(f"/proc/{client.process_id}/status").read_text(encoding="utf-8")
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS:"))


def watches(client: Editor) -> int:
    """How many files and folders the server watches."""
    texts = (file.read_text(encoding="utf-8") for file in Path(f"/proc/{client.process_id}/fdinfo").iterdir())
    return sum(line.startswith("inotify wd") for text in texts for line in text.splitlines())
