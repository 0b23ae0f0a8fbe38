"""A `command` step: a program of the user's that reads the text and writes WGSL."""

from __future__ import annotations

from pathlib import Path

from pixel_core.dialects.align_output import align_output
from pixel_core.dialects.expanded_text import ExpandedText
from pixel_core.dialects.files import Files
from pixel_core.dialects.problems import MAX_CHARACTERS, Problems
from pixel_core.dialects.steps import Command, Preparation
from pixel_core.processes.limited_program import NOT_FOUND
from pixel_core.processes.run_program import run_program

TIMEOUT_S = 10.0
MEMORY_BYTES = 2 << 30
_CODE = "PX344"


def run_command(text: ExpandedText, step: Command, preparation: Preparation, path: Path, files: Files, problems: Problems) -> ExpandedText:
    """Run the program in the folder of the contract; with a PX344 finding, and the text as it was, where that fails.

    Arguments that name files of the workspace are part of what the result rests on: a script is read again when it changes.
    """
    folder = preparation.source.path.parent
    for argument in step.arguments:
        if "\0" not in argument.text and (folder / argument.text).is_file():
            files.find(argument.text, preparation.source.path)
    name = step.arguments[0].text
    end = run_program(
        [one.text for one in step.arguments],
        text.text.encode("utf-8", "replace"),
        folder=folder,
        timeout_s=TIMEOUT_S,
        output_bytes=MAX_CHARACTERS,
        memory_bytes=MEMORY_BYTES,
    )
    here = preparation.source.location(step.span)
    last = (end.errors.strip().splitlines() or [""])[-1][:200]
    if end.reason == "timeout":
        problems.tell(_CODE, here, f"`{name}` did not end within {TIMEOUT_S:g} s")
    elif end.reason == "output":
        problems.tell(_CODE, here, f"`{name}` wrote more than {MAX_CHARACTERS:,} bytes")
    elif end.reason == "not_started" or end.exit_code == NOT_FOUND:
        problems.tell(_CODE, here, f"`{name}` cannot be run: {last.removeprefix(f'{name}: ')}")
    elif end.exit_code:
        problems.tell(_CODE, here, f"`{name}` ended with exit code {end.exit_code}{f': {last}' if last else ''}")
    else:
        try:
            return align_output(end.output.decode("utf-8-sig"), text, path, files)
        except UnicodeDecodeError:
            problems.tell(_CODE, here, f"`{name}` wrote what is not UTF-8 text")
    return text
