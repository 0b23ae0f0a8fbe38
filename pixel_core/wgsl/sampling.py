"""Which textures a shader samples through which samplers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from pixel_core.wgsl.names import Names
from pixel_core.wgsl.syntax import Call, Expression, FunctionDeclaration, Identifier, Parameter, Parenthesized, VariableDeclaration
from pixel_core.wgsl.walk import walk

Pair = tuple[str, str]
_Bound = frozenset[tuple[Parameter, str]]

_MAX_CONTEXTS = 500
_SAMPLING = ("textureSample", "textureGather")


def sampled_pairs(names: Names, entry: FunctionDeclaration) -> set[Pair]:
    """Every texture with every sampler that it is sampled through, by the names of their variables.

    Follows textures and samplers that are handed on as parameters. Of a shader with thousands of such calls some are left out.

    Args:
        names: Of the module.
        entry: Where execution starts.
    """
    pairs: set[Pair] = set()
    start: tuple[FunctionDeclaration, _Bound] = (entry, frozenset())
    pending, seen = [start], {start}
    while pending:
        function, bound = pending.pop()
        for call in _calls(function):
            callee = names.declared(call.callee)
            given = [_variable(argument, names, dict(bound)) for argument in call.arguments]
            if isinstance(callee, FunctionDeclaration):
                handed = zip(callee.parameters, given, strict=False)
                context = (callee, frozenset((parameter, name) for parameter, name in handed if name is not None))
                if context not in seen and len(seen) < _MAX_CONTEXTS:
                    seen.add(context)
                    pending.append(context)
                continue
            if (names.predeclared(call.callee) or "").startswith(_SAMPLING):
                # `textureGather` may begin with the number of a component.
                first = [name for name in given[:3] if name is not None]
                pairs.update([(first[0], first[1])] if len(first) >= 2 else [])
    return pairs


def _calls(function: FunctionDeclaration) -> Iterator[Call]:
    return (node for node in walk(function.body) if isinstance(node, Call)) if function.body is not None else iter(())


def _variable(expression: Expression, names: Names, bound: Mapping[Parameter, str]) -> str | None:
    """The module-scope resource that an argument names; None for anything else."""
    while isinstance(expression, Parenthesized):
        expression = expression.inner
    declared = names.declared(expression) if isinstance(expression, Identifier) else None
    if isinstance(declared, Parameter):
        return bound.get(declared)
    if isinstance(declared, VariableDeclaration) and declared.keyword == "var" and declared.template_arguments is None:
        return declared.name.text if names.module.get(declared.name.text) is declared else None
    return None
