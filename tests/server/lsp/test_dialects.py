"""Dialects in an editor: findings stand on what was written, and what a shader is made of counts as it is in the editor."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from lsprotocol import types

from lsp_testing.editor import Editor, editor
from lsp_testing.kernels import write

pytestmark = [pytest.mark.device, pytest.mark.asyncio(loop_scope="session")]

PART = "fn scaled(x: TYPE) -> TYPE { return FACTOR * x; }\n"
KERNEL = """//! [twice]
//! dims = "N"
//! prepare = [{ define = { TYPE = "f32" } }]
//! shapes = { x = "N", y = "N" }
//! dispatch = "ceil(N / 64)"
//! expect = { y = "2 * x" }
//! cases = ["N=64", "N=65", "N=1"]
#define FACTOR 2.0
#include "part.wgsl"
#define STORE(i, v) y[i] = v
@group(0) @binding(0) var<storage, read> x: array<TYPE>;
@group(0) @binding(1) var<storage, read_write> y: array<TYPE>;
@compute @workgroup_size(64)
fn twice(@builtin(global_invocation_id) id: vec3<u32>) {
    /* größe 🎉 */ if (id.x < arrayLength(&y)) { STORE(id.x, scaled(x[id.x])); }
}
"""


def text_at(text: str, where: types.Range, encoding: str) -> str:
    """What stands in a range, in the units that were agreed on."""
    assert where.start.line == where.end.line
    line = text.split("\n")[where.start.line]
    if encoding == "utf-32":
        return line[where.start.character : where.end.character]
    raw, size = (line.encode("utf-16-le"), 2) if encoding == "utf-16" else (line.encode(), 1)
    return raw[where.start.character * size : where.end.character * size].decode("utf-16-le" if encoding == "utf-16" else "utf-8")


async def test_a_wrong_result_stands_at_the_use_of_the_macro_that_stores_it(client: Editor, tmp_path: Path) -> None:
    write(tmp_path, "part.wgsl", PART)
    wrong = KERNEL.replace("scaled(x[id.x])", "scaled(x[id.x]) + 1.0")
    uri = client.open(write(tmp_path, "k.wgsl", wrong), wrong)
    (found,) = await client.codes(uri, "PX401")
    assert text_at(wrong, found.range, client.encoding) == "STORE(id.x, scaled(x[id.x]) + 1.0)"
    report = await client.until_verdict(uri, "failed")
    assert report["kernels"][0]["findings"][0]["line"] == wrong.split("\n").index(next(one for one in wrong.split("\n") if "🎉" in one)) + 1


async def test_a_mistake_while_typing_stands_on_what_was_typed(client: Editor, tmp_path: Path) -> None:
    write(tmp_path, "part.wgsl", PART)
    uri = client.open(write(tmp_path, "k.wgsl", KERNEL), KERNEL)
    await client.until_verdict(uri, "passed")
    broken = KERNEL.replace("scaled(x[id.x])", "scald(x[id.x])")
    client.change(uri, 2, broken)
    shown = await client.diagnostics(uri, lambda shown: any("scald" in one.message for one in shown))
    assert {text_at(broken, one.range, client.encoding) for one in shown} == {"scald"}


async def test_an_edit_of_an_included_file_checks_the_open_kernel_again(client: Editor, tmp_path: Path) -> None:
    part = write(tmp_path, "part.wgsl", PART)
    uri = client.open(write(tmp_path, "k.wgsl", KERNEL), KERNEL)
    await client.until_verdict(uri, "passed")
    part.write_text(PART.replace("FACTOR", "3.0"), encoding="utf-8")
    await client.codes(uri, "PX401")
    # The text in the editor counts before that of the file, and while it is typed only what reading finds is told.
    beside = client.open(part, PART.replace("FACTOR", "FACTR"))
    (there,) = await client.codes(beside, "PX130")
    assert "`FACTR`" in there.message
    assert (there.range.start.line, there.range.start.character) == (0, PART.index("FACTOR"))
    client.change(beside, 2, PART)
    client.save(beside)
    await client.until_verdict(uri, "passed")
    await client.codes(beside)


async def test_a_file_in_a_dialect_without_a_contract_is_told_one_thing(client: Editor, tmp_path: Path) -> None:
    text = '#include "part.wgsl"\n#ifdef A\nfn f() -> TYPE { return {{ n }}; }\n#endif\n#import a::b\n'
    uri = client.open(write(tmp_path, "k.wgsl", text), text)
    (found,) = await client.codes(uri, "PX346")
    assert text_at(text, found.range, client.encoding) == '#include "part.wgsl"'
    assert "prepare = [{ define = {} }]" in found.message


async def test_a_prepare_command_runs_once_the_workspace_is_trusted(tmp_path: Path, silent: types.ClientCapabilities) -> None:
    write(tmp_path, "copy.py", "import pathlib, sys\npathlib.Path('was-here').touch()\nsys.stdout.write(sys.stdin.read())\n")
    text = KERNEL.replace('{ define = { TYPE = "f32" } }', f'{{ command = ["{sys.executable}", "copy.py"] }}')
    text = (
        text.replace("#define FACTOR 2.0\n", "const FACTOR = 2.0;\n").replace('#include "part.wgsl"', PART.strip()).replace("TYPE", "f32")
    )
    text = text.replace("#define STORE(i, v) y[i] = v\n", "").replace("STORE(id.x, scaled(x[id.x]))", "y[id.x] = scaled(x[id.x])")
    async with editor(silent, tmp_path, tmp_path / "state", {"python": sys.executable}) as distrustful:
        uri = distrustful.open(write(tmp_path, "k.wgsl", text), text)
        (found,) = await distrustful.codes(uri, "PX708")
        assert "not prepared" in found.message
        await distrustful.until(lambda: len(distrustful.questions) == 1)
        assert not (tmp_path / "was-here").exists()
        distrustful.answer = "Trust"
        await distrustful.command("pixel-lsp.check", uri, None, None)
        await distrustful.until_verdict(uri, "passed")
        assert (tmp_path / "was-here").exists()
