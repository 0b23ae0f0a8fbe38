"""From what a program binds to the case of a contract that is the same: sizes solved for, parameters and overrides taken over."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import msgspec

from pixel_core.kernels.buffer_uses import has_content
from pixel_core.kernels.contract import CaseContract, KernelContract, Parameter, PassContract
from pixel_core.kernels.expressions import Expression, parse_expression
from pixel_core.kernels.observed_dispatch import ObservedBinding, ObservedDispatch
from pixel_core.kernels.plan_symbols import workgroup_symbols
from pixel_core.kernels.plan_uniforms import merge_parameters
from pixel_core.kernels.solve_sizes import Equation, solve_sizes
from pixel_core.kernels.symbols import SymbolValue
from pixel_core.wgsl.layout import column_stride_of, size_of, stride_of
from pixel_core.wgsl.reflect import ShaderInterface
from pixel_core.wgsl.types import Array, Matrix, Scalar, Struct, Type, Vector

_CODES: Final = {"f32": "<f", "f16": "<e", "i32": "<i", "u32": "<I"}


class FittedCase(msgspec.Struct, frozen=True, kw_only=True):
    """A case as contracts write it.

    Attributes:
        dims: Every size.
        overrides: That the program sets, as expressions.
        params: Settings of uniforms that depend on no size and differ from the contract's.
    """

    dims: Mapping[str, int]
    overrides: Mapping[str, str] = msgspec.field(default_factory=dict[str, str])
    params: Mapping[str, Any] = msgspec.field(default_factory=dict[str, Any])

    @property
    def name(self) -> str:
        """`groups=72 blocks=18 size.epsilon=1e-06`."""
        parts = [f"{name}={value}" for name, value in self.dims.items()]
        parts += [f"{name}={value}" for name, value in self.overrides.items()]
        return " ".join([*parts, *(f"{path}={value:g}" for path, value in _flat("", self.params))])

    def as_contract(self, contract: KernelContract) -> CaseContract:
        """The case among those of a contract; what it does not say is as in the first of them."""
        first = contract.cases[0] if contract.cases else None
        return CaseContract(
            name=self.name,
            dims=self.dims,
            overrides={name: parse_expression(text) for name, text in self.overrides.items()} or (first.overrides if first else {}),
            inputs=first.inputs if first else {},
            params=_parsed(self.params) or (first.params if first else {}),
            seed=None,
            span=contract.span,
        )


def fit_case(
    contract: KernelContract, interface: ShaderInterface, macros: Mapping[str, Expression], window: Sequence[ObservedDispatch], turn: int
) -> FittedCase | str:
    """The case of a contract that does what some dispatches do.

    Args:
        contract: With one pass for each dispatch.
        interface: Of the shader as the dispatches' macros make it.
        macros: Those whose value depends on sizes, as the contract writes them.
        window: The dispatches, in order.
        turn: Which of the contents that a buffer had is meant.

    Returns:
        The case, or in a sentence why there is none.
    """
    equations: list[Equation] = []
    overrides: dict[str, str] = {}
    params: dict[str, Any] = {}
    for name, expression in macros.items():
        text = window[0].macros.get(name, "").rstrip("u")
        if not text.isdecimal():
            return f"the macro `{name}` is no number"
        equations.append(Equation(expression=expression, value=int(text), constants={}, subject=f"the macro `{name}`"))
    for step, dispatch in zip(contract.passes, window, strict=True):
        found = _overrides(interface, dispatch)
        if isinstance(found, str):
            return found
        overrides |= found
        constants: dict[str, SymbolValue] = {**interface.constants, **workgroup_symbols(interface, step.entry)}
        for axis, expression, count in zip("xyz", step.dispatch, dispatch.workgroups, strict=False):
            equations.append(Equation(expression=expression, value=count, constants=constants, subject=f"the dispatch in {axis}"))
        problem = _bound(contract, interface, step, dispatch, turn, equations, params, constants)
        if problem:
            return problem
    dims = solve_sizes(contract.dims, contract.let, equations)
    return dims if isinstance(dims, str) else FittedCase(dims=dims, overrides=overrides, params=params)


def _overrides(interface: ShaderInterface, dispatch: ObservedDispatch) -> dict[str, str] | str:
    types = {one.name: one.type for one in interface.overrides}
    made: dict[str, str] = {}
    for name, value in dispatch.constants.items():
        if name not in types:
            return f"the shader has no override `{name}`"
        is_bool = types[name] == Scalar("bool")
        made[name] = ("true" if value else "false") if is_bool else _written(value)
    return made


def _bound(
    contract: KernelContract,
    interface: ShaderInterface,
    step: PassContract,
    dispatch: ObservedDispatch,
    turn: int,
    equations: list[Equation],
    params: dict[str, Any],
    constants: Mapping[str, SymbolValue],
) -> str:
    """Add what the bindings of a dispatch say; returns why they do not fit, or nothing."""
    parameters = merge_parameters(contract.params, step.params)
    for variable, bound in dispatch.bindings.items():
        binding = interface.binding(variable)
        if binding is None or binding.type is None:
            return f"the shader has no variable `{variable}`"
        if bound.extent is not None:
            stated = contract.textures.get(variable)
            for axis, length in zip(() if stated is None else stated.size, bound.extent, strict=False):
                equations.append(Equation(expression=axis, value=length, constants=constants, subject=f"a side of `{variable}`"))
        if binding.address_space != "uniform" or has_content(contract, binding):
            continue
        contents = _contents(bound, turn)
        if len(contents) < size_of(binding.type):
            return f"what `{variable}` holds is not known"
        if variable not in parameters:
            return f"the contract has no `params` for `{variable}`"
        for path, expression, value in _leaves(variable, parameters[variable], binding.type, contents):
            if {use.name for use in expression.used_names()} & {*contract.dims, *contract.let}:
                equations.append(Equation(expression=expression, value=value, constants=constants, subject=f"`{path}`"))
            else:
                _set(params, path.split("."), value)
    return ""


def _contents(bound: ObservedBinding, turn: int) -> bytes:
    return bound.contents[turn % len(bound.contents)] if bound.contents else b""


def _leaves(path: str, parameter: Parameter, type_: Type, data: bytes) -> Iterator[tuple[str, Expression, int | float]]:
    """Every number of a uniform with the expression that the contract has for it. Lists are left to the truth."""
    if isinstance(type_, Struct) and isinstance(parameter, Mapping):
        for one in type_.fields:
            if one.name in parameter:
                yield from _leaves(f"{path}.{one.name}", parameter[one.name], one.type, data[one.offset :])
    elif isinstance(type_, Scalar) and isinstance(parameter, Expression):
        yield path, parameter, struct.unpack_from(_CODES[type_.name], data)[0]
    elif isinstance(type_, (Vector, Matrix, Array)) and isinstance(parameter, tuple):
        element, stride = _element(type_)
        for number, one in enumerate(parameter):
            yield from _leaves(f"{path}[{number}]", one, element, data[number * stride :])


def _element(type_: Vector | Matrix | Array) -> tuple[Type, int]:
    if isinstance(type_, Array):
        return type_.element, stride_of(type_)
    if isinstance(type_, Matrix):
        return Vector(type_.rows, type_.component), column_stride_of(type_)
    return type_.component, size_of(type_.component)


def _parsed(params: Mapping[str, Any]) -> dict[str, Parameter]:
    return {name: _parsed(value) if isinstance(value, dict) else parse_expression(repr(value)) for name, value in params.items()}


def _set(table: dict[str, Any], path: Sequence[str], value: float) -> None:
    for name in path[:-1]:
        table = table.setdefault(name, {})
    table[path[-1]] = value


def _flat(path: str, table: Mapping[str, Any]) -> Iterator[tuple[str, float]]:
    for name, value in table.items():
        inner = f"{path}.{name}" if path else name
        if isinstance(value, dict):
            yield from _flat(inner, value)
        else:
            yield inner, value


def _written(value: float) -> str:
    return str(int(value)) if value == int(value) else repr(value)
