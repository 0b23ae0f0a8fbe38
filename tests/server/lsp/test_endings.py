"""However a session ends, the server and all that it started are gone soon after."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from lsprotocol import types

from lsp_testing.editor import PROGRAM, Editor, descendants, editor, gone
from lsp_testing.kernels import REFERRING, RIGHT, SLEEPY, SLOW, write

pytestmark = pytest.mark.device

OPTIONS = {"trusted": True, "python": sys.executable}


@asynccontextmanager
async def server_at_work(capabilities: types.ClientCapabilities, folder: Path, process_id: int | None = None) -> AsyncIterator[Editor]:
    """A server whose kernel worker and whose reference are both in the middle of something."""
    client = Editor()
    environment = {**os.environ, "XDG_STATE_HOME": str(folder / "state")}
    await client.client.start_io(PROGRAM, "--stdio", env=environment)
    await client.client.initialize_session(
        types.InitializeParams(
            process_id=process_id, root_uri=folder.as_uri(), capabilities=capabilities, initialization_options={**OPTIONS, "jobs": 2}
        )
    )
    write(folder, "ref.py", SLEEPY)
    for name, text in (("slow.wgsl", SLOW), ("k.wgsl", REFERRING)):
        client.open(write(folder, name, text), text)
    await client.until(lambda: len(descendants(client.process_id)) >= 3)
    yield client
    # The client must not take the end for a failure.
    client.client._stop_event.set()
    await client.client.stop()


@pytest.mark.parametrize("signal_number", [signal.SIGTERM, signal.SIGKILL])
async def test_a_server_that_is_ended_in_mid_work_leaves_nothing(
    tmp_path: Path, pushed: types.ClientCapabilities, signal_number: signal.Signals
) -> None:
    async with server_at_work(pushed, tmp_path) as client:
        family = {client.process_id, *descendants(client.process_id)}
        os.kill(client.process_id, signal_number)
        await gone(family)


async def test_a_server_whose_input_ends_in_mid_work_leaves_nothing(tmp_path: Path, pushed: types.ClientCapabilities) -> None:
    async with server_at_work(pushed, tmp_path) as client:
        family = {client.process_id, *descendants(client.process_id)}
        client.client._server.stdin.close()
        await gone(family)


async def test_a_server_whose_editor_dies_leaves_nothing_though_its_input_stays_open(
    tmp_path: Path, pushed: types.ClientCapabilities
) -> None:
    with subprocess.Popen(("sleep", "60")) as editor_process:
        async with server_at_work(pushed, tmp_path, editor_process.pid) as client:
            family = {client.process_id, *descendants(client.process_id)}
            editor_process.kill()
            editor_process.wait()
            await gone(family)


async def test_half_a_message_at_the_end_is_no_failure(tmp_path: Path) -> None:
    process = await asyncio.create_subprocess_exec(
        PROGRAM, "--stdio", stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    said, complaints = await asyncio.wait_for(process.communicate(b"Content-Length: 20\r\n\r\n{"), 20)
    assert (process.returncode, said, complaints) == (0, b"", b"")


async def test_a_session_over_a_socket(tmp_path: Path, pushed: types.ClientCapabilities) -> None:
    environment = {**os.environ, "XDG_STATE_HOME": str(tmp_path / "state")}
    process = await asyncio.create_subprocess_exec(PROGRAM, "--tcp", "127.0.0.1:0", stderr=asyncio.subprocess.PIPE, env=environment)
    assert process.stderr is not None
    waiting = re.fullmatch(rb"pixel-lsp: waiting for an editor at 127\.0\.0\.1:(\d+)\n", await process.stderr.readline())
    assert waiting is not None
    port = int(waiting[1])
    client = Editor()
    await client.client.start_tcp("127.0.0.1", port)
    params = types.InitializeParams(root_uri=tmp_path.as_uri(), capabilities=pushed, initialization_options=OPTIONS)
    client.server = (await client.client.initialize_session(params)).capabilities
    # One editor only.
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection("127.0.0.1", port)
    text = RIGHT.replace("2.0 * x", "/* 😀é */ 3.0 * x")
    path = write(tmp_path, "k.wgsl", text)
    uri = client.open(path, text)
    await client.codes(uri, "PX401")
    client.change(uri, 2, RIGHT)
    client.save(uri)
    await client.until_verdict(uri, "passed")
    await client.codes(uri)
    family = {process.pid, *descendants(process.pid)}
    await client.client.shutdown_session()
    assert await asyncio.wait_for(process.wait(), 20) == 0
    await gone(family)
    await client.client.stop()


async def test_a_connection_that_breaks_ends_the_server(tmp_path: Path) -> None:
    process = await asyncio.create_subprocess_exec(PROGRAM, "--tcp", "127.0.0.1:0", stderr=asyncio.subprocess.PIPE)
    assert process.stderr is not None
    port = int((await process.stderr.readline()).rpartition(b":")[2])
    _, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"Content-Length: 20\r\n\r\n{")
    writer.close()
    await writer.wait_closed()
    assert await asyncio.wait_for(process.wait(), 20) == 0
    assert await process.stderr.read() == b""


async def test_the_end_is_proper_while_a_check_runs(tmp_path: Path, pushed: types.ClientCapabilities) -> None:
    async with editor(pushed, tmp_path, tmp_path / "state", OPTIONS) as client:
        uri = client.open(write(tmp_path, "slow.wgsl", SLOW), SLOW)
        await client.until_checking(uri)
