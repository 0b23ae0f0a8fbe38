"""From shaders and sizes to what a benchmark times. Pure: nothing runs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final, Union

import msgspec

from pixel_core.findings import Finding
from pixel_core.kernels.examine import ExaminedKernel, examine, has_error
from pixel_core.kernels.expression_nodes import ExpressionProblem
from pixel_core.kernels.load_shader import LoadedShader
from pixel_core.kernels.planned import Case
from pixel_core.kernels.symbols import evaluate_symbol
from pixel_core.kernels.timed_cases import grown_sizes, is_small, with_cases
from pixel_core.speed.benchmark import Refusal, Work, bound_bytes

LEAST_BUDGET_S: Final = 120.0
"""For a case that was asked for by hand: it is checked before it is timed, and its reference may take longer than the contract's own."""


class Target(msgspec.Struct, frozen=True, kw_only=True):
    """One kernel at one size.

    Attributes:
        original: The shader as it is, whose own cases have to pass as well.
        examined: The kernel, planned for this case.
        case: The case.
        work: Of one run.
    """

    original: LoadedShader
    examined: ExaminedKernel
    case: Case
    work: Work

    @property
    def contract(self) -> str:
        """Name of its contract."""
        return self.examined.kernel.contract.name


def choose_targets(
    shaders: Sequence[LoadedShader], *, kernel: str | None, cases: Sequence[str], seed: int = 0
) -> tuple[tuple[Target, ...], tuple[Refusal, ...]]:
    """Every kernel at every size that is asked for.

    Args:
        shaders: Under their contracts.
        kernel: Only the contract of this name; None for all.
        cases: Names of cases, or sizes such as `M=512 N=512 K=512`; none takes the largest multiple of each contract's largest case
            that is cheap enough.
        seed: Of the inputs.

    Returns:
        Targets by case and then by shader, and what cannot be timed.
    """
    found: list[list[Target]] = [[] for _ in cases or ("",)]
    refusals: list[Refusal] = []
    for loaded in shaders:
        examination = examine(loaded, seed=seed)
        wanted = [one for one in examination.kernels if kernel in (None, one.kernel.contract.name)]
        if not examination.kernels and kernel is None:
            is_wrong = has_error(examination.findings)
            reason = "its contract cannot be read; `pixel-lsp check` says why" if is_wrong else "it has no contract"
            refusals.append(Refusal(shader=loaded.source.path, contract=None, case=None, reason=reason, is_failure=is_wrong))
        for examined in wanted:
            for place, text in enumerate(cases or (None,)):
                if _is_of_another_part(examined, wanted, text):
                    continue
                target = _target(loaded, examined, text, seed)
                if isinstance(target, Target):
                    found[place].append(target)
                else:
                    refusals.append(target)
    return tuple(target for group in found for target in group), tuple(refusals)


def _is_of_another_part(examined: ExaminedKernel, kernels: Sequence[ExaminedKernel], text: str | None) -> bool:
    """Whether a contract whose shader depends on sizes has another part that is to be timed: the one with the case, or the largest one."""
    parts = [one for one in kernels if one.kernel.contract.name == examined.kernel.contract.name and one.can_run]
    if len(parts) < 2:
        return False
    if text is None:
        return examined is not max(parts, key=lambda one: max(case.invocations for case in one.cases))
    wanted = " ".join(text.split())
    return examined is not next((one for one in parts if any(case.name == wanted for case in one.cases)), parts[0])


def _target(loaded: LoadedShader, examined: ExaminedKernel, text: str | None, seed: int) -> Union[Target, Refusal]:
    contract = examined.kernel.contract
    if not examined.can_run:
        reason = _first_problem(examined.findings) or "it cannot run: `pixel-lsp check` says why"
        return Refusal(shader=loaded.source.path, contract=contract.name, case=text, reason=reason)
    problem = ""
    for sized in _sized(loaded, examined, text, seed):
        if isinstance(sized, str):
            problem = sized
            continue
        try:
            work = _work(sized, sized.cases[0])
        except ExpressionProblem as trouble:
            return Refusal(shader=loaded.source.path, contract=contract.name, case=text, reason=f"`flops`: {trouble.message}")
        return Target(original=loaded, examined=sized, case=sized.cases[0], work=work)
    return Refusal(shader=loaded.source.path, contract=contract.name, case=text, reason=problem or "no case of it is cheap enough")


def _sized(loaded: LoadedShader, examined: ExaminedKernel, text: str | None, seed: int) -> Iterator[Union[ExaminedKernel, str]]:
    """Kernels with the one case that is wanted, best first, or why there is none."""
    contract = examined.kernel.contract
    if text is None:
        for sizes in grown_sizes(examined.cases, contract.dims):
            sized = _alone(loaded, contract.name, [" ".join(f"{dim}={size}" for dim, size in sizes.items())] if sizes else None, seed)
            if isinstance(sized, str) or is_small(sized.cases[0]):
                yield sized
        return
    wanted = " ".join(text.split())
    known = [case for case in examined.cases if case.name == wanted]
    if known:
        yield ExaminedKernel(loaded=examined.loaded, kernel=examined.kernel, cases=(known[0],), findings=examined.findings)
        return
    yield _alone(loaded, contract.name, [wanted], seed)


def _alone(loaded: LoadedShader, contract: str, cases: list[str] | None, seed: int) -> Union[ExaminedKernel, str]:
    own = next(one for one in loaded.all_contracts if one.name == contract).budget
    budget = {"seconds": max(own.seconds, LEAST_BUDGET_S), "bytes": own.bytes, "invocations": own.invocations}
    alone = with_cases(loaded, contract, cases if cases is not None else [{"name": "default"}], budget=budget)
    if alone is None:
        return "its contract is not to be found"
    examination = examine(alone, seed=seed)
    for kernel in examination.kernels:
        if kernel.can_run:
            return kernel
    told = [*examination.findings, *(one for kernel in examination.kernels for one in kernel.findings)]
    return _first_problem(told) or "the case cannot be planned"


def _first_problem(findings: Sequence[Finding]) -> str:
    return next((finding.message + (f" ({finding.hint})" if finding.hint else "") for finding in findings if has_error((finding,))), "")


def _work(examined: ExaminedKernel, case: Case) -> Work:
    flops = examined.kernel.contract.flops
    count = 0.0 if flops is None else float(evaluate_symbol(flops, case.symbols))
    return Work(flops=count if count > 0 else None, size_bytes=bound_bytes(case))
