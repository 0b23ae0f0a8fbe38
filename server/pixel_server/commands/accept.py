"""`pixel-lsp accept`: an attempt's text goes into its file, and the task is completed."""

from __future__ import annotations

import sys

from pixel_coach.accept import accept as accept_task
from pixel_core.errors import PixelError
from pixel_server.coach_queue import open_queue, settings_of
from pixel_server.exit_codes import PASSED_CODE
from pixel_server.task_json import json_text


def accept(number: int, *, attempt_number: int | None, as_json: bool) -> int:
    """Write an attempt into its file and complete the task. Returns the exit code.

    Args:
        number: Of the task.
        attempt_number: Another attempt than the best one.
        as_json: JSON on standard output instead of a sentence.

    Raises:
        PixelError: There is nothing to accept, the file changed since or may not be written; then the task stays as it is.
    """
    with open_queue() as store:
        protected = settings_of(store.get(number).workspace).protected
        try:
            accepted = accept_task(store, number, protected=protected, attempt_number=attempt_number)
        except OSError as problem:
            raise PixelError(f"the file of task {number} cannot be written: {problem.strerror or problem}") from problem
    if as_json:
        attempt = None if accepted.attempt is None else accepted.attempt.number
        sys.stdout.write(json_text({"task": accepted.task, "attempt": attempt, "path": accepted.path}))
    else:
        wrote = f"; wrote {accepted.path}" if accepted.path is not None else ""
        sys.stdout.write(f"task {number} is completed{wrote}\n")
    return PASSED_CODE
