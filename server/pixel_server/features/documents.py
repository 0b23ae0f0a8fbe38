"""Opening, changing, saving and closing: the editor's documents, and what follows from them."""

from __future__ import annotations

from pathlib import Path, PurePosixPath
from urllib.parse import unquote

from lsprotocol import types
from msgspec.structs import replace

from pixel_server.client_text import ClientText
from pixel_server.session import Document, Session, path_of


def open_document(session: Session, item: types.TextDocumentItem) -> Document:
    """Take up a document that the editor opened."""
    path = path_of(item.uri)
    document = Document(
        uri=item.uri,
        path=path if path is not None else Path(_shown_name(item.uri)),
        is_file=path is not None,
        version=item.version,
        language=item.language_id,
        content=ClientText(item.text, session.client.encoding),
    )
    session.documents[item.uri] = document
    return document


def change_document(session: Session, params: types.DidChangeTextDocumentParams) -> Document | None:
    """Apply edits in their order; None when the document is not open or the edits are older than what is known."""
    document = session.documents.get(params.text_document.uri)
    if document is None or params.text_document.version < document.version:
        return None
    edits = (
        (change.range if isinstance(change, types.TextDocumentContentChangePartial) else None, change.text)
        for change in params.content_changes
    )
    document = replace(document, version=params.text_document.version, content=document.content.edited(edits))
    session.documents[document.uri] = document
    return document


def close_document(session: Session, uri: str) -> bool:
    """Forget a document. Returns whether it was open."""
    return session.documents.pop(uri, None) is not None


def _shown_name(uri: str) -> str:
    """What a document is called that is no file; whatever a client takes for a URI has a name."""
    before_query = uri.partition("?")[0].partition("#")[0]
    return PurePosixPath(unquote(before_query.partition(":")[2])).name or "untitled"
