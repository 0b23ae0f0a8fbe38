"""Values of uniforms: the contract's parameters, computed and fitted to the shader's types."""

from __future__ import annotations

from collections.abc import Mapping
from math import inf, nan

from pixel_core.kernels.closest_name import closest_name
from pixel_core.kernels.contract import KernelContract, Parameter
from pixel_core.kernels.expressions import Expression, ExpressionProblem, NameUse, UnaryOperation
from pixel_core.kernels.plan_problem import PlanProblem, at_expression, at_key
from pixel_core.kernels.plan_symbols import fit_scalar
from pixel_core.kernels.planned import ParameterValue
from pixel_core.kernels.symbols import SymbolValue, evaluate_symbol
from pixel_core.wgsl.layout import describe, size_of
from pixel_core.wgsl.reflect import Binding
from pixel_core.wgsl.types import Array, Matrix, Scalar, Struct, Type, Vector

MAX_UNIFORM_BYTES = 65_536
"""WebGPU: `maxUniformBufferBindingSize`."""

_NOT_FINITE = {"inf": inf, "nan": nan}


def plan_uniform(
    contract: KernelContract, binding: Binding, parameters: Mapping[str, Parameter], case: str, symbols: Mapping[str, SymbolValue]
) -> ParameterValue:
    """The value of one uniform variable.

    Raises:
        PlanProblem: It is missing, lacks a field, has one too many, or does not fit.
    """
    type_ = binding.type
    if type_ is None:
        raise PlanProblem(at_key(contract, "PX333", "params", f"the type of `{binding.name}` could not be worked out"))
    if size_of(type_) > MAX_UNIFORM_BYTES:
        message = f"the uniform `{binding.name}` has {size_of(type_):,} bytes; at most {MAX_UNIFORM_BYTES:,} can be bound"
        raise PlanProblem(at_key(contract, "PX324", f"params.{binding.name}", message, "keep it in a storage buffer"))
    parameter = parameters.get(binding.name)
    if parameter is None:
        if isinstance(type_, Struct) and all(_is_padding(member.name) for member in type_.fields):
            parameter = {}
        else:
            message = f"the uniform `{binding.name}` has no value"
            raise PlanProblem(at_key(contract, "PX324", "key@params", message, f"params = {{ {binding.name} = {_form(type_)} }}"))
    return _Uniform(contract, case, symbols).value(parameter, type_, binding.name)


def merge_parameters(*layers: Mapping[str, Parameter]) -> dict[str, Parameter]:
    """Parameters of the contract, then of a pass, then of a case; later ones win, structures field by field."""
    merged: dict[str, Parameter] = {}
    for layer in layers:
        for name, value in layer.items():
            below = merged.get(name)
            if isinstance(value, Mapping) and isinstance(below, Mapping):
                merged[name] = merge_parameters(below, value)
            else:
                merged[name] = value
    return merged


def _is_padding(field: str) -> bool:
    return field.startswith(("_", "pad"))


def _form(type_: Type) -> str:
    """How a value of a type is written."""
    if isinstance(type_, Struct):
        return f"{{ {', '.join(f'{one.name} = …' for one in type_.fields if not _is_padding(one.name))} }}"
    return "…" if isinstance(type_, Scalar) else "[…]"


class _Uniform:
    def __init__(self, contract: KernelContract, case: str, symbols: Mapping[str, SymbolValue]) -> None:
        self._contract = contract
        self._case = case
        self._symbols = symbols

    def value(self, parameter: Parameter, type_: Type, path: str) -> ParameterValue:
        if isinstance(type_, Struct):
            return self._structure(parameter, type_, path)
        if isinstance(type_, (Vector, Matrix, Array)):
            return self._list(parameter, type_, path)
        if not isinstance(parameter, Expression) or not isinstance(type_, Scalar):
            form = "a table" if isinstance(parameter, Mapping) else "a list"
            raise self._problem(path, f"`{path}` is a {describe(type_)}, and {form} is given for it")
        return self._scalar(parameter, type_, path)

    def _scalar(self, expression: Expression, type_: Scalar, path: str) -> ParameterValue:
        special = _not_finite(expression)
        if special is not None and type_.name in {"f32", "f16"}:
            return special
        try:
            return fit_scalar(type_, evaluate_symbol(expression, self._symbols), f"`{path}`")
        except ExpressionProblem as problem:
            code = "PX324" if problem.message.startswith(f"`{path}`") else "PX325"
            raise PlanProblem(at_expression(self._contract, code, expression, problem, self._case)) from None

    def _structure(self, parameter: Parameter, type_: Struct, path: str) -> ParameterValue:
        if not isinstance(parameter, Mapping):
            raise self._problem(path, f"`{path}` is the structure {type_.name}", f"give its fields: {_form(type_)}")
        fields = {member.name: member.type for member in type_.fields}
        for name in parameter:
            if name not in fields:
                close = closest_name(name, fields)
                hint = f"did you mean `{close}`?" if close else f"its fields: {', '.join(fields)}"
                raise self._problem(f"{path}.{name}", f"`{type_.name}` has no field `{name}`", hint, at="key@")
        missing = [name for name in fields if name not in parameter and not _is_padding(name)]
        if missing:
            names = ", ".join(f"`{name}`" for name in missing)
            raise self._problem(path, f"`{path}` has no value for {names}", f"its fields: {_form(type_)}")
        values: dict[str, ParameterValue] = {}
        for name, inner in fields.items():
            values[name] = self.value(parameter[name], inner, f"{path}.{name}") if name in parameter else _zero(inner)
        return values

    def _list(self, parameter: Parameter, type_: Vector | Matrix | Array, path: str) -> ParameterValue:
        """A list; a single number fills a whole vector, and a matrix may be one flat list in memory order."""
        count, element = _elements(type_)
        if isinstance(parameter, Expression) and isinstance(type_, Vector):
            return (self._scalar(parameter, type_.component, path),) * count
        if not isinstance(parameter, tuple):
            raise self._problem(path, f"`{path}` is {describe(type_)}", f"give a list of {count} values")
        if isinstance(type_, Matrix) and len(parameter) == type_.columns * type_.rows:
            parameter = tuple(parameter[start : start + type_.rows] for start in range(0, len(parameter), type_.rows))
        if len(parameter) != count:
            raise self._problem(path, f"`{path}` is {describe(type_)}, and {len(parameter)} values are given", f"give {count}")
        return tuple(self.value(item, element, f"{path}[{index}]") for index, item in enumerate(parameter))

    def _problem(self, path: str, message: str, hint: str | None = None, at: str = "") -> PlanProblem:
        key = f"{at}params.{path}"
        if key not in self._contract.key_spans:
            key = f"params.{path.partition('.')[0].partition('[')[0]}"
        if key not in self._contract.key_spans:
            key = "passes"
        return PlanProblem(at_key(self._contract, "PX324", key, message, hint))


def _elements(type_: Vector | Matrix | Array) -> tuple[int, Type]:
    if isinstance(type_, Vector):
        return type_.size, type_.component
    if isinstance(type_, Matrix):
        return type_.columns, Vector(type_.rows, type_.component)
    return type_.count or 0, type_.element


def _zero(type_: Type) -> ParameterValue:
    if isinstance(type_, Struct):
        return {member.name: _zero(member.type) for member in type_.fields}
    if isinstance(type_, (Vector, Matrix, Array)):
        count, element = _elements(type_)
        return (_zero(element),) * count
    return 0


def _not_finite(expression: Expression) -> float | None:
    """`inf`, `-inf` and `nan` standing alone; they are no numbers for exact arithmetic."""
    tree, sign = expression.tree, 1
    if isinstance(tree, UnaryOperation) and tree.operator == "-":
        tree, sign = tree.operand, -1
    return sign * _NOT_FINITE[tree.name] if isinstance(tree, NameUse) and tree.name in _NOT_FINITE else None
