"""A contract for an oracle that has none: what the contract that asks it says of sizes, shapes and parameters, in the oracle's terms."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec.structs import replace

from pixel_core.kernels.buffer_uses import entry_bindings
from pixel_core.kernels.contract import KernelContract, Parameter, PassContract
from pixel_core.kernels.expressions import Expression, parse_expression
from pixel_core.kernels.infer_roles import CONTENT_ROLES
from pixel_core.kernels.load_oracle import OracleKernel
from pixel_core.kernels.plan_problem import PlanProblem, at_key
from pixel_core.kernels.plan_uniforms import merge_parameters
from pixel_core.kernels.planned import Case
from pixel_core.wgsl.reflect import Binding, ShaderInterface


def borrow_contract(oracle: OracleKernel, contract: KernelContract, case: Case) -> KernelContract:
    """The contract that an oracle without one runs by, in one case.

    Shapes are those of the case in numbers. Sizes keep the values that they have for the asking kernel, except those that rest on something
    the oracle declares itself (a constant, an override, its workgroup size): these are computed anew, with the oracle's.

    Raises:
        PlanProblem: Nothing says how many workgroups it needs.
    """
    interface = oracle.loaded.interface
    entry = interface.entry_point(oracle.oracle.kernel)
    bindings = entry_bindings(interface, entry) if entry is not None else []
    storage = {binding.name: binding for binding in bindings if binding.address_space == "storage"}
    asked = {buffer.name: buffer for buffer in case.buffers if buffer.name in storage}
    let = _own_sizes(contract, interface)
    declared = _declared(interface)
    sizes = {name for name, value in case.symbols.items() if isinstance(value, int) and not isinstance(value, bool) and "." not in name}
    return replace(
        contract,
        name=oracle.oracle.kernel,
        dims=tuple(sorted(sizes - declared - set(let))),
        where=(),
        let=let,
        shapes={
            f"{name}.{part}" if part else name: tuple(parse_expression(str(length)) for length in shape)
            for name, buffer in asked.items()
            for part, shape in buffer.shapes.items()
            if shape
        },
        params=_parameters(oracle, contract, case, [binding.name for binding in bindings]),
        overrides=oracle.oracle.overrides,
        inputs={},
        roles={name: _role(binding, asked[name].role if name in asked else "") for name, binding in storage.items()},
        codecs={name: codec for name, codec in contract.codecs.items() if name in storage},
        python_codecs={name: codec for name, codec in contract.python_codecs.items() if name in storage},
        buffers={},
        slack={},
        valid={},
        schedule=(_only_pass(oracle, contract),),
        define={},
        expect={},
        reference=None,
        oracle=None,
        invariants=(),
        compare={},
        cases=(),
        derive=False,
    )


def _declared(interface: ShaderInterface) -> set[str]:
    return {*interface.constants, *(one.name for one in interface.overrides)}


def _own_sizes(contract: KernelContract, interface: ShaderInterface) -> dict[str, Expression]:
    """The names of `let` that rest on what the oracle declares, and those that rest on them."""
    declared = _declared(interface)
    own: dict[str, Expression] = {}
    while True:
        more = {
            name: expression
            for name, expression in contract.let.items()
            if name not in own
            and any(use.name in declared or use.name in own or use.name.startswith("workgroup_size.") for use in expression.used_names())
        }
        if not more:
            return own
        own |= more


def _role(binding: Binding, asked: str) -> str:
    if binding.access == "read":
        return "in"
    if asked in CONTENT_ROLES:
        return asked if asked != "in" else "inout"
    return asked or "scratch"


def _parameters(oracle: OracleKernel, contract: KernelContract, case: Case, names: list[str]) -> dict[str, Parameter]:
    layers: list[Mapping[str, Parameter]] = [contract.params]
    if len(contract.passes) == 1:
        layers.append(contract.passes[0].params)
    layers += [one.params for one in contract.cases if one.name == case.name]
    layers.append(oracle.oracle.params)
    return {name: value for name, value in merge_parameters(*layers).items() if name in names}


def _only_pass(oracle: OracleKernel, contract: KernelContract) -> PassContract:
    dispatch = oracle.oracle.dispatch
    if not dispatch and len(contract.passes) == 1 and contract.passes[0].repeat is None:
        dispatch = contract.passes[0].dispatch
    if not dispatch:
        message = f"nothing says how many workgroups the oracle `{oracle.oracle.name}` needs"
        hint = f'write oracle = {{ kernel = "{oracle.oracle.name}", dispatch = "…" }}, or give the oracle a contract of its own'
        raise PlanProblem(at_key(contract, "PX710", "oracle", message, hint))
    return PassContract(
        entry=oracle.oracle.kernel,
        dispatch=dispatch,
        indirect=None,
        bind={},
        params={},
        overrides={},
        repeat=None,
        index=None,
        is_repeated=False,
        key="",
        span=oracle.oracle.span,
    )
