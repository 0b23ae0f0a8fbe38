"""What random sessions and large workspaces have brought to light, each once more in plain words."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from lsprotocol import types

from lsp_testing.editor import editor, recorded_clients
from lsp_testing.large_workspace import KERNEL
from pixel_core.kernels.read_text import MAX_BYTES
from pixel_server.trust import TrustStore

CLIENTS = recorded_clients()
PUSHED = CLIENTS.get("nvim012") or CLIENTS["neovim@v0.11"]
SILENT = CLIENTS.get("nvim072") or CLIENTS["neovim@v0.7"]


@pytest.mark.device
async def test_trust_that_was_granted_in_the_editor_can_be_withdrawn_in_the_terminal(tmp_path: Path) -> None:
    path = tmp_path / "k.wgsl"
    path.write_text(KERNEL, encoding="utf-8")
    async with editor(SILENT, tmp_path, tmp_path / "state") as client:
        client.answer = "Trust"
        uri = client.open(path, KERNEL)
        await client.until_verdict(uri, "passed")
        assert TrustStore(tmp_path / "state" / "pixel-lsp").remove(tmp_path)
        client.save(uri)
        await client.codes(uri, "PX708")


async def test_no_findings_is_never_said_of_a_text_that_was_not_looked_at(tmp_path: Path) -> None:
    wrong = "fn f() { let x = missing; }\n"
    async with editor(PUSHED, tmp_path, tmp_path / "state", {"trusted": False}) as client:
        uri = client.open("untitled:1", wrong)
        await client.diagnostics(uri, bool)
        for version in range(2, 12):
            client.change(uri, version, f"{wrong}// {version}\n")
            client.save(uri)
            client.change(uri, version + 100, f"{wrong}// {version}, and more\n")
        await client.until(lambda: client.published[-1].version == 111)
        assert [one.version for one in client.published if not one.diagnostics] == []


async def test_news_of_the_queue_say_nothing_of_a_text_that_was_not_looked_at(tmp_path: Path) -> None:
    wrong = "fn f() { let x = missing; }\n"
    path = tmp_path / "k.wgsl"
    path.write_text(wrong, encoding="utf-8")
    async with editor(PUSHED, tmp_path, tmp_path / "state", {"trusted": False}) as client:
        uri = client.open(path, wrong)
        await client.diagnostics(uri, bool)
        for version in range(2, 6):
            client.change(uri, version, f"{wrong}// {version}\n")
            await client.command("pixel-lsp.coach.queue", {"uri": uri, "from": "words", "title": f"task {version}"})
        await client.until(lambda: client.published[-1].version == 5)
        assert [one.version for one in client.published if not one.diagnostics] == []


async def test_a_document_that_was_closed_has_no_findings_however_often_it_was_opened(tmp_path: Path) -> None:
    # Long enough for a thread, so that the analysis of one opening ends in the time of another.
    wrong = "fn f() { let x = missing; }\n" * 700
    async with editor(PUSHED, tmp_path, tmp_path / "state", {"trusted": False}) as client:
        for pause in (0.0, 0.02, 0.05, 0.1, 0.2, 0.3):
            uri = client.open("untitled:1", wrong)
            await asyncio.sleep(pause)
            client.close(uri)
            client.open("untitled:1", wrong)
            await asyncio.sleep(pause)
            client.close(uri)
        other = client.open("untitled:2", wrong)
        await client.diagnostics(other, bool)
        told = [one for one in client.published if one.uri == uri]
        assert not told or not told[-1].diagnostics


async def test_a_document_that_is_too_large_is_not_read(tmp_path: Path) -> None:
    text = "fn f() { let x = missing; }\n"
    text *= MAX_BYTES // len(text) + 1
    async with editor(PUSHED, tmp_path, tmp_path / "state", {"trusted": False}) as client:
        uri = client.open(tmp_path / "big.wgsl", text)
        (shown,) = await client.codes(uri, "PX903")
        assert shown.message.splitlines()[0] == "big.wgsl is larger than 4 MiB"
        client.change(uri, 2, "fn f() { let x = missing; }\n")
        await client.diagnostics(uri, lambda shown: any("`missing`" in one.message for one in shown))


async def test_an_editor_is_told_of_a_thousand_findings_at_most_and_of_the_worst(tmp_path: Path) -> None:
    text = "@compute @workgroup_size(1) fn k() {}\n" + "fn f() { let x = missing; }\n" * 1200
    async with editor(PUSHED, tmp_path, tmp_path / "state", {"trusted": False}) as client:
        uri = client.open("untitled:1", text)
        shown = await client.diagnostics(uri, bool)
        assert len(shown) == 1000
        assert {one.severity for one in shown} == {types.DiagnosticSeverity.Error}
