"""The rich console of a command."""

from __future__ import annotations

from rich.console import Console


def open_console(*, color: bool = True, stderr: bool = False) -> Console:
    """A console on standard output or standard error.

    Args:
        color: False for no colours; True leaves it to the terminal, `NO_COLOR` and `FORCE_COLOR`.
        stderr: Standard error instead of standard output.
    """
    return _Console(no_color=None if color else True, stderr=stderr, highlight=False)


class _Console(Console):
    def on_broken_pipe(self) -> None:
        """Let the command line end by its own rules; rich would end the process with the code of a failed check."""
        raise BrokenPipeError
