"""Edits as an editor applies them, written from the specification and not with the server's own code."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final

from lsprotocol import types

_CODECS: Final = {"utf-8": ("utf-8", 1), "utf-16": ("utf-16-le", 2), "utf-32": ("utf-32-le", 4)}


def edits_of(edit: types.WorkspaceEdit) -> Iterator[tuple[str, int | None, Sequence[types.TextEdit]]]:
    """URI, version and text edits of each document; none of the server's edits makes or moves files."""
    assert (edit.changes is None) != (edit.document_changes is None)
    for uri, edits in (edit.changes or {}).items():
        yield uri, None, edits
    for change in edit.document_changes or ():
        assert isinstance(change, types.TextDocumentEdit)
        edits = [one for one in change.edits if isinstance(one, (types.TextEdit, types.AnnotatedTextEdit))]
        yield change.text_document.uri, change.text_document.version, [types.TextEdit(one.range, one.new_text) for one in edits]


def with_edits(text: str, edits: Sequence[types.TextEdit], encoding: str) -> str:
    """The text after edits, which all speak of the text before and do not overlap."""
    codec, size = _CODECS[encoding]
    lines = re.findall(r"[^\r\n]*(?:\r\n|\n|\r|\Z)", text)

    def offset(place: types.Position) -> int:
        if place.line >= len(lines):
            return len(text)
        line = lines[place.line].rstrip("\r\n")
        units = line.encode(codec)[: size * place.character]
        return sum(map(len, lines[: place.line])) + len(units.decode(codec))

    for edit in sorted(edits, key=lambda one: offset(one.range.start), reverse=True):
        text = text[: offset(edit.range.start)] + edit.new_text + text[offset(edit.range.end) :]
    return text
