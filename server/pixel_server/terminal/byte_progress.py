"""How many bytes of a long file are done, on standard error and only where that is a terminal."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

from pixel_server.terminal.medium import medium_of

ShowBytes = Callable[[str, str, int, int], None]
"""The stage, what is being done, bytes done, bytes in all."""


@contextmanager
def byte_progress(console: Console) -> Generator[ShowBytes | None]:
    """Draw a bar while the block runs, and remove it after.

    Args:
        console: Of standard error.

    Yields:
        What to call with every step; None when nobody is looking.
    """
    # FORCE_COLOR makes a pipe look like a terminal to rich; a bar that moves is still of no use there.
    if not console.file.isatty() or console.is_dumb_terminal:
        yield None
        return
    medium = medium_of(console, Path.cwd())
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[what]}", markup=False),
    )
    with Progress(*columns, console=console, transient=True) as bar:
        task, shown = bar.add_task("", total=None, what=""), ""

        def show(stage: str, what: str, done: int, total: int) -> None:
            nonlocal shown
            if stage != shown:
                bar.reset(task)  # so that the speed is that of this stage
                shown = stage
            bar.update(task, description=stage, completed=done, total=total, what=medium.printable(what))

        yield show
