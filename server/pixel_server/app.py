"""Puts the language server together: which request is answered by what. Wiring only."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

from lsprotocol import types
from pygls.exceptions import JsonRpcException, JsonRpcInvalidParams
from pygls.lsp.server import LanguageServer

from pixel_coach.errors import CoachError
from pixel_coach.events import TaskEnded
from pixel_coach.tasks import Task
from pixel_core import __version__
from pixel_core.state_folder import state_folder
from pixel_server.client import Client, client_of
from pixel_server.coach_runs import CoachRuns, said_ending
from pixel_server.coach_session import CoachSession, queue_of
from pixel_server.editor import Editor
from pixel_server.features import command_names
from pixel_server.features.coach_actions import Place, coach_actions
from pixel_server.features.coach_arguments import fields_of
from pixel_server.features.coach_commands import CoachCommands, coach_handlers
from pixel_server.features.coach_decisions import CoachDecisions
from pixel_server.features.coach_lens import coach_lenses
from pixel_server.features.coach_progress import CoachProgress
from pixel_server.features.coach_remarks import remark_diagnostics
from pixel_server.features.code_actions import code_actions
from pixel_server.features.code_lens import code_lenses
from pixel_server.features.commands import Commands
from pixel_server.features.diagnostics import result_id
from pixel_server.features.documents import change_document, close_document, open_document
from pixel_server.features.hover import hover
from pixel_server.features.progress import Progress
from pixel_server.features.watched_files import FolderWatch, registration
from pixel_server.guard import guard
from pixel_server.kernel_checks import KernelChecks
from pixel_server.protocol import PixelProtocol, tolerant_converter
from pixel_server.session import Document, Session, ShaderView, path_of
from pixel_server.settings import SECTION, read_settings
from pixel_server.to_lsp import Places
from pixel_server.trust import Trust, TrustStore

_OWN_METHODS: Final = (
    types.TEXT_DOCUMENT_DID_OPEN,
    types.TEXT_DOCUMENT_DID_CHANGE,
    types.TEXT_DOCUMENT_DID_CLOSE,
    types.WORKSPACE_EXECUTE_COMMAND,
)


class PixelServer:
    """The server of one editor.

    Attributes:
        server: Speaks LSP.
        session: What is open and known.
    """

    def __init__(self) -> None:
        self.server = LanguageServer("pixel-lsp", __version__, protocol_cls=PixelProtocol, converter_factory=tolerant_converter)
        self.session = Session(client=Client(), trust=Trust(TrustStore(state_folder(os.environ))))
        self._editor = Editor(self.server, self.session)
        self._checks = KernelChecks(self.session, self._editor, Progress(self.server, self.session), self._watch_folders)
        self._watch = FolderWatch(self._files_changed)
        self._is_watched_by_client = True
        # pygls splits lines where Python does, which moves edits in texts with form feeds or U+2028, so the session keeps the documents;
        # and a command that is cancelled runs on in it.
        for name in _OWN_METHODS:
            self.server.protocol.fm.builtin_features.pop(name)
        self._on(types.INITIALIZE, self._initialize, is_request=True)
        self._on(types.INITIALIZED, self._initialized)
        self._on(types.SHUTDOWN, self._shutdown, is_request=True)
        self._on(types.TEXT_DOCUMENT_DID_OPEN, self._did_open)
        self._on(types.TEXT_DOCUMENT_DID_CHANGE, self._did_change)
        self._on(types.TEXT_DOCUMENT_DID_SAVE, self._did_save, types.SaveOptions(include_text=False))
        self._on(types.TEXT_DOCUMENT_DID_CLOSE, self._did_close)
        self._on(types.TEXT_DOCUMENT_HOVER, self._hover, is_request=True)
        self._on(types.TEXT_DOCUMENT_CODE_ACTION, self._code_action, is_request=True)
        self._on(types.WORKSPACE_DID_CHANGE_WATCHED_FILES, self._did_change_watched_files)
        self._on(types.WORKSPACE_DID_CHANGE_CONFIGURATION, self._did_change_configuration)
        self._on(types.WORKSPACE_DID_CHANGE_WORKSPACE_FOLDERS, self._did_change_folders)
        self._on("pixelLsp/didGrantTrust", self._did_grant_trust)
        self._on("pixelLsp/report", self._report, is_request=True)
        self._on("pixelLsp/candidate", self._candidate, is_request=True)
        self._coach = CoachSession(self.session, queue_of(), self._editor.show_again)
        self._editor.remarks = self._remarks
        shown = CoachProgress(self.server, self.session)
        self._runs = CoachRuns(self._coach.store, self._editor, shown, lambda: self.session.settings, self._task_ended)
        self._decisions = CoachDecisions(self.server, self.session, self._editor, self._coach)
        about_tasks = CoachCommands(self.session, self._editor, self._coach, self._runs, self._checks)
        self._commands = Commands(self.server, self.session, self._editor, self._checks)
        self._handlers = {
            command_names.CHECK: self._commands.check,
            command_names.WRITE_CONTRACT: self._commands.write_contract,
            command_names.TRUST: self._commands.trust,
            command_names.REPORT: self._commands.report,
            **coach_handlers(about_tasks, self._decisions, self._editor),
        }
        for name, handler in self._handlers.items():
            self.server.command(name)(guard(name, handler, is_request=True))
        self._on(types.WORKSPACE_EXECUTE_COMMAND, self._execute_command, is_request=True)

    async def close(self) -> None:
        """Stop everything and end every child process."""
        self._watch.close()
        await self._runs.close()
        await self._coach.close()
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
        self._read_folders()
        self._read_settings(options)
        session.defaults = session.settings
        if session.client.pulls_diagnostics:
            options_of_pull = types.DiagnosticOptions(inter_file_dependencies=True, workspace_diagnostics=False, identifier="pixel-lsp")
            self._on(types.TEXT_DOCUMENT_DIAGNOSTIC, self._diagnostic, options_of_pull, is_request=True)
        if session.client.code_lens:
            self._on(types.TEXT_DOCUMENT_CODE_LENS, self._code_lens, types.CodeLensOptions(resolve_provider=False), is_request=True)

    async def _initialized(self, _: types.InitializedParams) -> None:
        client = self.session.client
        registrations = [registration()] if client.watches_files else []
        if client.tells_settings:
            options = types.DidChangeConfigurationRegistrationOptions(section=SECTION)
            registrations.append(
                types.Registration(id="pixel-lsp.settings", method=types.WORKSPACE_DID_CHANGE_CONFIGURATION, register_options=options)
            )
        try:
            if registrations:
                await self.server.client_register_capability_async(types.RegistrationParams(registrations=registrations))
            self._is_watched_by_client = client.watches_files
        except JsonRpcException as problem:
            self._is_watched_by_client = False
            self._editor.log(f"the editor refused to watch files, so the server does: {problem}")
        self._watch_folders()
        await self._ask_for_settings()

    async def _shutdown(self, _: None) -> None:
        await self.close()

    def _did_open(self, params: types.DidOpenTextDocumentParams) -> None:
        document = open_document(self.session, params.text_document)
        self._editor.take_back(document.uri)
        shader = self.session.adopt(document)
        if shader is not None:
            self._checks.check_later(shader)
        for other in self.session.including(document.path):
            self._checks.check_later(other)
        self._coach.look()

    def _did_change(self, params: types.DidChangeTextDocumentParams) -> None:
        document = change_document(self.session, params)
        if document is not None and (shader := self.session.shader_of(document.uri)) is not None:
            self._checks.text_changed(shader, document.uri)
            for other in self.session.including(document.path):
                self._checks.text_changed(other, document.uri)
        elif document is not None and (self._coach.view(document.uri).open or self._coach.view(document.uri).done):
            # Who pulls asks by itself after the edit.
            self._editor.show_again([document.uri], refresh=False)

    def _did_save(self, params: types.DidSaveTextDocumentParams) -> None:
        uri = params.text_document.uri
        shader = self.session.shader_of(uri)
        if shader is not None:
            self._checks.check_later(shader)
            for other in self.session.including(shader.path):
                self._checks.check_later(other)
        elif (path := path_of(uri)) is not None:
            self._files_changed((path,))
        if (document := self.session.documents.get(uri)) is not None:
            self._editor.in_background(self._settle(document))

    def _did_close(self, params: types.DidCloseTextDocumentParams) -> None:
        uri = params.text_document.uri
        shader = self.session.shader_of(uri)
        if (document := self.session.documents.get(uri)) is not None:
            self._decisions.forget(document)
        if not close_document(self.session, uri) or shader is None:
            return
        for other in self.session.including(shader.path):
            self._checks.check_later(other)
        if self.session.is_open(shader):
            self._checks.check_later(shader)
            return
        self._checks.stop(shader)
        del self.session.shaders[shader.uri]
        self._editor.show_findings(shader)
        self._watch_folders()

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

    async def _hover(self, params: types.HoverParams) -> types.Hover | None:
        shader = self.session.shader_of(params.text_document.uri)
        document = self.session.documents.get(params.text_document.uri)
        if shader is not None and document is not None and self._checks.takes_long(document):
            # Nobody who types in a long file should wait for its analysis, to read what was known of a line that stays as it was.
            earlier = self.session.earlier_place(shader, document, params.position)
            if earlier is not None:
                return hover(*earlier, self.session.client)
        view = await self._view(params.text_document.uri)
        if document is None or view is None:
            return None
        return hover(view, document.content, params.position, self.session.client)

    async def _code_lens(self, params: types.CodeLensParams) -> list[types.CodeLens]:
        uri = params.text_document.uri
        view = await self._view(uri)
        tasks = await self._coach.patient_view(uri)
        if view is not None and view.uri != uri:
            view = None
        lenses = code_lenses(view, self.session.client) if view is not None else []
        document = self.session.documents.get(uri)
        return [*lenses, *coach_lenses(tasks, document, view)] if document is not None else lenses

    async def _code_action(self, params: types.CodeActionParams) -> Sequence[types.CodeAction | types.Command]:
        uri, client = params.text_document.uri, self.session.client
        view = await self._view(uri)
        tasks = await self._coach.patient_view(uri)
        document = self.session.documents.get(uri)
        if document is None:
            return []
        actions = code_actions(view, document, params, client) if view is not None else ()
        if not document.is_file:
            return actions
        place = Place(
            document=document,
            shader=view if view is not None and view.uri == uri else None,
            workspace=self.session.workspace_of(document.path),
            selected=document.content.span(params.range),
            given=[one for one in params.context.diagnostics if one.source == "pixel-lsp"],
            client=client,
        )
        return [*actions, *coach_actions(tasks, place, params.context.only)]

    async def _execute_command(self, params: types.ExecuteCommandParams) -> object:
        handler = self._handlers.get(params.command)
        if handler is None:
            raise JsonRpcInvalidParams(message=f"there is no command {params.command}")
        return await handler(*(params.arguments or ()))

    async def _report(self, params: object) -> dict[str, Any] | None:
        uri = params.get("uri") if isinstance(params, dict) else getattr(params, "uri", None)
        return await self._commands.report(uri)

    async def _candidate(self, params: object) -> dict[str, Any]:
        given = fields_of(params)
        return await self._decisions.candidate(given.get("task"), given.get("attempt"))

    def _remarks(self, uri: str, places: Places) -> list[types.Diagnostic]:
        document = self.session.documents.get(uri)
        return remark_diagnostics(self._coach.view(uri), document, places) if document is not None else []

    async def _task_ended(self, task: Task, ended: TaskEnded) -> None:
        # First look, then tell: whoever is told may ask for the candidate at once.
        await asyncio.wait({self._coach.look()})
        said = said_ending(task, ended)
        if said is None:
            return
        if self.session.client.shows_candidates:
            told = {"task": task.number, "attempt": ended.attempt, "state": ended.state.value, "action": task.action.value, "message": said}
            self.server.protocol.notify("pixelLsp/taskEnded", told)
        else:
            self._editor.show_message(types.MessageType.Info, said)

    async def _settle(self, document: Document) -> None:
        try:
            await self._decisions.settle(document)
        except CoachError as problem:
            self._editor.show_message(types.MessageType.Warning, problem.message)

    async def _view(self, uri: str) -> ShaderView | None:
        shader = self.session.shader_of(uri)
        if shader is None:
            return None
        await self._checks.analysed(shader)
        return self.session.view(shader)

    def _did_change_watched_files(self, params: types.DidChangeWatchedFilesParams) -> None:
        self._files_changed(tuple(path for change in params.changes if (path := path_of(change.uri)) is not None))

    def _did_change_folders(self, _: types.DidChangeWorkspaceFoldersParams) -> None:
        self._read_folders()

    async def _did_change_configuration(self, params: types.DidChangeConfigurationParams) -> None:
        if self.session.client.pulls_settings:
            await self._ask_for_settings()
        else:
            await self._take_settings(params.settings)

    async def _ask_for_settings(self) -> None:
        if not self.session.client.pulls_settings:
            return
        items = [types.ConfigurationItem(section=SECTION)]
        try:
            given = await self.server.workspace_configuration_async(types.ConfigurationParams(items=items))
        except JsonRpcException:
            return  # it declared the request and does not answer it: what was said at the start holds
        await self._take_settings(given[0] if given else None)

    async def _take_settings(self, given: object) -> None:
        before = self.session.settings
        self._read_settings(given)
        if self.session.settings != before:
            await self._checks.settings_changed()

    def _watch_folders(self) -> bool:
        """Watch what open shaders rest on, where the editor does not; whether a folder came to it."""
        files = {path for shader in self.session.shaders.values() if shader.is_file for path in self.session.files_of(shader)}
        folders = {path.parent for path in files}
        if self._is_watched_by_client:
            # Editors watch the folders of their workspace alone.
            roots = self.session.folders
            folders = {folder for folder in folders if not any(folder.is_relative_to(root) for root in roots)}
        return self._watch.set_folders(folders)

    def _files_changed(self, paths: tuple[Path, ...]) -> None:
        for shader in (*self.session.adopt_late(), *self.session.shaders_resting_on(paths)):
            self.session.forget_oracle(shader)
            self._checks.check_later(shader)

    def _read_folders(self) -> None:
        workspace = self.server.workspace
        uris = [folder.uri for folder in workspace.folders.values()] or ([workspace.root_uri] if workspace.root_uri else [])
        self.session.folders = tuple(path.resolve() for uri in uris if (path := path_of(uri)) is not None)

    def _read_settings(self, given: object) -> None:
        self.session.settings, mistakes = read_settings(given, self.session.defaults)
        if mistakes:
            self._editor.show_message(types.MessageType.Warning, "pixel-lsp: " + "; ".join(mistakes))
