"""Processes that are killed in the middle of their work cost one verdict, and the next one is right."""

from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path

import pytest
from lsprotocol import types

from lsp_testing.editor import Editor, running
from lsp_testing.kernels import REFERENCE, REFERRING, RIGHT, SLEEPY, SLOW, WRONG, write

pytestmark = [pytest.mark.device, pytest.mark.asyncio(loop_scope="session")]

QUICK = SLOW.replace("i < 60000u", "i < 6u")


async def kill(client: Editor, module: str) -> None:
    """Kill what runs a module, once something does."""
    await client.until(lambda: bool(running(client, module)))
    for child in running(client, module):
        os.kill(child, signal.SIGKILL)


async def kill_in_mid_case(client: Editor, module: str) -> None:
    """Progress is shown before the case begins; a moment later it runs, and for much longer than that."""
    reports = client.client.progress_reports
    await client.until(lambda: any(isinstance(one, types.WorkDoneProgressReport) for shown in reports.values() for one in shown))
    await client.until(lambda: bool(running(client, module)))
    await asyncio.sleep(1)
    await kill(client, module)


async def test_a_worker_that_was_killed_while_idle_is_not_missed(client: Editor, tmp_path: Path) -> None:
    uri = client.open(write(tmp_path, "k.wgsl", RIGHT), RIGHT)
    await client.until_verdict(uri, "passed")
    await kill(client, "pixel_core.kernels.worker")
    client.change(uri, 2, WRONG)
    client.save(uri)
    await client.codes(uri, "PX401")


async def test_a_worker_that_is_killed_in_mid_case_is_told_on_the_kernel(client: Editor, tmp_path: Path) -> None:
    server = client.process_id
    uri = client.open(write(tmp_path, "slow.wgsl", SLOW), SLOW)
    await kill_in_mid_case(client, "pixel_core.kernels.worker")
    (ended,) = await client.diagnostics(uri, lambda shown: any(one.code == "PX702" for one in shown))
    assert ended.message.splitlines()[0].startswith("the process that ran the kernel ended: it was ended by SIGKILL (case N=1048576")
    assert ended.severity == types.DiagnosticSeverity.Error
    line = SLOW[: SLOW.index("fn slow")].count("\n")
    assert ended.range == types.Range(types.Position(line, 3), types.Position(line, 7))
    # The same server, and a verdict that is right: the constant that it stores is one that it must be warned about.
    client.change(uri, 2, QUICK.replace("1.0 + 0.0", "2.0 + 0.0"))
    client.save(uri)
    await client.codes(uri, "PX401")
    assert client.process_id == server


async def test_a_reference_that_is_killed_in_mid_call_is_told_on_its_line(client: Editor, tmp_path: Path) -> None:
    reference = write(tmp_path, "ref.py", SLEEPY)
    uri = client.open(write(tmp_path, "k.wgsl", REFERRING), REFERRING)
    await kill_in_mid_case(client, "reference_worker.py")
    (failed,) = await client.codes(uri, "PX706")
    assert "its process was ended by signal 9 instead of returning" in failed.message
    assert failed.range.start.line == REFERRING[: REFERRING.index("reference =")].count("\n")
    reference.write_text(REFERENCE, encoding="utf-8")
    await client.codes(uri)
    await client.until_verdict(uri, "passed")
