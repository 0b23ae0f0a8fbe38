"""What a check came to: one report per kernel, and the sum of them. Data only; the doors draw it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import msgspec

from pixel_core.engines.base import AdapterInfo
from pixel_core.findings import Finding, Severity
from pixel_core.kernels.results import Timing
from pixel_core.source import SourceText

PASSED, PARTLY_PROVED, FAILED, INCONCLUSIVE, SKIPPED = "passed", "partly_proved", "failed", "inconclusive", "skipped"
STATUSES = (PASSED, PARTLY_PROVED, FAILED, INCONCLUSIVE, SKIPPED)
"""`partly_proved`: every case ended well, and of some output only invariants speak. It is not `passed`."""


def status_words(status: str) -> str:
    """A status as people read it: `partly proved`."""
    return status.replace("_", " ")


class CaseReport(msgspec.Struct, frozen=True, kw_only=True):
    """One case of one kernel.

    Attributes:
        name: As in `--case`.
        status: One of `STATUSES`.
        derived: Whether the tool added it.
        max_absolute_error: Over all outputs; None when nothing was compared.
        max_bound_ratio: Greatest error / bound over all outputs; None when nothing was compared.
        seconds: Wall time, 0 when it did not run.
        timing: Where the time went.
    """

    name: str
    status: str
    derived: bool
    max_absolute_error: float | None = None
    max_bound_ratio: float | None = None
    seconds: float = 0.0
    timing: Timing = msgspec.field(default_factory=Timing)


class ValidationReport(msgspec.Struct, frozen=True, kw_only=True):
    """One kernel: a contract with the shader it speaks of.

    Attributes:
        shader: Path of the WGSL file.
        contract: Name of the contract; None for a shader that has none.
        entry: Entry points in the order of the passes, joined with ` → `; None when unknown.
        status: The worst of the cases, never better than the findings allow. A shader that does not compile is failed.
        engine: `device` or `interpreter`; None when nothing ran.
        adapter: What ran it.
        cases: In the order they ran.
        findings: Everything the user is told about this kernel.
        shader_sha256: Of the shader's bytes as read.
        contract_sha256: Of the contract's text.
        seed: Base seed of the run.
        files: Every file that the verdict rests on, existing or not: shader, sidecar, reference and what it imports from the workspace.
    """

    shader: Path
    contract: str | None
    entry: str | None
    status: str
    engine: str | None = None
    adapter: AdapterInfo | None = None
    cases: tuple[CaseReport, ...] = ()
    findings: tuple[Finding, ...] = ()
    shader_sha256: str = ""
    contract_sha256: str = ""
    seed: int = 0
    files: tuple[Path, ...] = ()


class CheckReport(msgspec.Struct, frozen=True, kw_only=True):
    """A whole check.

    Attributes:
        kernels: One per contract, and one per shader that has none or cannot be read.
        findings: What belongs to a file or to the machine rather than to one kernel.
        sources: Every text a finding points into, by path.
    """

    kernels: tuple[ValidationReport, ...]
    findings: tuple[Finding, ...]
    sources: Mapping[Path, SourceText]

    def count(self, status: str) -> int:
        """How many kernels have that status."""
        return sum(kernel.status == status for kernel in self.kernels)

    def all_findings(self) -> tuple[Finding, ...]:
        """Findings of the files, then of each kernel."""
        return self.findings + tuple(finding for kernel in self.kernels for finding in kernel.findings)

    @property
    def has_errors(self) -> bool:
        """Whether any finding is an error."""
        return any(finding.severity is Severity.ERROR for finding in self.all_findings())
