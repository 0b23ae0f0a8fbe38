"""What the editor at the other end can do, read once from what it declared."""

from __future__ import annotations

import msgspec
from lsprotocol import types


class Client(msgspec.Struct, frozen=True, kw_only=True):
    """The abilities that the server asks about. Everything is off for a client that declares nothing.

    Attributes:
        encoding: Units of columns: `utf-8`, `utf-16` or `utf-32`.
        markdown_hover: Hovers may be Markdown; else plain text.
        related_information: Diagnostics may point to further places.
        code_description: Diagnostics may carry a link.
        version: Published diagnostics may name the version of the document.
        pulls_diagnostics: It asks for diagnostics, and can be told to ask again; then nothing is pushed into open documents.
        code_lens: It shows lenses.
        refreshes_lenses: It can be told to ask for lenses again.
        code_action_literals: Code actions may hold edits; else they are commands.
        document_changes: Edits may name the version that they are meant for.
        applies_edits: The server may send an edit.
        annotations: Edits may say what they are for, in code actions too.
        shows_documents: The server may open a document.
        shows_candidates: It shows what the coach made by itself, as this project's extension does.
        progress: The server may show progress.
        watches_files: It watches files for the server.
        pulls_settings: The server may ask for settings.
        tells_settings: It can be asked to tell when settings change.
    """

    encoding: str = "utf-16"
    markdown_hover: bool = False
    related_information: bool = False
    code_description: bool = False
    version: bool = True
    pulls_diagnostics: bool = False
    code_lens: bool = False
    refreshes_lenses: bool = False
    code_action_literals: bool = False
    document_changes: bool = False
    applies_edits: bool = False
    annotations: bool = False
    shows_documents: bool = False
    shows_candidates: bool = False
    progress: bool = False
    watches_files: bool = False
    pulls_settings: bool = False
    tells_settings: bool = False


def client_of(capabilities: types.ClientCapabilities, encoding: str) -> Client:
    """Read a client's capabilities.

    Args:
        capabilities: As declared in `initialize`.
        encoding: The position encoding that was agreed on.
    """
    document = capabilities.text_document or types.TextDocumentClientCapabilities()
    workspace = capabilities.workspace or types.WorkspaceClientCapabilities()
    window = capabilities.window or types.WindowClientCapabilities()
    published = document.publish_diagnostics or types.PublishDiagnosticsClientCapabilities()
    pulled = document.diagnostic
    refresh = workspace.diagnostics
    # A client that pulls and cannot be told to pull again would never learn of a verdict: it is served by pushing.
    pulls = pulled is not None and refresh is not None and bool(refresh.refresh_support)
    described = pulled if pulls and pulled is not None else published
    formats = document.hover.content_format if document.hover and document.hover.content_format else ()
    return Client(
        encoding=encoding,
        markdown_hover=types.MarkupKind.Markdown in formats,
        related_information=bool(described.related_information),
        code_description=bool(described.code_description_support),
        version=published.version_support is not False,
        pulls_diagnostics=pulls,
        code_lens=document.code_lens is not None,
        refreshes_lenses=bool(workspace.code_lens and workspace.code_lens.refresh_support),
        code_action_literals=bool(document.code_action and document.code_action.code_action_literal_support),
        document_changes=bool(workspace.workspace_edit and workspace.workspace_edit.document_changes),
        applies_edits=bool(workspace.apply_edit),
        annotations=bool(
            workspace.workspace_edit
            and workspace.workspace_edit.change_annotation_support
            and document.code_action
            and document.code_action.honors_change_annotations
        ),
        shows_documents=bool(window.show_document and window.show_document.support),
        shows_candidates=_shows_candidates(capabilities.experimental),
        progress=bool(window.work_done_progress),
        watches_files=bool(workspace.did_change_watched_files and workspace.did_change_watched_files.dynamic_registration),
        pulls_settings=bool(workspace.configuration),
        tells_settings=bool(workspace.did_change_configuration and workspace.did_change_configuration.dynamic_registration),
    )


def _shows_candidates(experimental: object) -> bool:
    """Whether `experimental.pixelLsp.candidates` is declared; pygls gives objects of unknown shape as either of two kinds."""
    value = experimental
    for name in ("pixelLsp", "candidates"):
        value = value.get(name) if isinstance(value, dict) else getattr(value, name, None)
    return value is True
