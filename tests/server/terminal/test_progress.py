from __future__ import annotations

import io
from pathlib import Path

from rich.console import Console

from pixel_core.kernels.validate import Progress
from pixel_server.terminal.progress import progress

STEP = Progress(shader=Path("k.wgsl"), contract="mat\x1bmul", case="M=1 N=[red]", done=3, total=14)


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_terminal_shows_how_far_it_is() -> None:
    shown = Terminal()
    with progress(Console(file=shown, force_terminal=True, width=100, legacy_windows=False, _environ={"TERM": "xterm"})) as on_progress:
        assert on_progress is not None
        on_progress(STEP)
    assert "mat\N{REPLACEMENT CHARACTER}mul" in shown.getvalue()
    assert "M=1 N=[red]" in shown.getvalue()


def test_a_pipe_and_a_dumb_terminal_show_nothing() -> None:
    for console in (
        Console(file=io.StringIO()),
        Console(file=io.StringIO(), force_terminal=True, _environ={"TERM": "xterm", "FORCE_COLOR": "1"}),
        Console(file=Terminal(), force_terminal=True, _environ={"TERM": "dumb"}),
    ):
        with progress(console) as on_progress:
            assert on_progress is None
        assert isinstance(console.file, io.StringIO)
        assert console.file.getvalue() == ""
