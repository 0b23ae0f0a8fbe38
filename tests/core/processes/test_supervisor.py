from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from pixel_core.processes.exits import ChildExit
from pixel_core.processes.launcher import Launch
from pixel_core.processes.pool import WorkerPool
from pixel_core.processes.supervisor import Supervisor

CHILD = str(Path(__file__).with_name("echo_child.py"))
GIB = 1 << 30
WRONG_REPLY = """
import sys, time
body = b'{"id":1,"kind":"reply","body":5}'
sys.stdout.buffer.write(len(body).to_bytes(4, "big") + body)
sys.stdout.flush()
time.sleep(100)
"""


def launch(memory_bytes: int = 0) -> Launch:
    return Launch(command=(sys.executable, "-I", CHILD, "--parent", "{parent}", "--memory-bytes", str(memory_bytes)))


def script(code: str) -> Launch:
    return Launch(command=(sys.executable, "-I", "-c", code))


def supervise(scenario: Callable[[Supervisor], Awaitable[object]], what: Launch | None = None, *, keep_spare: bool = False) -> None:
    """Run a scenario, close, and see that nothing is left."""

    async def run() -> None:
        supervisor = Supervisor(what or launch(), keep_spare=keep_spare, spare_delay_s=0)
        try:
            await scenario(supervisor)
        finally:
            await supervisor.close()

    asyncio.run(run())
    assert children() == []


def children() -> list[int]:
    """Process ids of the test children that live."""
    return [process for process in processes("echo_child.py") if parent_of(process) == os.getpid()]


def processes(argument: str) -> list[int]:
    """Process ids of the living processes whose command line holds a text (Linux)."""
    found: list[int] = []
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if argument.encode() in (folder / "cmdline").read_bytes():
                found.append(int(folder.name))
    return found


def parent_of(process: int) -> int:
    return int(Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()[1])


async def until(condition: Callable[[], bool], seconds: float = 5) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.01)


async def ask(supervisor: Supervisor | WorkerPool, do: str, value: object = None, timeout_s: float = 20, **more: object) -> object:
    return await supervisor.request({"do": do, "value": value}, object, timeout_s=timeout_s, **more)  # type: ignore[arg-type]


async def check_exit(
    supervisor: Supervisor, do: str, value: object, reason: str, exit_code: int | None, tail: str = "", **more: float
) -> None:
    """The request ends so, and the next one is answered."""
    outcome = await ask(supervisor, do, value, **more)
    assert isinstance(outcome, ChildExit)
    assert (outcome.reason, outcome.exit_code) == (reason, exit_code)
    assert tail in outcome.stderr_tail
    assert await ask(supervisor, "echo", "alive") == "alive"


def test_a_request_is_answered_by_a_child_that_stays() -> None:
    async def scenario(supervisor: Supervisor) -> None:
        assert supervisor.process_id is None
        assert await ask(supervisor, "echo", {"x": [1, "ü"]}) == {"x": [1, "ü"]}
        first = supervisor.process_id
        assert await ask(supervisor, "echo", 2) == 2
        assert supervisor.process_id == first

    supervise(scenario)


def test_what_is_printed_never_reaches_the_frames() -> None:
    async def scenario(supervisor: Supervisor) -> None:
        assert await ask(supervisor, "print") == "printed"
        outcome = await ask(supervisor, "exit", 3)
        assert isinstance(outcome, ChildExit)
        assert outcome.stderr_tail == "printed by python\nprinted by native code\nprinted by a program\nlast words\n"

    supervise(scenario)


def test_events_come_in_order_before_the_reply() -> None:
    async def scenario(supervisor: Supervisor) -> None:
        seen: list[bytes] = []
        assert await ask(supervisor, "events", 3, on_event=seen.append) == "done"
        assert seen == [b"0", b"1", b"2"]

    supervise(scenario)


def test_requests_at_the_same_time_wait_for_each_other() -> None:
    async def scenario(supervisor: Supervisor) -> None:
        assert await asyncio.gather(*(ask(supervisor, "echo", number) for number in range(20))) == list(range(20))

    supervise(scenario)


def test_every_way_to_fail_is_a_value_and_the_next_request_works() -> None:
    async def scenario(supervisor: Supervisor) -> None:
        await check_exit(supervisor, "exit", 0, "crashed", 0, "last words")
        await check_exit(supervisor, "exit", 7, "crashed", 7, "last words")
        await check_exit(supervisor, "no such request", 0, "crashed", 1, "ValueError: no such request")
        await check_exit(supervisor, "kill", signal.SIGKILL, "killed", -signal.SIGKILL)
        await check_exit(supervisor, "kill", signal.SIGSEGV, "crashed", -signal.SIGSEGV, "Fatal Python error: Segmentation fault")
        await check_exit(supervisor, "hang", 0, "timeout", -signal.SIGKILL, timeout_s=0.5)
        await check_exit(supervisor, "wait politely", 0, "timeout", None, timeout_s=0.5)
        await check_exit(supervisor, "long reply", 1 << 26, "crashed", 1, "is longer than the 67,108,864 a frame may hold")

    supervise(scenario)


def test_a_spare_takes_over() -> None:
    async def scenario(supervisor: Supervisor) -> None:
        assert await ask(supervisor, "echo", 1) == 1
        for _ in range(3):
            await until(lambda: len(children()) == 2)
            (spare,) = set(children()) - {supervisor.process_id}
            outcome = await ask(supervisor, "kill", signal.SIGKILL)
            assert isinstance(outcome, ChildExit)
            assert await ask(supervisor, "echo", 2) == 2
            assert supervisor.process_id == spare

    supervise(scenario, keep_spare=True)


def test_a_child_that_ended_while_it_was_idle_costs_nothing() -> None:
    async def scenario(supervisor: Supervisor) -> None:
        for number in range(10):
            assert await ask(supervisor, "echo", number) == number
            assert supervisor.process_id is not None
            # The event loop has no chance to notice before the next request is sent.
            os.kill(supervisor.process_id, signal.SIGKILL)

    supervise(scenario)


def test_what_is_over_soon_starts_no_spare() -> None:
    async def run() -> None:
        supervisor = Supervisor(launch(), spare_delay_s=0.3)
        try:
            for number in range(3):
                assert await ask(supervisor, "echo", number) == number
            assert len(children()) == 1
            running = asyncio.ensure_future(ask(supervisor, "wait politely", timeout_s=5))
            await until(lambda: len(children()) == 2)
            assert not running.done()
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
            assert await ask(supervisor, "echo", 4) == 4
        finally:
            await supervisor.close()

    asyncio.run(run())
    assert children() == []


def test_a_spare_that_died_is_not_used() -> None:
    async def scenario(supervisor: Supervisor) -> None:
        await ask(supervisor, "echo", 1)
        await until(lambda: len(children()) == 2)
        for child in children():
            os.kill(child, signal.SIGKILL)
        await until(lambda: supervisor.process_id is None)
        assert await ask(supervisor, "echo", 2) == 2

    supervise(scenario, keep_spare=True)


@pytest.mark.skipif(sys.platform != "linux", reason="RLIMIT_AS is what is tested")
def test_the_memory_limit_holds() -> None:
    async def scenario(supervisor: Supervisor) -> None:
        await check_exit(supervisor, "allocate", 4 * GIB, "memory", 1, "MemoryError")

    supervise(scenario, launch(GIB))


def test_cancelling_stops_a_polite_child_and_kills_a_stuck_one() -> None:
    async def cancelled(supervisor: Supervisor, do: str) -> object:
        cancel = asyncio.Event()
        asyncio.get_running_loop().call_later(0.1, cancel.set)
        return await ask(supervisor, do, cancel=cancel)

    async def scenario(supervisor: Supervisor) -> None:
        await ask(supervisor, "echo", 1)
        first = supervisor.process_id
        assert await cancelled(supervisor, "wait politely") == ChildExit(reason="cancelled", exit_code=None, stderr_tail="")
        assert supervisor.process_id == first
        assert await cancelled(supervisor, "hang") == ChildExit(reason="cancelled", exit_code=-9, stderr_tail="")
        assert await ask(supervisor, "echo", 2) == 2
        assert supervisor.process_id != first

    supervise(scenario)


def test_a_caller_that_is_cancelled_leaves_no_child_computing() -> None:
    async def scenario(supervisor: Supervisor) -> None:
        await ask(supervisor, "echo", 1)
        task = asyncio.ensure_future(ask(supervisor, "hang"))
        await asyncio.sleep(0.1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert children() == []
        assert await ask(supervisor, "echo", 2) == 2

    supervise(scenario)


def test_a_caller_that_is_cancelled_keeps_a_polite_child() -> None:
    async def scenario(supervisor: Supervisor) -> None:
        await ask(supervisor, "echo", 1)
        first = supervisor.process_id
        task = asyncio.ensure_future(ask(supervisor, "wait politely"))
        await asyncio.sleep(0.1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert await ask(supervisor, "echo", 2) == 2
        assert supervisor.process_id == first

    supervise(scenario)


def test_what_a_child_started_ends_with_it() -> None:
    async def scenario(supervisor: Supervisor) -> None:
        cancel = asyncio.Event()
        outcome = await ask(supervisor, "spawn and hang", cancel=cancel, on_event=lambda _: cancel.set())
        assert isinstance(outcome, ChildExit)
        await until(lambda: processes("sleep\0001000.5") == [])

    supervise(scenario)


def test_standard_error_is_kept_only_in_part() -> None:
    async def scenario(supervisor: Supervisor) -> None:
        assert await ask(supervisor, "stderr") == "written"
        outcome = await ask(supervisor, "exit", 1)
        assert isinstance(outcome, ChildExit)
        assert len(outcome.stderr_tail) == 16_384
        assert outcome.stderr_tail.endswith("a line\nthe end\nlast words\n")

    supervise(scenario)


@pytest.mark.parametrize(
    ("code", "tail"),
    [
        ("print('hello, this is no frame at all', flush=True); import time; time.sleep(100)", "a frame announces 1,751,477,356 bytes"),
        ("import sys, time; sys.stdout.buffer.write(b'\\0\\0\\0\\2{}'); sys.stdout.flush(); time.sleep(100)", "a frame holds no message"),
        (WRONG_REPLY, "the reply is not what was asked for: Expected `str`, got `int`"),
    ],
)
def test_a_child_that_breaks_the_protocol_is_ended(code: str, tail: str) -> None:
    async def scenario(supervisor: Supervisor) -> None:
        outcome = await supervisor.request({}, str, timeout_s=10)
        assert isinstance(outcome, ChildExit)
        assert (outcome.reason, tail in outcome.stderr_tail) == ("protocol", True), outcome

    supervise(scenario, script(code))


def test_a_program_that_is_not_there() -> None:
    async def scenario(supervisor: Supervisor) -> None:
        outcome = await ask(supervisor, "echo")
        assert isinstance(outcome, ChildExit)
        assert (outcome.reason, outcome.exit_code) == ("crashed", None)
        assert "No such file or directory: '/no/such/python'" in outcome.stderr_tail

    supervise(scenario, Launch(command=("/no/such/python",)))


def test_a_request_above_the_cap_is_refused_and_the_child_lives() -> None:
    async def scenario(supervisor: Supervisor) -> None:
        await ask(supervisor, "echo", 1)
        first = supervisor.process_id
        outcome = await ask(supervisor, "echo", "x" * (1 << 26))
        assert isinstance(outcome, ChildExit)
        assert (outcome.reason, outcome.stderr_tail[:31]) == ("protocol", "the request was not sent: a mes")
        assert supervisor.process_id == first

    supervise(scenario)


def test_closing_during_a_request_ends_it() -> None:
    async def scenario(supervisor: Supervisor) -> None:
        task = asyncio.ensure_future(ask(supervisor, "hang"))
        await asyncio.sleep(0.3)
        await supervisor.close()
        assert isinstance(await task, ChildExit)
        assert isinstance(await ask(supervisor, "echo", 1), ChildExit)

    supervise(scenario)


def test_closing_while_a_child_starts_leaves_none() -> None:
    async def scenario(supervisor: Supervisor) -> None:
        task = asyncio.ensure_future(ask(supervisor, "echo", 1))
        await asyncio.sleep(0)
        await supervisor.close()
        assert isinstance(await task, ChildExit)
        assert children() == []

    supervise(scenario)


@pytest.mark.skipif(sys.platform != "linux", reason="PR_SET_PDEATHSIG is Linux's")
def test_children_die_with_a_parent_that_was_killed() -> None:
    code = (
        "import asyncio, sys\n"
        "from pixel_core.processes.supervisor import Supervisor\n"
        "from pixel_core.processes.launcher import Launch\n"
        "async def run():\n"
        f"    s = Supervisor(Launch(command=(sys.executable, '-I', {CHILD!r}, '--parent', '{{parent}}')))\n"
        "    await s.request({'do': 'echo', 'value': 1}, object, timeout_s=10)\n"
        "    print(s.process_id, flush=True)\n"
        "    await s.request({'do': 'hang'}, object, timeout_s=100)\n"
        "asyncio.run(run())\n"
    )
    parent = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    child = int(parent.stdout.readline())
    parent.kill()
    parent.wait()
    parent.stdout.close()
    assert ended_within(child, seconds=2)


def ended_within(process: int, seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        status = Path(f"/proc/{process}/stat")
        if not status.exists() or status.read_text().rsplit(")", 1)[1].split()[0] == "Z":
            return True
        time.sleep(0.01)
    return False


def test_a_pool_answers_in_parallel_and_prefers_the_warm_child() -> None:
    async def run() -> None:
        pool = WorkerPool(launch(), 2, keep_spare=False)
        try:
            for number in range(3):
                assert await ask(pool, "echo", number) == number
            assert len(children()) == 1
            assert await asyncio.gather(*(ask(pool, "echo", number) for number in range(10))) == list(range(10))
            assert len(children()) == 2
        finally:
            await pool.close()

    asyncio.run(run())
    assert children() == []
