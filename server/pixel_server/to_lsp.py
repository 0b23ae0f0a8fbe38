"""From findings to what the editor shows: the only place where the two meet."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

import msgspec
from lsprotocol import types

from pixel_core.findings import Finding, Location
from pixel_core.rules import RULES
from pixel_server.client import Client
from pixel_server.client_text import ClientText

SOURCE: Final = "pixel-lsp"

_COMMAND: Final = "re-run: "
_EMPTY: Final = ClientText("", "utf-32")


class Places(msgspec.Struct, frozen=True, kw_only=True):
    """How places become the editor's.

    Attributes:
        client: What it can show.
        uri_of: The URI of a path.
        texts: The texts that findings point into, by path.
        name_of: What a file is called towards the user, who stands in the workspace.
        rules: URI of the page that explains the rules; None when it is not installed.
    """

    client: Client
    uri_of: Callable[[Path], str]
    texts: Mapping[Path, ClientText]
    name_of: Callable[[Path], str] = str
    rules: str | None = None

    def range(self, location: Location) -> types.Range:
        """The range of a location; of a whole file, its beginning."""
        text = self.texts.get(location.path)
        return _EMPTY.range(None) if text is None else text.range(location.span)

    def location(self, location: Location) -> types.Location:
        """The location itself."""
        return types.Location(uri=self.uri_of(location.path), range=self.range(location))

    def note(self, note: str) -> str:
        """A note; a command in it names the file as one would in a terminal of the workspace."""
        if note.startswith(_COMMAND):
            for path in self.texts:
                note = note.replace(f" {shlex.quote(str(path))} ", f" {shlex.quote(self.name_of(path))} ")
        return note


def to_diagnostic(finding: Finding, places: Places) -> types.Diagnostic:
    """A finding as a diagnostic.

    The message holds everything that there is to know: not every editor shows related information, and none the hint.
    """
    client = places.client
    related: list[types.DiagnosticRelatedInformation] = []
    lines = [finding.message]
    for label in finding.labels:
        if label.location == finding.location:
            lines[0] += f": {label.message}" if label.message not in finding.message else ""
        elif client.related_information:
            related.append(types.DiagnosticRelatedInformation(location=places.location(label.location), message=label.message))
        else:
            lines.append(f"{_said_place(label.location, places)}: {label.message}")
    lines.extend(places.note(note) for note in finding.notes)
    if finding.hint:
        lines.append(f"hint: {finding.hint}")
    return types.Diagnostic(
        range=places.range(finding.location),
        severity=types.DiagnosticSeverity(int(finding.severity)),
        code=finding.code,
        code_description=_description(finding.code, places.rules) if client.code_description else None,
        source=SOURCE,
        message="\n".join(lines),
        related_information=related or None,
        data={"code": finding.code},
    )


def _said_place(location: Location, places: Places) -> str:
    text = places.texts.get(location.path)
    if text is None or location.span is None:
        return location.path.name
    return f"{location.path.name}:{text.position(location.span.start).line + 1}"


def _description(code: str, rules: str | None) -> types.CodeDescription | None:
    rule = RULES.get(code)
    if rule is None or rules is None:
        return None
    return types.CodeDescription(href=f"{rules}#{rule.code.lower()}-{rule.name}")
