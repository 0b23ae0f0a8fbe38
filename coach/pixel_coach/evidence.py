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
from pixel_coach.prove_contract_text import KernelCandidate
from pixel_coach.prove_kernel import KERNEL_CHECKS, KernelProof, prove_kernel
from pixel_coach.prove_outcome import Outcome, skipped
from pixel_coach.sandbox import Sandbox, SandboxAbsence, find_sandbox
from pixel_coach.settings import CoachSettings
from pixel_coach.tasks import Action, Task
from pixel_core import __version__
from pixel_core.kernels.load_shader import sidecar_path
from pixel_core.kernels.validate import Checker, CheckOptions

CHECKS_OF: Final[Mapping[Action, tuple[str, ...]]] = MappingProxyType(
    {
        Action.WRITE_FILE: ("protected", *KERNEL_CHECKS, "tests", "stub", "twisted"),
        Action.EDIT_FILE: ("protected", *KERNEL_CHECKS, "tests", "stub", "twisted"),
        Action.OPTIMISE_KERNEL: ("protected", *KERNEL_CHECKS),
        Action.REPAIR_KERNEL: ("protected", *KERNEL_CHECKS),
        Action.WRITE_CONTRACT: ("protected", "parse", "check", "unchanged_code", "contract", "mutants"),
        Action.WRITE_TESTS: ("protected", "parse", "tests", "stub", "mutants"),
        Action.REVIEW: (),
    }
)
"""What each action is proved by, in this order; of a file that is no WGSL the checks of kernels are left out, and the other way round."""

_PROVING: Final = frozenset({"contract", "hidden", "tests"})
"""Without one of these, nothing is proved: a text that parses may do anything."""


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
        kernel = KernelProof(checks=())
        if patch.path.endswith(".wgsl"):
            kernel = await prove_kernel(self._checker, self._candidate(task, patch, base), hidden_seed=hidden_seed)
        checks = [protected, *kernel.checks]
        return self._evidence(patch, checks, kernel=kernel, hidden_seed=hidden_seed)

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
        sidecar = sidecar_path(path)
        given = task.metadata.get("contract_text")
        said = f"{task.title} {task.description} {given}"
        return KernelCandidate(
            path=path,
            text=patch.new_text,
            base=base,
            sidecar=sidecar.read_text(encoding="utf-8", errors="replace") if sidecar.is_file() else None,
            given=given if isinstance(given, str) else None,
            contract=task.contract,
            action=task.action,
            mentions_f16="f16" in said.casefold(),
        )

    async def _find_sandbox(self) -> Sandbox | SandboxAbsence:
        if self._sandbox is None:
            self._sandbox = await asyncio.to_thread(find_sandbox, self._workspace)
        return self._sandbox

    def _evidence(
        self,
        patch: Patch,
        checks: Sequence[EvidenceCheck],
        proof: Proof | None = None,
        *,
        kernel: KernelProof | None = None,
        hidden_seed: int | None = None,
    ) -> Evidence:
        contract = kernel.contract_text if kernel else ""
        return Evidence(
            proof=proof or _conclude(checks),
            checks=tuple(checks),
            text_sha256=hashlib.sha256(patch.new_text.encode("utf-8", "surrogatepass")).hexdigest(),
            contract_sha256=hashlib.sha256(contract.encode()).hexdigest() if contract else "",
            engine=kernel.engine if kernel else "",
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
    proving = [check for check in checks if check.name in _PROVING and check.status is CheckStatus.PASSED]
    return Proof.PROVED if proving and CheckStatus.ABSENT not in statuses else Proof.UNPROVED
