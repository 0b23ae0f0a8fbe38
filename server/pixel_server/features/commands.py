"""What `workspace/executeCommand` does. Arguments come from the client: whatever is not understood is refused with a sentence."""

from __future__ import annotations

import asyncio
from typing import Any

from lsprotocol import types
from pygls.exceptions import JsonRpcException, JsonRpcInvalidParams
from pygls.lsp.server import LanguageServer

from pixel_core.kernels.report import CheckReport
from pixel_core.kernels.validate import Selection
from pixel_server.editor import Editor
from pixel_server.features.diagnostics import uncontracted, where_to_write
from pixel_server.features.edits import contract_edit
from pixel_server.features.report import report
from pixel_server.kernel_checks import KernelChecks
from pixel_server.session import OpenShader, Session


class Commands:
    """The server's commands.

    Args:
        server: Sends edits.
        session: The state.
        editor: Who is told.
        checks: Runs kernels.
    """

    def __init__(self, server: LanguageServer, session: Session, editor: Editor, checks: KernelChecks) -> None:
        self._server = server
        self._session = session
        self._editor = editor
        self._checks = checks

    async def check(self, *arguments: Any) -> dict[str, Any] | None:
        """`[uri, contract | null, case | null]`: run kernels anew, and answer with the report; null when a newer check took over."""
        shader = self._shader(arguments)
        contract, case = (_text(arguments, 1), _text(arguments, 2))
        workspace = self._session.workspace_of(shader.path)
        if not self._session.trust.allows(workspace):
            # Somebody asks for it by hand: a "Not now" of earlier is no answer to that.
            self._session.trust.asked.discard(workspace)
        future = self._checks.check(shader, Selection(contract=contract, case=case))
        try:
            done: CheckReport | None = await asyncio.shield(future)
        except asyncio.CancelledError:
            if not future.done():
                self._checks.stop(shader)
                raise
            return None
        # It may have been closed while it was checked.
        return await self.report(shader.uri) if done is not None and self._session.holds(shader) else None

    async def write_contract(self, *arguments: Any) -> bool:
        """`[uri]`: put a first contract into the shader's text. Answers whether the editor took it."""
        shader = self._shader(arguments)
        await self._checks.analysed(shader)
        view = self._session.view(shader)
        edit = contract_edit(view, self._session.client) if view is not None else None
        if edit is None:
            missing = uncontracted(view.analysis) if view is not None else ()
            said = f"{shader.path.name} has no kernel without a contract"
            if view is not None and missing:
                said = f"`{missing[0].name}` has no contract: {where_to_write(view.analysis)}"
            self._editor.show_message(types.MessageType.Info, said)
            return False
        if not self._session.client.applies_edits:
            self._editor.show_message(
                types.MessageType.Warning, f"this editor takes no edits; run `pixel-lsp contract {shader.path} --write`"
            )
            return False
        try:
            result = await self._server.workspace_apply_edit_async(types.ApplyWorkspaceEditParams(edit=edit, label="Write a contract"))
        except JsonRpcException as problem:
            self._editor.log(f"the editor refused the edit: {problem}", types.MessageType.Warning)
            return False
        return result.applied

    async def trust(self, *arguments: Any) -> list[str]:
        """`[uri?]`: let the kernels of a shader's workspace run, and remember it. Answers the folders that are trusted now.

        Without a shader these are the workspaces of all that are open.
        """
        if self._session.trust.editor is False:
            self._editor.show_message(types.MessageType.Warning, "this editor decides about trust itself: trust the workspace there")
            return []
        is_of_one = _text(arguments, 0) is not None
        shaders = (self._shader(arguments),) if is_of_one else self._session.shaders.values()
        workspaces = {self._session.workspace_of(shader.path) for shader in shaders if shader.is_file}
        if not workspaces and not is_of_one:
            workspaces.update(self._session.folders)
        for workspace in sorted(workspaces):
            self._checks.trust(workspace)
        return sorted(map(str, workspaces))

    async def report(self, *arguments: Any) -> dict[str, Any] | None:
        """`[uri]`: the latest report of a shader."""
        shader = self._shader(arguments)
        await self._checks.analysed(shader)
        view = self._session.view(shader)
        return report(view) if view is not None else None

    def _shader(self, arguments: tuple[Any, ...]) -> OpenShader:
        uri = _text(arguments, 0)
        shader = self._session.shader_of(uri) if uri is not None else None
        if shader is None:
            raise JsonRpcInvalidParams(message=f"{uri or 'nothing'} is not an open shader")
        return shader


def _text(arguments: tuple[Any, ...], index: int) -> str | None:
    value = arguments[index] if index < len(arguments) else None
    if value is not None and not isinstance(value, str):
        raise JsonRpcInvalidParams(message=f"argument {index + 1} must be a text or null")
    return value
