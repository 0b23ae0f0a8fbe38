"""How many bytes of a map are done, on standard error and only where that is a terminal."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import contextmanager

from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

from pixel_server.terminal.open_console import open_console


@contextmanager
def map_progress(title: str) -> Generator[Callable[[int, int], None]]:
    """Draw a bar while the block runs, and remove it after.

    Args:
        title: What is done.

    Yields:
        What to call with the bytes that are done, and with how many there are.
    """
    console = open_console(stderr=True)
    # As in `progress`: FORCE_COLOR makes a pipe look like a terminal to rich.
    if not console.file.isatty() or console.is_dumb_terminal:
        yield lambda _done, _total: None
        return
    columns = (TextColumn("{task.description}", markup=False), BarColumn(), DownloadColumn(), TransferSpeedColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task(title, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)
