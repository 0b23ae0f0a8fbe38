"""Types as written to types as values."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from pixel_core.wgsl import builtins
from pixel_core.wgsl.arithmetic import is_integer
from pixel_core.wgsl.constants import Evaluation, Stage, evaluate, stage_of
from pixel_core.wgsl.layout import complain_about_space, describe, has_runtime_array, is_plain, stride_of
from pixel_core.wgsl.names import Predeclared
from pixel_core.wgsl.syntax import AliasDeclaration, Call, ErrorExpression, Expression, Identifier, StructDeclaration
from pixel_core.wgsl.types import Array, Atomic, Matrix, Pointer, Resource, Scalar, Struct, Type, Vector
from pixel_core.wgsl.walk import walk

_MAX_DEPTH = 60
MAX_BYTES = 0xFFFFFFFF
"""Of one type, as in compilers: a size is a `u32`."""
MAX_NESTING = 255
"""Of arrays and structures. The specification promises 15, compilers take up to this many."""


class TypeResolution(msgspec.Struct, frozen=True, kw_only=True):
    """What resolving types needs, and what it has resolved so far.

    Attributes:
        evaluation: Names, constants, and where findings are put.
        structs: The structures laid out so far; those a type refers to must be there before it is resolved.
        resolved: Types of the expressions resolved so far.
        nesting: How deep the structures so far are nested, by name.
        required: Language features that `requires` directives name.
    """

    evaluation: Evaluation
    required: frozenset[str] = frozenset()
    structs: dict[StructDeclaration, Struct | None] = msgspec.field(default_factory=dict)
    resolved: dict[Expression, Type | None] = msgspec.field(default_factory=dict)
    nesting: dict[str, int] = msgspec.field(default_factory=dict)


def resolve_type(expression: Expression, resolution: TypeResolution) -> Type | None:
    """The type that an expression in a type position means.

    Returns:
        None when it has an error (reported once), or a size that depends on overrides whose values are not known.
    """
    return _resolve(expression, resolution, _MAX_DEPTH)


def nesting_of(type_: Type, resolution: TypeResolution) -> int:
    """How many arrays and structures stand inside each other in a type."""
    levels = 0
    while isinstance(type_, Array):
        type_, levels = type_.element, levels + 1
    return levels + (resolution.nesting.get(type_.name, 0) if isinstance(type_, Struct) else 0)


def is_override_sized(expression: Expression | None, resolution: TypeResolution) -> bool:
    """Whether a type is an array whose element count is an override-expression."""
    names = resolution.evaluation.names
    for _ in range(_MAX_DEPTH):
        declared = names.declared(expression) if expression is not None else None
        if not isinstance(declared, AliasDeclaration) or declared in names.cyclic:
            break
        expression = declared.type
    if not isinstance(expression, Identifier) or names.predeclared(expression) != "array":
        return False
    arguments = expression.template_arguments or []
    return len(arguments) == 2 and stage_of(arguments[1], names)[0] is Stage.OVERRIDE


def _resolve(expression: Expression, resolution: TypeResolution, depth: int) -> Type | None:
    if expression in resolution.resolved:
        return resolution.resolved[expression]
    type_ = None
    if depth > 0 and isinstance(expression, Identifier):
        declared = resolution.evaluation.names.uses.get(expression)
        if isinstance(declared, (AliasDeclaration, StructDeclaration)):
            if expression.template_arguments is not None:
                _error(resolution, expression, f"`{declared.name.text}` takes no template arguments")
            elif isinstance(declared, StructDeclaration):
                type_ = resolution.structs.get(declared)
            elif declared not in resolution.evaluation.names.cyclic:
                type_ = _resolve(declared.type, resolution, depth - 1)
        elif isinstance(declared, Predeclared):
            type_ = _predeclared(declared.name, expression, resolution, depth - 1)
    elif depth > 0:
        what = "a call" if isinstance(expression, Call) else "this"
        _error(resolution, expression, f"{what} is no type")
    resolution.resolved[expression] = type_
    return type_


def _predeclared(name: str, node: Identifier, resolution: TypeResolution, depth: int) -> Type | None:
    arguments = node.template_arguments
    if name in builtins.SCALAR_TYPES:
        return Scalar(name) if _takes(node, name, 0, resolution) else None
    if name in builtins.VECTOR_ALIASES:
        size, scalar = builtins.VECTOR_ALIASES[name]
        return Vector(size, Scalar(scalar)) if _takes(node, name, 0, resolution) else None
    if name in builtins.MATRIX_ALIASES:
        columns, rows, scalar = builtins.MATRIX_ALIASES[name]
        return Matrix(columns, rows, Scalar(scalar)) if _takes(node, name, 0, resolution) else None
    if name in builtins.PLAIN_RESOURCES:
        return Resource(name) if _takes(node, name, 0, resolution) else None
    if name in builtins.VECTOR_GENERATORS or name in builtins.MATRIX_GENERATORS or name == "atomic":
        if arguments is None or not _takes(node, name, 1, resolution):
            if arguments is None:
                _error(resolution, node, f"`{name}` needs the type of its components here", hint=f"write `{name}<f32>`, for example")
            return None
        return _composite(name, arguments[0], resolution, depth)
    if name == "array":
        return _array(node, resolution, depth)
    if name == "ptr":
        return _pointer(node, resolution, depth)
    if name in builtins.SAMPLED_TEXTURES:
        return _sampled_texture(name, node, resolution, depth)
    if name in builtins.STORAGE_TEXTURES:
        return _storage_texture(name, node, resolution)
    if name in builtins.TYPES:
        return Resource(name, tuple(_written(argument, resolution) for argument in arguments or ()))
    return None


_COMPONENTS = {"atomic": ("i32", "u32"), "mat": ("f32", "f16"), "vec": ("bool", "i32", "u32", "f32", "f16")}


def _composite(name: str, argument: Expression, resolution: TypeResolution, depth: int) -> Type | None:
    component = _resolve(argument, resolution, depth)
    if component is None:
        return None
    allowed = _COMPONENTS[name if name == "atomic" else name[:3]]
    if not isinstance(component, Scalar) or component.name not in allowed:
        choice = ", ".join(f"`{scalar}`" for scalar in allowed)
        _error(resolution, argument, f"`{name}` cannot be made of `{describe(component)}`", hint=f"its components can be {choice}")
        return None
    if name == "atomic":
        return Atomic(component)
    if name in builtins.VECTOR_GENERATORS:
        return Vector(builtins.VECTOR_GENERATORS[name], component)
    columns, rows = builtins.MATRIX_GENERATORS[name]
    return Matrix(columns, rows, component)


def _array(node: Identifier, resolution: TypeResolution, depth: int) -> Type | None:
    arguments = node.template_arguments
    if arguments is None or len(arguments) not in (1, 2):
        _error(resolution, node, "`array` needs the type of its elements", hint="write `array<f32>` or `array<f32, 4>`")
        return None
    element = _resolve(arguments[0], resolution, depth)
    if is_override_sized(arguments[0], resolution):
        _error(resolution, arguments[0], "an array sized by an override cannot be the element of another array", code="PX151")
        return None
    if element is not None and not is_plain(element):
        _error(resolution, arguments[0], f"an array cannot hold `{describe(element)}`", code="PX151")
        return None
    if element is not None and has_runtime_array(element):
        _error(resolution, arguments[0], f"an array cannot hold `{describe(element)}`, whose size is not known", code="PX152")
        return None
    if element is not None and nesting_of(element, resolution) >= MAX_NESTING:
        _error(resolution, node, f"arrays and structures are nested more than {MAX_NESTING} levels deep", code="PX151")
        return None
    if len(arguments) == 1:
        return Array(element, None) if element is not None else None
    count = _count(arguments[1], resolution)
    if element is None or count is None:
        return None
    if count * stride_of(Array(element, None)) > MAX_BYTES:
        _error(resolution, node, f"an array of {count:,} elements of `{describe(element)}` is larger than 4 GiB", code="PX155")
        return None
    return Array(element, count)


def _count(expression: Expression, resolution: TypeResolution) -> int | None:
    evaluation = resolution.evaluation
    stage, culprit = stage_of(expression, evaluation.names)
    if stage is Stage.RUNTIME:
        _error(
            resolution,
            culprit or expression,
            "the element count of an array must be known before the shader runs",
            hint="use a `const`, or an `override` for an array in workgroup memory",
            code="PX142",
        )
        return None
    value = evaluate(expression, evaluation)
    if value is None:
        return None
    if not value.is_scalar or not is_integer(value.scalar):
        _error(resolution, expression, "the element count of an array must be an `i32` or `u32`", code="PX155")
        return None
    if int(value.value) < 1:
        _error(resolution, expression, f"the element count of an array must be at least 1, and this is {value.value}", code="PX155")
        return None
    return int(value.value)


def _pointer(node: Identifier, resolution: TypeResolution, depth: int) -> Type | None:
    arguments = node.template_arguments
    if arguments is None or len(arguments) not in (2, 3):
        _error(resolution, node, "`ptr` needs an address space and a type", hint="write `ptr<function, f32>`, for example")
        return None
    space = resolution.evaluation.names.predeclared(arguments[0])
    if space not in builtins.ADDRESS_SPACES:
        _error(resolution, arguments[0], f"`{_written(arguments[0], resolution)}` is no address space")
        return None
    stored = _resolve(arguments[1], resolution, depth)
    access = "read" if space in ("uniform", "storage", "immediate", "push_constant") else "read_write"
    if len(arguments) == 3:
        written = resolution.evaluation.names.predeclared(arguments[2])
        if written not in builtins.ACCESS_MODES:
            _error(resolution, arguments[2], f"`{_written(arguments[2], resolution)}` is no access mode")
            return None
        if space != "storage":
            _error(resolution, arguments[2], f"a pointer to the address space `{space}` has no access mode of its own")
            return None
        if written == "write":
            _error(resolution, arguments[2], "storage buffers can be `read` or `read_write`, not `write`")
            return None
        access = written
    if is_override_sized(arguments[1], resolution) and space != "workgroup":
        _error(resolution, arguments[1], "an array sized by an override can only be in workgroup memory", code="PX151")
        return None
    if stored is None:
        return None
    complaint = complain_about_space(stored, space)
    if complaint is not None:
        _error(resolution, arguments[1], complaint, code="PX151")
        return None
    return Pointer(space, stored, access)


def _sampled_texture(name: str, node: Identifier, resolution: TypeResolution, depth: int) -> Type | None:
    arguments = node.template_arguments
    if arguments is None or len(arguments) != 1:
        _error(resolution, node, f"`{name}` needs a sampled type", hint=f"write `{name}<f32>`, for example")
        return None
    sampled = _resolve(arguments[0], resolution, depth)
    if sampled is None:
        return None
    if sampled not in (Scalar("f32"), Scalar("i32"), Scalar("u32")):
        _error(resolution, arguments[0], f"`{name}` cannot sample `{describe(sampled)}`", hint="it can be `f32`, `i32` or `u32`")
        return None
    return Resource(name, (describe(sampled),))


def _storage_texture(name: str, node: Identifier, resolution: TypeResolution) -> Type | None:
    arguments = node.template_arguments
    if arguments is None or len(arguments) != 2:
        _error(
            resolution, node, f"`{name}` needs a texel format and an access mode", hint=f"write `{name}<rgba8unorm, write>`, for example"
        )
        return None
    written = [resolution.evaluation.names.predeclared(argument) for argument in arguments]
    for argument, value, allowed, what in zip(
        arguments, written, (builtins.TEXEL_FORMATS, builtins.ACCESS_MODES), ("texel format", "access mode"), strict=True
    ):
        if value not in allowed:
            _error(resolution, argument, f"`{_written(argument, resolution)}` is no {what}")
            return None
    return Resource(name, tuple(value for value in written if value is not None))


def _takes(node: Identifier, name: str, count: int, resolution: TypeResolution) -> bool:
    arguments: Sequence[Expression] = node.template_arguments or ()
    if len(arguments) == count and (count > 0 or node.template_arguments is None):
        return True
    expected = "no template arguments" if count == 0 else f"{count} template argument"
    if node.template_arguments:
        _error(resolution, node, f"`{name}` takes {expected}")
    return False


def _written(expression: Expression, resolution: TypeResolution) -> str:
    return resolution.evaluation.collector.source.text[expression.start : expression.end]


def _error(resolution: TypeResolution, place: Expression, message: str, *, hint: str | None = None, code: str = "PX150") -> None:
    uses = resolution.evaluation.names.uses
    if any(isinstance(node, ErrorExpression) or (isinstance(node, Identifier) and node not in uses) for node in walk(place)):
        return  # what is wrong has been said: a syntax error or an unknown name
    resolution.evaluation.collector.error(code, place, message, hint=hint)
