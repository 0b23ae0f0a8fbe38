"""What this machine has and lacks for checking kernels. The answers come from child processes where they need wgpu or the user's Python."""

from __future__ import annotations

import asyncio
import json
import os
import platform
import sys
from importlib import metadata
from pathlib import Path
from typing import Final

import msgspec

from pixel_core import __version__
from pixel_core.engines.tint import INSTALL_HINT, tint_version
from pixel_core.kernels.execute import project_root
from pixel_core.kernels.find_interpreter import find_interpreter
from pixel_core.kernels.validate import CheckOptions
from pixel_core.kernels.worker_messages import Hello, HelloReply
from pixel_core.processes.exits import ChildExit
from pixel_core.processes.launcher import launch_module
from pixel_core.processes.supervisor import Supervisor

OK, ADVICE, PROBLEM = "ok", "advice", "problem"

_DEPENDENCIES: Final = ("lsprotocol", "msgspec", "numpy", "pathspec", "pygls", "rich", "tomli", "watchdog", "wgpu")
_QUIRKS: Final = {
    "loop_cap": "it ends loops after 65,535 iterations: cases that hit this are inconclusive, never wrong",
    "workgroup_memory_not_zeroed": "it does not zero workgroup memory: pixel-lsp makes the shader do it",
}
_ADAPTER: Final = "adapter"
_LIMITS: Final = {
    "max-storage-buffer-binding-size": "storage buffer bytes",
    "max-compute-invocations-per-workgroup": "invocations per workgroup",
    "max-compute-workgroup-storage-size": "workgroup memory bytes",
}
_WORKER_TIMEOUT_S: Final = 120
_INTERPRETER_TIMEOUT_S: Final = 30
_ASK_INTERPRETER: Final = """
import json, sys
try:
    import numpy
    found = numpy.__version__
except ImportError:
    found = None
print(json.dumps({"python": sys.version.split()[0], "numpy": found}))
"""


class Diagnosis(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that was looked at.

    Attributes:
        subject: What was looked at.
        state: `ok`, `advice` (kernels can be checked, something else cannot or will surprise) or `problem` (kernels cannot be checked).
        facts: What was found, one line each.
        remedy: What to do about it.
    """

    subject: str
    state: str
    facts: tuple[str, ...]
    remedy: str | None = None


async def diagnose(interpreter: Path | None, workspace: Path) -> tuple[Diagnosis, ...]:
    """Look at everything that a check needs.

    Args:
        interpreter: The Python for references that was asked for; None looks for one as `check` does.
        workspace: Folder whose `.venv` would be used.
    """
    adapter, references = await asyncio.gather(_adapter(), _references(interpreter, workspace))
    return (_program(), _dependencies(), adapter, _tint(), references)


def _program() -> Diagnosis:
    facts = (
        f"pixel-lsp {__version__}, {Path(__file__).parent}",
        f"Python {platform.python_version()}, {sys.executable}",
        f"{platform.system()} {platform.release()}, {platform.machine()}, {os.cpu_count()} CPUs",
    )
    return Diagnosis(subject="program", state=OK, facts=facts)


def _dependencies() -> Diagnosis:
    found = {name: _version(name) for name in _DEPENDENCIES}
    versions = [f"{name} {version}" for name, version in found.items() if version is not None]
    missing = [name for name, version in found.items() if version is None]
    facts = (", ".join(versions), *(f"{name} is missing" for name in missing))
    remedy = f"{sys.executable} -m pip install {' '.join(missing)}" if missing else None
    return Diagnosis(subject="dependencies", state=PROBLEM if missing else OK, facts=facts, remedy=remedy)


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def _tint() -> Diagnosis:
    """The compiler of Chrome, which is asked beside the adapter's naga where it is installed."""
    subject = "second compiler"
    version = tint_version()
    if version is None:
        facts = ("Tint, the compiler of Chrome, is not installed: nothing is said about Chrome beyond pixel-lsp's own checks",)
        return Diagnosis(subject=subject, state=ADVICE, facts=facts, remedy=INSTALL_HINT)
    return Diagnosis(subject=subject, state=OK, facts=(f"Tint, the compiler of Chrome, from dawn-python {version}",))


async def _adapter() -> Diagnosis:
    """What a kernel worker says of the device it opened."""
    worker = Supervisor(launch_module("pixel_core.kernels.worker", memory_bytes=CheckOptions().memory_bytes), keep_spare=False)
    try:
        reply = await worker.request(Hello(), HelloReply, timeout_s=_WORKER_TIMEOUT_S)
    finally:
        await worker.close()
    if isinstance(reply, ChildExit):
        facts = (f"the kernel worker did not start: {reply.reason}", *reply.stderr_tail.splitlines()[-3:])
        return Diagnosis(subject=_ADAPTER, state=PROBLEM, facts=facts, remedy="please report this with the lines above")
    return describe_worker(reply)


def describe_worker(reply: HelloReply) -> Diagnosis:
    """The adapter that kernels would run on, its limits, and in what it deviates from WebGPU."""
    adapter = reply.adapter
    if adapter is None:
        return Diagnosis(subject=_ADAPTER, state=PROBLEM, facts=(reply.problem,), remedy=reply.hint or None)
    limits = [f"{name} {reply.limits[key]:,}" for key, name in _LIMITS.items() if key in reply.limits]
    facts = [
        f"{adapter.name}, {adapter.backend}, {adapter.driver}",
        ", ".join(f"{name} {version}" for name, version in reply.versions.items()),
        f"features: {', '.join(reply.features) or 'none'}",
        f"limits: {', '.join(limits)}",
        *(_QUIRKS.get(quirk, quirk) for quirk in adapter.quirks),
    ]
    if adapter.is_software:
        facts.append("it is a software adapter: it shows whether a kernel is right, not whether it is fast")
    return Diagnosis(subject=_ADAPTER, state=ADVICE if adapter.quirks else OK, facts=tuple(facts))


async def _references(chosen: Path | None, workspace: Path) -> Diagnosis:
    subject = "interpreter for references"
    python = find_interpreter(project_root(workspace), chosen, os.environ)
    if python is None:
        return Diagnosis(subject=subject, state=ADVICE, facts=("no Python was found",), remedy="name one with --python")
    try:
        child = await asyncio.create_subprocess_exec(
            python,
            "-c",
            _ASK_INTERPRETER,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
        )
    except OSError as problem:
        return Diagnosis(
            subject=subject, state=ADVICE, facts=(f"{python} cannot be started: {problem.strerror}",), remedy="name another with --python"
        )
    try:
        output, _ = await asyncio.wait_for(child.communicate(), _INTERPRETER_TIMEOUT_S)
        answer = json.loads(output)
        version, numpy = str(answer["python"]), answer["numpy"]
    except (asyncio.TimeoutError, ValueError, TypeError, KeyError):
        return Diagnosis(
            subject=subject, state=ADVICE, facts=(f"{python} does not answer as a Python does",), remedy="name another with --python"
        )
    finally:
        if child.returncode is None:
            child.kill()
            await child.wait()
    if numpy is None:
        facts = (f"Python {version}, {python}", "it has no numpy: contracts with a `reference` cannot be checked")
        return Diagnosis(subject=subject, state=ADVICE, facts=facts, remedy=f"{python} -m pip install numpy")
    return Diagnosis(subject=subject, state=OK, facts=(f"Python {version} with numpy {numpy}, {python}",))
