"""Which findings the editor should show for a shader now."""

from __future__ import annotations

import hashlib
import json
import shlex
from collections.abc import Sequence

from lsprotocol import converters, types

from pixel_core.findings import Finding, Severity
from pixel_core.kernels.examine import finding
from pixel_core.wgsl.reflect import EntryPoint
from pixel_server.session import Analysis, ShaderView

_NO_CONTRACT = "PX390"


def findings_of(view: ShaderView) -> tuple[Finding, ...]:
    """The findings that are true of the present text.

    What a run found holds only as long as the text is what ran; after an edit there is what reading finds, until the next run.
    """
    analysis = view.analysis
    if view.is_current and view.verdict is not None:
        found = view.verdict.report.all_findings()
    else:
        reports = analysis.examination.static_reports()
        found = (*analysis.examination.findings, *(one for report in reports for one in report.findings))
    problem = () if analysis.texts.problem is None else (analysis.texts.problem,)
    return (*problem, *(one for one in found if one.code != _NO_CONTRACT), *_missing_contracts(analysis))


def uncontracted(analysis: Analysis) -> tuple[EntryPoint, ...]:
    """The compute entry points that no contract speaks of; none where a contract could not be read, for it may speak of any."""
    loaded = analysis.loaded
    has_mistake = any(one.severity is Severity.ERROR for one in loaded.contracts.findings)
    if has_mistake or analysis.texts.problem is not None or not loaded.is_prepared:
        return ()
    spoken_of = {step.entry for contract in loaded.all_contracts for step in contract.passes}
    return tuple(entry for entry in loaded.entry_points if entry.stage == "compute" and entry.name not in spoken_of)


def where_to_write(analysis: Analysis) -> str:
    """How an entry point gets a contract: the quick fix writes into shaders, and the terminal only where there is none."""
    name = analysis.texts.shader.path.name
    if analysis.texts.sidecar is not None:
        return f"write one into {analysis.texts.sidecar.path.name}; `pixel-lsp contract {shlex.quote(name)}` prints a first one"
    if analysis.loaded.all_contracts:
        return "the quick fix writes a first one"
    return f"the quick fix writes a first one, and so does `pixel-lsp contract {shlex.quote(name)} --write`"


def result_id(items: Sequence[types.Diagnostic]) -> str:
    """A short name for a set of diagnostics; equal sets have equal names."""
    value = converters.get_converter().unstructure(list(items))
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:16]


def _missing_contracts(analysis: Analysis) -> tuple[Finding, ...]:
    source = analysis.texts.shader
    found = (
        finding(
            _NO_CONTRACT, f"`{entry.name}` has no contract, so it is not executed", source.location(entry.span), where_to_write(analysis)
        )
        for entry in uncontracted(analysis)
    )
    return tuple(_as_hint(one) for one in found)


def _as_hint(found: Finding) -> Finding:
    return Finding(code=found.code, severity=Severity.HINT, message=found.message, location=found.location, hint=found.hint)
