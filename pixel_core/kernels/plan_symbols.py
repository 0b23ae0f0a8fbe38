"""The symbols of a case: dims, the shader's constants, overrides, workgroup size, `let`; and the shader as those overrides make it."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

import msgspec

from pixel_core.kernels.contract import KernelContract
from pixel_core.kernels.expressions import Expression, ExpressionProblem, NameUse
from pixel_core.kernels.functions import CONSTANTS
from pixel_core.kernels.plan_problem import PlanProblem, at_expression
from pixel_core.kernels.symbols import SymbolValue, evaluate_symbol, show_value
from pixel_core.wgsl.analyse import Module
from pixel_core.wgsl.reflect import ShaderInterface, interface_of
from pixel_core.wgsl.types import Scalar

OverrideValues = Mapping[str, int | float | bool]

_RANGES = {"i32": (-(1 << 31), (1 << 31) - 1), "u32": (0, (1 << 32) - 1)}


class Interfaces(msgspec.Struct):
    """The shader's interface under sets of overrides, each worked out once; and what else is the same for all cases.

    Attributes:
        module: The analysed shader.
        base: Its interface with default overrides.
        let_order: The names of `let`, each after those that it needs.
    """

    module: Module
    base: ShaderInterface
    let_order: tuple[str, ...]
    known: dict[tuple[tuple[str, int | float | bool], ...], ShaderInterface] = msgspec.field(
        default_factory=dict[tuple[tuple[str, "int | float | bool"], ...], ShaderInterface]
    )

    def under(self, overrides: OverrideValues) -> ShaderInterface:
        """The interface under these overrides."""
        if not overrides:
            return self.base
        key = tuple(sorted(overrides.items()))
        if key not in self.known:
            self.known[key] = interface_of(self.module, overrides)
        return self.known[key]


def order_let(let: Mapping[str, Expression]) -> tuple[str, ...]:
    """The names of `let`, each after those that it needs; those of a circle come last."""
    needs = {name: {use.name for use in expression.used_names() if use.name in let} for name, expression in let.items()}
    needed_by: dict[str, list[str]] = {}
    for name, others in needs.items():
        for other in others:
            needed_by.setdefault(other, []).append(name)
    ready = [name for name, others in needs.items() if not others]
    for name in ready:  # grows while it is read
        for other in needed_by.get(name, ()):
            needs[other].discard(name)
            if not needs[other]:
                ready.append(other)
    return (*ready, *(name for name, others in needs.items() if others))


class CaseSymbols(msgspec.Struct, frozen=True, kw_only=True):
    """What the expressions of one case may use.

    Attributes:
        values: Every symbol by name, `workgroup_size.x` (of the first pass) included.
        overrides: Those that the contract or the case sets, as the shader's types hold them.
        interface: The shader under these overrides.
    """

    values: Mapping[str, SymbolValue]
    overrides: OverrideValues
    interface: ShaderInterface


def resolve_symbols(
    contract: KernelContract, interfaces: Interfaces, case: str, dims: Mapping[str, int], overrides: Mapping[str, Expression]
) -> CaseSymbols:
    """Compute every symbol of a case.

    `let` may use overrides and overrides may use `let`, in any order without a circle; only `let` may use `workgroup_size`.

    Raises:
        PlanProblem: A value cannot be computed, or does not fit the override's type.
    """
    values: dict[str, SymbolValue] = {**interfaces.base.constants, **dims}
    stated = {**contract.overrides, **overrides}
    pending = {**{name: contract.let[name] for name in interfaces.let_order}, **stated}
    settle_symbols(contract, case, pending, values)
    chosen: dict[str, int | float | bool] = {}
    for name, expression in stated.items():
        if name in pending:
            raise _unresolved(contract, pending, name, values)
        chosen[name] = override_value(contract, interfaces.base, name, expression, values[name])
    interface = interfaces.under(chosen)
    in_force = {one.name: one.value for one in interface.overrides if one.value is not None}
    values.update({name: value for name, value in {**in_force, **chosen}.items() if name not in dims})
    values.update(workgroup_symbols(interface, contract.passes[0].entry))
    settle_symbols(contract, case, pending, values)
    for name in pending:
        raise _unresolved(contract, pending, name, values)
    return CaseSymbols(values=values, overrides=chosen, interface=interface)


def settle_symbols(contract: KernelContract, case: str, pending: dict[str, Expression], values: dict[str, SymbolValue]) -> None:
    """Evaluate what needs nothing that is missing, until nothing more can be; the rest stays pending.

    Raises:
        PlanProblem: A value cannot be computed.
    """
    progress = True
    while progress:
        progress = False
        for name, expression in list(pending.items()):
            if _first_missing(expression, values) is not None:
                continue
            try:
                values[name] = evaluate_symbol(expression, values)
            except ExpressionProblem as problem:
                raise PlanProblem(at_expression(contract, "PX325", expression, problem, case)) from None
            del pending[name]
            progress = True


def workgroup_symbols(interface: ShaderInterface, entry: str) -> dict[str, int]:
    """`workgroup_size.x`, `.y` and `.z` of an entry point; nothing where they are not known."""
    found = interface.entry_point(entry)
    if found is None or found.workgroup_size is None:
        return {}
    return {f"workgroup_size.{axis}": size for axis, size in zip("xyz", found.workgroup_size, strict=True)}


def override_value(
    contract: KernelContract, interface: ShaderInterface, name: str, expression: Expression, value: SymbolValue
) -> int | float | bool:
    """A computed value as the type of the override holds it.

    Raises:
        PlanProblem: It does not fit.
    """
    declared = next((one for one in interface.overrides if one.name == name), None)
    scalar = declared.type.name if declared is not None and declared.type is not None else None
    if scalar is None:
        return value if isinstance(value, (bool, int)) else float(value)
    try:
        return fit_scalar(Scalar(scalar), value, f"override `{name}`")
    except ExpressionProblem as problem:
        raise PlanProblem(at_expression(contract, "PX325", expression, problem)) from None


def fit_scalar(scalar: Scalar, value: SymbolValue, what: str) -> int | float | bool:
    """A number as a WGSL scalar type holds it.

    Raises:
        ExpressionProblem: Not whole, or out of range.
    """
    if scalar.name == "bool":
        if value not in {0, 1}:
            raise ExpressionProblem(f"{what} is a bool, and {show_value(value)} is none", None, "write `true`, `false` or a condition")
        return bool(value)
    if scalar.name in _RANGES:
        if isinstance(value, (Fraction, float)):
            hint = "round it with `ceil` or `floor`"
            raise ExpressionProblem(f"{what} is {_article(scalar)}, and {show_value(value)} is not whole", None, hint)
        low, high = _RANGES[scalar.name]
        if not low <= value <= high:
            raise ExpressionProblem(f"{what} is {_article(scalar)}, and {show_value(value)} is out of its range")
        return int(value)
    return float(value)


def plain_symbols(values: Mapping[str, SymbolValue]) -> dict[str, int | float]:
    """Symbols for arithmetic on arrays: whole numbers stay whole, the others become floats."""
    return {name: value if isinstance(value, int) else float(value) for name, value in values.items()}


def _article(scalar: Scalar) -> str:
    return f"an {scalar.name}" if scalar.name[0] == "i" else f"a {scalar.name}"


def _first_missing(expression: Expression, values: Mapping[str, SymbolValue]) -> NameUse | None:
    return next((use for use in expression.used_names() if use.name not in values and use.name not in CONSTANTS), None)


def _unresolved(contract: KernelContract, pending: Mapping[str, Expression], name: str, values: Mapping[str, SymbolValue]) -> PlanProblem:
    use = _first_missing(pending[name], values)
    missing = use.name if use else name
    hint = "workgroup sizes follow from the overrides" if missing.startswith("workgroup_size.") else "it is defined by way of itself"
    problem = ExpressionProblem(f"`{name}` needs `{missing}`, which cannot be known before it", use.span if use else None, hint)
    return PlanProblem(at_expression(contract, "PX325", pending[name], problem))
