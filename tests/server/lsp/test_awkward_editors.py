"""Editors that do not answer as they should: the server makes the best of it, and its log stays clean."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from lsprotocol import types
from pygls.exceptions import JsonRpcInvalidParams, JsonRpcMethodNotFound

from lsp_testing.editor import PROGRAM, Editor, editor
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


async def test_one_of_another_version_of_the_protocol_has_every_request_answered() -> None:
    """What pygls could not read it never answered, and `initialize` was among that."""
    process = await asyncio.create_subprocess_exec(
        PROGRAM, "--stdio", stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL
    )
    assert process.stdin is not None
    assert process.stdout is not None
    said: dict[int | None, Any] = {}

    def send(content: bytes) -> None:
        assert process.stdin is not None
        process.stdin.write(b"Content-Length: %d\r\n\r\n%b" % (len(content), content))

    def tell(method: str, params: object, number: int | None = None) -> None:
        message = {"jsonrpc": "2.0", "method": method, "params": params}
        send(json.dumps(message if number is None else {**message, "id": number}).encode())

    async def ask(number: int, method: str, params: object = None) -> Any:
        tell(method, params, number)
        while number not in said:
            assert process.stdout is not None
            header = await asyncio.wait_for(process.stdout.readuntil(b"\r\n\r\n"), 20)
            length = int(header.partition(b"Content-Length: ")[2].split()[0])
            message = json.loads(await process.stdout.readexactly(length))
            said[message.get("id")] = message
        return said[number].get("error", {}).get("code") or said[number]["result"]

    newer = {"textDocument": {"hover": {"contentFormat": ["html"]}}, "workspace": {"symbol": {"symbolKind": {"valueSet": [1, 99]}}}}
    document = {"textDocument": {"uri": "untitled:1"}}
    where = {"start": {"line": 0, "character": 0}, "end": {"line": 0, "character": 0}}
    assert await ask(1, "textDocument/hover", {**document, "position": where["start"]}) == -32002
    assert (await ask(2, "initialize", {"processId": None, "rootUri": None, "capabilities": newer}))["serverInfo"]["name"] == "pixel-lsp"
    assert await ask(3, "initialize", {"processId": None, "rootUri": None, "capabilities": {}}) == -32600
    assert await ask(4, "textDocument/hover", {"textDocument": 3}) == -32602
    assert await ask(5, "textDocument/codeAction", {**document, "range": where, "context": {"diagnostics": [], "triggerKind": 99}}) == []
    assert await ask(6, "textDocument/flyTo", {}) == -32601
    tell("textDocument/didOpen", {"textDocument": 3})
    send(b"nothing")
    assert await ask(7, "textDocument/hover", {**document, "position": where["start"]}) is None
    assert await ask(8, "shutdown") is None
    assert await ask(9, "textDocument/hover", {**document, "position": where["start"]}) == -32600
    # Nor is the user bothered with any of it.
    assert said.keys() == set(range(1, 10))
    tell("exit", None)
    assert await asyncio.wait_for(process.wait(), 20) == 0
