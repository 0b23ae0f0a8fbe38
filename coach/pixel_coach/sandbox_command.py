"""The command line that puts a job into bubblewrap."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec

from pixel_coach.sandbox_copy import JobFolder

if TYPE_CHECKING:
    from pixel_coach.sandbox import SandboxJob

JOB: Final = "/job"
"""Where the copy of the workspace is in the sandbox."""

_NOBODY: Final = "65534"
_PARTS: Final = ("bin", "lib", "lib64")
"""Folders of an installation that a Python needs."""

_SYSTEM_FILES: Final = ("/etc/ld.so.cache", "/etc/alternatives", "/etc/fonts")


class MountScript(msgspec.Struct, frozen=True):
    """Shell lines, and how their failures begin."""

    text: str
    failure: bytes


MOUNT_SCRIPT: Final = MountScript(
    text='set -e\nwhile [ "$1" != -- ]; do mount --bind "$1" "$2"; shift 2; done\nshift\nexec "$@"', failure=b"mount: "
)
"""Makes folders that only root can reach visible to `nobody`, in a mount namespace of its own. Takes sources with places, `--`, command."""


def bubblewrap_command(bubblewrap: Path, job: SandboxJob, folder: JobFolder, *, as_root: bool) -> list[str]:
    """Program and arguments that run a job.

    Args:
        bubblewrap: Its executable.
        job: What to run.
        folder: Holds the copy of the workspace.
        as_root: Drop to `nobody` first.
    """
    visible = {JOB: folder.workspace, **job.read_only}
    for environment in _environments(job.interpreter):
        if not environment.is_relative_to("/usr"):
            visible.setdefault(str(environment), environment)
    staged = {place: folder.stage(number, source) if as_root else source for number, (place, source) in enumerate(visible.items())}
    command = [str(bubblewrap), "--unshare-all", "--unshare-user", "--disable-userns", "--die-with-parent", "--new-session", "--clearenv"]
    for name, value in {**_variables(), **job.environment}.items():
        command += ["--setenv", name, value]
    command += ["--ro-bind", "/usr", "/usr"]
    for name in ("bin", "lib", "lib64", "sbin"):
        if Path("/", name).is_symlink():
            command += ["--symlink", f"usr/{name}", f"/{name}"]
        else:
            command += ["--ro-bind-try", f"/{name}", f"/{name}"]
    for name in _SYSTEM_FILES:
        command += ["--ro-bind-try", name, name]
    command += ["--proc", "/proc", "--dev", "/dev", "--size", str(job.limits.disk_bytes), "--tmpfs", "/tmp"]  # noqa: S108 - the sandbox's own
    # The shorter path first: a folder that is mounted later must not hide one that is inside of it.
    for place in sorted(staged, key=len):
        command += ["--ro-bind", str(staged[place]), place]
    for name in job.writable:
        command += ["--size", str(job.limits.disk_bytes), "--tmpfs", f"{JOB}/{name}"]
    # bubblewrap makes /dev/shm writable, without a bound of its own.
    command += ["--size", str(job.limits.disk_bytes), "--tmpfs", "/dev/shm", "--remount-ro", "/", "--chdir", JOB]  # noqa: S108
    command += ["prlimit", *_limits(job), "--", *job.command]
    if not as_root:
        return command
    mounts = [text for place, source in visible.items() for text in (str(source), str(staged[place]))]
    dropped = ["setpriv", "--reuid", _NOBODY, "--regid", _NOBODY, "--clear-groups", *command]
    return ["unshare", "--mount", "sh", "-c", MOUNT_SCRIPT.text, "sh", *mounts, "--", *dropped]


def _variables() -> dict[str, str]:
    return {
        "PATH": "/usr/local/bin:/usr/bin:/bin",
        "HOME": "/tmp",  # noqa: S108 - the sandbox's own
        "TMPDIR": "/tmp",  # noqa: S108
        "LANG": "C.UTF-8",
        "PYTHONDONTWRITEBYTECODE": "1",
        # One thread per library: the limit on processes counts them.
        "OPENBLAS_NUM_THREADS": "1",
        "OMP_NUM_THREADS": "1",
    }


def _limits(job: SandboxJob) -> list[str]:
    limits = job.limits
    return [
        f"--nproc={limits.processes}",
        f"--as={limits.memory_bytes}",
        f"--cpu={limits.cpu_seconds}",
        f"--fsize={limits.file_bytes}",
        f"--nofile={limits.open_files}",
        "--core=0",
    ]


def _environments(interpreter: Path | None) -> list[Path]:
    """The folders that a Python needs: that of its virtual environment, and of the installation that it was made from. Runs nothing."""
    if interpreter is None:
        return []
    # `bin/python` of a virtual environment is a link; the folder that the link stands in is the environment.
    found = [interpreter.parent.parent] if (interpreter.parent.parent / "pyvenv.cfg").is_file() else []
    prefix = interpreter.resolve().parent.parent
    if not Path.home().is_relative_to(prefix):
        return [*found, prefix]
    # Installed into the home folder itself, or above it: there is more in it than a Python.
    return [*found, *(prefix / name for name in _PARTS if (prefix / name).is_dir())]
