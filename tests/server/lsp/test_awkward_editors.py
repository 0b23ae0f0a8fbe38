"""Editors that do not answer as they should: the server makes the best of it, and its log stays clean."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from lsprotocol import types
from pygls.exceptions import JsonRpcInvalidParams, JsonRpcMethodNotFound

from lsp_testing.editor import Editor, editor
from lsp_testing.kernels import REFERENCE, REFERRING, RIGHT, WRONG, write
from lsp_testing.logged_editor import LoggedEditor

pytestmark = pytest.mark.device


def answer(client: Editor, method: str, how: Callable[[Any], Any]) -> None:
    """Let an editor answer a request of the server in its own way."""
    client.client.protocol.fm._features.pop(method, None)
    client.client.feature(method)(how)


def ended(shown: Sequence[Any]) -> bool:
    return bool(shown) and isinstance(shown[-1], types.WorkDoneProgressEnd)


def not_there(_: Any) -> None:
    raise JsonRpcMethodNotFound


async def test_one_that_knows_no_questions_is_not_asked_again(
    tmp_path: Path, silent: types.ClientCapabilities, capfd: pytest.CaptureFixture[str]
) -> None:
    async with editor(silent, tmp_path, tmp_path / "state") as client:
        questions: list[object] = []

        def asked(question: Any) -> None:
            questions.append(question)
            not_there(question)

        answer(client, types.WINDOW_SHOW_MESSAGE_REQUEST, asked)
        uri = client.open(write(tmp_path, "k.wgsl", RIGHT), RIGHT)
        await client.codes(uri, "PX708")
        await client.until(lambda: len(questions) == 1)
        client.save(uri)
        await client.codes(client.open(write(tmp_path, "l.wgsl", RIGHT), RIGHT), "PX708")
        assert await client.command("pixel-lsp.trust") == [str(tmp_path)]
        await client.until_verdict(uri, "passed")
        assert len(questions) == 1
        shown = [one.message for one in (*client.client.messages, *client.client.log_messages) if "checking" not in one.message]
        assert shown == []
    assert capfd.readouterr().err == ""


async def test_one_that_is_slow_to_agree_to_progress_gets_its_verdict(tmp_path: Path, pushed: types.ClientCapabilities) -> None:
    agreed = asyncio.Event()
    write(tmp_path, "ref.py", "import time\ntime.sleep(1)\n" + REFERENCE)
    async with editor(pushed, tmp_path, tmp_path / "state", {"trusted": True, "python": sys.executable}) as client:
        reports = client.client.progress_reports

        async def agree(params: Any) -> None:
            await agreed.wait()
            reports[params.token] = []

        answer(client, types.WINDOW_WORK_DONE_PROGRESS_CREATE, agree)
        wrong = REFERRING.replace("2.0 * x", "3.0 * x")
        uri = client.open(write(tmp_path, "k.wgsl", wrong), wrong)
        await client.codes(uri, "PX401")
        client.change(uri, 2, REFERRING)
        client.save(uri)
        await client.until_verdict(uri, "passed")
        assert not reports
        # What it agreed to too late is over at once.
        agreed.set()
        await client.until(lambda: bool(reports) and all(ended(shown) for shown in reports.values()))


async def test_one_that_refuses_everything_gets_its_verdict(tmp_path: Path, pushed: types.ClientCapabilities) -> None:
    async with editor(pushed, tmp_path, tmp_path / "state", {"trusted": True}) as client:
        for method in (
            types.WINDOW_WORK_DONE_PROGRESS_CREATE,
            types.WORKSPACE_CONFIGURATION,
            types.WORKSPACE_CODE_LENS_REFRESH,
            types.WORKSPACE_APPLY_EDIT,
            types.CLIENT_REGISTER_CAPABILITY,
        ):
            answer(client, method, not_there)
        client.client.workspace_did_change_configuration(types.DidChangeConfigurationParams(settings=None))
        uri = client.open(write(tmp_path, "k.wgsl", WRONG), WRONG)
        await client.codes(uri, "PX401")
        bare = WRONG[WRONG.index("@group") :]
        client.change(uri, 2, bare)
        await client.codes(uri, "PX390")
        assert await client.command("pixel-lsp.writeContract", uri) is False


async def test_one_whose_command_is_refused_leaves_a_line_in_the_log(pushed: types.ClientCapabilities, tmp_path: Path) -> None:
    client = LoggedEditor(tmp_path, tmp_path / "state")
    await client.start(pushed)
    for arguments in (["file:///k.wgsl"], [3]):
        with pytest.raises(JsonRpcInvalidParams):
            await client.command("pixel-lsp.check", *arguments)
    with pytest.raises(JsonRpcInvalidParams, match="there is no command"):
        await client.command("pixel-lsp.fly")
    await client.end("shutdown")
    lines = (tmp_path / "state" / "log").read_text(encoding="utf-8").splitlines()
    assert [line.partition("pixel_server.guard: ")[2] for line in lines] == [
        "workspace/executeCommand refused: file:///k.wgsl is not an open shader",
        "workspace/executeCommand refused: argument 1 must be a text or null",
        "workspace/executeCommand refused: there is no command pixel-lsp.fly",
    ]
