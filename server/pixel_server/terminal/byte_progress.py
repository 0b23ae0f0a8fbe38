"""How many bytes of a long file are done, on standard error and only where that is a terminal."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

from pixel_core.weights.conversion import OnProgress, Step, keep_silent
from pixel_server.terminal.medium import medium_of


@contextmanager
def byte_progress(console: Console) -> Generator[OnProgress]:
    """Draw a bar while the block runs, and remove it after.

    Args:
        console: Of standard error.

    Yields:
        What to call with every step.
    """
    # FORCE_COLOR makes a pipe look like a terminal to rich; a bar that moves is still of no use there.
    if not console.file.isatty() or console.is_dumb_terminal:
        yield keep_silent
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

        def show(step: Step) -> None:
            nonlocal shown
            if step.stage != shown:
                bar.reset(task)  # so that the speed is that of this stage
                shown = step.stage
            bar.update(task, description=step.stage, completed=step.done, total=step.total, what=medium.printable(step.what))

        yield show
