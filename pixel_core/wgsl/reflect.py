"""What a shader offers to its host: entry points, bindings, overrides, layouts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pixel_core.findings import Finding, Span
from pixel_core.wgsl.syntax import FunctionDeclaration, SyntaxTree
from pixel_core.wgsl.types import Scalar, Type


@dataclass(frozen=True, slots=True, kw_only=True)
class Override:
    """A pipeline-overridable constant.

    Attributes:
        name: Its identifier.
        id: The number of its `@id`, or None.
        type: Its scalar type; None when it can only be inferred and the initializer could not be evaluated.
        value: Value in force (given, else evaluated default); None when neither is known.
        has_default: Whether the shader gives an initializer.
        span: Of its declared name.
    """

    name: str
    id: int | None
    type: Scalar | None
    value: int | float | bool | None
    has_default: bool
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class Binding:
    """A module-scope resource variable (`storage`, `uniform`, `handle` or `immediate` address space).

    Attributes:
        group: Of `@group`; -1 for `immediate`.
        binding: Of `@binding`; -1 for `immediate`.
        access: `read`, `write` or `read_write`.
        type: The store type; None when it could not be resolved (a finding says why).
        span: Of its declared name.
    """

    name: str
    group: int
    binding: int
    address_space: str
    access: str
    type: Type | None
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryPoint:
    """A shader entry point.

    Attributes:
        stage: `compute`, `vertex` or `fragment`.
        workgroup_size: x, y, z with overrides evaluated (1 where omitted); None when not a compute entry or not evaluable.
        bindings: Names of the resource variables that it uses, itself or through the functions it calls.
        overrides: Names of the overrides that it uses, likewise.
        workgroup_variables: Names of the `var<workgroup>` that it uses, likewise.
        workgroup_bytes: Their total size in bytes, each rounded up to 16; None when not evaluable.
        function: Its declaration.
        span: Of its declared name.
    """

    name: str
    stage: str
    workgroup_size: tuple[int, int, int] | None
    bindings: frozenset[str]
    overrides: frozenset[str]
    workgroup_variables: frozenset[str]
    workgroup_bytes: int | None
    function: FunctionDeclaration
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class ShaderInterface:
    """Everything reflection found. `findings` are PX1xx."""

    entry_points: tuple[EntryPoint, ...]
    bindings: tuple[Binding, ...]
    overrides: tuple[Override, ...]
    structs: Mapping[str, Type]
    constants: Mapping[str, int | float | bool]
    enables: frozenset[str]
    findings: tuple[Finding, ...]

    def entry_point(self, name: str) -> EntryPoint | None:
        """The entry point of that name."""
        return next((entry for entry in self.entry_points if entry.name == name), None)

    def binding(self, name: str) -> Binding | None:
        """The resource variable of that name."""
        return next((binding for binding in self.bindings if binding.name == name), None)


def reflect(tree: SyntaxTree, overrides: Mapping[str, int | float | bool] | None = None) -> ShaderInterface:
    """Reflect a parsed shader.

    Args:
        tree: From `parse`; a tree with syntax errors is reflected as far as it goes.
        overrides: Values given to pipeline-overridable constants, by name.
    """
    raise NotImplementedError
