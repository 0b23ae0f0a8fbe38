"""The evidence for an attempt: everything that can be executed for it, and what that comes to. An opinion is no part of it.

A candidate is judged as a text. A kernel is data for the kernel worker, with its limits; Python and commands run in the sandbox alone.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Final

from pixel_coach.apply import encode_text, read_base
from pixel_coach.attempts import CheckStatus, Evidence, EvidenceCheck, Patch, Proof
from pixel_coach.errors import RefusedPath
from pixel_coach.protect import check_target
from pixel_coach.prove_command import is_contract_check, resolve_command
from pixel_coach.prove_contract_text import KernelCandidate
from pixel_coach.prove_kernel import KERNEL_CHECKS, KernelProof, prove_kernel
from pixel_coach.prove_outcome import Outcome, skipped
from pixel_coach.prove_parse import prove_parse
from pixel_coach.prove_run_tests import TestRunner
from pixel_coach.prove_tests import TEST_CHECKS, prove_tests
from pixel_coach.prove_written_contract import WRITTEN_CONTRACT_CHECKS, WrittenContract, prove_written_contract
from pixel_coach.prove_written_tests import WRITTEN_TESTS_CHECKS, find_subjects, prove_written_tests
from pixel_coach.sandbox import Sandbox, SandboxAbsence, find_sandbox
from pixel_coach.settings import CoachSettings
from pixel_coach.tasks import Action, Task
from pixel_coach.time_kernel import SpeedRecord, time_kernel
from pixel_core import __version__
from pixel_core.findings import Finding
from pixel_core.kernels.find_interpreter import find_interpreter
from pixel_core.kernels.load_shader import sidecar_path
from pixel_core.kernels.read_text import read_text
from pixel_core.kernels.surroundings import Surroundings
from pixel_core.kernels.validate import Checker, CheckOptions

CHECKS_OF: Final[Mapping[Action, tuple[str, ...]]] = MappingProxyType(
    {
        Action.WRITE_FILE: ("protected", *KERNEL_CHECKS, *TEST_CHECKS),
        Action.EDIT_FILE: ("protected", *KERNEL_CHECKS, *TEST_CHECKS),
        Action.OPTIMISE_KERNEL: ("protected", *KERNEL_CHECKS, *TEST_CHECKS),
        Action.REPAIR_KERNEL: ("protected", *KERNEL_CHECKS, *TEST_CHECKS),
        Action.WRITE_CONTRACT: ("protected", *WRITTEN_CONTRACT_CHECKS),
        Action.WRITE_TESTS: ("protected", "parse", *WRITTEN_TESTS_CHECKS),
        Action.REVIEW: (),
    }
)
"""What each action is proved by, in this order; of a file that is no WGSL the checks of kernels are left out, and the other way round."""

_PROVING: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "contract": ("unchanged_contract", "unchanged_code", "hidden", "repeat", "mutants"),
        "tests": ("stub", "twisted", "answers", "mutants"),
    }
)
"""What proves something → what must not be missing beside it. Parsing shows nothing, nor does a contract that came with the kernel."""

_WHOLE: Final = (
    "u32",
    "i32",
    "integer",
    "whole number",
    "bit",
    "byte",
    "index",
    "indices",
    "count",
    "histogram",
    "sort",
    "modulo",
    "arg",
    "//",
)
"""Words by which a task or its contract speaks of whole numbers."""

MAX_TEST_SECONDS: Final = 120.0
"""Of one run of a test command, however much the task may take."""


class Prover:
    """Gathers evidence, keeping the kernel worker warm in between. Use as an async context manager.

    Args:
        workspace: Root of the workspace.
        settings: Engine, interpreter, protected globs.
        sandbox: What Python and commands run in; None looks for it when it is first needed.
    """

    def __init__(self, workspace: Path, settings: CoachSettings, *, sandbox: Sandbox | SandboxAbsence | None = None) -> None:
        self._workspace = Path(os.path.realpath(workspace))
        self._settings = settings
        self._sandbox = sandbox
        options = CheckOptions(engine=settings.engine, interpreter=settings.python, workspace=self._workspace, reuse_results=False)
        self._checker = Checker(options)

    async def __aenter__(self) -> Prover:  # noqa: PYI034 -- typing.Self needs Python 3.11
        """Start nothing yet."""
        return self

    async def __aexit__(self, *_: object) -> None:
        """End every child process."""
        await self._checker.__aexit__()

    async def gather(self, task: Task, patch: Patch, *, hidden_seed: int) -> Evidence:
        """Everything that can be executed for a patch.

        Args:
            task: What was asked for.
            patch: What was written.
            hidden_seed: Drawn after the patch was written; hidden sizes and inputs follow from it.

        Returns:
            The evidence. Nothing is raised for anything that the patch may hold.
        """
        if task.action is Action.REVIEW:
            return self._evidence(patch, [Outcome("tests").absent("a review changes nothing that could be proved")], Proof.UNPROVED)
        protected, base = self._protected(task, patch)
        if protected.status is CheckStatus.FAILED:
            return self._evidence(patch, [protected, *(skipped(name) for name in CHECKS_OF[task.action] if name != "protected")])
        if task.action is Action.WRITE_CONTRACT:
            return await self._contract_evidence(task, patch, protected, base, hidden_seed)
        if task.action is Action.WRITE_TESTS:
            checks = await self._written_tests(task, patch, hidden_seed)
            return self._evidence(patch, [protected, *checks], hidden_seed=hidden_seed)
        kernel = KernelProof(checks=())
        checks = [protected]
        if patch.path.endswith(".wgsl"):
            kernel = await prove_kernel(self._checker, self._candidate(task, patch, base), hidden_seed=hidden_seed)
            checks += kernel.checks
        else:
            checks.append(prove_parse(patch.path, patch.new_text))
        checks += await self._tests(task, patch, checks, has_contract=bool(kernel.contract_text))
        return self._evidence(patch, checks, contract=kernel.contract_text, engine=kernel.engine, hidden_seed=hidden_seed)

    async def time_kernel(self, task: Task, patch: Patch, *, seed: int) -> SpeedRecord:
        """Time a proved candidate against the file as it is; see `time_kernel`.

        Raises:
            RefusedPath: The target cannot be read.
            EngineUnavailable: There is no adapter.
        """
        base, _ = read_base(self._workspace, patch.path)
        candidate = self._candidate(task, patch, base)
        return await time_kernel(self._checker, candidate, seed=seed)

    async def _contract_evidence(self, task: Task, patch: Patch, protected: EvidenceCheck, base: str | None, seed: int) -> Evidence:
        if patch.path.endswith(".wgsl"):
            sidecar = self._sidecar(self._workspace / patch.path)
            shader, texts = patch.path, (base, patch.new_text, sidecar, sidecar)
        else:
            shader = f"{patch.path.removesuffix('.contract.toml')}.wgsl"
            try:
                code, _ = read_base(self._workspace, shader)
            except RefusedPath as refusal:
                return self._evidence(patch, [Outcome("protected").failed(refusal.message)])
            texts = (code, code or "", patch.new_text, base)
        written = WrittenContract(
            shader=self._workspace / shader,
            base=texts[0],
            shader_text=texts[1],
            sidecar_text=texts[2],
            base_sidecar=texts[3],
            contract=task.contract,
        )
        proof = await prove_written_contract(self._checker, written, seed=seed)
        return self._evidence(patch, [protected, *proof.checks], contract=proof.contract_text, engine=proof.engine, hidden_seed=seed)

    async def _tests(self, task: Task, patch: Patch, before: Sequence[EvidenceCheck], *, has_contract: bool) -> tuple[EvidenceCheck, ...]:
        """What the task's own command says; nothing where it has none, or says what the contract says already."""
        if not task.test_command or (has_contract and is_contract_check(task.test_command, patch.path)):
            return () if patch.path.endswith(".wgsl") else (Outcome("tests").absent("the task has no test command"),)
        if any(check.status in (CheckStatus.FAILED, CheckStatus.UNAVAILABLE) for check in before):
            return tuple(skipped(name) for name in TEST_CHECKS)
        runner = await self._runner(task, task.test_command)
        return (runner,) if isinstance(runner, EvidenceCheck) else await prove_tests(runner, self._workspace, patch)

    async def _written_tests(self, task: Task, patch: Patch, seed: int) -> tuple[EvidenceCheck, ...]:
        parsed = prove_parse(patch.path, patch.new_text)
        if parsed.status is not CheckStatus.PASSED:
            return (parsed, *(skipped(name) for name in WRITTEN_TESTS_CHECKS))
        runner = await self._runner(task, task.test_command or ("pytest", patch.path))
        if isinstance(runner, EvidenceCheck):
            return parsed, runner
        subjects = find_subjects(self._workspace, patch, task.metadata.get("subject"))
        return (parsed, *await prove_written_tests(runner, patch, subjects, seed=seed))

    async def _runner(self, task: Task, command: Sequence[str]) -> TestRunner | EvidenceCheck:
        """What runs a command in the sandbox; or the record that nothing can."""
        outcome = Outcome("tests")
        if self._sandbox is None:
            self._sandbox = await asyncio.to_thread(find_sandbox, self._workspace)
        if isinstance(self._sandbox, SandboxAbsence):
            return outcome.unavailable(self._sandbox.reason, feedback=self._sandbox.hint)
        interpreter = find_interpreter(self._workspace, self._settings.python, os.environ)
        if interpreter is None:
            return outcome.unavailable("no Python was found to run the tests", feedback="name one with `--python`")
        seconds = max(min(task.limits.seconds, self._settings.limits.seconds, MAX_TEST_SECONDS), 1.0)
        return TestRunner(self._sandbox, self._workspace, interpreter, resolve_command(command, interpreter), seconds=seconds)

    def _protected(self, task: Task, patch: Patch) -> tuple[EvidenceCheck, str | None]:
        """Whether the patch may be written at all; and the text that it was made from."""
        outcome = Outcome("protected")
        if patch.path != task.target:
            return outcome.failed(f"the patch is for {patch.path!a}, and the task for {task.target}"), None
        try:
            check_target(self._workspace, patch.path, self._settings.protected, action=task.action)
            encode_text(patch)
            base, sha256 = read_base(self._workspace, patch.path)
        except RefusedPath as refusal:
            return outcome.failed(refusal.message, feedback=refusal.hint or ""), None
        if sha256 != patch.base_sha256:
            return outcome.failed(f"{patch.path} changed since the patch was made from it"), None
        return outcome.passed("it is the task's target, and nothing protects it"), base

    def _candidate(self, task: Task, patch: Patch, base: str | None) -> KernelCandidate:
        path = self._workspace / patch.path
        given = task.metadata.get("contract_text")
        sidecar = self._sidecar(path)
        said = f"{task.title} {task.description} {given} {sidecar}".casefold()
        return KernelCandidate(
            path=path,
            text=patch.new_text,
            base=base,
            sidecar=sidecar,
            given=given if isinstance(given, str) else None,
            contract=task.contract,
            action=task.action,
            mentions_f16="f16" in said,
            mentions_integers=any(word in said for word in _WHOLE),
            surroundings=Surroundings(workspace=self._workspace, may_run=True),
        )

    def _sidecar(self, shader: Path) -> str | None:
        text = read_text(sidecar_path(shader))
        return None if isinstance(text, Finding) else text.text

    def _evidence(
        self,
        patch: Patch,
        checks: Sequence[EvidenceCheck],
        proof: Proof | None = None,
        *,
        contract: str = "",
        engine: str = "",
        hidden_seed: int | None = None,
    ) -> Evidence:
        return Evidence(
            proof=proof or _conclude(checks),
            checks=tuple(checks),
            text_sha256=hashlib.sha256(patch.new_text.encode("utf-8", "surrogatepass")).hexdigest(),
            contract_sha256=hashlib.sha256(contract.encode("utf-8", "surrogatepass")).hexdigest() if contract else "",
            engine=engine,
            seeds=() if hidden_seed is None else (0, hidden_seed),
            version=__version__,
        )


def _conclude(checks: Sequence[EvidenceCheck]) -> Proof:
    """A conjunction: one failure refutes, one check that could not run leaves it open, one that is missing leaves it unproved."""
    statuses = {check.status for check in checks}
    if CheckStatus.FAILED in statuses:
        return Proof.REFUTED
    if CheckStatus.UNAVAILABLE in statuses:
        return Proof.NOT_VALIDATED
    by_name = {check.name: check.status for check in checks}
    for main, names in _PROVING.items():
        if by_name.get(main) is CheckStatus.PASSED and CheckStatus.ABSENT not in {by_name.get(name) for name in names}:
            return Proof.PROVED
    return Proof.UNPROVED
