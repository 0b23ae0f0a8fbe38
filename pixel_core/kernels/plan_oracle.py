"""How an oracle runs in one case: with the case's sizes, on buffers of the same names."""

from __future__ import annotations

from collections.abc import Iterable

from pixel_core.findings import Finding, Severity
from pixel_core.kernels.borrow_contract import borrow_contract
from pixel_core.kernels.buffer_uses import buffer_uses
from pixel_core.kernels.check_contract import check_contract
from pixel_core.kernels.contract import CaseContract, KernelContract
from pixel_core.kernels.infer_roles import CONTENT_ROLES, OUTPUT_ROLES, infer_roles
from pixel_core.kernels.load_oracle import OracleKernel
from pixel_core.kernels.plan_case import CasePlanning, plan_case, scalar_of
from pixel_core.kernels.plan_problem import PlanProblem, at_key
from pixel_core.kernels.plan_symbols import Interfaces, order_let
from pixel_core.kernels.planned import BufferPlan, Case

_FLOATS = frozenset({"f32", "f16"})
_WITHOUT_TEXTURES = "state the truth of textures by `expect` or a `reference`"


def plan_oracle(oracle: OracleKernel, contract: KernelContract, outputs: Iterable[str], case: Case) -> tuple[KernelContract, Case]:
    """Plan the run of an oracle.

    An oracle with a contract of its own runs as that says, with this case's sizes. One without takes from the asking contract what the
    `oracle` table does not say: sizes, shapes, parameters, and the dispatch of a single pass.

    Args:
        oracle: What answers.
        contract: What asks.
        outputs: What the asking contract compares; the oracle answers for those that `expect` leaves out.
        case: Planned, of the asking contract.

    Returns:
        The contract that the oracle runs by, and its case. Nothing is to be drawn for it: its inputs are those of the asking case.

    Raises:
        PlanProblem: With a finding on the asking contract's `oracle`.
    """
    own = oracle.contract if oracle.contract is not None else borrow_contract(oracle, contract, case)
    missing = next((name for name in own.dims if not isinstance(case.symbols.get(name), int)), None)
    if missing is not None:
        message = f"the oracle has a size `{missing}`, and this contract has none of that name"
        raise _problem(contract, message, f"name it in `let`: let = {{ {missing} = … }}")
    planned = _planned(oracle, own, contract, case)
    for buffer in planned.buffers:
        if buffer.has_python_codec:
            hint = "state the truth by `expect` or a `reference`"
            raise _problem(contract, f"the oracle has `{buffer.name}` in a codec that only Python knows", hint)
        if buffer.role in CONTENT_ROLES:
            _check_input(contract, buffer, case)
    for output in outputs:
        if output not in contract.expect:
            _check_output(contract, output, case, planned)
    return own, planned


def _planned(oracle: OracleKernel, own: KernelContract, contract: KernelContract, case: Case) -> Case:
    module, interface, shader = oracle.loaded.module, oracle.loaded.interface, oracle.loaded.source
    wrong = _first_error(check_contract(own, interface, shader))
    if wrong is not None:
        raise _cannot_run(contract, wrong)
    uses = buffer_uses(own, interface)
    texture = next((name for name, use in uses.items() if use.is_texture), None)
    if texture is not None:
        raise _problem(contract, f"the oracle uses the texture `{texture}`, and oracles work on buffers alone", _WITHOUT_TEXTURES)
    roles = own.roles  # a borrowed contract states every one
    if oracle.contract is not None:
        inferred = infer_roles(own, uses, shader)
        wrong = _first_error(inferred.findings)
        if wrong is not None:
            raise _cannot_run(contract, wrong)
        roles = inferred.roles
    interfaces = Interfaces(module, interface, order_let(own.let))
    planning = CasePlanning(contract=own, interfaces=interfaces, uses=uses, roles=roles, formats={}, shader=shader, seed=0)
    sizes = {name: int(case.symbols[name]) for name in own.dims}
    written = CaseContract(name=case.name, dims=sizes, overrides={}, inputs={}, params={}, seed=None, span=own.span)
    try:
        return plan_case(planning, written)
    except PlanProblem as problem:
        raise _cannot_run(contract, problem.finding) from None


def _check_input(contract: KernelContract, buffer: BufferPlan, case: Case) -> None:
    asked = _buffer(case, buffer.name)
    if asked is None or asked.texture is not None or asked.role not in CONTENT_ROLES:
        what = "does not fill it" if asked is not None and asked.texture is None else "has no such buffer"
        raise _problem(contract, f"the oracle reads `{buffer.name}`, and this contract {what}", "buffers are matched by their names")
    for part, shape in buffer.shapes.items():
        _check_alike(contract, f"{buffer.name}.{part}" if part else buffer.name, part, asked, buffer, shape, case)


def _check_output(contract: KernelContract, output: str, case: Case, planned: Case) -> None:
    name, _, part = output.partition(".")
    if case.buffer(name).texture is not None:
        raise _problem(contract, f"`{output}` is a texture, and oracles work on buffers alone", _WITHOUT_TEXTURES)
    found = _buffer(planned, name)
    if found is None or found.role not in OUTPUT_ROLES or part not in found.shapes:
        hint = f'it must write a buffer `{name}`; if `{output}` needs no truth: roles = {{ {name} = "scratch" }}'
        raise _problem(contract, f"the oracle computes no `{output}`", hint)
    _check_alike(contract, output, part, case.buffer(name), found, found.shapes[part], case)


def _check_alike(
    contract: KernelContract, name: str, part: str, asked: BufferPlan, found: BufferPlan, shape: tuple[int, ...], case: Case
) -> None:
    if asked.shapes.get(part) != shape:
        sizes = [" × ".join(map(str, one)) if one else "one number" for one in (shape, asked.shapes.get(part, ()))]
        raise _problem(contract, f"the oracle has `{name}` as {sizes[0]}, and this contract as {sizes[1]} (case {case.name})")
    kinds = [_kind(one, part) for one in (found, asked)]
    if kinds[0] != kinds[1] and not _FLOATS.issuperset(kinds):
        raise _problem(contract, f"the oracle has `{name}` in {kinds[0]}, and this contract in {kinds[1]}")


def _kind(buffer: BufferPlan, part: str) -> str:
    if buffer.codec is None:
        return scalar_of(buffer.type, part)
    return "u32" if buffer.codec == "u8x4" else "f32"


def _buffer(case: Case, name: str) -> BufferPlan | None:
    return next((buffer for buffer in case.buffers if buffer.name == name), None)


def _first_error(findings: Iterable[Finding]) -> Finding | None:
    return next((finding for finding in findings if finding.severity is Severity.ERROR), None)


def _cannot_run(contract: KernelContract, finding: Finding) -> PlanProblem:
    return _problem(contract, f"the oracle cannot run: {finding.message}", finding.hint)


def _problem(contract: KernelContract, message: str, hint: str | None = None) -> PlanProblem:
    return PlanProblem(at_key(contract, "PX710", "oracle", message, hint))
