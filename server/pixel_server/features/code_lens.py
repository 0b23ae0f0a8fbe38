"""Over every compute entry point: what can be done with it, and what it came to the last time."""

from __future__ import annotations

from collections.abc import Iterator

from lsprotocol.types import CodeLens, Command

from pixel_core.kernels.report import SKIPPED
from pixel_server.client import Client
from pixel_server.features.command_names import REPORT, WRITE_CONTRACT, check_command
from pixel_server.features.diagnostics import uncontracted
from pixel_server.session import ShaderView
from pixel_server.verdict_words import verdict_words


def code_lenses(view: ShaderView, client: Client) -> list[CodeLens]:
    """The lenses of a shader, in the order of its entry points."""
    content = view.content(client)
    missing = {entry.name for entry in uncontracted(view.analysis)}
    return [
        CodeLens(range=content.range(entry.span), command=command)
        for entry in view.analysis.loaded.entry_points
        if entry.stage == "compute"
        for command in _commands(view, entry.name, is_contracted=entry.name not in missing)
    ]


def _commands(view: ShaderView, entry: str, *, is_contracted: bool) -> Iterator[Command]:
    if not is_contracted:
        yield Command(title="Write a contract", command=WRITE_CONTRACT, arguments=[view.uri])
        return
    contracts = view.contracts_of(entry)
    for contract in contracts:
        name = f" {contract.name}" if len(contracts) > 1 else ""
        yield check_command(f"▶ Check{name}", view.uri, contract.name)
        verdict = verdict_of(view, contract.name)
        if verdict is not None:
            yield Command(title=verdict, command=REPORT, arguments=[view.uri])


def verdict_of(view: ShaderView, contract: str) -> str | None:
    """What a contract came to, in a line that says so when it speaks of another text; None when it never ran."""
    if view.is_checking:
        return "checking…"
    report = view.report_of(contract)
    if report is None or view.verdict is None:
        return None
    if not view.is_current:
        return f"{verdict_words(report)} – before the last edit"
    earlier = view.verdict.earlier.get(contract)
    ran = any(case.status != SKIPPED for case in report.cases)
    if earlier is None or all(case.status != SKIPPED for case in report.cases):
        return verdict_words(report)
    before = f"{verdict_words(earlier)} – before the last edit"
    return f"{verdict_words(report)}; {before}" if ran else before
