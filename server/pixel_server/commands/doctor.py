"""`pixel-lsp doctor`: what is there, what is missing, and how to mend it."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from typing import Final

from msgspec.structs import asdict
from rich.text import Text

from pixel_server.diagnose import ADVICE, OK, PROBLEM, Diagnosis, diagnose
from pixel_server.exit_codes import FAILED_CODE, PASSED_CODE
from pixel_server.terminal.medium import Medium, medium_of
from pixel_server.terminal.open_console import open_console

_STYLES: Final = {OK: "bold green", ADVICE: "bold yellow", PROBLEM: "bold red"}


def doctor(interpreter: Path | None, *, as_json: bool = False, color: bool = True) -> int:
    """Say on standard output what was found. Returns the exit code: 1 when kernels cannot be checked here.

    Args:
        interpreter: The Python for references to look at; None looks for one as `check` does.
        as_json: JSON instead of text.
        color: False for none; True leaves it to the terminal.
    """
    found = asyncio.run(diagnose(interpreter, Path.cwd()))
    can_check = all(diagnosis.state != PROBLEM for diagnosis in found)
    if as_json:
        value = {"version": 1, "can_check": can_check, "diagnoses": [asdict(diagnosis) for diagnosis in found]}
        sys.stdout.write(json.dumps(value, indent=2) + "\n")
    else:
        console = open_console(color=color)
        medium = medium_of(console)
        for diagnosis in found:
            console.print(render_diagnosis(diagnosis, medium), soft_wrap=True)
        console.print(Text("kernels can be checked here" if can_check else "kernels cannot be checked here", "bold"), soft_wrap=True)
    return PASSED_CODE if can_check else FAILED_CODE


def render_diagnosis(diagnosis: Diagnosis, medium: Medium) -> Text:
    """One diagnosis: its sign and subject, its facts, its remedy."""
    glyphs = medium.glyphs
    sign = {OK: glyphs.passed, ADVICE: "!", PROBLEM: glyphs.failed}[diagnosis.state]
    text = Text.assemble((f"{sign} ", _STYLES[diagnosis.state]), (diagnosis.subject, "bold"))
    for fact in diagnosis.facts:
        text.append(f"\n    {medium.printable(fact)}")
    if diagnosis.remedy:
        text.append("\n    to do: ", "bold").append(medium.printable(diagnosis.remedy))
    return text
