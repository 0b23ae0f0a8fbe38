"""Language extensions that are used and not enabled (PX135)."""

from __future__ import annotations

from pixel_core.wgsl import builtins
from pixel_core.wgsl.collector import Collector
from pixel_core.wgsl.enable_fix import enable_fix
from pixel_core.wgsl.names import Names
from pixel_core.wgsl.scopes import Predeclared
from pixel_core.wgsl.syntax import EnableDirective, Identifier, SyntaxTree


def check_enables(tree: SyntaxTree, names: Names, collector: Collector) -> None:
    """Report the first use of `f16` and of subgroup functions without their directives."""
    enabled = {name.text for directive in tree.directives if isinstance(directive, EnableDirective) for name in directive.names}
    if "f16" not in enabled:
        first = _first_half(names)
        if first is not None:
            fix = enable_fix(tree.directives, tree.declarations, "f16")
            collector.error("PX135", first, "`f16` needs `enable f16;`", hint="write it before all declarations", fix=fix)
    if "subgroups" not in enabled:
        used = [identifier for identifier in names.uses if names.predeclared(identifier) in builtins.SUBGROUP_FUNCTIONS]
        if used:
            use = min(used, key=lambda identifier: identifier.start)
            message = f"`{use.name.text}` needs `enable subgroups;` in browsers"
            hint = "native implementations take subgroup functions without it, and some reject the directive"
            fix = enable_fix(tree.directives, tree.declarations, "subgroups")
            collector.warning("PX135", use, message, hint=hint, fix=fix)


def _first_half(names: Names) -> Identifier | None:
    used = [node for node in names.uses if node.name.text in builtins.F16_TYPES and isinstance(names.uses[node], Predeclared)]
    return min(used, key=lambda node: node.start, default=None)
