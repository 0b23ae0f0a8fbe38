"""How far a check is, on standard error and only where that is a terminal."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from pixel_core.kernels.validate import Progress as Step
from pixel_server.terminal.medium import medium_of


@contextmanager
def progress(console: Console) -> Generator[Callable[[Step], None] | None]:
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
        TextColumn("{task.fields[kernel]}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.fields[case]}", markup=False),
    )
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("", total=None, kernel="", case="")

        def show(step: Step) -> None:
            bar.update(
                task, completed=step.done, total=step.total, kernel=medium.printable(step.contract), case=medium.printable(step.case)
            )

        yield show
