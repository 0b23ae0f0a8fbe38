"""A shader as pytest collects it: one item for each contract, proved by one warm checker for the whole session."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Iterable
from pathlib import Path

import msgspec
import pytest
from msgspec.structs import replace

from pixel_core.errors import EngineUnavailable
from pixel_core.findings import Finding
from pixel_core.kernels.examine import examine, has_error
from pixel_core.kernels.load_shader import LoadedShader, load_shader
from pixel_core.kernels.report import FAILED, INCONCLUSIVE, PARTLY_PROVED, SKIPPED, CheckReport, ValidationReport
from pixel_core.kernels.surroundings import Surroundings
from pixel_core.kernels.validate import Checker, CheckOptions, Selection


class KernelFailure(Exception):  # noqa: N818 -- the outcome of a test; what it says is the report
    """A kernel did not pass; the message is what the terminal shows."""


class _Checks(msgspec.Struct, frozen=True):
    """The checker of one session, and the loop that it lives in."""

    checker: Checker
    loop: asyncio.AbstractEventLoop


_CHECKS = pytest.StashKey[_Checks]()


class ShaderFile(pytest.File):
    """A `.wgsl` file. Collecting it reads it and runs nothing."""

    def collect(self) -> Iterable[pytest.Item]:
        """One item a contract; one for the shader where it has none that can be read."""
        loaded = load_shader(self.path)
        if isinstance(loaded, Finding):
            yield KernelItem.from_parent(self, name="shader", loaded=loaded, contract=None)
            return
        examination = examine(loaded)
        # A contract whose shader depends on sizes is one, in however many texts.
        for name in dict.fromkeys(examined.kernel.contract.name for examined in examination.kernels):
            yield KernelItem.from_parent(self, name=name, loaded=loaded, contract=name)
        # What a program must prepare is prepared when it is tested.
        unprepared = [contract for one in loaded.all_variants if not one.is_prepared for contract in one.contracts.contracts]
        waiting = dict.fromkeys(contract.name for contract in unprepared)
        for name in waiting:
            yield KernelItem.from_parent(self, name=name, loaded=loaded, contract=name)
        if examination.remainder is not None and not waiting:
            yield KernelItem.from_parent(self, name="shader", loaded=loaded, contract=None)


class KernelItem(pytest.Item):
    """One kernel. Passes, fails or is skipped as `pixel-lsp check` has it; inconclusive is a failure, and partly proved is skipped."""

    def __init__(self, *, loaded: LoadedShader | Finding, contract: str | None, **kwargs: object) -> None:
        super().__init__(**kwargs)  # pyright: ignore[reportArgumentType]  # pytest hands on what belongs to it
        self.loaded = loaded
        self.contract = contract
        # Other plug-ins (pytest-lsp) take it that every item has them, as those of pytest's own do.
        self.funcargs: dict[str, object] = {}
        self.add_marker("pixel_kernel")

    def runtest(self) -> None:
        """Prove the kernel.

        Raises:
            KernelFailure: It is wrong, or could not be shown to be right.
        """
        if isinstance(self.loaded, Finding):
            raise KernelFailure(self._drawn(CheckReport(kernels=(), findings=(self.loaded,), sources={})))
        loaded = self.loaded
        if not all(one.is_prepared for one in loaded.all_variants):
            again = load_shader(self.path, Surroundings(may_run=True))
            loaded = loaded if isinstance(again, Finding) else again
        report = self._check(loaded)
        kernels = tuple(kernel for kernel in report.kernels if kernel.contract == self.contract)
        report = replace(report, kernels=kernels)
        self._remember(kernels)
        if not kernels or any(kernel.status in (FAILED, INCONCLUSIVE) for kernel in kernels) or has_error(report.findings):
            raise KernelFailure(self._drawn(report))
        if all(kernel.status in (SKIPPED, PARTLY_PROVED) for kernel in kernels):
            pytest.skip(next((finding.message for finding in reversed(report.all_findings())), "nothing to execute"))
        if report.all_findings():
            self.add_report_section("call", "findings", self._drawn(report))

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: str | None = None) -> str:  # noqa: ARG002
        """The findings; a traceback through our own code would tell nobody anything."""
        if isinstance(excinfo.value, KernelFailure):
            return str(excinfo.value)
        if isinstance(excinfo.value, EngineUnavailable):
            hint = excinfo.value.hint or "`pixel-lsp doctor` says what is missing"
            return f"error[PX901]: {excinfo.value.message}\n  = hint: {hint}"
        return str(super().repr_failure(excinfo))

    def reportinfo(self) -> tuple[os.PathLike[str] | str, int | None, str]:
        """Where the contract begins, line from 0."""
        line = None
        if not isinstance(self.loaded, Finding):
            spans = [one.span for one in self.loaded.all_contracts if one.name == self.contract and one.source.path == self.path]
            line = self.loaded.source.position(spans[0].start)[0] - 1 if spans else None
        return self.path, line, f"{self.path.name}::{self.name}"

    def _check(self, loaded: LoadedShader) -> CheckReport:
        checks = _checks_of(self.config)
        selection = None if self.contract is None else Selection(contract=self.contract)
        return checks.loop.run_until_complete(checks.checker.check_loaded([loaded], selection=selection))

    def _remember(self, kernels: Iterable[ValidationReport]) -> None:
        for kernel in kernels:
            if kernel.adapter is not None:
                self.user_properties += [("adapter", kernel.adapter.name), ("driver", kernel.adapter.driver), ("cases", len(kernel.cases))]

    def _drawn(self, report: CheckReport) -> str:
        from pixel_server.terminal.medium import Medium
        from pixel_server.terminal.render_findings import render_findings
        from pixel_server.terminal.render_summary import render_summary

        medium = Medium(folder=Path.cwd(), encoding=getattr(sys.stdout, "encoding", None) or "utf-8")
        findings = render_findings(report.all_findings(), report.sources, medium).plain if report.all_findings() else ""
        return f"{findings}{render_summary(report, medium).plain}"


def end_checks(config: pytest.Config) -> None:
    """End the session's kernel workers, if it started any."""
    checks = config.stash.get(_CHECKS, None)
    if checks is None:
        return
    del config.stash[_CHECKS]
    try:
        checks.loop.run_until_complete(checks.checker.__aexit__())
        checks.loop.run_until_complete(checks.loop.shutdown_asyncgens())
    finally:
        checks.loop.close()


def _checks_of(config: pytest.Config) -> _Checks:
    """The session's checker; under xdist each worker process is a session of its own."""
    checks = config.stash.get(_CHECKS, None)
    if checks is None:
        # References run in the Python that runs the tests: it has what the project needs.
        options = CheckOptions(seed=int(config.getoption("pixel_seed") or 0), interpreter=Path(sys.executable))
        checks = config.stash[_CHECKS] = _Checks(Checker(options), asyncio.new_event_loop())
    return checks
