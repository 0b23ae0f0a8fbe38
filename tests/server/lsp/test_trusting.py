"""Nothing of a workspace runs before somebody trusts it; static findings are there all the time."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from lsprotocol import types

from lsp_testing.editor import descendants, editor
from lsp_testing.kernels import CODE, LEAVING, REFERENCE, REFERRING, RIGHT, write
from pixel_server.trust import TrustStore

pytestmark = pytest.mark.device


SIDECAR = "".join(line[4:] + "\n" for line in REFERRING.splitlines() if line.startswith("//! "))
TOUCH = "from pathlib import Path\nPath({path!r}).touch()\n"
PREPARING = REFERRING.replace("//! cases", '//! prepare = [{ command = ["touch", "was-here"] }]\n//! cases')


def set_traps(folder: Path) -> Path:
    """Everything in a workspace that could make a careless program run it. Returns the file that would be left behind."""
    left = folder / "was-here"
    trap = TOUCH.format(path=str(left))
    for name in ("ref.py", "conftest.py", "sitecustomize.py", "usercustomize.py", "numpy.py", "setup.py", "pixel_core.py", "pygls.py"):
        write(folder, name, trap + REFERENCE)
    python = folder / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text(f"#!/bin/sh\ntouch '{left}'\n", encoding="utf-8")
    python.chmod(0o755)
    settings = {"engine": "device", "python": str(python), "trusted": True, "serverCommand": [str(python)]}
    write(folder, "pixel.toml", "".join(f"{key} = {json.dumps(value)}\n" for key, value in settings.items()))
    write(folder, "pyproject.toml", f'[tool.pixel-lsp]\npython = "{python}"\n')
    (folder / ".vscode").mkdir()
    write(folder / ".vscode", "settings.json", json.dumps({f"pixelLsp.{key}": value for key, value in settings.items()}))
    return left


async def test_an_untrusted_workspace_runs_nothing_until_the_editor_says_so(tmp_path: Path, pushed: types.ClientCapabilities) -> None:
    left = set_traps(tmp_path)
    write(tmp_path, "ref.py", LEAVING)
    path = write(tmp_path, "k.wgsl", REFERRING)
    write(tmp_path, "beside.contract.toml", SIDECAR)
    beside = write(tmp_path, "beside.wgsl", CODE)
    preparing = write(tmp_path, "preparing.wgsl", PREPARING)
    async with editor(pushed, tmp_path, tmp_path / "state", {"trusted": False, "python": sys.executable}, folder=tmp_path) as client:
        uri = client.open(path, REFERRING)
        await client.codes(uri, "PX708")
        client.save(uri)
        await client.codes(client.open(beside, CODE), "PX708")
        await client.codes(client.open(preparing, PREPARING), "PX708")
        client.change(uri, 2, REFERRING.replace("2.0 * x", "2.0 * z"))
        await client.diagnostics(uri, lambda shown: any("`z`" in one.message for one in shown))
        client.change(uri, 3, REFERRING)
        assert await client.command("pixel-lsp.trust") == []
        await client.command("pixel-lsp.check", uri, None, None)
        await client.command("pixel-lsp.check", uri, "twice", "N=65")
        await client.codes(uri, "PX708")
        assert not left.exists()
        assert descendants(client.process_id) == set()
        assert client.questions == []
        client.client.protocol.notify("pixelLsp/didGrantTrust", None)
        await client.codes(uri)
        await client.until_verdict(uri, "passed")
        assert left.exists()


async def test_a_silent_editor_is_asked_once_and_the_answer_is_remembered(tmp_path: Path, silent: types.ClientCapabilities) -> None:
    (tmp_path / "pyproject.toml").touch()
    write(tmp_path, "ref.py", LEAVING)
    path = write(tmp_path, "k.wgsl", REFERRING)
    options = {"python": sys.executable}
    async with editor(silent, tmp_path, tmp_path / "state", options) as client:
        client.answer = "Not now"
        uri = client.open(path, REFERRING)
        await client.codes(uri, "PX708")
        client.save(uri)
        await client.until(lambda: bool(client.questions))
        other = client.open(write(tmp_path, "other.wgsl", REFERRING), REFERRING)
        await client.codes(other, "PX708")
        (question,) = client.questions
        assert str(tmp_path) in question.message
        assert [action.title for action in question.actions or ()] == ["Trust", "Not now"]
        assert not (tmp_path / "was-here").exists()
        # Asked for by hand, it asks again.
        client.answer = "Trust"
        await client.command("pixel-lsp.check", uri, None, None)
        await client.until_verdict(uri, "passed")
        await client.until_verdict(other, "passed")
    assert TrustStore(tmp_path / "state" / "pixel-lsp").folders() == (tmp_path.resolve(),)
    async with editor(silent, tmp_path, tmp_path / "state", options) as client:
        await client.until_verdict(client.open(path, REFERRING), "passed")
        assert client.questions == []


async def test_the_terminal_grants_trust_to_a_server_that_runs(tmp_path: Path, silent: types.ClientCapabilities) -> None:
    path = write(tmp_path, "k.wgsl", RIGHT)
    async with editor(silent, tmp_path, tmp_path / "state") as client:
        uri = client.open(path, RIGHT)
        await client.codes(uri, "PX708")
        TrustStore(tmp_path / "state" / "pixel-lsp").add(tmp_path)
        client.save(uri)
        await client.until_verdict(uri, "passed")
        await client.codes(uri)


async def test_trust_in_one_workspace_is_none_in_another_that_is_open(tmp_path: Path, silent: types.ClientCapabilities) -> None:
    """The quick fix on one file once trusted every folder that had a file open."""
    mine, foreign = tmp_path / "mine", tmp_path / "foreign"
    for folder in (mine, foreign):
        folder.mkdir()
        write(folder, "ref.py", LEAVING)
    async with editor(silent, mine, tmp_path / "state", {"python": sys.executable}) as client:
        other = client.open(write(foreign, "k.wgsl", REFERRING), REFERRING)
        await client.codes(other, "PX708")
        uri = client.open(write(mine, "k.wgsl", REFERRING), REFERRING)
        (refused,) = await client.codes(uri, "PX708")
        fix = (await client.action(uri, refused, "Trust this workspace")).command
        assert fix is not None
        assert await client.command(fix.command, *(fix.arguments or ())) == [str(mine)]
        await client.until_verdict(uri, "passed")
        client.save(other)
        await client.codes(other, "PX708")
        assert not (foreign / "was-here").exists()
        # Without a file it is about everything that is open.
        assert await client.command("pixel-lsp.trust") == [str(foreign), str(mine)]
        await client.until_verdict(other, "passed")


async def test_a_document_that_is_no_file_is_not_called_untrusted(tmp_path: Path, pushed: types.ClientCapabilities) -> None:
    async with editor(pushed, tmp_path, tmp_path / "state", {"trusted": True}) as client:
        uri = client.open("untitled:Untitled-1", RIGHT)
        (told,) = await client.codes(uri, "PX708")
        assert told.message == "not executed: this document is not saved as a file"
        assert not any("Trust" in action.title for action in await client.actions(uri, told.range, told))
