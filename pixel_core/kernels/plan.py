"""From a contract and its shader to cases in numbers.

Called by the server to find mistakes early, and by the worker to execute. Knows no numpy.
"""

from __future__ import annotations

from pixel_core.findings import Finding, Severity
from pixel_core.kernels.buffer_uses import buffer_uses, pass_entries
from pixel_core.kernels.check_contract import check_contract
from pixel_core.kernels.check_textures import check_textures
from pixel_core.kernels.contract import CaseContract, KernelContract
from pixel_core.kernels.derive_cases import derive_sizes
from pixel_core.kernels.infer_roles import infer_roles
from pixel_core.kernels.input_sources import InputFile
from pixel_core.kernels.plan_case import CasePlanning, plan_case
from pixel_core.kernels.plan_problem import PlanProblem, at_key, at_span
from pixel_core.kernels.plan_symbols import Interfaces, order_let
from pixel_core.kernels.planned import BindingPlan, BufferPlan, Case, DispatchPlan, ParameterValue, Plan
from pixel_core.kernels.read_cases import case_name
from pixel_core.kernels.symbols import SymbolValue
from pixel_core.wgsl.analyse import Module
from pixel_core.wgsl.reflect import ShaderInterface

__all__ = ["BindingPlan", "BufferPlan", "Case", "DispatchPlan", "ParameterValue", "Plan", "plan_cases"]

MAX_TOTAL_DISPATCHES = 50_000
"""Dispatches of all given cases of a contract."""

MAX_REFUSED_CASES = 10
"""After so many cases that cannot be planned, the rest is not tried."""

MAX_DERIVED_CASES = 10
MAX_DERIVED_BYTES = 1 << 24
MAX_DERIVED_INVOCATIONS = 1 << 21


def plan_cases(contract: KernelContract, module: Module, interface: ShaderInterface, *, seed: int = 0) -> Plan:
    """Plan every case, given and derived.

    Args:
        contract: From `read_contracts`.
        module: The shader, for re-reflection under each case's overrides.
        interface: The shader's interface with default overrides.
        seed: Added to every case's own seed.

    Returns:
        The cases that could be planned. A mistake that several cases share is told once, in the first of them; a derived case
        that cannot be planned is left out without a finding.
    """
    shader = module.tree.source
    findings = check_contract(contract, interface, shader)
    if findings:
        return Plan(contract=contract, outputs=(), cases=(), findings=tuple(findings))
    uses = buffer_uses(contract, interface)
    formats, problems_of_textures = check_textures(contract, module, interface, uses)
    if problems_of_textures:
        return Plan(contract=contract, outputs=(), cases=(), findings=tuple(problems_of_textures))
    roles = infer_roles(contract, uses, shader)
    findings.extend(roles.findings)
    if any(finding.severity is Severity.ERROR for finding in findings):
        return Plan(contract=contract, outputs=roles.outputs, constrained=roles.constrained, cases=(), findings=tuple(findings))
    planning = CasePlanning(
        contract=contract,
        interfaces=Interfaces(module, interface, order_let(contract.let)),
        uses=uses,
        formats=formats,
        roles=roles.roles,
        shader=shader,
        seed=seed,
    )
    given, problems = _plan_given(planning)
    # A mistake of the contract as a whole would only come back in every derived case, and a file has one size.
    has_file = any(isinstance(source, InputFile) for source in contract.sources.values())
    derived, refusal = ([], None) if _are_general(problems) or has_file else _plan_derived(planning, given)
    findings.extend(problems)
    if not given and not derived and not problems:
        findings.append(refusal or _no_case(contract))
    outputs, constrained = roles.outputs, roles.constrained
    return Plan(contract=contract, outputs=outputs, constrained=constrained, cases=(*given, *derived), findings=tuple(findings))


def _plan_given(planning: CasePlanning) -> tuple[list[Case], list[Finding]]:
    contract = planning.contract
    written = contract.cases
    if not written and not contract.dims:
        written = (_bare_case(contract, {}),)
    cases: list[Case] = []
    problems: dict[tuple[object, ...], Finding] = {}
    dispatches = refused = 0
    for case in written:
        one = _plan_or_finding(planning, case, derived=False)
        if isinstance(one, Finding):
            problems.setdefault((one.code, one.location), one)
            refused += 1
            if refused == MAX_REFUSED_CASES:
                break
            continue
        dispatches += len(one.dispatches)
        if dispatches > MAX_TOTAL_DISPATCHES:
            message = f"the cases up to `{case.name}` have more than {MAX_TOTAL_DISPATCHES:,} dispatches together"
            finding = at_span(contract, "PX327", case.span, message, "list fewer cases")
            return cases, [*problems.values(), finding]
        cases.append(one)
    return cases, list(problems.values())


def _plan_or_finding(planning: CasePlanning, case: CaseContract, *, derived: bool) -> Case | Finding:
    try:
        return plan_case(planning, case, derived=derived)
    except PlanProblem as problem:
        return problem.finding


def _are_general(problems: list[Finding]) -> bool:
    return any(finding.code not in {"PX326", "PX328"} for finding in problems)


def _plan_derived(planning: CasePlanning, given: list[Case]) -> tuple[list[Case], Finding | None]:
    """The derived cases, and why the first candidate that is none could not be planned."""
    contract, interface = planning.contract, planning.interfaces.base
    symbols: dict[str, SymbolValue] = {**interface.constants}
    symbols.update({one.name: one.value for one in interface.overrides if one.value is not None})
    taken = {tuple(case.symbols[dim] for dim in contract.dims) for case in given}
    names = {case.name for case in contract.cases}
    cases: list[Case] = []
    refusal: Finding | None = None
    for sizes in derive_sizes(contract, interface, pass_entries(contract, interface), symbols):
        if len(cases) == MAX_DERIVED_CASES:
            break
        if tuple(sizes.values()) in taken or case_name(sizes) in names:
            continue
        case = _plan_or_finding(planning, _bare_case(contract, sizes), derived=True)
        if isinstance(case, Finding):
            refusal = refusal or case
        elif case.size_bytes <= MAX_DERIVED_BYTES and case.invocations <= MAX_DERIVED_INVOCATIONS:
            cases.append(case)
    return cases, refusal


def _no_case(contract: KernelContract) -> Finding:
    message = f"no case of `{contract.name}` can be derived that meets `where` and the budget"
    hint = f'list one: cases = ["{" ".join(f"{dim}=64" for dim in contract.dims)}"]'
    return at_key(contract, "PX332", "cases", message, hint)


def _bare_case(contract: KernelContract, sizes: dict[str, int]) -> CaseContract:
    return CaseContract(name=case_name(sizes), dims=sizes, overrides={}, inputs={}, params={}, seed=None, span=contract.span)
