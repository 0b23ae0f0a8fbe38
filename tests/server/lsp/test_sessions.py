"""What happens over the course of a session: cancelling, newer saves, settings, files that change."""

from __future__ import annotations

import asyncio
import sys
from array import array
from pathlib import Path

import pytest
from lsprotocol import types
from pygls.exceptions import JsonRpcException

from lsp_testing.editor import Editor, running
from lsp_testing.kernels import CODE, REFERENCE, REFERRING, RIGHT, SLEEPY, WRONG, write

pytestmark = [pytest.mark.device, pytest.mark.asyncio(loop_scope="session")]


async def test_a_running_check_is_cancelled_by_its_progress(client: Editor, tmp_path: Path) -> None:
    write(tmp_path, "ref.py", SLEEPY)
    uri = client.open(write(tmp_path, "k.wgsl", REFERRING), REFERRING)
    await client.until(lambda: any(client.client.progress_reports.values()))
    token = list(client.client.progress_reports)[-1]
    client.client.window_work_done_progress_cancel(types.WorkDoneProgressCancelParams(token=token))
    (cancelled,) = await client.codes(uri, "PX709")
    assert cancelled.severity == types.DiagnosticSeverity.Information
    assert isinstance(client.client.progress_reports[token][-1], types.WorkDoneProgressEnd)


async def test_a_command_is_cancelled_by_its_request(client: Editor, tmp_path: Path) -> None:
    write(tmp_path, "ref.py", SLEEPY)
    uri = client.open(write(tmp_path, "k.wgsl", REFERRING), REFERRING)
    params = types.ExecuteCommandParams(command="pixel-lsp.check", arguments=[uri, None, None])
    request = asyncio.ensure_future(client.client.protocol.send_request_async("workspace/executeCommand", params, msg_id="check-1"))
    await client.until_checking(uri)
    client.client.protocol.notify("$/cancelRequest", types.CancelParams(id="check-1"))
    (answer,) = await asyncio.gather(request, return_exceptions=True)
    assert isinstance(answer, (JsonRpcException, asyncio.CancelledError))
    await client.codes(uri, "PX709")


async def test_hovers_are_answered_while_a_check_runs(client: Editor, tmp_path: Path) -> None:
    write(tmp_path, "ref.py", SLEEPY)
    uri = client.open(write(tmp_path, "k.wgsl", REFERRING), REFERRING)
    await client.until_checking(uri)
    assert "checking…" in str(await client.hover(uri, 9, 4))
    assert (await client.report(uri))["checking"]


async def test_two_edits_while_a_check_runs_give_one_verdict_of_the_newest_text(client: Editor, tmp_path: Path) -> None:
    write(tmp_path, "ref.py", SLEEPY)
    uri = client.open(write(tmp_path, "k.wgsl", REFERRING), REFERRING)
    await client.until_checking(uri)
    before = len(client.published)
    client.change(uri, 2, WRONG)
    client.save(uri)
    client.change(uri, 3, RIGHT.replace("2.0 * x", "4.0 * x"))
    client.save(uri)
    (wrong,) = await client.codes(uri, "PX401")
    assert "every element is 2 × the expected" in wrong.message
    verdicts = [one for one in client.published[before:] if one.uri == uri and one.diagnostics]
    assert [one.version for one in verdicts] == [3]


async def test_a_verdict_of_an_older_text_is_never_shown(client: Editor, tmp_path: Path) -> None:
    write(tmp_path, "ref.py", SLEEPY.replace("sleep(60)", "sleep(0.5)"))
    wrong = REFERRING.replace("2.0 * x", "3.0 * x")
    uri = client.open(write(tmp_path, "k.wgsl", wrong), wrong)
    await client.until_checking(uri)
    client.change(uri, 2, wrong + "// more\n")
    while (await client.report(uri))["checking"]:
        await asyncio.sleep(0.05)
    report = await client.report(uri)
    assert (report["current"], report["kernels"][0]["status"]) == (False, "failed")
    assert all(not one.diagnostics for one in client.published if one.uri == uri)
    client.change(uri, 3, wrong)
    await client.codes(uri, "PX401")


async def test_a_reference_that_changes_is_run_again(client: Editor, tmp_path: Path) -> None:
    reference = write(tmp_path, "ref.py", REFERENCE)
    uri = client.open(write(tmp_path, "k.wgsl", REFERRING), REFERRING)
    await client.until_verdict(uri, "passed")
    reference.write_text(REFERENCE.replace("2 *", "4 *"), encoding="utf-8")
    await client.codes(uri, "PX401")


async def test_an_input_file_that_changes_is_read_again(client: Editor, tmp_path: Path) -> None:
    numbers = array("f", range(64))
    (tmp_path / "x.raw").write_bytes(numbers.tobytes())
    text = RIGHT.replace("2 * x", "where(x < 64, 2 * x, 0)").replace("//! expect", '//! inputs = { x = "file x.raw" }\n//! expect')
    text = text.replace(
        '["N=64", "N=65", "N=1"]', "[{ dims = { N = 64 }, seed = 1 }, { dims = { N = 64 }, seed = 2 }, { dims = { N = 64 }, seed = 3 }]"
    )
    uri = client.open(write(tmp_path, "k.wgsl", text), text)
    await client.until_verdict(uri, "passed")
    (tmp_path / "x.raw").write_bytes(array("f", (64.0 + number for number in numbers)).tobytes())
    await client.codes(uri, "PX401")
    (tmp_path / "x.raw").unlink()
    await client.codes(uri, "PX395")
    (tmp_path / "x.raw").write_bytes(numbers.tobytes())
    await client.until_verdict(uri, "passed")


async def test_a_reference_that_changes_while_it_is_called_is_called_again(client: Editor, tmp_path: Path) -> None:
    reference = write(tmp_path, "ref.py", SLEEPY.replace("2 * x", "3 * x"))
    uri = client.open(write(tmp_path, "k.wgsl", REFERRING), REFERRING)
    await client.until_checking(uri)
    await client.until(lambda: bool(running(client, "reference_worker.py")))
    reference.write_text(REFERENCE, encoding="utf-8")
    await client.until_verdict(uri, "passed")


async def test_what_a_reference_imports_and_changes_before_anybody_knew_of_it_counts(client: Editor, tmp_path: Path) -> None:
    (tmp_path / "truth").mkdir()
    factor = write(tmp_path / "truth", "factor.py", "FACTOR = 3\n")
    slow = (
        SLEEPY.replace("import time", "import time\nfrom truth.factor import FACTOR")
        .replace("sleep(60)", "sleep(1)")
        .replace("2 *", "FACTOR *")
    )
    write(tmp_path, "ref.py", slow)
    uri = client.open(write(tmp_path, "k.wgsl", REFERRING), REFERRING)
    await client.until(lambda: bool(running(client, "reference_worker.py")))
    await asyncio.sleep(0.5)
    factor.write_text("FACTOR = 2\n", encoding="utf-8")
    await client.until_verdict(uri, "passed")


async def test_findings_in_a_sidecar_stand_there_and_go_with_it(client: Editor, tmp_path: Path) -> None:
    contract = "".join(line[4:] + "\n" for line in RIGHT.splitlines() if line.startswith("//! "))
    sidecar = write(tmp_path, "k.contract.toml", contract.replace("dispatch", "dispach"))
    uri = client.open(write(tmp_path, "k.wgsl", CODE), CODE)
    await client.diagnostics(sidecar.as_uri(), lambda shown: any("`dispach`" in one.message for one in shown))
    # Its own text in the editor counts, not the file's.
    beside = client.open(sidecar, contract, language="toml")
    await client.codes(beside)
    await client.until_verdict(uri, "passed")
    client.close(beside)
    await client.diagnostics(beside, bool)
    client.close(uri)
    await client.codes(beside)


async def test_a_kernel_that_a_sidecar_forgot_gets_no_contract_in_the_shader(client: Editor, tmp_path: Path) -> None:
    """A quick fix was promised that there is none of, and the command said that every kernel has a contract."""
    contract = "".join(line[4:] + "\n" for line in RIGHT.splitlines() if line.startswith("//! "))
    write(tmp_path, "k.contract.toml", contract)
    both = CODE + CODE[CODE.index("@compute") :].replace("fn twice", "fn thrice")
    uri = client.open(write(tmp_path, "k.wgsl", both), both)
    (hint,) = await client.codes(uri, "PX390")
    where = "write one into k.contract.toml; `pixel-lsp contract k.wgsl` prints a first one"
    assert hint.message == f"`thrice` has no contract, so it is not executed\nhint: {where}"
    assert not any("contract" in action.title for action in await client.actions(uri, hint.range, hint))
    assert await client.command("pixel-lsp.writeContract", uri) is False
    assert client.client.messages[-1].message == f"`thrice` has no contract: {where}"


async def test_a_sidecar_that_was_opened_first_gets_its_shader(client: Editor, tmp_path: Path) -> None:
    contract = "".join(line[4:] + "\n" for line in WRONG.splitlines() if line.startswith("//! "))
    misspelt = contract.replace("dispatch", "dispach")
    beside = client.open(write(tmp_path, "k.contract.toml", misspelt), misspelt, language="toml")
    write(tmp_path, "k.wgsl", CODE)
    client.save(beside)
    await client.diagnostics(beside, lambda shown: any("`dispach`" in one.message for one in shown))
    client.change(beside, 2, contract)
    await client.codes(beside)


async def test_what_is_no_uri_is_a_document_all_the_same(client: Editor, capfd: pytest.CaptureFixture[str]) -> None:
    for uri in ("file://[x/k.wgsl", "http://[/k.wgsl", "file:///k%00.wgsl", "k.wgsl", "", "git:/k.wgsl?{%22ref%22:1}"):
        client.open(uri, "fn f() { let x = y; }\n")
        await client.diagnostics(uri, lambda shown: any("`y`" in one.message for one in shown))
        client.close(uri)
        await client.codes(uri)
    assert "Traceback" not in capfd.readouterr().err


async def test_a_program_that_prepares_one_shader_keeps_no_other_waiting(client: Editor, tmp_path: Path) -> None:
    prepared = RIGHT.replace("//! cases", '//! prepare = [{ command = ["sleep", "9"] }]\n//! cases')
    client.open(write(tmp_path, "k.wgsl", prepared), prepared)
    await client.until(lambda: bool(running(client, "sleep 9")))
    # Long enough for a thread.
    other = client.open("untitled:1", "fn f() { let x = missing; }\n" * 700)
    await client.diagnostics(other, bool)
    assert running(client, "sleep 9")


async def test_edits_count_lines_as_the_protocol_does(client: Editor) -> None:
    uri = client.open("untitled:Untitled-1", "/* a\u2028b\x0cc\u0085 */\r\nfn f() { let x = y; }\r// \U0001f600 z\n")
    await client.diagnostics(uri, lambda shown: any("`y`" in one.message for one in shown))
    column = 17
    client.change(uri, 2, "1.0", types.Range(types.Position(1, column), types.Position(1, column + 1)))
    client.change(uri, 3, "", types.Range(types.Position(2, 0), types.Position(99, 0)))
    await client.codes(uri)


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
