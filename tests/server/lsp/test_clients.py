"""Every recorded editor gets the same verdict on the right range, in the form that it declared."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from lsprotocol import types

from lsp_testing.editor import Editor, editor, recorded_clients
from pixel_core.rules import RULES

pytestmark = [pytest.mark.device, pytest.mark.asyncio(loop_scope="module")]

MATMUL = (Path(__file__).parents[3] / "shaders" / "matmul.wgsl").read_text(encoding="utf-8")
STORE = "        c[row * size.n + col] = sum;"
# Before the store stand characters that the three encodings count differently.
RIGHT = MATMUL.replace(STORE, "        /* 😀é */ c[row * size.n + col] = sum;")
WRONG = RIGHT.replace("] = sum;", "] = sum + 1.0;")
START = {"utf-8": 21, "utf-16": 18, "utf-32": 17}
CLIENTS = recorded_clients()


@pytest_asyncio.fixture(scope="module", loop_scope="module", params=sorted(CLIENTS))
async def client(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Editor]:
    folder = tmp_path_factory.mktemp("workspace")
    async with editor(CLIENTS[request.param], folder, folder / "state", {"trusted": True}) as made:
        yield made


async def test_a_wrong_store_is_marked_until_it_is_right(client: Editor, tmp_path: Path) -> None:
    path = tmp_path / "matmul é.wgsl"
    path.write_text(WRONG, encoding="utf-8")
    uri = client.open(path, WRONG)
    (wrong,) = await client.codes(uri, "PX401")
    line = WRONG[: WRONG.index("/* 😀é */")].count("\n")
    start = START[client.encoding]
    length = len("c[row * size.n + col] = sum + 1.0")
    assert wrong.range == types.Range(types.Position(line, start), types.Position(line, start + length))
    assert wrong.message.startswith("c is wrong in 4,096 of 4,096 elements (case M=64 N=64 K=64, device ")
    assert wrong.message.endswith("\nre-run: pixel-lsp check 'matmul é.wgsl' --case \"M=64 N=64 K=64\"")
    assert (wrong.severity, wrong.source) == (types.DiagnosticSeverity.Error, "pixel-lsp")

    # The edit makes the verdict stale, and only a save makes a new one.
    plus = types.Range(types.Position(line, start + length - 6), types.Position(line, start + length))
    client.change(uri, 2, "", plus)
    await client.codes(uri)
    hovered = await client.hover(uri, *_place(RIGHT, "fn matmul", 3))
    assert hovered is not None
    assert "before the last edit" in hovered
    client.save(uri)
    await client.until_verdict(uri, "passed")
    await client.codes(uri)


async def test_findings_while_typing_speak_of_the_version_that_was_typed(client: Editor, tmp_path: Path) -> None:
    uri = client.open(tmp_path / "typing.wgsl", "fn f() {}\n")
    await client.codes(uri)
    client.change(uri, 2, "fn /* 😀 */ f() { let x = y; }\n")
    (unknown,) = await client.diagnostics(uri, lambda shown: any("`y`" in one.message for one in shown))
    column = {"utf-8": 28, "utf-16": 26, "utf-32": 25}[client.encoding]
    assert unknown.range == types.Range(types.Position(0, column), types.Position(0, column + 1))
    if not client.pulls:
        assert [one.version for one in client.published if one.uri == uri][-1] == (None if client.version_is_unwanted else 2)
    client.close(uri)
    if not client.pulls:
        await client.codes(uri)


async def test_a_hover_has_the_form_that_the_client_declared(client: Editor, tmp_path: Path) -> None:
    path = tmp_path / "hover.wgsl"
    path.write_text(WRONG, encoding="utf-8")
    uri = client.open(path, WRONG)
    await client.codes(uri, "PX401")
    capabilities = client.client.capabilities
    assert capabilities is not None
    assert capabilities.text_document is not None
    declared = capabilities.text_document.hover.content_format if capabilities.text_document.hover else None
    on_name = await client.hover(uri, *_place(WRONG, "fn matmul", 3))
    on_line = await client.hover(uri, *_place(WRONG, "= sum + 1.0", 0))
    assert on_name is not None
    assert on_line is not None
    assert "M=65 N=33 K=20   failed  max error 1  " in on_name
    # The editor shows the finding itself beside the hover.
    assert RULES["PX401"].summary in on_line
    assert RULES["PX401"].remedy in on_line
    assert "M=65 N=33 K=20   failed  max error 1  " in on_line
    assert "is wrong in" not in on_line
    for text in (on_name, on_line):
        assert ("```" in text) == (types.MarkupKind.Markdown in (declared or ()))
    assert await client.hover(uri, *_place(WRONG, "struct Size", 0)) is None


async def test_what_can_be_done_is_offered_as_lens_or_action(client: Editor, tmp_path: Path) -> None:
    path = tmp_path / "actions.wgsl"
    path.write_text(WRONG, encoding="utf-8")
    uri = client.open(path, WRONG)
    (wrong,) = await client.codes(uri, "PX401")
    titles = [action.title for action in await client.actions(uri, wrong.range)]
    assert "Re-run the failing case only (M=64 N=64 K=64)" in titles
    if client.server.code_lens_provider is not None:
        check, verdict = await client.lenses(uri)
        assert check == "▶ Check"
        assert verdict.startswith("✗ 10 failed of 10 cases, max error 1")
    else:
        assert "Check this kernel (matmul)" in titles


async def test_a_contract_is_written_by_an_edit(client: Editor, tmp_path: Path) -> None:
    text = "@group(0) @binding(0) var<storage, read_write> é: array<f32>;\n@compute @workgroup_size(64)\nfn k() { é[0] = 1.0; }\n"
    uri = client.open(tmp_path / "new.wgsl", text)
    (hint,) = await client.codes(uri, "PX390")
    assert hint.severity == types.DiagnosticSeverity.Hint
    assert hint.range == types.Range(types.Position(2, 3), types.Position(2, 4))
    (action,) = [one for one in await client.actions(uri, hint.range) if one.title == "Write a contract for this kernel"]
    assert isinstance(action, types.CodeAction)
    assert action.edit is not None
    capabilities = client.client.capabilities
    assert capabilities is not None
    workspace_edit = capabilities.workspace.workspace_edit if capabilities.workspace else None
    if workspace_edit is not None and workspace_edit.document_changes:
        (change,) = action.edit.document_changes or ()
        assert isinstance(change, types.TextDocumentEdit)
        assert change.text_document.version == 1
        (edit,) = change.edits
    else:
        ((edit,),) = (action.edit.changes or {}).values()
    assert isinstance(edit, types.TextEdit)
    assert edit.range == types.Range(types.Position(0, 0), types.Position(0, 0))
    assert edit.new_text.startswith("//! [k]\n")


def _place(text: str, words: str, after: int) -> tuple[int, int]:
    """Line and column of a place in a line of ASCII."""
    before = text[: text.index(words) + after]
    return before.count("\n"), len(before) - before.rfind("\n") - 1
