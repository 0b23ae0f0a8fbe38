"""What happens over the course of a session: cancelling, crashes, newer saves, trust, settings, files that change, and the end."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from lsprotocol import types
from pygls.exceptions import JsonRpcException

from lsp_testing.editor import Editor, descendants, editor, recorded_clients
from pixel_server.trust import TrustStore

pytestmark = pytest.mark.device

CLIENTS = recorded_clients()
PUSHED = CLIENTS.get("nvim012") or CLIENTS["neovim@v0.11"]
SILENT = CLIENTS.get("nvim072") or CLIENTS["neovim@v0.7"]

KERNEL = """//! [twice]
//! dims = "N"
//! shapes = { x = "N", y = "N" }
//! dispatch = "ceil(N / 64)"
//! TRUTH
//! cases = ["N=64", "N=65", "N=1"]
@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;
@compute @workgroup_size(64)
fn twice(@builtin(global_invocation_id) id: vec3<u32>) {
    if (id.x < arrayLength(&y)) { y[id.x] = 2.0 * x[id.x]; }
}
"""
RIGHT = KERNEL.replace("TRUTH", 'expect = { y = "2 * x" }')
WRONG = RIGHT.replace("2.0 * x", "3.0 * x")
REFERRING = KERNEL.replace("TRUTH", 'reference = "ref.py:twice"')
REFERENCE = "def twice(x, N):\n    return {'y': 2 * x}\n"
SLEEPY = "import time\ndef twice(x, N):\n    time.sleep(15)\n    return {'y': 2 * x}\n"


@pytest_asyncio.fixture
async def client(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Editor]:
    folder = tmp_path_factory.mktemp("workspace")
    async with editor(PUSHED, folder, folder / "state", {"trusted": True, "python": sys.executable}) as made:
        yield made


def write(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


async def checking(client: Editor, uri: str) -> None:
    for _ in range(1000):
        if (await client.report(uri))["checking"]:
            return
        await asyncio.sleep(0.02)
    raise AssertionError("no check runs")


async def test_a_running_check_is_cancelled_by_its_progress(client: Editor, tmp_path: Path) -> None:
    write(tmp_path, "ref.py", SLEEPY)
    uri = client.open(write(tmp_path, "k.wgsl", REFERRING), REFERRING)
    await client.until(lambda: any(client.client.progress_reports.values()))
    token = list(client.client.progress_reports)[-1]
    client.client.window_work_done_progress_cancel(types.WorkDoneProgressCancelParams(token=token))
    (cancelled,) = await client.codes(uri, "PX709")
    assert cancelled.severity == types.DiagnosticSeverity.Information
    assert isinstance(client.client.progress_reports[token][-1], types.WorkDoneProgressEnd)
    client.close(uri)


async def test_a_command_is_cancelled_by_its_request(client: Editor, tmp_path: Path) -> None:
    write(tmp_path, "ref.py", SLEEPY)
    uri = client.open(write(tmp_path, "k.wgsl", REFERRING), REFERRING)
    params = types.ExecuteCommandParams(command="pixel-lsp.check", arguments=[uri, None, None])
    request = asyncio.ensure_future(client.client.protocol.send_request_async("workspace/executeCommand", params, msg_id="check-1"))
    await checking(client, uri)
    client.client.protocol.notify("$/cancelRequest", types.CancelParams(id="check-1"))
    (answer,) = await asyncio.gather(request, return_exceptions=True)
    assert isinstance(answer, (JsonRpcException, asyncio.CancelledError))
    await client.codes(uri, "PX709")
    client.close(uri)


async def test_hovers_are_answered_while_a_check_runs(client: Editor, tmp_path: Path) -> None:
    write(tmp_path, "ref.py", SLEEPY)
    uri = client.open(write(tmp_path, "k.wgsl", REFERRING), REFERRING)
    await checking(client, uri)
    assert "checking…" in str(await client.hover(uri, 9, 4))
    assert (await client.report(uri))["checking"]
    client.close(uri)


async def test_the_worker_is_killed_and_the_next_save_works(client: Editor, tmp_path: Path) -> None:
    uri = client.open(write(tmp_path, "k.wgsl", RIGHT), RIGHT)
    await client.until_verdict(uri, "passed")
    for child in descendants(client.process_id):
        os.kill(child, signal.SIGKILL)
    client.change(uri, 2, WRONG)
    client.save(uri)
    await client.codes(uri, "PX401")
    client.close(uri)


async def test_two_edits_while_a_check_runs_give_one_verdict_of_the_newest_text(client: Editor, tmp_path: Path) -> None:
    write(tmp_path, "ref.py", SLEEPY)
    uri = client.open(write(tmp_path, "k.wgsl", REFERRING), REFERRING)
    await checking(client, uri)
    before = len(client.published)
    client.change(uri, 2, WRONG)
    client.save(uri)
    client.change(uri, 3, RIGHT.replace("2.0 * x", "4.0 * x"))
    client.save(uri)
    (wrong,) = await client.codes(uri, "PX401")
    assert "every element is 2 × the expected" in wrong.message
    verdicts = [one for one in client.published[before:] if one.uri == uri and one.diagnostics]
    assert [one.version for one in verdicts] == [3]
    client.close(uri)


async def test_a_verdict_of_an_older_text_is_never_shown(client: Editor, tmp_path: Path) -> None:
    write(tmp_path, "ref.py", SLEEPY.replace("sleep(15)", "sleep(0.5)"))
    wrong = REFERRING.replace("2.0 * x", "3.0 * x")
    uri = client.open(write(tmp_path, "k.wgsl", wrong), wrong)
    await checking(client, uri)
    client.change(uri, 2, wrong + "// more\n")
    while (await client.report(uri))["checking"]:
        await asyncio.sleep(0.05)
    report = await client.report(uri)
    assert (report["current"], report["kernels"][0]["status"]) == (False, "failed")
    assert all(not one.diagnostics for one in client.published if one.uri == uri)
    client.change(uri, 3, wrong)
    await client.codes(uri, "PX401")
    client.close(uri)


async def test_one_case_alone(client: Editor, tmp_path: Path) -> None:
    uri = client.open(write(tmp_path, "k.wgsl", WRONG), WRONG)
    await client.codes(uri, "PX401")
    report = await client.command("pixel-lsp.check", uri, "twice", "N=65")
    assert [case["name"] for case in report["kernels"][0]["cases"]] == ["N=65"]
    assert "(case N=65 only)" in (await client.lenses(uri))[1]
    client.close(uri)


async def test_a_reference_that_changes_is_run_again(client: Editor, tmp_path: Path) -> None:
    reference = write(tmp_path, "ref.py", REFERENCE)
    uri = client.open(write(tmp_path, "k.wgsl", REFERRING), REFERRING)
    await client.until_verdict(uri, "passed")
    reference.write_text(REFERENCE.replace("2 *", "4 *"), encoding="utf-8")
    await client.codes(uri, "PX401")
    client.close(uri)


async def test_findings_in_a_sidecar_stand_there_and_go_with_it(client: Editor, tmp_path: Path) -> None:
    code = RIGHT[RIGHT.index("@group") :]
    contract = "".join(line[4:] + "\n" for line in RIGHT.splitlines() if line.startswith("//! "))
    sidecar = write(tmp_path, "k.contract.toml", contract.replace("dispatch", "dispach"))
    uri = client.open(write(tmp_path, "k.wgsl", code), code)
    await client.diagnostics(sidecar.as_uri(), lambda shown: any("`dispach`" in one.message for one in shown))
    # Its own text in the editor counts, not the file's.
    beside = client.open(sidecar, contract, language="toml")
    await client.codes(beside)
    await client.until_verdict(uri, "passed")
    client.close(beside)
    await client.diagnostics(beside, bool)
    client.close(uri)
    await client.codes(beside)


async def test_edits_count_lines_as_the_protocol_does(client: Editor) -> None:
    uri = client.open("untitled:Untitled-1", "/* a\u2028b\x0cc\u0085 */\r\nfn f() { let x = y; }\r// \U0001f600 z\n")
    await client.diagnostics(uri, lambda shown: any("`y`" in one.message for one in shown))
    column = 17
    client.change(uri, 2, "1.0", types.Range(types.Position(1, column), types.Position(1, column + 1)))
    client.change(uri, 3, "", types.Range(types.Position(2, 0), types.Position(99, 0)))
    await client.codes(uri)
    client.close(uri)


async def test_what_the_server_does_not_know_hurts_nobody(client: Editor, tmp_path: Path) -> None:
    unknown = (tmp_path / "unknown.wgsl").as_uri()
    client.change(unknown, 5, "x")
    client.save(unknown)
    client.close(unknown)
    assert await client.hover(unknown, 0, 0) is None
    assert await client.lenses(unknown) == []
    assert await client.actions(unknown, types.Range(types.Position(0, 0), types.Position(9, 9))) == ()
    for arguments in ([], [unknown], [7], [None, None]):
        with pytest.raises(JsonRpcException):
            await client.command("pixel-lsp.check", *arguments)
    client.client.protocol.notify("pixelLsp/nothing", {"a": 1})
    uri = client.open(write(tmp_path, "k.wgsl", RIGHT), RIGHT)
    await client.until_verdict(uri, "passed")
    client.close(uri)


async def test_settings_change_and_mistakes_are_told_once(client: Editor, tmp_path: Path) -> None:
    uri = client.open(write(tmp_path, "k.wgsl", RIGHT), RIGHT)
    await client.until_verdict(uri, "passed")
    client.client.set_configuration({"pixelLsp": {"engine": "interpreter", "jobs": 0}})
    client.client.workspace_did_change_configuration(types.DidChangeConfigurationParams(settings=None))
    await client.codes(uri, "PX901")
    assert [message.message for message in client.client.messages] == ["pixel-lsp: `pixelLsp.jobs` must be a whole number from 1 to 64"]
    client.client.set_configuration({"pixelLsp": {"python": sys.executable}})
    client.client.workspace_did_change_configuration(types.DidChangeConfigurationParams(settings=None))
    await client.until_verdict(uri, "passed")
    client.close(uri)


LEAVING = "from pathlib import Path\nPath(__file__).with_name('was-here').touch()\ndef twice(x, N):\n    return {'y': 2 * x}\n"


async def test_an_untrusted_workspace_runs_nothing_until_the_editor_says_so(tmp_path: Path) -> None:
    write(tmp_path, "ref.py", LEAVING)
    path = write(tmp_path, "k.wgsl", REFERRING)
    async with editor(PUSHED, tmp_path, tmp_path / "state", {"trusted": False, "python": sys.executable}) as client:
        uri = client.open(path, REFERRING)
        await client.codes(uri, "PX708")
        client.save(uri)
        client.change(uri, 2, REFERRING.replace("2.0 * x", "2.0 * z"))
        await client.diagnostics(uri, lambda shown: any("`z`" in one.message for one in shown))
        client.change(uri, 3, REFERRING)
        assert await client.command("pixel-lsp.trust") == []
        await client.command("pixel-lsp.check", uri, None, None)
        await client.codes(uri, "PX708")
        assert not (tmp_path / "was-here").exists()
        assert descendants(client.process_id) == set()
        assert client.questions == []
        client.client.protocol.notify("pixelLsp/didGrantTrust", None)
        await client.codes(uri)
        await client.until_verdict(uri, "passed")
        assert (tmp_path / "was-here").exists()


async def test_a_silent_editor_is_asked_once_and_the_answer_is_remembered(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").touch()
    write(tmp_path, "ref.py", LEAVING)
    path = write(tmp_path, "k.wgsl", REFERRING)
    options = {"python": sys.executable}
    async with editor(SILENT, tmp_path, tmp_path / "state", options) as client:
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
    async with editor(SILENT, tmp_path, tmp_path / "state", options) as client:
        await client.until_verdict(client.open(path, REFERRING), "passed")
        assert client.questions == []


async def test_the_terminal_grants_trust_to_a_server_that_runs(tmp_path: Path) -> None:
    path = write(tmp_path, "k.wgsl", RIGHT)
    async with editor(SILENT, tmp_path, tmp_path / "state") as client:
        uri = client.open(path, RIGHT)
        await client.codes(uri, "PX708")
        TrustStore(tmp_path / "state" / "pixel-lsp").add(tmp_path)
        client.save(uri)
        await client.until_verdict(uri, "passed")
        await client.codes(uri)


async def test_the_server_ends_with_its_input(tmp_path: Path) -> None:
    async with editor(PUSHED, tmp_path, tmp_path / "state", {"trusted": True}) as client:
        uri = client.open(write(tmp_path, "k.wgsl", RIGHT), RIGHT)
        await client.until_verdict(uri, "passed")
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "pixel_server.cli", stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
        )
        assert process.stdin is not None
        process.stdin.write(b"Content-Length: 20\r\n\r\n{")
        process.stdin.close()
        assert await asyncio.wait_for(process.wait(), 20) == 0
