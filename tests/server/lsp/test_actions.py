"""Code actions and commands all the way: asked for, applied by the editor, saved, and what they were for is gone."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import attrs
import pytest
from lsprotocol import types
from pygls.exceptions import JsonRpcException

from lsp_testing.editor import Editor, editor
from lsp_testing.kernels import CODE, RIGHT, write

pytestmark = [pytest.mark.device, pytest.mark.asyncio(loop_scope="session")]

BRANCH = "    if (id.x < arrayLength(&y))"
REQUIRING = RIGHT.replace("@group(0) @binding(0)", "requires unrestricted_pointer_parameters;\n@group(0) @binding(0)")
ANNOTATED = RIGHT.replace(BRANCH, "    /* 😀é */ @diagnostic(off, derivative_uniformity) if (id.x < arrayLength(&y))")
SUBGROUP = RIGHT.replace(BRANCH, f"    let sum = 0.0 * f32(subgroupAdd(1u));\n{BRANCH}").replace("= 2.0 * x", "= sum + 2.0 * x")
HALF_SENTENCE = RIGHT.replace("2.0 * x[id.x];", "/* 😀é */ 2.0 * x[id.x]")


@pytest.mark.parametrize(
    ("text", "code", "title", "after"),
    [
        pytest.param(REQUIRING, "PX212", "remove `unrestricted_pointer_parameters`", (), id="requires"),
        pytest.param(ANNOTATED, "PX213", "remove the attribute", (), id="attribute"),
        pytest.param(SUBGROUP, "PX135", "insert `enable subgroups;`", ("PX210",), id="enable"),
        pytest.param(HALF_SENTENCE, "PX104", "insert `;`", (), id="syntax"),
    ],
)
async def test_a_quick_fix_mends_what_it_is_for(
    client: Editor, tmp_path: Path, text: str, code: str, title: str, after: Sequence[str]
) -> None:
    path = write(tmp_path, "k.wgsl", text)
    uri = client.open(path, text)
    found = await client.diagnostics(uri, lambda shown: [one.code for one in shown].count(code) == 1)
    (about,) = [one for one in found if one.code == code]
    action = await client.action(uri, about, title)
    assert (action.kind, action.is_preferred) == (types.CodeActionKind.QuickFix, True)
    assert [one.code for one in action.diagnostics or ()] == [code]
    assert action.edit is not None
    client.apply(action.edit)
    path.write_text(client.texts[uri], encoding="utf-8")
    client.save(uri)
    # The contract was not lost on the way: the kernel runs, and is right.
    await client.until_verdict(uri, "passed")
    await client.codes(uri, *after)


@pytest.mark.parametrize("names_versions", [False, True])
async def test_a_contract_is_written_and_needs_nothing_but_its_truth(
    pushed: types.ClientCapabilities, tmp_path: Path, names_versions: bool
) -> None:
    workspace = attrs.evolve(pushed.workspace, workspace_edit=types.WorkspaceEditClientCapabilities(document_changes=names_versions))
    capabilities = attrs.evolve(pushed, workspace=workspace)
    async with editor(capabilities, tmp_path, tmp_path / "state", {"trusted": True, "python": sys.executable}) as client:
        code = CODE.replace("@group(0) @binding(0)", "// 😀é\n@group(0) @binding(0)")
        path = write(tmp_path, "k.wgsl", code)
        uri = client.open(path, code)
        await client.codes(uri, "PX390")
        assert await client.command("pixel-lsp.writeContract", uri) is True
        (edit,) = client.edits
        assert (edit.document_changes is not None, edit.changes is not None) == (names_versions, not names_versions)
        assert client.texts[uri].endswith(code)
        # All that is left to do is to say what the kernel computes.
        (truth,) = await client.codes(uri, "PX312")
        assert truth.message.startswith("write here what `y` must equal")
        client.change(uri, 3, '"2 * x"', truth.range)
        path.write_text(client.texts[uri], encoding="utf-8")
        client.save(uri)
        await client.until_verdict(uri, "passed")
        await client.codes(uri)
        # There is nothing more to write.
        assert await client.command("pixel-lsp.writeContract", uri) is False
        assert [one.message for one in client.client.messages] == ["k.wgsl has no kernel without a contract"]


async def test_an_edit_that_the_editor_refuses_is_not_taken_for_done(client: Editor, tmp_path: Path) -> None:
    uri = client.open(write(tmp_path, "k.wgsl", CODE), CODE)
    await client.codes(uri, "PX390")
    client.takes_edits = False
    assert await client.command("pixel-lsp.writeContract", uri) is False
    await client.codes(uri, "PX390")
    with pytest.raises(JsonRpcException, match="is not an open shader"):
        await client.command("pixel-lsp.writeContract", uri + "x")


async def test_an_editor_that_takes_no_edits_is_told_what_to_run(pushed: types.ClientCapabilities, tmp_path: Path) -> None:
    capabilities = attrs.evolve(pushed, workspace=attrs.evolve(pushed.workspace, apply_edit=False))
    async with editor(capabilities, tmp_path, tmp_path / "state", {"trusted": True}) as client:
        path = write(tmp_path, "k.wgsl", CODE)
        uri = client.open(path, CODE)
        await client.codes(uri, "PX390")
        assert await client.command("pixel-lsp.writeContract", uri) is False
        (message,) = client.client.messages
        assert message.message == f"this editor takes no edits; run `pixel-lsp contract {path} --write`"
        assert client.edits == []
