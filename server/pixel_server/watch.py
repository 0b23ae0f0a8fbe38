"""`pixel-lsp check --watch`: check everything once, then whatever a save touches, with workers that stay warm."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Collection, Coroutine, Generator, Iterable, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, TypeVar

from msgspec.structs import replace
from rich.console import Console
from rich.text import Text
from watchdog.events import FileSystemEvent, FileSystemEventHandler
from watchdog.observers import Observer

from pixel_core.kernels.load_shader import LoadedShader, load_shader
from pixel_core.kernels.report import CheckReport
from pixel_core.kernels.validate import Checker, CheckOptions
from pixel_server.discover import Discovery, discover, sidecar_of
from pixel_server.exit_codes import NOTHING_CODE
from pixel_server.run_check import ENGINE_UNAVAILABLE, run_check
from pixel_server.terminal.write_report import write_report

DEBOUNCE_S: Final = 0.1
"""Editors touch a file several times per save; a check begins when nothing changed for so long."""

# Opening and reading a file are events too, and checking does both.
_CHANGES: Final = frozenset({"created", "modified", "moved", "deleted", "closed"})
_EMPTY: Final = CheckReport(kernels=(), findings=(), sources={})

_T = TypeVar("_T")


async def watch(paths: Sequence[str], options: CheckOptions, console: Console) -> int:
    """Check the shaders that the paths name, again whenever they or what their contracts name change, until cancelled.

    Args:
        paths: As on the command line; new files in their folders are found.
        options: What the checker is asked.
        console: Where each summary goes; cleared first where it is a terminal.

    Returns:
        The exit code 2, when there is nothing to watch. A watch ends by Ctrl-C.
    """
    found = discover(paths)
    folders = _folders(paths)
    if not folders:
        write_report(replace(_EMPTY, findings=found.findings), console)
        return NOTHING_CODE
    changes: asyncio.Queue[Path] = asyncio.Queue()
    report = _EMPTY
    stale: Discovery | None = found
    with _observed(folders, changes):
        async with Checker(options) as checker:
            while True:
                touched = asyncio.ensure_future(_settled(changes))
                try:
                    # A save during a check makes its answer worthless.
                    new = await _unless(touched, run_check(checker, stale)) if stale is not None else None
                    if new is not None and stale is not None:
                        report = _merged(report, new, stale.shaders, found.shaders)
                        stale = None
                        _show(report, console)
                    paths_touched = await touched
                finally:
                    touched.cancel()
                before, found = found, discover(paths)
                again = affected(found.shaders, paths_touched) | frozenset(stale.shaders if stale is not None else ())
                if again or stale is not None or found != before:
                    stale = Discovery(shaders=tuple(shader for shader in found.shaders if shader in again), findings=found.findings)


def affected(shaders: Iterable[Path], touched: Collection[Path]) -> frozenset[Path]:
    """The shaders that a change of these absolute paths concerns.

    A shader is concerned by itself, by its sidecar, by the files that it is made of, by the oracles and inputs that its contracts name and,
    when one names something in Python, by every Python file: references import.
    """
    return frozenset(
        shader
        for shader in shaders
        if _absolute(shader) in touched or _absolute(sidecar_of(shader)) in touched or _rests_on(shader, touched)
    )


def _rests_on(shader: Path, touched: Collection[Path]) -> bool:
    # Nothing is run to find out; what a step behind a program would include is not seen.
    loaded = load_shader(shader)
    if not isinstance(loaded, LoadedShader):
        return False
    python_changed = any(path.suffix == ".py" for path in touched)
    has_reference = any(contract.python_code for contract in loaded.all_contracts)
    return (python_changed and has_reference) or any(_absolute(path) in touched for path in loaded.files)


async def _settled(changes: asyncio.Queue[Path]) -> frozenset[Path]:
    """Every path that changed until nothing changed for `DEBOUNCE_S`."""
    paths = {await changes.get()}
    while True:
        await asyncio.sleep(DEBOUNCE_S)
        if changes.empty():
            return frozenset(paths)
        while not changes.empty():
            paths.add(changes.get_nowait())


async def _unless(interruption: asyncio.Future[frozenset[Path]], work: Coroutine[Any, Any, _T]) -> _T | None:
    """The result of the work, or None when the interruption came first; then the work is cancelled."""
    task = asyncio.ensure_future(work)
    try:
        await asyncio.wait({task, interruption}, return_when=asyncio.FIRST_COMPLETED)
        return task.result() if task.done() else None
    finally:
        task.cancel()
        await asyncio.wait({task})


def _merged(old: CheckReport, new: CheckReport, checked: Collection[Path], existing: Sequence[Path]) -> CheckReport:
    """What is known now: the new report, and the old verdicts of shaders that were not checked again and are still there."""
    order = {shader: index for index, shader in enumerate(existing)}
    kept = [kernel for kernel in old.kernels if kernel.shader not in checked and kernel.shader in order]
    kernels = sorted((*kept, *new.kernels), key=lambda kernel: order.get(kernel.shader, len(order)))
    kept_files = {place for kernel in kept for place in (kernel.shader, sidecar_of(kernel.shader))}
    findings = [finding for finding in old.findings if finding.location.path in kept_files and finding.code != ENGINE_UNAVAILABLE]
    return CheckReport(kernels=tuple(kernels), findings=(*findings, *new.findings), sources={**old.sources, **new.sources})


def _show(report: CheckReport, console: Console) -> None:
    if console.is_terminal:
        console.clear()
    write_report(report, console)
    console.print(Text("watching; Ctrl-C ends", "dim"))


def _folders(paths: Iterable[str]) -> Mapping[Path, bool]:
    """The folders to observe, absolute, and whether with all that is below."""
    folders: dict[Path, bool] = {}
    for text in paths:
        path = _absolute(Path(text))
        if path.is_dir():
            folders[path] = True
        elif path.exists():
            folders.setdefault(path.parent, False)
        else:
            root = path
            while not root.is_dir():
                root = root.parent
            if any(character in text for character in "*?["):
                folders[root] = True
    return folders


@contextmanager
def _observed(folders: Mapping[Path, bool], changes: asyncio.Queue[Path]) -> Generator[None]:
    """Put every path that changes in the folders into the queue while the block runs."""
    loop = asyncio.get_running_loop()

    class Handler(FileSystemEventHandler):
        def on_any_event(self, event: FileSystemEvent) -> None:
            if event.is_directory or event.event_type not in _CHANGES:
                return
            for name in (event.src_path, event.dest_path):
                if name:
                    loop.call_soon_threadsafe(changes.put_nowait, Path(os.fsdecode(name)))

    observer = Observer()
    for folder, is_recursive in folders.items():
        observer.schedule(Handler(), str(folder), recursive=is_recursive)
    observer.start()
    try:
        yield
    finally:
        observer.stop()
        observer.join()


def _absolute(path: Path) -> Path:
    return Path(os.path.abspath(path))  # noqa: PTH100 - resolve() would follow links and change the name
