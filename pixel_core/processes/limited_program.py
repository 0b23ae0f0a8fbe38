"""Becomes another program after limiting itself: `limited_program PARENT MEMORY_BYTES PROGRAM ARGUMENTS...`.

Limits set between fork and exec would run Python in a process that has threads; here they are set by a process of their own.
"""

from __future__ import annotations

import os
import subprocess
import sys

from pixel_core.processes.limits import die_with_parent, limit_process

NOT_FOUND = 127
"""Exit code where there is no such program, as a shell has it."""


def main(arguments: list[str]) -> int:
    """Limit this process and become the program.

    Returns:
        An exit code where that is not possible.
    """
    parent, memory_bytes, *command = arguments
    die_with_parent(int(parent))
    limit_process(int(memory_bytes))
    try:
        if sys.platform == "win32":
            return subprocess.run(command, check=False).returncode
        os.execvp(command[0], command)  # noqa: S606 -- this is its purpose
    except OSError as problem:
        sys.stderr.write(f"{command[0]}: {problem.strerror}\n")
        return NOT_FOUND


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
