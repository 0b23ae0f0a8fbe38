"""Values of const-expressions and override-expressions, and which expressions are of these kinds.

What is not known has the value None: nothing here raises. Follows the specification's sections "Const-expressions",
"Override-expressions" and "Evaluation of expressions".
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum

import msgspec

from pixel_core.wgsl import builtins
from pixel_core.wgsl.arithmetic import (
    ABSTRACT_FLOAT,
    ABSTRACT_INT,
    Constant,
    ConstantError,
    Number,
    binary,
    complement,
    concrete,
    construct,
    convert,
    converts_to,
    is_float,
    is_integer,
    negate,
    represent,
)
from pixel_core.wgsl.collector import Collector
from pixel_core.wgsl.constant_functions import call_builtin
from pixel_core.wgsl.names import Names, Predeclared
from pixel_core.wgsl.syntax import (
    AliasDeclaration,
    Binary,
    BooleanLiteral,
    Call,
    Expression,
    FunctionDeclaration,
    Identifier,
    Index,
    Member,
    NumberLiteral,
    Parameter,
    Parenthesized,
    Unary,
    VariableDeclaration,
)


class Stage(IntEnum):
    """When the value of an expression is known."""

    CONST = 0
    OVERRIDE = 1
    RUNTIME = 2


class Evaluation(msgspec.Struct, frozen=True, kw_only=True):
    """What evaluating needs, and what it has found so far.

    Attributes:
        names: Of the tree.
        overrides: Values given to pipeline-overridable constants, by name; None when overrides have no value yet.
        collector: Where errors such as a division by zero are put.
        known: Values of the `const` and `override` declarations evaluated so far.
    """

    names: Names
    overrides: Mapping[str, Number] | None
    collector: Collector
    known: dict[VariableDeclaration, Constant | None] = msgspec.field(default_factory=dict)


_MAX_DEPTH = 120


def evaluate(expression: Expression, evaluation: Evaluation) -> Constant | None:
    """The value of an expression.

    Returns:
        None when it is not known before run time, not evaluated here (arrays, structures, matrices), or an error that has
        been reported.
    """
    return _evaluate(expression, evaluation, _MAX_DEPTH)


def evaluate_declaration(declaration: VariableDeclaration, evaluation: Evaluation) -> Constant | None:
    """The value of a `const` or `override`, in its declared type."""
    return _declaration(declaration, evaluation, _MAX_DEPTH)


def scalar_of_type(expression: Expression, names: Names) -> tuple[str, int] | None:
    """Component type and size (1 for a scalar) of a scalar or vector type as written; `""` for a component not given."""
    for _ in range(_MAX_DEPTH):
        if not isinstance(expression, Identifier):
            return None
        declared = names.uses.get(expression)
        if not isinstance(declared, AliasDeclaration):
            break
        if declared in names.cyclic:
            return None
        expression = declared.type
    else:
        return None
    name = declared.name if isinstance(declared, Predeclared) else ""
    if name in builtins.SCALAR_TYPES:
        return name, 1
    if name in builtins.VECTOR_ALIASES:
        size, scalar = builtins.VECTOR_ALIASES[name]
        return scalar, size
    if name in builtins.VECTOR_GENERATORS:
        arguments = expression.template_arguments
        component = scalar_of_type(arguments[0], names) if arguments else ("", 1)
        return (component[0], builtins.VECTOR_GENERATORS[name]) if component is not None and component[1] == 1 else None
    return None


def stage_of(expression: Expression, names: Names) -> tuple[Stage, Expression | None]:
    """When the value of an expression is known, and the part of it that is known last."""
    stage, culprit = Stage.CONST, None
    pending = [expression]
    while pending:
        node = pending.pop()
        found = Stage.CONST
        if isinstance(node, Identifier):
            found = _stage_of_name(node, names)
            pending.extend(node.template_arguments or ())
        elif isinstance(node, Call):
            found = _stage_of_call(node, names)
            pending.extend((*node.arguments, node.callee))
        elif isinstance(node, Binary):
            pending.extend((node.left, node.right))
        elif isinstance(node, Unary):
            found = Stage.RUNTIME if node.operator in "&*" else Stage.CONST
            pending.append(node.operand)
        elif isinstance(node, Index):
            pending.extend((node.base, node.index))
        elif isinstance(node, Member):
            pending.append(node.base)
        elif isinstance(node, Parenthesized):
            pending.append(node.inner)
        if found > stage:
            stage, culprit = found, node
    return stage, culprit


def _stage_of_name(identifier: Identifier, names: Names) -> Stage:
    declared = names.uses.get(identifier)
    if isinstance(declared, VariableDeclaration):
        return {"const": Stage.CONST, "override": Stage.OVERRIDE}.get(declared.keyword, Stage.RUNTIME)
    return Stage.RUNTIME if isinstance(declared, Parameter) else Stage.CONST


def _stage_of_call(call: Call, names: Names) -> Stage:
    declared = names.uses.get(call.callee)
    if isinstance(declared, FunctionDeclaration):
        return Stage.RUNTIME
    if isinstance(declared, Predeclared) and declared.name in builtins.FUNCTIONS and declared.name not in builtins.MATH_FUNCTIONS:
        return Stage.RUNTIME
    return Stage.CONST


# ---------------------------------------------------------------- the walk


def _evaluate(expression: Expression, evaluation: Evaluation, depth: int) -> Constant | None:
    if depth == 0:
        return None
    depth -= 1
    try:
        if isinstance(expression, NumberLiteral):
            return _literal(expression)
        if isinstance(expression, BooleanLiteral):
            return Constant("bool", (expression.value,))
        if isinstance(expression, Parenthesized):
            return _evaluate(expression.inner, evaluation, depth)
        if isinstance(expression, Identifier):
            declared = evaluation.names.uses.get(expression)
            return _declaration(declared, evaluation, depth) if isinstance(declared, VariableDeclaration) else None
        if isinstance(expression, Unary):
            return _unary(expression, evaluation, depth)
        if isinstance(expression, Binary):
            return _binary(expression, evaluation, depth)
        if isinstance(expression, Call):
            return _call(expression, evaluation, depth)
        if isinstance(expression, Member):
            return _swizzle(expression, evaluation, depth)
        if isinstance(expression, Index):
            return _index(expression, evaluation, depth)
    except ConstantError as error:
        evaluation.collector.error("PX140", expression, str(error))
    return None


_SUFFIXES = {"i": "i32", "u": "u32", "f": "f32", "h": "f16"}


def _literal(literal: NumberLiteral) -> Constant:
    abstract = ABSTRACT_INT if isinstance(literal.value, int) else ABSTRACT_FLOAT
    scalar = _SUFFIXES.get(literal.suffix, abstract)
    return Constant(scalar, (represent(literal.value, scalar),))


def _declaration(declaration: VariableDeclaration, evaluation: Evaluation, depth: int) -> Constant | None:
    if declaration.keyword not in ("const", "override") or declaration in evaluation.names.cyclic:
        return None
    if declaration in evaluation.known:
        return evaluation.known[declaration]
    if declaration.keyword == "override" and evaluation.overrides is None:
        return None
    given = (evaluation.overrides or {}).get(declaration.name.text) if declaration.keyword == "override" else None
    try:
        if given is not None:
            value = _given(declaration, given, evaluation)
        elif declaration.initializer is None:
            value = None
        else:
            value = _initial(declaration, _evaluate(declaration.initializer, evaluation, depth), evaluation)
    except ConstantError as error:
        evaluation.collector.error("PX140", declaration.initializer or declaration.name, str(error))
        value = None
    evaluation.known[declaration] = value
    return value


def _initial(declaration: VariableDeclaration, value: Constant | None, evaluation: Evaluation) -> Constant | None:
    if value is None:
        return None
    if declaration.type is None:
        return concrete(value) if declaration.keyword == "override" else value
    declared = scalar_of_type(declaration.type, evaluation.names)
    if declared is None or declared[1] != len(value.components) or not converts_to(value, declared[0] or value.scalar):
        return None
    return convert(value, declared[0] or value.scalar)


def _given(declaration: VariableDeclaration, given: Number, evaluation: Evaluation) -> Constant | None:
    """A value from outside, in the type of the override (WebGPU converts it from a double)."""
    if declaration.type is not None:
        declared = scalar_of_type(declaration.type, evaluation.names)
    else:
        default = _evaluate(declaration.initializer, evaluation, _MAX_DEPTH) if declaration.initializer is not None else None
        declared = (concrete(default).scalar, 1) if default is not None else None
    if declared is None or declared[1] != 1:
        return None
    if declared[0] == "bool":
        return Constant("bool", (bool(given),))
    try:
        return Constant(declared[0], (represent(int(given) if isinstance(given, bool) else given, declared[0]),))
    except ConstantError as error:
        raise ConstantError(f"override `{declaration.name.text}` is given a value that it cannot hold: {error}") from None


def _unary(node: Unary, evaluation: Evaluation, depth: int) -> Constant | None:
    operand = _evaluate(node.operand, evaluation, depth)
    if operand is None:
        return None
    if node.operator == "!" and operand.scalar == "bool":
        return Constant("bool", tuple(not value for value in operand.components))
    if node.operator == "-" and operand.scalar not in ("bool", "u32"):
        return negate(operand)
    if node.operator == "~" and is_integer(operand.scalar):
        return complement(operand)
    return None


def _binary(node: Binary, evaluation: Evaluation, depth: int) -> Constant | None:
    left = _evaluate(node.left, evaluation, depth)
    if node.operator in ("&&", "||"):
        if left is None or left.scalar != "bool" or not left.is_scalar:
            return None
        # The right side of a decided `&&` or `||` is not evaluated, so its errors are none.
        if bool(left.value) == (node.operator == "||"):
            return left
        right = _evaluate(node.right, evaluation, depth)
        return right if right is not None and right.scalar == "bool" and right.is_scalar else None
    right = _evaluate(node.right, evaluation, depth)
    if right is not None and node.operator in ("/", "%", "<<", ">>") and left is None:
        _check_right(node, right)
    return binary(node.operator, left, right) if left is not None and right is not None else None


def _check_right(node: Binary, right: Constant) -> None:
    """A constant right operand may be wrong whatever the left one is."""
    if node.operator in ("<<", ">>"):
        for amount in right.components:
            if is_integer(right.scalar) and not 0 <= int(amount) < 32:
                raise ConstantError(f"a shift by {amount} bits, but integers have 32")
    elif is_integer(right.scalar) and right.scalar != ABSTRACT_INT and 0 in right.components:
        raise ConstantError("integer division by zero" if node.operator == "/" else "remainder of an integer division by zero")


def _call(node: Call, evaluation: Evaluation, depth: int) -> Constant | None:
    arguments = [_evaluate(argument, evaluation, depth) for argument in node.arguments]
    known = [argument for argument in arguments if argument is not None]
    if len(known) != len(arguments):
        return None
    name = evaluation.names.predeclared(node.callee)
    if name in builtins.FUNCTIONS:
        return call_builtin(name, known)
    constructed = scalar_of_type(node.callee, evaluation.names)
    return _construct(constructed[0], constructed[1], known) if constructed is not None else None


def _construct(scalar: str, size: int, arguments: list[Constant]) -> Constant | None:
    if not scalar:
        scalar = _common_scalar(arguments)
    components = tuple(value for argument in arguments for value in construct(argument, scalar).components)
    if not arguments:
        zero: Number = False if scalar == "bool" else 0.0 if is_float(scalar) else 0
        return Constant(scalar, (zero,) * size)
    if len(components) == 1:
        return Constant(scalar, components * size)
    return Constant(scalar, components) if len(components) == size else None


def _common_scalar(arguments: list[Constant]) -> str:
    scalars = {argument.scalar for argument in arguments}
    typed = scalars - {ABSTRACT_INT, ABSTRACT_FLOAT}
    if typed:
        return min(typed)
    return ABSTRACT_FLOAT if ABSTRACT_FLOAT in scalars else ABSTRACT_INT


def _swizzle(node: Member, evaluation: Evaluation, depth: int) -> Constant | None:
    base = _evaluate(node.base, evaluation, depth)
    if base is None or base.is_scalar:
        return None
    for letters in ("xyzw", "rgba"):
        indices = [letters.find(letter) for letter in node.member.text]
        if 1 <= len(indices) <= 4 and all(0 <= index < len(base.components) for index in indices):
            return Constant(base.scalar, tuple(base.components[index] for index in indices))
    return None


def _index(node: Index, evaluation: Evaluation, depth: int) -> Constant | None:
    base = _evaluate(node.base, evaluation, depth)
    index = _evaluate(node.index, evaluation, depth)
    if base is None or index is None or base.is_scalar or not is_integer(index.scalar):
        return None
    position = int(index.value)
    if not 0 <= position < len(base.components):
        raise ConstantError(f"index {position} is outside a vector of {len(base.components)} components")
    return Constant(base.scalar, (base.components[position],))
