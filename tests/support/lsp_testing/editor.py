"""A scripted editor that drives the real server over its standard input and output."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from lsprotocol import types
from pytest_lsp import LanguageClient, client_capabilities
from pytest_lsp.client import make_test_lsp_client

CAPABILITY_FOLDER = Path(__file__).parents[4] / "shared" / "clients" / "caps"
"""Recorded from real editors; not part of the repository."""

TIMEOUT_S = 20

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
        edits: Every `workspace/applyEdit`; all are taken.
        server: What the server answered to `initialize`.
    """

    def __init__(self) -> None:
        self.client: LanguageClient = make_test_lsp_client()
        self.published: list[types.PublishDiagnosticsParams] = []
        self.questions: list[types.ShowMessageRequestParams] = []
        self.answer: str | None = None
        self.edits: list[types.WorkspaceEdit] = []
        self.registrations: list[types.Registration] = []
        self.server = types.ServerCapabilities()
        self._news = asyncio.Event()
        self._listen()

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
        document = types.VersionedTextDocumentIdentifier(uri=uri, version=version)
        self.client.text_document_did_change(types.DidChangeTextDocumentParams(text_document=document, content_changes=[change]))

    def save(self, uri: str) -> None:
        """Tell that a document was saved."""
        self.client.text_document_did_save(types.DidSaveTextDocumentParams(text_document=types.TextDocumentIdentifier(uri=uri)))

    def close(self, uri: str) -> None:
        """Close a document."""
        self.client.text_document_did_close(types.DidCloseTextDocumentParams(text_document=types.TextDocumentIdentifier(uri=uri)))

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

    async def actions(self, uri: str, where: types.Range) -> Sequence[types.CodeAction | types.Command]:
        """The code actions of a range."""
        params = types.CodeActionParams(
            text_document=types.TextDocumentIdentifier(uri=uri), range=where, context=types.CodeActionContext(diagnostics=[])
        )
        return await self.client.text_document_code_action_async(params) or ()

    async def lenses(self, uri: str) -> list[str]:
        """The titles of a document's lenses."""
        params = types.CodeLensParams(text_document=types.TextDocumentIdentifier(uri=uri))
        found = await self.client.text_document_code_lens_async(params) or ()
        return [lens.command.title for lens in found if lens.command is not None]

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
            return types.ApplyWorkspaceEditResult(applied=True)

        @on(types.WINDOW_SHOW_MESSAGE_REQUEST)
        def asked(params: types.ShowMessageRequestParams) -> types.MessageActionItem | None:
            self.questions.append(params)
            return types.MessageActionItem(title=self.answer) if self.answer is not None else None


@asynccontextmanager
async def editor(
    capabilities: types.ClientCapabilities, workspace: Path, state: Path, options: object = None, process_id: int | None = None
) -> AsyncIterator[Editor]:
    """Start the server for a workspace, and end it properly after the block; no process may be left then.

    Args:
        capabilities: Of the editor.
        workspace: Its folder.
        state: Where the server remembers what it is told about trust.
        options: `initializationOptions`.
        process_id: What the editor says its process is.
    """
    made = Editor()
    environment = {**os.environ, "XDG_STATE_HOME": str(state)}
    await made.client.start_io(sys.executable, "-m", "pixel_server.cli", "--stdio", env=environment)
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


def descendants(process: int) -> set[int]:
    """The processes below one, as long as it lives."""
    listing = subprocess.run(("ps", "-A", "-o", "pid=,ppid="), capture_output=True, encoding="utf-8", check=True).stdout
    parents = {int(child): int(parent) for child, parent in (line.split() for line in listing.splitlines())}
    found: set[int] = set()
    while more := {child for child, parent in parents.items() if parent in found | {process}} - found:
        found |= more
    return found


async def gone(processes: set[int]) -> None:
    """Wait until none of the processes is there."""
    for _ in range(100):
        listing = subprocess.run(("ps", "-A", "-o", "pid=,stat="), capture_output=True, encoding="utf-8", check=True).stdout
        alive = {int(line.split()[0]) for line in listing.splitlines() if not line.split()[1].startswith("Z")}
        if not processes & alive:
            return
        await asyncio.sleep(0.1)
    raise AssertionError(f"left behind: {processes & alive}")
