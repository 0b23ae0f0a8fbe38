"""Puts the language server together: which request is answered by what. Wiring only."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from lsprotocol import types
from pygls.lsp.server import LanguageServer

from pixel_core import __version__
from pixel_server.client import Client, client_of
from pixel_server.editor import Editor
from pixel_server.features.diagnostics import result_id
from pixel_server.features.documents import change_document, close_document, open_document
from pixel_server.features.progress import Progress
from pixel_server.guard import guard
from pixel_server.kernel_checks import KernelChecks
from pixel_server.session import Session, path_of
from pixel_server.settings import read_settings
from pixel_server.trust import Trust, TrustStore, state_folder

_OWN_DOCUMENTS: Final = (
    types.TEXT_DOCUMENT_DID_OPEN,
    types.TEXT_DOCUMENT_DID_CHANGE,
    types.TEXT_DOCUMENT_DID_CLOSE,
)


class PixelServer:
    """The server of one editor.

    Attributes:
        server: Speaks LSP.
        session: What is open and known.
    """

    def __init__(self) -> None:
        self.server = LanguageServer("pixel-lsp", __version__)
        self.session = Session(client=Client(), trust=Trust(TrustStore(state_folder(os.environ))))
        self._editor = Editor(self.server, self.session)
        self._checks = KernelChecks(self.session, self._editor, Progress(self.server, self.session))
        # pygls splits lines where Python does, which moves edits in texts with form feeds or U+2028; the session keeps the documents.
        for name in _OWN_DOCUMENTS:
            self.server.protocol.fm.builtin_features.pop(name)
        self._on(types.INITIALIZE, self._initialize, is_request=True)
        self._on(types.INITIALIZED, self._initialized)
        self._on(types.SHUTDOWN, self._shutdown, is_request=True)
        self._on(types.TEXT_DOCUMENT_DID_OPEN, self._did_open)
        self._on(types.TEXT_DOCUMENT_DID_CHANGE, self._did_change)
        self._on(types.TEXT_DOCUMENT_DID_SAVE, self._did_save, types.SaveOptions(include_text=False))
        self._on(types.TEXT_DOCUMENT_DID_CLOSE, self._did_close)
        self._on("pixelLsp/didGrantTrust", self._did_grant_trust)

    async def close(self) -> None:
        """Stop everything and end every child process."""
        await self._editor.close()
        await self._checks.close()

    def _on(self, name: str, handler: Callable[..., Any], options: object = None, *, is_request: bool = False) -> None:
        self.server.feature(name, options)(guard(name, handler, is_request=is_request))

    def _initialize(self, params: types.InitializeParams) -> None:
        session = self.session
        session.client = client_of(params.capabilities, str(self.server.workspace.position_encoding or "utf-16"))
        given: Any = params.initialization_options
        options: dict[str, Any] = given if isinstance(given, dict) else {}
        if isinstance(options.get("trusted"), bool):
            session.trust.editor = options["trusted"]
        session.folders = tuple(
            path.resolve() for folder in self.server.workspace.folders.values() if (path := path_of(folder.uri)) is not None
        )
        self._read_settings(options)
        session.defaults = session.settings
        if session.client.pulls_diagnostics:
            options_of_pull = types.DiagnosticOptions(inter_file_dependencies=True, workspace_diagnostics=False, identifier="pixel-lsp")
            self._on(types.TEXT_DOCUMENT_DIAGNOSTIC, self._diagnostic, options_of_pull, is_request=True)

    def _initialized(self, _: types.InitializedParams) -> None:
        pass

    async def _shutdown(self, _: None) -> None:
        await self.close()

    def _did_open(self, params: types.DidOpenTextDocumentParams) -> None:
        document = open_document(self.session, params.text_document)
        shader = self.session.adopt(document)
        if shader is not None:
            self._checks.check_later(shader)

    def _did_change(self, params: types.DidChangeTextDocumentParams) -> None:
        document = change_document(self.session, params)
        if document is not None and (shader := self.session.shader_of(document.uri)) is not None:
            self._checks.text_changed(shader)

    def _did_save(self, params: types.DidSaveTextDocumentParams) -> None:
        uri = params.text_document.uri
        shader = self.session.shader_of(uri)
        if shader is not None:
            self._checks.check_later(shader)
        elif (path := path_of(uri)) is not None:
            self._files_changed((path,))

    def _did_close(self, params: types.DidCloseTextDocumentParams) -> None:
        uri = params.text_document.uri
        shader = self.session.shader_of(uri)
        if not close_document(self.session, uri) or shader is None:
            return
        if self.session.is_open(shader):
            self._checks.check_later(shader)
            return
        self._checks.stop(shader)
        del self.session.shaders[shader.uri]
        self._editor.show_findings(shader)

    async def _diagnostic(self, params: types.DocumentDiagnosticParams) -> types.DocumentDiagnosticReport:
        uri = params.text_document.uri
        shader = self.session.shader_of(uri)
        if shader is not None:
            await self._checks.analysed(shader)
        items = self._editor.diagnostics_of(uri)
        name = result_id(items)
        if name == params.previous_result_id:
            return types.RelatedUnchangedDocumentDiagnosticReport(result_id=name)
        return types.RelatedFullDocumentDiagnosticReport(items=items, result_id=name)

    def _did_grant_trust(self, _: object = None) -> None:
        self.session.trust.editor = True
        self._checks.check_all()

    def _files_changed(self, paths: tuple[Path, ...]) -> None:
        for shader in self.session.shaders_resting_on(paths):
            self._checks.check_later(shader)

    def _read_settings(self, given: object) -> None:
        self.session.settings, mistakes = read_settings(given, self.session.defaults)
        if mistakes:
            self._editor.show_message(types.MessageType.Warning, "pixel-lsp: " + "; ".join(mistakes))
