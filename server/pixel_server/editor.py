"""What the server says of itself, without being asked: diagnostics, progress, messages. Each in the way that the client declared."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any, Final

from lsprotocol import types
from pygls.exceptions import JsonRpcException
from pygls.lsp.server import LanguageServer

from pixel_core.findings import Finding
from pixel_server.client_text import ClientText
from pixel_server.features.diagnostics import findings_of
from pixel_server.rules_uri import rules_uri
from pixel_server.session import OpenShader, Session
from pixel_server.to_lsp import Places, to_diagnostic

_MAX_SHOWN: Final = 1000

_LOG: Final = logging.getLogger(__name__)


class Editor:
    """The editor at the other end.

    Args:
        server: Speaks LSP.
        session: Says what is true.

    Attributes:
        remarks: Gives what reviews say of a document, besides what is found in it.
    """

    def __init__(self, server: LanguageServer, session: Session) -> None:
        self.remarks: Callable[[str, Places], list[types.Diagnostic]] = _no_remarks
        self._server = server
        self._session = session
        self._rules = rules_uri()
        self._tasks: set[asyncio.Future[Any]] = set()
        self._pushed: set[str] = set()

    def show_findings(self, shader: OpenShader, *, refresh: bool = True) -> None:
        """Tell the editor what is true of a shader now, in every file that it has or had findings in.

        Args:
            shader: The shader.
            refresh: Make a client that asks for diagnostics and lenses ask again.
        """
        files: frozenset[str] = frozenset()
        if self._session.holds(shader):
            if not self._is_known(shader):
                # This is not the same as no findings; the text's analysis is under way, and tells.
                return
            view = self._session.view(shader)
            # A part of other shaders is judged in them.
            found = findings_of(view) if view is not None and not self._session.is_part(shader) else ()
            # The shader itself is always told of, so that the editor knows that its version was looked at.
            files = frozenset((shader.uri, *(self._session.uri_of(one.location.path) for one in found)))
        told, shader.told = shader.told, files
        for uri in sorted(files | told):
            self._publish(uri)
        if refresh:
            self._refresh()

    def diagnostics_of(self, uri: str) -> list[types.Diagnostic]:
        """What is to be shown in one file, whichever shader says it."""
        session = self._session
        texts: dict[Path, ClientText] = {}
        found: list[Finding] = []
        for shader in session.shaders.values():
            if uri not in shader.told and session.shader_of(uri) is not shader:
                continue
            view = session.view(shader)
            if view is None:
                problem = session.texts_of(shader)
                # A document that is too large says so; a shader without a document has nowhere to say anything.
                if isinstance(problem, Finding) and uri == shader.uri and uri in session.documents:
                    found.append(problem)
                continue
            for text in view.analysis.loaded.sources.values():
                texts[text.path] = ClientText(text.text, session.client.encoding)
            if not session.is_part(shader):
                found.extend(one for one in findings_of(view) if session.uri_of(one.location.path) == uri)
        places = Places(client=session.client, uri_of=session.uri_of, texts=texts, name_of=self._name_of, rules=self._rules)
        return [*(to_diagnostic(one, places) for one in _most_important(found)), *self.remarks(uri, places)]

    def take_back(self, uri: str) -> None:
        """Take back what was pushed into a file that is a document now, of a client that asks for the diagnostics of documents.

        It keeps the two apart, and would show both, and what was pushed for as long as the document is open.
        """
        if self._session.client.pulls_diagnostics and uri in self._pushed:
            self._push(uri, [])

    def show_again(self, uris: Sequence[str], *, refresh: bool = True) -> None:
        """Tell the editor of some documents anew, and have it ask again for what it asks for."""
        for uri in uris:
            shader = self._session.shader_of(uri)
            # A text that was not looked at yet has findings that nobody knows; its analysis is under way, and tells.
            if shader is None or self._is_known(shader):
                self._publish(uri)
        if refresh:
            self._refresh()

    def log(self, message: str, kind: types.MessageType = types.MessageType.Info) -> None:
        """A line in the editor's log."""
        self._server.window_log_message(types.LogMessageParams(type=kind, message=message))

    def show_message(self, kind: types.MessageType, message: str) -> None:
        """A message that the user sees."""
        self._server.window_show_message(types.ShowMessageParams(type=kind, message=message))

    async def ask(self, question: str, answers: Sequence[str]) -> str | None:
        """Ask the user. Returns the title of the answer, None for none."""
        actions = [types.MessageActionItem(title=answer) for answer in answers]
        params = types.ShowMessageRequestParams(type=types.MessageType.Info, message=question, actions=actions)
        try:
            chosen = await self._server.window_show_message_request_async(params)
        except JsonRpcException:
            return None
        return chosen.title if chosen is not None else None

    def in_background(self, work: Awaitable[Any]) -> None:
        """Let some work go on by itself; what it raises is logged."""
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._over)

    async def close(self) -> None:
        """Stop what goes on by itself."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _name_of(self, path: Path) -> str:
        workspace = self._session.workspace_of(path)
        return str(path.relative_to(workspace)) if path.is_relative_to(workspace) else str(path)

    def _over(self, task: asyncio.Future[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (problem := task.exception()) is not None:
            _LOG.error("work in the background failed", exc_info=problem)

    def _is_known(self, shader: OpenShader) -> bool:
        """Whether the present text of a shader was analysed, or cannot be read."""
        return self._session.view(shader) is not None or isinstance(self._session.texts_of(shader), Finding)

    def _publish(self, uri: str) -> None:
        if uri not in self._session.documents or not self._session.client.pulls_diagnostics:
            self._push(uri, self.diagnostics_of(uri))

    def _push(self, uri: str, diagnostics: list[types.Diagnostic]) -> None:
        document = self._session.documents.get(uri)
        version = document.version if document is not None and self._session.client.version else None
        self._server.text_document_publish_diagnostics(types.PublishDiagnosticsParams(uri=uri, diagnostics=diagnostics, version=version))
        (self._pushed.add if diagnostics else self._pushed.discard)(uri)

    def _refresh(self) -> None:
        client = self._session.client
        if client.pulls_diagnostics:
            self._request(self._server.workspace_diagnostic_refresh_async(None))
        if client.refreshes_lenses:
            self._request(self._server.workspace_code_lens_refresh_async(None))

    def _request(self, request: Awaitable[Any]) -> None:
        async def answered() -> None:
            try:
                await request
            except JsonRpcException as problem:
                _LOG.warning("the editor refused a request: %s", problem)

        self.in_background(answered())


def _most_important(found: list[Finding]) -> list[Finding]:
    """No more findings than an editor can show and a reader can read; the worst, in their order."""
    if len(found) <= _MAX_SHOWN:
        return found
    worst = sorted(range(len(found)), key=lambda number: found[number].severity)[:_MAX_SHOWN]
    return [found[number] for number in sorted(worst)]


def _no_remarks(_uri: str, _places: Places) -> list[types.Diagnostic]:
    return []
