"""The commands that the server executes, and what a client shows for them."""

from __future__ import annotations

from typing import Final

from lsprotocol.types import Command

CHECK: Final = "pixel-lsp.check"
WRITE_CONTRACT: Final = "pixel-lsp.writeContract"
TRUST: Final = "pixel-lsp.trust"
REPORT: Final = "pixel-lsp.report"


def check_command(title: str, uri: str, contract: str | None = None, case: str | None = None) -> Command:
    """Run a shader's kernels: all of them, those of one contract, or one case."""
    return Command(title=title, command=CHECK, arguments=[uri, contract, case])
