"""What a shader offers to its host: entry points, bindings, overrides, layouts."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import msgspec

from pixel_core.findings import Finding, Span
from pixel_core.wgsl.analyse import Module, analyse
from pixel_core.wgsl.arithmetic import Constant, Number
from pixel_core.wgsl.collector import Collector
from pixel_core.wgsl.constants import Evaluation, evaluate_declaration, scalar_of_type
from pixel_core.wgsl.entry_points import stage_of_entry, workgroup_size_of
from pixel_core.wgsl.layout import round_up, size_of
from pixel_core.wgsl.resolve_types import TypeResolution, resolve_type
from pixel_core.wgsl.syntax import EnableDirective, FunctionDeclaration, SyntaxTree, VariableDeclaration
from pixel_core.wgsl.types import Scalar, Type
from pixel_core.wgsl.variables import ModuleVariable


class Override(msgspec.Struct, frozen=True, kw_only=True):
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


class Binding(msgspec.Struct, frozen=True, kw_only=True):
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


class EntryPoint(msgspec.Struct, frozen=True, kw_only=True):
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


class ShaderInterface(msgspec.Struct, frozen=True, kw_only=True):
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


def reflect(tree: SyntaxTree, overrides: Mapping[str, Number] | None = None) -> ShaderInterface:
    """Reflect a parsed shader.

    To reflect one tree with many sets of overrides, call `analyse` once and `interface_of` for each set.

    Args:
        tree: From `parse`; a tree with syntax errors is reflected as far as it goes.
        overrides: Values given to pipeline-overridable constants, by name.
    """
    return interface_of(analyse(tree), overrides)


def interface_of(module: Module, overrides: Mapping[str, Number] | None = None) -> ShaderInterface:
    """The interface of an analysed module under one set of overrides.

    Args:
        module: From `analyse`.
        overrides: Values given to pipeline-overridable constants, by name; the others have their defaults.
    """
    names = module.names
    collector = Collector(module.tree.source)
    evaluation = Evaluation(
        names=names, overrides=overrides or {}, collector=collector, known=_without_overrides(module.resolution.evaluation.known)
    )
    resolution = TypeResolution(evaluation=evaluation, structs=module.resolution.structs, nesting=module.resolution.nesting)
    declared = [node for node in module.tree.declarations if isinstance(node, VariableDeclaration)]
    values = {node: evaluate_declaration(node, evaluation) for node in names.order if isinstance(node, VariableDeclaration)}
    workgroup_bytes = {
        node: _bytes_of(variable, resolution) for node, variable in module.variables.items() if variable.address_space == "workgroup"
    }
    entries = tuple(_entry_point(function, module, evaluation, workgroup_bytes) for function in module.entries)
    return ShaderInterface(
        entry_points=entries,
        bindings=tuple(_binding(variable) for variable in module.variables.values() if variable.is_resource),
        overrides=tuple(_override(node, module, evaluation) for node in declared if node.keyword == "override"),
        structs=MappingProxyType({node.name.text: struct for node, struct in module.resolution.structs.items() if struct is not None}),
        constants=MappingProxyType(
            {
                node.name.text: value.value
                for node, value in values.items()
                if node.keyword == "const" and value is not None and value.is_scalar
            }
        ),
        enables=frozenset(
            name.text for directive in module.tree.directives if isinstance(directive, EnableDirective) for name in directive.names
        ),
        findings=_merged(module.findings, collector.findings),
    )


def _without_overrides(known: Mapping[VariableDeclaration, Constant | None]) -> dict[VariableDeclaration, Constant | None]:
    return {declaration: value for declaration, value in known.items() if declaration.keyword == "const"}


def _bytes_of(variable: ModuleVariable, resolution: TypeResolution) -> int | None:
    """Size of a workgroup variable; only here is the size of one that depends on overrides known."""
    type_ = variable.type
    if type_ is None and variable.declaration.type is not None:
        type_ = resolve_type(variable.declaration.type, resolution)
    return round_up(16, size_of(type_)) if type_ is not None else None


def _entry_point(
    function: FunctionDeclaration,
    module: Module,
    evaluation: Evaluation,
    workgroup_bytes: Mapping[VariableDeclaration, int | None],
) -> EntryPoint:
    used = module.used[function]
    variables = [module.variables[node] for node in used if node in module.variables]
    shared = [variable for variable in variables if variable.address_space == "workgroup"]
    sizes = [workgroup_bytes[variable.declaration] for variable in shared]
    known_sizes = [size for size in sizes if size is not None]
    stage = stage_of_entry(function) or "compute"
    _check_bindings(function, [variable for variable in variables if variable.is_resource], evaluation.collector)
    return EntryPoint(
        name=function.name.text,
        stage=stage,
        workgroup_size=workgroup_size_of(function, evaluation) if stage == "compute" else None,
        bindings=frozenset(variable.name for variable in variables if variable.is_resource),
        overrides=frozenset(node.name.text for node in used if node.keyword == "override"),
        workgroup_variables=frozenset(variable.name for variable in shared),
        workgroup_bytes=sum(known_sizes) if len(known_sizes) == len(sizes) else None,
        function=function,
        span=function.name.span,
    )


def _check_bindings(function: FunctionDeclaration, variables: list[ModuleVariable], collector: Collector) -> None:
    first: dict[tuple[int, int], ModuleVariable] = {}
    for variable in variables:
        if variable.group is None or variable.binding is None:
            continue
        earlier = first.setdefault((variable.group, variable.binding), variable)
        if earlier is not variable:
            collector.error(
                "PX161",
                variable.declaration.name,
                f"`{variable.name}` and `{earlier.name}` are both `@group({variable.group}) @binding({variable.binding})`,"
                f" and `{function.name.text}` uses both",
                labels=(collector.label(earlier.declaration.name, "the other variable"),),
                hint="give one of them a free binding number",
            )


def _binding(variable: ModuleVariable) -> Binding:
    is_immediate = variable.address_space == "immediate"
    return Binding(
        name=variable.name,
        group=-1 if is_immediate or variable.group is None else variable.group,
        binding=-1 if is_immediate or variable.binding is None else variable.binding,
        address_space=variable.address_space,
        access=variable.access,
        type=variable.type,
        span=variable.declaration.name.span,
    )


def _override(declaration: VariableDeclaration, module: Module, evaluation: Evaluation) -> Override:
    value = evaluation.known.get(declaration)
    declared = scalar_of_type(declaration.type, module.names) if declaration.type is not None else None
    scalar = declared[0] if declared is not None else value.scalar if value is not None else None
    return Override(
        name=declaration.name.text,
        id=module.override_ids.get(declaration),
        type=Scalar(scalar) if scalar else None,
        value=value.value if value is not None else None,
        has_default=declaration.initializer is not None,
        span=declaration.name.span,
    )


def _merged(base: tuple[Finding, ...], more: list[Finding]) -> tuple[Finding, ...]:
    """Both, each finding once, by position."""
    unique = {(finding.code, finding.location, finding.message): finding for finding in (*base, *more)}
    return tuple(sorted(unique.values(), key=lambda finding: finding.location.span.start if finding.location.span else 0))
