"""Hunks of a candidate as edits of the open document, each with its reason where the editor shows reasons."""

from __future__ import annotations

from collections.abc import Sequence

from lsprotocol import types

from pixel_server.client import Client
from pixel_server.coach_session import TaskView
from pixel_server.features.coach_hunks import PlacedHunk, replacement, said_lines
from pixel_server.features.edits import workspace_edit
from pixel_server.session import Document


def hunk_edit(view: TaskView, chosen: Sequence[PlacedHunk], document: Document, client: Client) -> types.WorkspaceEdit:
    """The edit that takes some hunks, meant for the document's present version.

    Args:
        view: The task.
        chosen: Hunks as they are placed in the document.
        document: That is edited.
        client: Says how edits are written. None asks the user again: choosing the hunk was the answer.
    """
    content = document.content
    edits = [types.TextEdit(range=content.range(one.span), new_text=replacement(one)) for one in chosen]
    if not (client.document_changes and client.annotations):
        return workspace_edit(document.uri, document.version, edits, client)
    annotations: dict[str, types.ChangeAnnotation] = {}
    annotated: list[types.AnnotatedTextEdit] = []
    for one, edit in zip(chosen, edits, strict=True):
        name = f"hunk-{one.hunk.number + 1}"
        label = f"Task {view.task.number} '{view.task.title}'"
        annotations[name] = types.ChangeAnnotation(label=label, description=said_lines(one, content), needs_confirmation=False)
        annotated.append(types.AnnotatedTextEdit(annotation_id=name, range=edit.range, new_text=edit.new_text))
    versioned = types.OptionalVersionedTextDocumentIdentifier(uri=document.uri, version=document.version)
    change = types.TextDocumentEdit(text_document=versioned, edits=annotated)
    return types.WorkspaceEdit(document_changes=[change], change_annotations=annotations)


def with_hunks(text: str, chosen: Sequence[PlacedHunk]) -> str:
    """A text with some hunks taken, in the order in which they are placed."""
    pieces: list[str] = []
    position = 0
    for one in chosen:
        pieces += [text[position : one.span.start], replacement(one)]
        position = one.span.end
    return "".join([*pieces, text[position:]])
