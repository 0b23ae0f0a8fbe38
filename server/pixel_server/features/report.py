"""The last report of a shader as data, for clients that draw it themselves: the JSON report of the terminal, and whether it holds."""

from __future__ import annotations

import json
from typing import Any

from pixel_core.kernels.report import CheckReport
from pixel_server.json_report import json_report
from pixel_server.session import ShaderView


def report(view: ShaderView) -> dict[str, Any]:
    """The latest report, as `docs/report.schema.json` describes it, with three more keys.

    Returns:
        Besides the report: `uri` of the shader; `current`, whether it speaks of the text as it is now; `checking`, whether a check runs.
    """
    examination = view.analysis.examination
    known = view.verdict.report if view.verdict is not None else None
    if known is None:
        known = CheckReport(kernels=examination.static_reports(), findings=examination.findings, sources=view.analysis.loaded.sources)
    value: dict[str, Any] = json.loads(json_report(known))
    return {**value, "uri": view.uri, "current": view.is_current or view.verdict is None, "checking": view.is_checking}
