"""An editor that asks for diagnostics: it is told to ask again, and nothing is pushed into its documents."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from lsprotocol import types

from lsp_testing.editor import Editor, editor
from lsp_testing.kernels import CODE, RIGHT, WRONG, write

pytestmark = [pytest.mark.device, pytest.mark.asyncio(loop_scope="module")]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def puller(clients: dict[str, types.ClientCapabilities], tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Editor]:
    capabilities = clients.get("vscode1139") or clients["visual-studio-code"]
    assert capabilities.text_document is not None
    assert capabilities.workspace is not None
    capabilities.text_document.diagnostic = types.DiagnosticClientCapabilities(related_document_support=True)
    capabilities.workspace.diagnostics = types.DiagnosticWorkspaceClientCapabilities(refresh_support=True)
    folder = tmp_path_factory.mktemp("workspace")
    async with editor(capabilities, folder, folder / "state", {"trusted": True, "python": sys.executable}) as made:
        yield made


async def pull(client: Editor, uri: str, known: str | None = None) -> types.DocumentDiagnosticReport:
    params = types.DocumentDiagnosticParams(text_document=types.TextDocumentIdentifier(uri=uri), previous_result_id=known)
    return await client.client.text_document_diagnostic_async(params)


async def pull_all(client: Editor, uri: str) -> types.RelatedFullDocumentDiagnosticReport:
    report = await pull(client, uri)
    assert isinstance(report, types.RelatedFullDocumentDiagnosticReport)
    assert report.result_id
    return report


async def test_a_verdict_is_told_by_asking_again(puller: Editor, tmp_path: Path) -> None:
    uri = puller.open(write(tmp_path, "k.wgsl", WRONG), WRONG)
    refreshed = puller.refreshes
    await puller.until_verdict(uri, "failed")
    assert puller.refreshes > refreshed
    wrong = await pull_all(puller, uri)
    assert [one.code for one in wrong.items] == ["PX401"]

    # What did not change is not sent again; what changed is, whatever the editor believes to know.
    unchanged = await pull(puller, uri, wrong.result_id)
    assert isinstance(unchanged, types.RelatedUnchangedDocumentDiagnosticReport)
    assert unchanged.result_id == wrong.result_id
    puller.change(uri, 2, RIGHT)
    edited = await pull(puller, uri, wrong.result_id)
    assert isinstance(edited, types.RelatedFullDocumentDiagnosticReport)
    assert (list(edited.items), edited.result_id == wrong.result_id) == ([], False)
    puller.save(uri)
    await puller.until_verdict(uri, "passed")
    assert not (await pull_all(puller, uri)).items

    # The old text again, not saved: its verdict is known to be that of another text.
    puller.change(uri, 3, WRONG)
    assert not (await pull_all(puller, uri)).items
    puller.save(uri)
    await puller.until_verdict(uri, "failed")
    again = await pull(puller, uri, wrong.result_id)
    assert isinstance(again, types.RelatedUnchangedDocumentDiagnosticReport)
    assert [one.diagnostics for one in puller.published if one.uri == uri] == []
    puller.close(uri)
    assert not (await pull_all(puller, uri)).items


async def test_every_answer_speaks_of_the_newest_text(puller: Editor, tmp_path: Path) -> None:
    uri = puller.open(tmp_path / "typing.wgsl", "fn f() {}\n")
    for version in range(2, 12):
        puller.change(uri, version, f"fn /* 😀é */ f() {{ let x = y{version}; }}\n")
        (unknown,) = (await pull_all(puller, uri)).items
        assert f"`y{version}`" in unknown.message
        assert unknown.range.start == types.Position(0, 27)
    puller.close(uri)


async def test_a_sidecar_that_is_not_open_is_pushed_and_one_that_is_open_is_pulled(puller: Editor, tmp_path: Path) -> None:
    contract = "".join(line[4:] + "\n" for line in RIGHT.splitlines() if line.startswith("//! "))
    sidecar = write(tmp_path, "k.contract.toml", contract.replace("dispatch", "dispach"))
    beside = sidecar.as_uri()
    uri = puller.open(write(tmp_path, "k.wgsl", CODE), CODE)

    def pushed_last() -> list[int | str | None]:
        return [one.code for shown in [one for one in puller.published if one.uri == beside][-1:] for one in shown.diagnostics]

    await puller.until(lambda: bool(pushed_last()))
    told = pushed_last()
    assert not (await pull_all(puller, uri)).items
    puller.open(sidecar, contract.replace("dispatch", "dispach"), language="toml")
    assert [one.code for one in (await pull_all(puller, beside)).items] == told
    # An editor shows what was pushed beside what it pulled: each finding was there twice, and the pushed one for good.
    await puller.until(lambda: pushed_last() == [])
    puller.change(beside, 2, contract)
    assert not (await pull_all(puller, beside)).items
    puller.close(beside)
    puller.close(uri)
    await puller.until(lambda: pushed_last() == [])


async def test_an_edit_of_a_sidecar_makes_the_lens_of_its_shader_be_asked_for_again(puller: Editor, tmp_path: Path) -> None:
    """An editor asks again for the lenses of the document that was edited, and showed an old verdict as that of a new contract."""
    contract = "".join(line[4:] + "\n" for line in RIGHT.splitlines() if line.startswith("//! "))
    uri = puller.open(write(tmp_path, "k.wgsl", CODE), CODE)
    beside = puller.open(write(tmp_path, "k.contract.toml", contract), contract, language="toml")
    await puller.until_verdict(uri, "passed")
    assert (await puller.lenses(uri))[1].startswith("✓ ")
    refreshed = puller.refreshes
    puller.change(beside, 2, contract.replace("2 * x", "3 * x"))
    await puller.until(lambda: puller.refreshes > refreshed)
    assert (await puller.lenses(uri))[1].endswith(" – before the last edit")
    puller.close(beside)
    puller.close(uri)
