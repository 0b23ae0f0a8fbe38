"""The commands that the server executes, and what a client shows for them."""

from __future__ import annotations

from typing import Final

from lsprotocol.types import Command

CHECK: Final = "pixel-lsp.check"
WRITE_CONTRACT: Final = "pixel-lsp.writeContract"
TRUST: Final = "pixel-lsp.trust"
REPORT: Final = "pixel-lsp.report"

COACH_RUN: Final = "pixel-lsp.coach.run"
COACH_PAUSE: Final = "pixel-lsp.coach.pause"
COACH_CANCEL: Final = "pixel-lsp.coach.cancel"
COACH_QUEUE: Final = "pixel-lsp.coach.queue"
COACH_SHOW_CANDIDATE: Final = "pixel-lsp.coach.showCandidate"
COACH_ACCEPT: Final = "pixel-lsp.coach.accept"
COACH_REJECT: Final = "pixel-lsp.coach.reject"
COACH_APPLY_HUNK: Final = "pixel-lsp.coach.applyHunk"
COACH_REJECT_HUNK: Final = "pixel-lsp.coach.rejectHunk"
COACH_EDIT_FIRST: Final = "pixel-lsp.coach.editFirst"
COACH_DISMISS_FINDING: Final = "pixel-lsp.coach.dismissFinding"
COACH_REVIEW_FILE: Final = "pixel-lsp.coach.reviewFile"
COACH_SEND_BACK: Final = "pixel-lsp.coach.sendBack"


def check_command(title: str, uri: str, contract: str | None = None, case: str | None = None) -> Command:
    """Run a shader's kernels: all of them, those of one contract, or one case."""
    return Command(title=title, command=CHECK, arguments=[uri, contract, case])
