"""A scripted editor that drives the real server over its standard input and output."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Union

from lsprotocol import types
from pytest_lsp import LanguageClient, client_capabilities
from pytest_lsp.client import make_test_lsp_client

from lsp_testing.apply_edits import edits_of, with_edits

CAPABILITY_FOLDER = Path(__file__).parents[4] / "shared" / "clients" / "caps"
"""Recorded from real editors; not part of the repository."""

PROGRAM = shutil.which("pixel-lsp", path=Path(sys.executable).parent) or "pixel-lsp"
"""As editors start it: `python -m` would look into the folder that it is started in first."""

TIMEOUT_S = 40
"""Far beyond what anything takes: only a test that fails waits for so long."""

Action = Union[types.Command, types.CodeAction]
Predicate = Callable[[Sequence[types.Diagnostic]], bool]


def recorded_clients() -> dict[str, types.ClientCapabilities]:
    """What editors declare, by name: as recorded where the recordings are at hand, else as pytest-lsp ships them."""
    found = sorted(CAPABILITY_FOLDER.glob("*.json")) if CAPABILITY_FOLDER.is_dir() else []
    if not found:
        names = ("visual-studio-code", "neovim@v0.7", "neovim@v0.11", "emacs")
        return {name: client_capabilities(name) for name in names}
    structure = make_test_lsp_client().protocol._converter.structure
    declared = {file.stem: json.loads(file.read_text(encoding="utf-8"))["capabilities"] for file in found}
    return {name: structure(value, types.ClientCapabilities) for name, value in declared.items()}


class Editor:
    """One editor with one server.

    Attributes:
        client: Speaks LSP.
        published: Every `textDocument/publishDiagnostics` in order.
        questions: Every `window/showMessageRequest`.
        answer: What the user answers to questions: a title, or None.
        refreshes: How often the server said that diagnostics should be asked for again.
        edits: Every `workspace/applyEdit`.
        takes_edits: Whether they are applied to the open documents, or refused.
        texts: The open documents.
        server: What the server answered to `initialize`.
    """

    def __init__(self) -> None:
        self.client: LanguageClient = make_test_lsp_client()
        self.published: list[types.PublishDiagnosticsParams] = []
        self.questions: list[types.ShowMessageRequestParams] = []
        self.answer: str | None = None
        self.edits: list[types.WorkspaceEdit] = []
        self.refreshes = 0
        self.takes_edits = True
        self.texts: dict[str, str] = {}
        self._versions: dict[str, int] = {}
        self.registrations: list[types.Registration] = []
        self.server = types.ServerCapabilities()
        self._news = asyncio.Event()
        self._listen()
        converter = self.client.protocol._converter
        # lsprotocol takes every action that has a command for a `Command`.
        converter.register_structure_hook(
            Action,
            lambda value, _: (
                converter.structure(value, types.Command if isinstance(value["command"], str) else types.CodeAction)
                if "command" in value
                else converter.structure(value, types.CodeAction)
            ),
        )

    @property
    def encoding(self) -> str:
        """The units of columns that were agreed on."""
        return str(getattr(self.server.position_encoding, "value", self.server.position_encoding) or "utf-16")

    @property
    def pulls(self) -> bool:
        """Whether diagnostics are asked for."""
        return self.server.diagnostic_provider is not None

    @property
    def version_is_unwanted(self) -> bool:
        """Whether the client said that it does nothing with versions."""
        document = self.client.capabilities.text_document if self.client.capabilities else None
        published = document.publish_diagnostics if document else None
        return published is not None and published.version_support is False

    @property
    def process_id(self) -> int:
        """Of the server."""
        return self.client._server.pid

    def open(self, path: Path | str, text: str, *, version: int = 1, language: str = "wgsl") -> str:
        """Open a document; returns its URI."""
        uri = path if isinstance(path, str) else path.as_uri()
        self.texts[uri], self._versions[uri] = text, version
        item = types.TextDocumentItem(uri=uri, language_id=language, version=version, text=text)
        self.client.text_document_did_open(types.DidOpenTextDocumentParams(text_document=item))
        return uri

    def change(self, uri: str, version: int, text: str, where: types.Range | None = None) -> None:
        """Replace a range, or all of a document."""
        change: Any = (
            types.TextDocumentContentChangeWholeDocument(text=text)
            if where is None
            else types.TextDocumentContentChangePartial(range=where, text=text)
        )
        self._versions[uri] = version
        self.texts[uri] = (
            text if where is None else with_edits(self.texts[uri], [types.TextEdit(range=where, new_text=text)], self.encoding)
        )
        document = types.VersionedTextDocumentIdentifier(uri=uri, version=version)
        self.client.text_document_did_change(types.DidChangeTextDocumentParams(text_document=document, content_changes=[change]))

    def save(self, uri: str) -> None:
        """Tell that a document was saved."""
        self.client.text_document_did_save(types.DidSaveTextDocumentParams(text_document=types.TextDocumentIdentifier(uri=uri)))

    def close(self, uri: str) -> None:
        """Close a document."""
        self.texts.pop(uri, None)
        self.client.text_document_did_close(types.DidCloseTextDocumentParams(text_document=types.TextDocumentIdentifier(uri=uri)))

    def apply(self, edit: types.WorkspaceEdit) -> None:
        """Apply an edit to the open documents, as an editor does: it tells the server, and saves nothing.

        Raises:
            AssertionError: It is meant for another version of a document.
        """
        for uri, version, edits in edits_of(edit):
            assert version in (None, self._versions[uri])
            self.change(uri, self._versions[uri] + 1, with_edits(self.texts[uri], edits, self.encoding))

    def forget(self) -> None:
        """Close every document, so that the next test finds nothing of this one."""
        for uri in tuple(self.texts):
            self.close(uri)
        self.published.clear()
        self.questions.clear()
        self.edits.clear()
        self.client.messages.clear()
        self.client.log_messages.clear()
        self.client.progress_reports.clear()
        self.answer = None
        self.takes_edits = True

    async def diagnostics(self, uri: str, until: Predicate) -> Sequence[types.Diagnostic]:
        """What is shown for a document, as soon as it is as wanted."""
        shown: Sequence[types.Diagnostic] = ()

        async def wait() -> None:
            nonlocal shown
            while True:
                self._news.clear()
                shown = await self._shown(uri)
                if until(shown):
                    return
                # Who pulls is told to, but may have been told before it asked.
                await self.news(0.2 if self.pulls else TIMEOUT_S)

        try:
            await asyncio.wait_for(wait(), TIMEOUT_S)
        except asyncio.TimeoutError:
            raise AssertionError(f"still shown: {[(one.code, one.message) for one in shown]}") from None
        return shown

    async def codes(self, uri: str, *expected: str) -> Sequence[types.Diagnostic]:
        """The diagnostics, once their codes are exactly these."""
        return await self.diagnostics(uri, lambda shown: sorted(str(one.code) for one in shown) == sorted(expected))

    async def news(self, timeout_s: float) -> None:
        """Wait for the next message of the server."""
        try:
            await asyncio.wait_for(self._news.wait(), timeout_s)
        except asyncio.TimeoutError:
            return

    async def until(self, condition: Callable[[], bool]) -> None:
        """Wait for something that messages of the server bring about."""
        for _ in range(TIMEOUT_S * 20):
            if condition():
                return
            await asyncio.sleep(0.05)
        raise AssertionError("it did not come about")

    async def command(self, name: str, *arguments: Any) -> Any:
        """Execute a command of the server."""
        return await self.client.workspace_execute_command_async(types.ExecuteCommandParams(command=name, arguments=list(arguments)))

    async def hover(self, uri: str, line: int, character: int) -> str | None:
        """The text of a hover."""
        document = types.TextDocumentIdentifier(uri=uri)
        found = await self.client.text_document_hover_async(
            types.HoverParams(text_document=document, position=types.Position(line=line, character=character))
        )
        return found.contents.value if found is not None else None

    async def actions(self, uri: str, where: types.Range, *about: types.Diagnostic) -> Sequence[Action]:
        """The code actions of a range."""
        params = types.CodeActionParams(
            text_document=types.TextDocumentIdentifier(uri=uri), range=where, context=types.CodeActionContext(diagnostics=about)
        )
        return await self.client.text_document_code_action_async(params) or ()

    async def action(self, uri: str, about: types.Diagnostic, title: str) -> types.CodeAction:
        """The one code action for a diagnostic whose title begins so."""
        (found,) = [one for one in await self.actions(uri, about.range, about) if one.title.startswith(title)]
        assert isinstance(found, types.CodeAction)
        return found

    async def lenses(self, uri: str) -> list[str]:
        """The titles of a document's lenses."""
        params = types.CodeLensParams(text_document=types.TextDocumentIdentifier(uri=uri))
        found = await self.client.text_document_code_lens_async(params) or ()
        return [lens.command.title for lens in found if lens.command is not None]

    async def until_checking(self, uri: str) -> None:
        """Wait until a check of a shader runs."""
        for _ in range(TIMEOUT_S * 50):
            if (await self.report(uri))["checking"]:
                return
            await asyncio.sleep(0.02)
        raise AssertionError("no check runs")

    async def until_verdict(self, uri: str, *statuses: str) -> Any:
        """The report of a shader, once it speaks of the present text and its kernels have these statuses."""
        for _ in range(TIMEOUT_S * 20):
            report = await self.report(uri)
            ran = [kernel["status"] for kernel in report["kernels"]]
            if report["current"] and not report["checking"] and ran == list(statuses):
                return report
            await asyncio.sleep(0.05)
        raise AssertionError(f"the report stays {report}")

    async def report(self, uri: str) -> Any:
        """`pixelLsp/report`."""
        return await self.command("pixel-lsp.report", uri)

    async def _shown(self, uri: str) -> Sequence[types.Diagnostic]:
        if self.pulls:
            params = types.DocumentDiagnosticParams(text_document=types.TextDocumentIdentifier(uri=uri))
            report = await self.client.text_document_diagnostic_async(params)
            assert isinstance(report, types.RelatedFullDocumentDiagnosticReport)
            return report.items
        return next((one.diagnostics for one in reversed(self.published) if one.uri == uri), ())

    def _listen(self) -> None:
        feature = self.client.feature
        features = self.client.protocol.fm._features

        def on(name: str) -> Callable[[Any], Any]:
            features.pop(name, None)
            return feature(name)

        @on(types.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS)
        def published(params: types.PublishDiagnosticsParams) -> None:
            self.published.append(params)
            self._news.set()

        @on(types.WORKSPACE_DIAGNOSTIC_REFRESH)
        def refreshed(_: None) -> None:
            self.refreshes += 1
            self._news.set()

        @on(types.WORKSPACE_CODE_LENS_REFRESH)
        def lenses_refreshed(_: None) -> None:
            self._news.set()

        @on(types.CLIENT_REGISTER_CAPABILITY)
        def registered(params: types.RegistrationParams) -> None:
            self.registrations.extend(params.registrations)

        @on(types.WORKSPACE_APPLY_EDIT)
        def edited(params: types.ApplyWorkspaceEditParams) -> types.ApplyWorkspaceEditResult:
            self.edits.append(params.edit)
            if self.takes_edits:
                self.apply(params.edit)
            return types.ApplyWorkspaceEditResult(applied=self.takes_edits)

        @on(types.WINDOW_SHOW_MESSAGE_REQUEST)
        def asked(params: types.ShowMessageRequestParams) -> types.MessageActionItem | None:
            self.questions.append(params)
            return types.MessageActionItem(title=self.answer) if self.answer is not None else None


@asynccontextmanager
async def editor(
    capabilities: types.ClientCapabilities,
    workspace: Path,
    state: Path,
    options: object = None,
    process_id: int | None = None,
    folder: Path | None = None,
) -> AsyncIterator[Editor]:
    """Start the server for a workspace, and end it properly after the block; no process may be left then.

    Args:
        capabilities: Of the editor.
        workspace: Its folder.
        state: Where the server remembers what it is told about trust.
        options: `initializationOptions`.
        process_id: What the editor says its process is.
        folder: In which the server is started; None for that of this process.
    """
    made = Editor()
    environment = {**os.environ, "XDG_STATE_HOME": str(state)}
    await made.client.start_io(PROGRAM, "--stdio", env=environment, cwd=folder)
    params = types.InitializeParams(
        process_id=process_id, root_uri=workspace.as_uri(), capabilities=capabilities, initialization_options=options
    )
    made.server = (await made.client.initialize_session(params)).capabilities
    family = {made.process_id}
    try:
        yield made
        family |= descendants(made.process_id)
    finally:
        await made.client.shutdown_session()
        await made.client.stop()
    await gone(family)


def running(editor: Editor, module: str) -> list[int]:
    """The processes under an editor's server that run a module."""
    return [child for child in descendants(editor.process_id) if module in command_line(child)]


def descendants(process: int) -> set[int]:
    """The processes below one, as long as it lives."""
    listing = subprocess.run(("ps", "-A", "-o", "pid=,ppid="), capture_output=True, encoding="utf-8", check=True).stdout
    parents = {int(child): int(parent) for child, parent in (line.split() for line in listing.splitlines())}
    found: set[int] = set()
    while more := {child for child, parent in parents.items() if parent in found | {process}} - found:
        found |= more
    return found


def command_line(process: int) -> str:
    """The program and arguments of a process; empty when it has ended."""
    ran = subprocess.run(("ps", "-ww", "-o", "args=", "-p", str(process)), capture_output=True, encoding="utf-8", check=False)
    return ran.stdout.strip()


async def gone(processes: set[int]) -> None:
    """Wait until none of the processes is there."""
    for _ in range(100):
        listing = subprocess.run(("ps", "-A", "-o", "pid=,stat="), capture_output=True, encoding="utf-8", check=True).stdout
        alive = {int(line.split()[0]) for line in listing.splitlines() if not line.split()[1].startswith("Z")}
        if not processes & alive:
            return
        await asyncio.sleep(0.1)
    raise AssertionError(f"left behind: {processes & alive}")
