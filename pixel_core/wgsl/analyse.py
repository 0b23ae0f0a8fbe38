"""One look at a whole module: names, constants, types and variables, as far as they do not depend on overrides."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping
from types import MappingProxyType

import msgspec

from pixel_core.findings import Finding
from pixel_core.wgsl.check_declarations import check_assertion, check_constant, check_override, check_override_ids
from pixel_core.wgsl.check_enables import check_enables
from pixel_core.wgsl.check_functions import check_function
from pixel_core.wgsl.check_interface import check_interface
from pixel_core.wgsl.collector import Collector
from pixel_core.wgsl.constants import Evaluation
from pixel_core.wgsl.dependencies import reach_masks
from pixel_core.wgsl.entry_points import stage_of_entry
from pixel_core.wgsl.lay_out_structs import lay_out_struct
from pixel_core.wgsl.names import Names, resolve_names
from pixel_core.wgsl.resolve_types import TypeResolution, resolve_type
from pixel_core.wgsl.syntax import (
    AliasDeclaration,
    ConstAssert,
    Declaration,
    FunctionDeclaration,
    RequiresDirective,
    StructDeclaration,
    SyntaxTree,
    VariableDeclaration,
)
from pixel_core.wgsl.variables import ModuleVariable, read_variable


class Module(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a module before its overrides have values.

    Attributes:
        resolution: Types and constants; its collector is not written to any more.
        variables: The module-scope `var`s, in order.
        entries: The entry points, in order.
        override_ids: The `@id` of each override that has one.
        used: For each entry point the `var`s and overrides that it uses, itself or through the functions it calls.
        findings: PX13x-PX19x that hold for every set of overrides.
    """

    tree: SyntaxTree
    names: Names
    resolution: TypeResolution
    variables: Mapping[VariableDeclaration, ModuleVariable]
    entries: tuple[FunctionDeclaration, ...]
    override_ids: Mapping[VariableDeclaration, int]
    used: Mapping[FunctionDeclaration, tuple[VariableDeclaration, ...]]
    findings: tuple[Finding, ...]


def analyse(tree: SyntaxTree) -> Module:
    """Analyse a parsed shader, once for all sets of overrides.

    Args:
        tree: From `parse`; a tree with syntax errors is analysed as far as it goes.
    """
    names = resolve_names(tree)
    collector = Collector(tree.source)
    required = frozenset(name.text for directive in tree.directives if isinstance(directive, RequiresDirective) for name in directive.names)
    evaluation = Evaluation(names=names, overrides=None, collector=collector)
    resolution = TypeResolution(evaluation=evaluation, required=required)
    variables: dict[VariableDeclaration, ModuleVariable] = {}
    for declaration in names.order:
        if declaration not in names.cyclic:
            _analyse_declaration(declaration, resolution, variables)
    check_enables(tree, names, collector)
    override_ids = check_override_ids(tree, evaluation)
    functions = [declaration for declaration in tree.declarations if isinstance(declaration, FunctionDeclaration)]
    for function in functions:
        check_interface(function, resolution)
        check_function(function, resolution, variables)
    entries = tuple(function for function in functions if stage_of_entry(function) is not None)
    return Module(
        tree=tree,
        names=names,
        resolution=resolution,
        variables=MappingProxyType(dict(sorted(variables.items(), key=lambda item: item[0].start))),
        entries=entries,
        used=MappingProxyType(_used(entries, tree, names)),
        override_ids=MappingProxyType(override_ids),
        findings=_outside_breaks(tree, (*names.findings, *collector.findings)),
    )


def _used(
    entries: Iterable[FunctionDeclaration], tree: SyntaxTree, names: Names
) -> dict[FunctionDeclaration, tuple[VariableDeclaration, ...]]:
    counted = [node for node in tree.declarations if isinstance(node, VariableDeclaration) and node.keyword in ("var", "override")]
    masks = reach_masks(names.order, names.cycles, names.references, counted)
    known: dict[int, tuple[VariableDeclaration, ...]] = {}
    for entry in entries:
        mask = masks.get(entry, 0)
        if mask not in known:
            known[mask] = tuple(node for index, node in enumerate(counted) if mask >> index & 1)
    return {entry: known[masks.get(entry, 0)] for entry in entries}


_BREAKS = frozenset(("PX104", "PX105", "PX106", "PX107"))


def _outside_breaks(tree: SyntaxTree, findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Leave out what is found in a declaration with a broken syntax: most likely it is a consequence of the break."""
    breaks = sorted(finding.location.span.start for finding in tree.findings if finding.location.span and finding.code in _BREAKS)
    if not breaks:
        return tuple(findings)
    starts = [declaration.start for declaration in tree.declarations]

    def is_broken(finding: Finding) -> bool:
        place = finding.location.span.start if finding.location.span else 0
        index = bisect_right(starts, place) - 1
        if index < 0 or place > tree.declarations[index].end:
            return False
        declaration = tree.declarations[index]
        return bisect_right(breaks, declaration.end) > bisect_left(breaks, declaration.start)

    return tuple(finding for finding in findings if not is_broken(finding))


def _analyse_declaration(
    declaration: Declaration, resolution: TypeResolution, variables: dict[VariableDeclaration, ModuleVariable]
) -> None:
    """Resolve one declaration; those it refers to have been resolved before."""
    if isinstance(declaration, VariableDeclaration):
        if declaration.keyword == "const":
            check_constant(declaration, resolution)
        elif declaration.keyword == "override":
            check_override(declaration, resolution)
        elif declaration.keyword == "var":
            variables[declaration] = read_variable(declaration, resolution)
    elif isinstance(declaration, StructDeclaration):
        resolution.structs[declaration] = lay_out_struct(declaration, resolution)
    elif isinstance(declaration, AliasDeclaration):
        resolve_type(declaration.type, resolution)
    elif isinstance(declaration, ConstAssert):
        check_assertion(declaration, resolution.evaluation)
