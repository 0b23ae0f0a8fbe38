"""A `template` step: jinja2 in a child process, and the map of what it made."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from pixel_core.dialects.build_text import TextBuilder
from pixel_core.dialects.expanded_text import ExpandedText
from pixel_core.dialects.problems import Problems, place
from pixel_core.dialects.steps import Preparation, Template
from pixel_core.findings import Location
from pixel_core.processes.launcher import module_command
from pixel_core.processes.run_program import run_program
from pixel_core.source import SourceText

TIMEOUT_S = 10.0
MEMORY_BYTES = 1 << 30
_OUTPUT_BYTES = 1 << 26
_CODE = "PX343"
_NO_FILES = "no loader for this environment"
"""jinja2's words for `include`, `import` and `extends`."""
_INSTALL = 'python -m pip install "pixel-lsp[template]"'


def render_template(text: ExpandedText, step: Template, preparation: Preparation, folder: Path, problems: Problems) -> ExpandedText:
    """Render a template; with a PX343 finding, and the template itself as the result, where that is not possible."""
    newlines = _with_newlines(text)
    request = {"text": newlines.text, "values": dict(step.values), "delimiters": step.delimiters}
    end = run_program(
        module_command("pixel_core.dialects.template_child"),
        json.dumps(request, default=str).encode("utf-8", "surrogatepass"),
        folder=folder,
        timeout_s=TIMEOUT_S,
        output_bytes=_OUTPUT_BYTES,
        memory_bytes=MEMORY_BYTES,
    )
    here = preparation.source.location(step.span)
    if end.reason == "timeout":
        problems.tell(_CODE, here, f"the template was not rendered within {TIMEOUT_S:g} s")
        return text
    try:
        reply: dict[str, Any] = json.loads(end.output)
    except ValueError:
        words = end.errors.strip().splitlines()
        problems.tell(_CODE, here, f"the template could not be rendered: {words[-1] if words else 'the process ended'}")
        return text
    if reply.get("absent"):
        problems.tell(_CODE, here, "templates need jinja2, which is not installed", hint=f"install it: {_INSTALL}")
        return text
    if "problem" in reply:
        line = reply.get("line")
        where = here if line is None else _line(newlines, line)
        if reply["problem"].startswith(_NO_FILES):
            hint = 'leave the line out with `strip`, and put the file before this one: `{ concat = ["structs.wgsl", "."] }`'
            problems.tell(_CODE, where, "the template cannot be rendered: there are no other files for it to include", hint=hint)
            return text
        problems.tell(_CODE, where, f"the template cannot be rendered: {reply['problem']}")
        return text
    builder = TextBuilder()
    for produced, start, stop, is_exact in reply["pieces"]:
        if is_exact:
            # A piece inside a loop comes out more than once; one place for all of them is still the truth.
            builder.copy(newlines, start, stop, is_argument=True)
        else:
            builder.put(produced, newlines, start, stop)
    return builder.finish(text.sources, text.included_from, text)


def _with_newlines(text: ExpandedText) -> ExpandedText:
    """The text with line feeds for line ends, which is what jinja2 counts in."""
    if "\r" not in text.text:
        return text
    builder = TextBuilder()
    position = 0
    while (found := text.text.find("\r", position)) >= 0:
        builder.copy(text, position, found)
        position = found + 1
        if not text.text.startswith("\n", position):
            builder.put("\n", text, found, found + 1)
    builder.copy(text, position, len(text.text))
    return builder.finish(text.sources, text.included_from, text)


def _line(text: ExpandedText, number: int) -> Location:
    source = SourceText(Path("template"), text.text)
    line = source.line(number)
    start = source.offset(number, 1) + len(line) - len(line.lstrip())
    return place(text, start, start + max(len(line.strip()), 1))
