"""What generated code tries, and cannot do. Every test runs a real bubblewrap."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import socket
import sys
import tempfile
import textwrap
import time
from pathlib import Path
from typing import Any

import pytest

from pixel_coach import sandbox as sandbox_module
from pixel_coach.sandbox import Sandbox, SandboxAbsence, SandboxJob, SandboxLimits, SandboxResult, find_sandbox
from pixel_coach.sandbox_command import bubblewrap_command
from pixel_coach.sandbox_copy import JobFolder

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="bubblewrap is a program of Linux")


@pytest.fixture(scope="module")
def sandbox() -> Sandbox:
    found = find_sandbox()
    assert isinstance(found, Sandbox), found
    return found


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    folder = tmp_path / "workspace"
    (folder / "tests").mkdir(parents=True)
    (folder / "tests" / "test_a.py").write_text("def test(): assert False\n")
    return folder


def job(workspace: Path, code: str, *, interpreter: Path = Path(sys.executable), **changes: Any) -> SandboxJob:
    return SandboxJob(command=(str(interpreter), "-c", textwrap.dedent(code)), workspace=workspace, interpreter=interpreter, **changes)


def run(sandbox: Sandbox, workspace: Path, code: str, **changes: Any) -> SandboxResult:
    return asyncio.run(sandbox.run(job(workspace, code, **changes)))


def check(sandbox: Sandbox, workspace: Path, code: str, expected: str, **changes: Any) -> SandboxResult:
    result = run(sandbox, workspace, code, **changes)
    assert (result.ended_by, result.exit_code, result.stderr) == ("exit", 0, b"")
    assert result.stdout.decode().strip() == expected
    return result


def processes_with(marker: str) -> list[int]:
    found: list[int] = []
    for path in Path("/proc").iterdir():
        # It may end while we look.
        with contextlib.suppress(OSError):
            if path.name.isdigit() and marker.encode() in (path / "cmdline").read_bytes():
                found.append(int(path.name))
    return found


def wait_until_gone(marker: str) -> list[int]:
    deadline = time.monotonic() + 10
    while (left := processes_with(marker)) and time.monotonic() < deadline:
        time.sleep(0.05)
    return left


TRY = """
def attempt(do):
    try:
        return do()
    except OSError as error:
        return type(error).__name__
"""


def test_no_network_and_not_even_the_loopback_of_the_host(sandbox: Sandbox, workspace: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        code = f"""
            import socket
            for address in [("127.0.0.1", {server.getsockname()[1]}), ("192.0.2.1", 80)]:
                try:
                    socket.create_connection(address, timeout=2)
                except OSError as error:
                    print(type(error).__name__)
        """
        result = run(sandbox, workspace, code)
    assert result.exit_code == 0
    assert len(result.stdout.split()) == 2


def test_files_of_the_host_are_not_there(sandbox: Sandbox, workspace: Path, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("hunter2")
    places = [str(secret), "/etc/passwd", "/etc/shadow", str(Path.home() / ".ssh"), "/var", "/home", "/sys", "/run"]
    code = f"import os\nprint([place for place in {places!r} if os.path.exists(place)])"
    check(sandbox, workspace, code, "[]")


def test_environment_has_no_keys(sandbox: Sandbox, workspace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GEMINI_API_KEY", "hunter2")
    code = "import os\nprint(sorted(set(os.environ) - {'LC_CTYPE', 'PWD'}))"
    expected = "['HOME', 'LANG', 'OMP_NUM_THREADS', 'OPENBLAS_NUM_THREADS', 'PATH', 'PYTHONDONTWRITEBYTECODE', 'TMPDIR', 'X']"
    check(sandbox, workspace, code, expected, environment={"X": "1"})


def test_hidden_ignored_and_linked_files_are_not_copied(sandbox: Sandbox, workspace: Path, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("hunter2")
    for name in (".env", ".git/config", "node_modules/a.js", "build/out.txt", "kept/a.py", "kept/a.log", "kept/b.log"):
        (workspace / name).parent.mkdir(parents=True, exist_ok=True)
        (workspace / name).write_text("hunter2")
    (workspace / ".gitignore").write_text("/build\n*.log\n")
    (workspace / "kept" / ".gitignore").write_text("!b.log\n")
    (workspace / "link").symlink_to(tmp_path / "secret")
    os.mkfifo(workspace / "pipe")
    code = """
        import os
        print(sorted(os.path.relpath(os.path.join(folder, name)) for folder, _, files in os.walk(".") for name in files))
    """
    check(sandbox, workspace, code, "['kept/a.py', 'new/b.py', 'tests/test_a.py']", overlay={"new/b.py": b""})


def test_tests_cannot_be_changed(sandbox: Sandbox, workspace: Path) -> None:
    code = TRY + textwrap.dedent("""
        import os
        from pathlib import Path
        test = Path("tests/test_a.py")
        print(attempt(lambda: test.write_text("def test(): pass")), attempt(test.unlink), attempt(lambda: os.rename("tests", "away")))
        print(attempt(lambda: Path("tests/conftest.py").write_text("")), attempt(lambda: os.symlink("/tmp", "tests/link")))
        print(attempt(lambda: test.chmod(0o777)), attempt(lambda: open("/job/new", "w")))
    """)
    check(sandbox, workspace, code, "\n".join(["OSError OSError OSError", "OSError OSError", "OSError OSError"]))
    assert (workspace / "tests" / "test_a.py").read_text() == "def test(): assert False\n"


def test_only_the_writable_places_can_be_written(sandbox: Sandbox, workspace: Path) -> None:
    code = TRY + textwrap.dedent("""
        from pathlib import Path
        places = ["/tmp", "/job/out", "/job", "/", "/usr/bin", "/dev/shm", "/harness", "/proc/sys/kernel"]
        print([place for place in places if attempt(lambda: Path(place, "file").write_text("x")) == 1])
    """)
    check(sandbox, workspace, code, "['/tmp', '/job/out', '/dev/shm']", writable=("out",))


def test_fork_bomb(sandbox: Sandbox, workspace: Path) -> None:
    code = """
        import os, time
        for _ in range(1000):
            try:
                os.fork()
            except OSError:
                pass
        time.sleep(0.2)
    """
    result = run(sandbox, workspace, code, limits=SandboxLimits(seconds=5, processes=30))
    assert result.ended_by in ("exit", "timeout")
    assert result.seconds < 30


def test_memory_of_one_process(sandbox: Sandbox, workspace: Path) -> None:
    code = """
        try:
            bytearray(600 << 20)
        except MemoryError:
            print("no")
    """
    check(sandbox, workspace, code, "no", limits=SandboxLimits(memory_bytes=512 << 20))


def test_memory_of_many_processes(sandbox: Sandbox, workspace: Path) -> None:
    code = """
        import os, time
        for _ in range(8):
            if os.fork() == 0:
                held = bytearray(b"x") * (100 << 20)
                time.sleep(60)
        time.sleep(60)
    """
    result = run(sandbox, workspace, code, limits=SandboxLimits(seconds=50, memory_bytes=300 << 20))
    assert (result.ended_by, result.exit_code) == ("memory", None)


def test_cpu(sandbox: Sandbox, workspace: Path) -> None:
    result = run(sandbox, workspace, "while True: pass", limits=SandboxLimits(seconds=60, cpu_seconds=1))
    assert result.ended_by == "exit"
    assert result.exit_code in (128 + 9, 128 + 24)


def test_wall_time_ends_every_process(sandbox: Sandbox, workspace: Path) -> None:
    code = "import os, time\nif os.fork() == 0: os.setsid()\ntime.sleep(1000)  # marker-of-wall-time"
    result = run(sandbox, workspace, code, limits=SandboxLimits(seconds=1))
    assert (result.ended_by, result.exit_code) == ("timeout", None)
    assert wait_until_gone("marker-of-wall-time") == []


def test_disk(sandbox: Sandbox, workspace: Path) -> None:
    code = """
        import errno, os
        for place in ["/tmp", "/dev/shm"]:
            written = 0
            try:
                for number in range(100):
                    with open(f"{place}/{number}", "wb") as file:
                        written += file.write(bytes(1 << 20))
            except OSError as error:
                print(errno.errorcode[error.errno], written >> 20 <= 8)
        for number in range(7):
            os.unlink(f"/dev/shm/{number}")
        try:
            with open("/dev/shm/0", "wb") as file:
                file.write(bytes(4 << 20))
                file.flush()
        except OSError as error:
            print(errno.errorcode[error.errno])
    """
    limits = SandboxLimits(disk_bytes=8 << 20, file_bytes=2 << 20)
    check(sandbox, workspace, code, "ENOSPC True\nENOSPC True\nEFBIG", limits=limits)


def test_orphans_end_with_the_job(sandbox: Sandbox, workspace: Path) -> None:
    code = """
        import os, sys, time
        if os.fork() == 0:
            os.setsid()
            if os.fork() == 0:
                sys.stdout.close(); os.close(1); os.close(2)
                time.sleep(1000)  # marker-of-orphans
            os._exit(0)
        os.wait()
    """
    result = run(sandbox, workspace, code, limits=SandboxLimits(seconds=30))
    assert (result.ended_by, result.exit_code) == ("exit", 0)
    assert wait_until_gone("marker-of-orphans") == []


def test_orphans_that_keep_the_output_open_end_too(sandbox: Sandbox, workspace: Path) -> None:
    code = """
        import os, time
        if os.fork() == 0:
            os.setsid()
            time.sleep(1000)  # marker-of-open-output
    """
    result = run(sandbox, workspace, code, limits=SandboxLimits(seconds=30))
    assert (result.ended_by, result.exit_code) == ("exit", 0)
    assert wait_until_gone("marker-of-open-output") == []


def test_processes_of_the_host_can_be_neither_seen_nor_signalled(sandbox: Sandbox, workspace: Path) -> None:
    code = f"""
        import os, signal
        pids = [int(name) for name in os.listdir("/proc") if name.isdigit()]
        print(len(pids) < 5, os.path.exists("/proc/{os.getpid()}"))
        try:
            os.kill({os.getpid()}, signal.SIGKILL)
        except OSError as error:
            print(type(error).__name__)
        texts = []
        for pid in pids:
            try:
                texts.append(open(f"/proc/{{pid}}/environ").read())
            except OSError:
                pass
        print(any("hunter2" in text for text in texts))
    """
    check(sandbox, workspace, code, "True False\nProcessLookupError\nFalse")


def test_no_capabilities_and_no_new_namespaces(sandbox: Sandbox, workspace: Path) -> None:
    code = """
        import ctypes, os
        status = dict(line.split(":\\t") for line in open("/proc/self/status").read().splitlines() if ":\\t" in line)
        print(int(status["CapEff"], 16), status["NoNewPrivs"], os.getuid() != 0)
        libc = ctypes.CDLL(None, use_errno=True)
        print(libc.unshare(0x10000000), libc.mount(b"none", b"/tmp", b"tmpfs", 0, None))
    """
    check(sandbox, workspace, code, "0 1 True\n-1 -1")


def test_output_is_capped(sandbox: Sandbox, workspace: Path) -> None:
    code = "import sys\nfor _ in range(64): sys.stdout.write('x' * (1 << 16))"
    result = run(sandbox, workspace, code, limits=SandboxLimits(output_bytes=1000))
    assert (result.stdout, result.output_is_cut, result.exit_code) == (b"x" * 1000, True, 0)


def test_input_arrives_and_ends(sandbox: Sandbox, workspace: Path) -> None:
    check(sandbox, workspace, "import sys\nprint(repr(sys.stdin.read()))", repr("key\n"), input=b"key\n")


def test_failing_command_and_unknown_command(sandbox: Sandbox, workspace: Path) -> None:
    assert run(sandbox, workspace, "raise SystemExit(7)").exit_code == 7
    unknown = asyncio.run(sandbox.run(SandboxJob(command=("no-such-program",), workspace=workspace)))
    assert (unknown.ended_by, unknown.exit_code) == ("sandbox", 127)


async def test_cancelling_ends_every_process_and_leaves_no_folder(
    sandbox: Sandbox, workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Not below pytest's own folders, which nobody but their owner may enter.
    with tempfile.TemporaryDirectory() as name:
        temporary = Path(name)
        temporary.chmod(0o755)
        monkeypatch.setattr("tempfile.tempdir", name)
        task = asyncio.ensure_future(sandbox.run(job(workspace, "import time; time.sleep(1000)  # marker-of-cancelling")))
        while not processes_with("marker-of-cancelling"):
            assert not task.done(), task.result()
            await asyncio.sleep(0.02)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert wait_until_gone("marker-of-cancelling") == []
        assert list(temporary.iterdir()) == []


async def test_cancelling_at_any_moment_ends_every_process(sandbox: Sandbox, workspace: Path) -> None:
    for number in range(40):
        task = asyncio.ensure_future(sandbox.run(job(workspace, "import time; time.sleep(1000)  # marker-of-a-moment")))
        await asyncio.sleep(number * 0.0015)
        task.cancel()
        await asyncio.wait({task}, timeout=30)
        assert task.cancelled(), number
    assert wait_until_gone("marker-of-a-moment") == []


def test_a_python_installed_into_the_home_folder_does_not_show_the_home_folder(
    sandbox: Sandbox, workspace: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "home"
    real = Path(sys.executable).resolve()
    (home / "bin").mkdir(parents=True)
    (home / ".ssh").mkdir()
    (home / ".ssh" / "id_ed25519").write_text("secret")
    shutil.copy2(real, home / "bin" / "python3")
    (home / "lib").symlink_to(real.parent.parent / "lib", target_is_directory=True)
    monkeypatch.setenv("HOME", str(home))
    seen = bubblewrap_command(
        sandbox.bubblewrap, job(workspace, "pass", interpreter=home / "bin" / "python3"), JobFolder(as_root=False), as_root=False
    )
    bound = [seen[number + 2] for number, word in enumerate(seen) if word in ("--ro-bind", "--ro-bind-try")]
    assert str(home) not in bound
    assert {str(home / "bin"), str(home / "lib")} <= set(bound)


def test_workspace_that_is_too_large(sandbox: Sandbox, workspace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pixel_coach.sandbox_copy.MAX_FILES", 3)
    for number in range(5):
        (workspace / f"{number}.txt").write_text("")
    with pytest.raises(OSError, match="too large to be copied"):
        run(sandbox, workspace, "pass")


# ---------------------------------------------------------------- no sandbox, no execution


def test_nothing_is_executed_where_there_is_no_bubblewrap(tmp_path: Path) -> None:
    absence = find_sandbox(environment={"PATH": str(tmp_path)})
    assert absence == SandboxAbsence(
        reason="`bwrap` is not installed, so no generated code is executed",
        hint="install bubblewrap and util-linux (`sudo apt-get install bubblewrap util-linux`)",
    )


def test_a_workspace_cannot_bring_its_own_sandbox(tmp_path: Path) -> None:
    fake = tmp_path / "bin" / "bwrap"
    fake.parent.mkdir()
    fake.write_text("#!/bin/sh\nexit 0\n")
    fake.chmod(0o755)
    path = f"{fake.parent}:relative:{os.environ['PATH']}"
    found = find_sandbox(tmp_path, {"PATH": path})
    assert isinstance(found, Sandbox)
    assert found.bubblewrap != fake
    assert sandbox_module._find_program("bwrap", path, tmp_path / "elsewhere") == fake


def test_bubblewrap_that_does_not_work(tmp_path: Path) -> None:
    fake = tmp_path / "bwrap"
    fake.write_text("#!/bin/sh\necho 'bwrap: No permissions to create new namespace' >&2\nexit 1\n")
    fake.chmod(0o755)
    tmp_path.chmod(0o755)
    absence = find_sandbox(environment={"PATH": f"{tmp_path}:{os.environ['PATH']}"})
    assert isinstance(absence, SandboxAbsence)
    assert absence.reason.startswith("bubblewrap does not work here, so no generated code is executed: ")


@pytest.mark.parametrize(("platform", "name"), [("darwin", "macOS"), ("win32", "Windows")])
def test_other_systems(platform: str, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sandbox_module.sys, "platform", platform)
    absence = find_sandbox()
    assert isinstance(absence, SandboxAbsence)
    assert absence.reason == f"generated code is only executed in a bubblewrap sandbox, which {name} does not have"


def test_as_an_ordinary_user(sandbox: Sandbox, workspace: Path) -> None:
    ordinary = Sandbox(bubblewrap=sandbox.bubblewrap, as_root=False)
    check(ordinary, workspace, "import os\nprint(os.path.exists('/etc/passwd'), os.listdir())", "False ['tests']")
