"""What can be done about the place that is selected. Answered from what is known; everything slow sits behind a command."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from lsprotocol import types

from pixel_core.findings import Finding, Span
from pixel_core.kernels.report import FAILED, INCONCLUSIVE
from pixel_server.client import Client
from pixel_server.client_text import ClientText
from pixel_server.features.command_names import TRUST, WRITE_CONTRACT, check_command
from pixel_server.features.diagnostics import findings_of
from pixel_server.features.edits import contract_edit, workspace_edit
from pixel_server.session import Document, ShaderView

_KIND = types.CodeActionKind.QuickFix

Action = types.CodeAction | types.Command


def code_actions(view: ShaderView, document: Document, params: types.CodeActionParams, client: Client) -> Sequence[Action]:
    """The actions for a range.

    Args:
        view: The shader.
        document: Its text or its sidecar, which the range lies in.
        params: The request.
        client: Without literals it gets the commands alone, without lenses those of the lenses too.
    """
    only = params.context.only
    if only and not any(kind in ("", _KIND.value) for kind in map(str, only)):
        return ()
    given = [one for one in params.context.diagnostics if one.source == "pixel-lsp"]
    actions = list(_actions(view, document, document.content.span(params.range), given, client))
    if client.code_action_literals:
        return actions
    return [action.command for action in actions if action.command is not None]


def _actions(
    view: ShaderView, document: Document, selected: Span, given: Sequence[types.Diagnostic], client: Client
) -> Iterator[types.CodeAction]:
    for found in findings_of(view):
        if found.location.path != document.path or not _touches(found, document.content, selected):
            continue
        about = [one for one in given if one.code == found.code and one.range == document.content.range(found.location.span)]
        yield from _about_finding(view, found, about, document, client)
    if document.uri == view.uri:
        yield from _about_entries(view, selected, client)


def _about_finding(
    view: ShaderView, found: Finding, about: list[types.Diagnostic], document: Document, client: Client
) -> Iterator[types.CodeAction]:
    if found.fix is not None:
        edit = types.TextEdit(range=document.content.range(found.fix.span), new_text=found.fix.new_text)
        yield types.CodeAction(
            title=found.fix.title,
            kind=_KIND,
            diagnostics=about or None,
            edit=workspace_edit(document.uri, document.version, [edit], client),
            is_preferred=True,
        )
    failing = _failing_case(view, found)
    if failing is not None:
        contract, case = failing
        command = check_command(f"Re-run the failing case only ({case})", view.uri, contract, case)
        yield types.CodeAction(title=command.title, kind=_KIND, diagnostics=about or None, command=command)
    if found.code == "PX390":
        edit = contract_edit(view, client)
        if edit is not None:
            title = "Write a contract for this kernel"
            command = types.Command(title=title, command=WRITE_CONTRACT, arguments=[view.uri])
            with_edit = client.code_action_literals
            yield types.CodeAction(
                title=title,
                kind=_KIND,
                diagnostics=about or None,
                edit=edit if with_edit else None,
                command=None if with_edit else command,
            )
    if found.code == "PX708" and document.is_file:
        command = types.Command(title="Trust this workspace and run its kernels", command=TRUST, arguments=[view.uri])
        yield types.CodeAction(title=command.title, kind=_KIND, diagnostics=about or None, command=command)


def _about_entries(view: ShaderView, selected: Span, client: Client) -> Iterator[types.CodeAction]:
    """Where there are lenses, what they offer is offered on the entry point's name only."""
    for entry in view.analysis.loaded.entry_points:
        if client.code_lens and not (entry.span.start <= selected.end and selected.start <= entry.span.end):
            continue
        for contract in view.contracts_of(entry.name):
            command = check_command(f"Check this kernel ({contract.name})", view.uri, contract.name)
            yield types.CodeAction(title=command.title, kind=_KIND, command=command)


def _failing_case(view: ShaderView, found: Finding) -> tuple[str, str] | None:
    """The contract and the case that a result speaks of."""
    if view.verdict is None or not view.is_current:
        return None
    for kernel in view.verdict.report.kernels:
        if found not in kernel.findings or kernel.contract is None:
            continue
        failing = [case.name for case in kernel.cases if case.status in (FAILED, INCONCLUSIVE)]
        said = "\n".join((found.message, *found.notes))
        named = [name for name in failing if name in said]
        if named:
            return kernel.contract, max(named, key=len)
    return None


def _touches(found: Finding, content: ClientText, selected: Span) -> bool:
    """Whether the finding's lines and the selected ones meet: people ask with the cursor anywhere on the line."""
    place, asked = content.range(found.location.span), content.range(selected)
    return place.start.line <= asked.end.line and asked.start.line <= place.end.line
