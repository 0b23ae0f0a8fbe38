"""Edits in the form that the client understands, refused by it when its document has moved on."""

from __future__ import annotations

from collections.abc import Sequence

from lsprotocol import types
from msgspec.structs import replace

from pixel_core.findings import Span
from pixel_core.kernels.stub import contract_stub
from pixel_server.client import Client
from pixel_server.client_text import ClientText
from pixel_server.features.diagnostics import uncontracted
from pixel_server.insert_contract import insert_contract
from pixel_server.session import ShaderView


def workspace_edit(uri: str, version: int | None, edits: Sequence[types.TextEdit], client: Client) -> types.WorkspaceEdit:
    """Edits of one document.

    Args:
        uri: Of the document.
        version: That the edits are meant for; None for a file that is not open.
        edits: In the editor's units.
        client: Says whether edits may name a version.
    """
    if not client.document_changes:
        return types.WorkspaceEdit(changes={uri: list(edits)})
    document = types.OptionalVersionedTextDocumentIdentifier(uri=uri, version=version)
    return types.WorkspaceEdit(document_changes=[types.TextDocumentEdit(text_document=document, edits=list(edits))])


def contract_edit(view: ShaderView, client: Client) -> types.WorkspaceEdit | None:
    """The edit that gives every compute entry point a contract; None when all have one, or a sidecar holds the contracts."""
    missing = uncontracted(view.analysis)
    if not missing or view.analysis.texts.sidecar is not None:
        return None
    stub = contract_stub(replace(view.analysis.loaded.interface, entry_points=missing))
    content = view.content(client)
    edit = _insertion(content, insert_contract(content.text, stub))
    return workspace_edit(view.uri, view.version, [edit], client)


def _insertion(content: ClientText, new: str) -> types.TextEdit:
    """The smallest single edit that makes one text of another."""
    old = content.text
    limit = min(len(old), len(new))
    start = next((index for index in range(limit) if old[index] != new[index]), limit)
    rest = limit - start
    same = next((count for count in range(rest) if old[len(old) - 1 - count] != new[len(new) - 1 - count]), rest)
    return types.TextEdit(range=content.range(Span(start, len(old) - same)), new_text=new[start : len(new) - same])
