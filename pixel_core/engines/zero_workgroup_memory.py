"""Counter-measure for adapters that do not zero workgroup memory, as WGSL promises."""

from __future__ import annotations

import msgspec

from pixel_core.engines.text_edits import TextEdits, free_prefix
from pixel_core.findings import Severity
from pixel_core.wgsl.analyse import Module
from pixel_core.wgsl.attributes import attribute_of
from pixel_core.wgsl.dependencies import reachable
from pixel_core.wgsl.entry_points import stage_of_entry
from pixel_core.wgsl.names import Names
from pixel_core.wgsl.syntax import (
    AliasDeclaration,
    Attribute,
    Expression,
    FunctionDeclaration,
    Identifier,
    StructDeclaration,
    VariableDeclaration,
)

_INDEX = "local_invocation_index"
_MAX_DEPTH = 64


def zero_workgroup_memory(module: Module) -> str:
    """Rewrite a shader so that each compute entry point zeroes the workgroup variables it uses before it does anything else.

    All invocations of a workgroup share the work; a barrier follows it. The code stands in functions after the last line and is
    called on the line of the entry point's opening brace, so that no line number changes.

    Args:
        module: A module without syntax errors; one with errors is returned unchanged.

    Returns:
        The new text.
    """
    tree = module.tree
    text = tree.source.text
    if any(finding.severity is Severity.ERROR for finding in tree.findings):
        return text
    edits = TextEdits(tree)
    prefix = free_prefix(tree, "zeroed")
    functions: list[str] = []
    for entry in module.entries:
        used = reachable(entry, module.names.references)
        variables = [node for node in used if isinstance(node, VariableDeclaration) and _is_workgroup(node, module.names)]
        if stage_of_entry(entry) != "compute" or not variables or entry.body is None:
            continue
        name = f"{prefix}_{len(functions)}"
        index = _index_of(entry, f"{prefix}_index", module.names, edits)
        opening = edits.find("{", entry.body.start)
        edits.insert(opening.end, f" {name}({index}); workgroupBarrier();")
        writer = _Writer(module.names, text, prefix)
        body = "".join(writer.share(variable, _workgroup_total(entry, text)) for variable in variables)
        functions.append(f"fn {name}({prefix}_i: u32) {{ {body}}}")
    return edits.apply() + "".join(f"\n{function}" for function in functions) + ("\n" if functions else "")


def _is_workgroup(declaration: VariableDeclaration, names: Names) -> bool:
    arguments = declaration.template_arguments
    return declaration.keyword == "var" and bool(arguments) and names.predeclared(arguments[0]) == "workgroup"


def _workgroup_total(entry: FunctionDeclaration, text: str) -> str:
    size = attribute_of(entry.attributes, "workgroup_size")
    factors = [f"u32({text[node.start : node.end]})" for node in (size.arguments if size is not None else None) or ()]
    return " * ".join(factors) or "1u"


def _index_of(entry: FunctionDeclaration, name: str, names: Names, edits: TextEdits) -> str:
    """How the entry point calls its local invocation index; adds a parameter where it has none."""
    for parameter in entry.parameters:
        if _is_index(parameter.attributes):
            return parameter.name.text
        struct = names.declared(_below_aliases(parameter.type, names))
        if isinstance(struct, StructDeclaration):
            for member in struct.members:
                if _is_index(member.attributes):
                    return f"{parameter.name.text}.{member.name.text}"
    opening = edits.find("(", entry.name.end)
    edits.insert(opening.end, f"@builtin({_INDEX}) {name}: u32{', ' if entry.parameters else ''}")
    return name


def _is_index(attributes: list[Attribute]) -> bool:
    builtin = attribute_of(attributes, "builtin")
    argument = builtin.arguments[0] if builtin is not None and builtin.arguments else None
    return isinstance(argument, Identifier) and argument.name.text == _INDEX


def _below_aliases(expression: Expression, names: Names) -> Expression:
    for _ in range(_MAX_DEPTH):
        declared = names.declared(expression)
        if not isinstance(declared, AliasDeclaration):
            break
        expression = declared.type
    return expression


class _Writer(msgspec.Struct):
    """Writes the statements that zero one variable. Types are copied as the module writes them: module scope knows their names."""

    names: Names
    text: str
    prefix: str
    loops: int = 0

    def share(self, variable: VariableDeclaration, total: str) -> str:
        """Zero a variable together: the elements of an array go round, everything else is left to invocation 0."""
        if variable.type is None:
            return ""
        element, count = self._array(variable.type)
        name, index = variable.name.text, f"{self.prefix}_i"
        if element is None:
            return f"if ({index} == 0u) {{ {self._zero(name, variable.type, _MAX_DEPTH)}}} "
        step = self._loop_name()
        body = self._zero(f"{name}[{step}]", element, _MAX_DEPTH)
        return f"for (var {step} = {index}; {step} < u32({count}); {step} += {total}) {{ {body}}} "

    def _zero(self, place: str, type_: Expression, depth: int) -> str:
        if depth == 0 or not self._has_atomic(type_, depth):
            return f"{place} = {self._written(type_)}(); "
        below = _below_aliases(type_, self.names)
        element, count = self._array(type_)
        if element is not None:
            step = self._loop_name()
            return f"for (var {step} = 0u; {step} < u32({count}); {step}++) {{ {self._zero(f'{place}[{step}]', element, depth - 1)}}} "
        declared = self.names.declared(below)
        if isinstance(declared, StructDeclaration):
            return "".join(self._zero(f"{place}.{member.name.text}", member.type, depth - 1) for member in declared.members)
        component = below.template_arguments[0] if isinstance(below, Identifier) and below.template_arguments else None
        return f"atomicStore(&{place}, {self._written(component)}(0)); " if component is not None else ""

    def _array(self, type_: Expression) -> tuple[Expression | None, str]:
        """Element type and count of an array type; None and nothing for other types."""
        below = _below_aliases(type_, self.names)
        if isinstance(below, Identifier) and self.names.predeclared(below) == "array":
            arguments = below.template_arguments or []
            if len(arguments) == 2:
                return arguments[0], self._written(arguments[1])
        return None, ""

    def _has_atomic(self, type_: Expression, depth: int) -> bool:
        if depth == 0:
            return False
        below = _below_aliases(type_, self.names)
        if self.names.predeclared(below) == "atomic":
            return True
        element, _ = self._array(below)
        if element is not None:
            return self._has_atomic(element, depth - 1)
        declared = self.names.declared(below)
        if isinstance(declared, StructDeclaration):
            return any(self._has_atomic(member.type, depth - 1) for member in declared.members)
        return False

    def _written(self, expression: Expression) -> str:
        return " ".join(self.text[expression.start : expression.end].split())

    def _loop_name(self) -> str:
        self.loops += 1
        return f"{self.prefix}_k{self.loops}"
