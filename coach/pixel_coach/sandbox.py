"""Running generated code where it can do no harm: bubblewrap, another user where possible, and limits on everything.

Where there is no sandbox, nothing is executed; there is no way around it.

A job sees `/usr`, the Python environment it was given, and a copy of the workspace, all read-only; it writes to `/tmp` alone, which lives
in memory. It has no network, no environment, no capabilities and no other processes around it, and ends with everything it started.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

import msgspec

from pixel_coach.sandbox_command import MOUNT_SCRIPT, bubblewrap_command
from pixel_coach.sandbox_copy import JobFolder, copy_workspace
from pixel_coach.sandbox_memory import process_tree, watch_memory

_PROBE_TIMEOUT_S: Final = 20.0
_SWEEPS: Final = 3
"""A process that is killed may just have started another one."""

_CHUNK: Final = 1 << 16
_INSTALL: Final = "install bubblewrap and util-linux (`sudo apt-get install bubblewrap util-linux`)"


class SandboxAbsence(msgspec.Struct, frozen=True, kw_only=True):
    """Why nothing can be executed here.

    Attributes:
        reason: One sentence.
        hint: What would mend it.
    """

    reason: str
    hint: str


class SandboxLimits(msgspec.Struct, frozen=True, kw_only=True):
    """What a job may use.

    Attributes:
        seconds: Wall time; then everything ends.
        cpu_seconds: Of each process.
        memory_bytes: Address space of each process, and what all of them may hold in memory together.
        file_bytes: Size of each file.
        disk_bytes: Of all files in `/tmp` and in each writable folder.
        processes: Threads included.
        open_files: Of each process.
        output_bytes: Kept of stdout and of stderr; what comes after is dropped.
    """

    seconds: float = 60.0
    cpu_seconds: int = 60
    memory_bytes: int = 2 << 30
    file_bytes: int = 32 << 20
    disk_bytes: int = 128 << 20
    processes: int = 64
    open_files: int = 256
    output_bytes: int = 1 << 20


class SandboxJob(msgspec.Struct, frozen=True, kw_only=True):
    """One command.

    Attributes:
        command: Program and arguments; a bare name is looked for in `/usr/bin`.
        workspace: Copied; the copy is `/job`, where the command starts. Version control, hidden files and what git ignores are not in it.
        overlay: Path in the copy → its bytes instead of the workspace's.
        writable: Folders of `/job` that are empty and can be written to.
        interpreter: A Python whose environment is made visible, read-only, where it is; None for none.
        read_only: Other folders of the host that are visible: path in the sandbox → path on the host.
        environment: Variables besides PATH, HOME, LANG and TMPDIR.
        input: What the command reads from stdin.
        limits: What it may use.
    """

    command: tuple[str, ...]
    workspace: Path
    overlay: Mapping[str, bytes] = msgspec.field(default_factory=dict)
    writable: tuple[str, ...] = ()
    interpreter: Path | None = None
    read_only: Mapping[str, Path] = msgspec.field(default_factory=dict)
    environment: Mapping[str, str] = msgspec.field(default_factory=dict)
    input: bytes = b""
    limits: SandboxLimits = msgspec.field(default_factory=SandboxLimits)


class SandboxResult(msgspec.Struct, frozen=True, kw_only=True):
    """How a job ended.

    Attributes:
        exit_code: Of the command; 128 + n where signal n ended it; None when the sandbox ended it.
        stdout: At most `output_bytes` of it.
        stderr: Likewise.
        seconds: Wall time.
        ended_by: `exit`, `timeout`, `memory`, or `sandbox` when the job could not be started.
        output_is_cut: Whether some of stdout or stderr was dropped.
    """

    exit_code: int | None
    stdout: bytes
    stderr: bytes
    seconds: float
    ended_by: str
    output_is_cut: bool = False


class Sandbox(msgspec.Struct, frozen=True, kw_only=True):
    """What jobs are run with.

    Attributes:
        bubblewrap: Its executable.
        as_root: We are root: jobs run as `nobody` instead, because a limit on processes does not bind root.
    """

    bubblewrap: Path
    as_root: bool

    async def run(self, job: SandboxJob) -> SandboxResult:
        """Run a job to its end. Cancelling ends every process of it.

        Raises:
            OSError: The copy of the workspace could not be made (it is too large, or the disk is full).
        """
        folder = JobFolder(as_root=self.as_root)
        try:
            # In a thread: a large workspace takes a while. It ends before the folder is removed, or might make it anew.
            copying = asyncio.ensure_future(asyncio.to_thread(copy_workspace, job.workspace, folder.workspace, job.overlay, job.writable))
            try:
                await asyncio.shield(copying)
            except asyncio.CancelledError:
                await asyncio.wait({copying})
                raise
            folder.hand_over()
            return await self._execute(job, folder)
        finally:
            await asyncio.to_thread(folder.remove)

    async def _execute(self, job: SandboxJob, folder: JobFolder) -> SandboxResult:
        command = bubblewrap_command(self.bubblewrap, job, folder, as_root=self.as_root)
        started = time.perf_counter()
        process = await _start(command, folder.workspace.parent)
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stderr is not None
        outputs = [asyncio.ensure_future(_read_capped(one, job.limits.output_bytes)) for one in (process.stdout, process.stderr)]
        feeding = asyncio.ensure_future(_feed(process.stdin, job.input))
        too_much = asyncio.ensure_future(watch_memory(process.pid, job.limits.memory_bytes))
        waiting = asyncio.ensure_future(process.wait())
        try:
            done, _ = await asyncio.wait({waiting, too_much}, timeout=job.limits.seconds, return_when=asyncio.FIRST_COMPLETED)
            ended_by = "exit" if waiting in done else "memory" if too_much in done else "timeout"
            exit_code = process.returncode if waiting in done else None
        finally:
            if process.returncode is None:
                _kill(process.pid, folder.workspace.parent)
            for task in (feeding, too_much):
                task.cancel()
            await asyncio.gather(feeding, too_much, waiting, return_exceptions=True)
            texts = await asyncio.gather(*outputs)
        (stdout, cut_stdout), (stderr, cut_stderr) = texts
        if exit_code is not None and _did_not_start(stderr):
            ended_by = "sandbox"
        return SandboxResult(
            exit_code=exit_code,
            stdout=stdout,
            stderr=stderr,
            seconds=time.perf_counter() - started,
            ended_by=ended_by,
            output_is_cut=cut_stdout or cut_stderr,
        )


def find_sandbox(workspace: Path | None = None, environment: Mapping[str, str] | None = None) -> Sandbox | SandboxAbsence:
    """The sandbox of this machine, tried out once.

    Args:
        workspace: Programs inside of it are not considered: a workspace must not bring its own sandbox.
        environment: For `PATH`; None is this process's.
    """
    if not sys.platform.startswith("linux"):
        return SandboxAbsence(
            reason=f"generated code is only executed in a bubblewrap sandbox, which {_system_name()} does not have",
            hint="run the coach on Linux (a container or WSL 2 will do), or run the tests yourself",
        )
    path = (environment if environment is not None else os.environ).get("PATH", "")
    programs = {name: _find_program(name, path, workspace) for name in ("bwrap", "prlimit", "setpriv", "unshare")}
    as_root = os.geteuid() == 0
    for name in ("bwrap", "prlimit", *(("setpriv", "unshare") if as_root else ())):
        if programs[name] is None:
            return SandboxAbsence(reason=f"`{name}` is not installed, so no generated code is executed", hint=_INSTALL)
    assert programs["bwrap"] is not None
    sandbox = Sandbox(bubblewrap=programs["bwrap"], as_root=as_root)
    problem = _try_out(sandbox)
    if problem is None:
        return sandbox
    return SandboxAbsence(
        reason=f"bubblewrap does not work here, so no generated code is executed: {problem}",
        hint="allow unprivileged user namespaces (`sysctl kernel.unprivileged_userns_clone=1`; on Ubuntu, an AppArmor profile for bwrap)",
    )


def _find_program(name: str, path: str, workspace: Path | None) -> Path | None:
    """On `PATH`, in absolute folders outside of the workspace only."""
    root = None if workspace is None else workspace.resolve()
    folders = [Path(folder) for folder in path.split(os.pathsep) if Path(folder).is_absolute()]
    for folder in folders:
        found = shutil.which(name, path=str(folder))
        if found is not None and (root is None or not Path(found).resolve().is_relative_to(root)):
            return Path(found).absolute()
    return None


def _try_out(sandbox: Sandbox) -> str | None:
    """Why the sandbox does not work; None when it does."""
    folder = JobFolder(as_root=sandbox.as_root)
    try:
        job = SandboxJob(command=("sh", "-c", "test -d /job && ! test -e /etc/passwd"), workspace=folder.workspace)
        folder.hand_over()
        command = bubblewrap_command(sandbox.bubblewrap, job, folder, as_root=sandbox.as_root)
        done = subprocess.run(command, capture_output=True, timeout=_PROBE_TIMEOUT_S, check=False, stdin=subprocess.DEVNULL, cwd="/")
    except (OSError, subprocess.TimeoutExpired) as error:
        return str(error)
    finally:
        folder.remove()
    lines = done.stderr.decode("utf-8", "replace").strip().splitlines()
    return None if done.returncode == 0 else (lines[-1] if lines else f"exit code {done.returncode}")


def _did_not_start(stderr: bytes) -> bool:
    return stderr.startswith((b"bwrap: ", b"setpriv: ", b"prlimit: ", b"unshare: ", MOUNT_SCRIPT.failure))


async def _start(command: Sequence[str], folder: Path) -> asyncio.subprocess.Process:
    starting = asyncio.ensure_future(
        asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            cwd="/",
            env={"PATH": "/usr/bin:/bin:/usr/sbin:/sbin", "LC_ALL": "C.UTF-8"},
            start_new_session=True,
        )
    )
    try:
        return await asyncio.shield(starting)
    except asyncio.CancelledError:
        # Left to itself, asyncio would kill the first process alone.
        process = await starting
        if process.returncode is None:
            _kill(process.pid, folder)
        await process.communicate()
        raise


def _kill(root: int, folder: Path) -> None:
    """End a job that runs, or is about to: every process below the first one, that one, and whoever was left behind.

    Bubblewrap dies with its parent only once it has asked the kernel for that, so killing the first one alone is not enough. What is left
    of it is known by its arguments, which name the job's folder; the job itself ends with it.
    """
    for process in reversed(process_tree(root)):
        with suppress(ProcessLookupError, PermissionError):
            os.kill(process, signal.SIGKILL)
    with suppress(ProcessLookupError):
        os.killpg(root, signal.SIGKILL)
    for _ in range(_SWEEPS):
        for process in _named(folder):
            with suppress(ProcessLookupError, PermissionError):
                os.kill(process, signal.SIGKILL)


def _named(folder: Path) -> list[int]:
    """The processes whose arguments name a folder; those that are dead already have none."""
    mark, found = os.fsencode(folder), list[int]()
    for process in Path("/proc").iterdir():
        with suppress(OSError):
            if process.name.isdigit() and mark in (process / "cmdline").read_bytes():
                found.append(int(process.name))
    return found


async def _read_capped(stream: asyncio.StreamReader, limit: int) -> tuple[bytes, bool]:
    """All of a stream is read, so that nobody blocks; the first `limit` bytes are kept."""
    kept = bytearray()
    total = 0
    while chunk := await stream.read(_CHUNK):
        total += len(chunk)
        kept += chunk[: limit - len(kept)]
    return bytes(kept), total > limit


async def _feed(stream: asyncio.StreamWriter, data: bytes) -> None:
    try:
        stream.write(data)
        await stream.drain()
        # Nobody waits until it is closed: asyncio cannot bear that such a wait is cancelled, and would never tell of the process's end.
        stream.close()
    except (BrokenPipeError, ConnectionResetError):
        pass  # The command did not want to read it all.


def _system_name() -> str:
    return {"darwin": "macOS", "win32": "Windows"}.get(sys.platform, sys.platform)
