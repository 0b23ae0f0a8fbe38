"""`pixel-lsp reject`: the file stays, and the reason is kept for the next run."""

from __future__ import annotations

import sys

from pixel_coach.reject import reject as reject_task
from pixel_server.coach_queue import open_queue
from pixel_server.exit_codes import PASSED_CODE
from pixel_server.task_json import json_text


def reject(number: int, reason: str, *, retry: bool, as_json: bool) -> int:
    """Refuse what a task came to. Returns the exit code.

    Args:
        number: Of the task.
        reason: What is wrong with it.
        retry: Put it back to work at once.
        as_json: JSON on standard output instead of a sentence.

    Raises:
        QueueError: There is no such task, or nothing to refuse.
    """
    with open_queue() as store:
        task = reject_task(store, number, reason, retry=retry)
    if as_json:
        sys.stdout.write(json_text({"task": task}))
    else:
        then = "goes back to work, and the reason with it" if retry else f"waits for you; `pixel-lsp retry {number}` puts it back to work"
        sys.stdout.write(f"rejected; task {number} {then}\n")
    return PASSED_CODE
