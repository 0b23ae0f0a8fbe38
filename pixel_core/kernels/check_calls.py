"""Whether an expression calls functions that exist, in the way they are called."""

from __future__ import annotations

from collections.abc import Collection

from pixel_core.findings import Span
from pixel_core.kernels.closest_name import closest_name
from pixel_core.kernels.expression_nodes import Expression, ExpressionProblem, FunctionCall, walk_nodes
from pixel_core.kernels.functions import CONSTANTS, FOREIGN_NAMES, FUNCTIONS, SYMBOL

MAX_LISTED = 12
"""Names that a hint lists."""

_PLACES = {"symbol": "sizes and parameters", "input": "`inputs`", "expect": "`expect` and `define`"}


def check_calls(expression: Expression, context: str) -> list[ExpressionProblem]:
    """What is wrong with the calls of an expression.

    Args:
        expression: Any expression.
        context: `symbol`, `input` or `expect` (see `functions`).
    """
    problems: list[ExpressionProblem] = []
    for node in walk_nodes(expression.tree):
        if isinstance(node, FunctionCall):
            problem = _check_call(node, context)
            if problem is not None:
                problems.append(problem)
    return problems


def check_names(expression: Expression, known: Collection[str]) -> list[ExpressionProblem]:
    """Every name of an expression that means nothing, with a guess at what was meant."""
    problems: list[ExpressionProblem] = []
    for use in expression.used_names():
        if use.name in known or use.name in CONSTANTS:
            continue
        base, _, member = use.name.partition(".")
        close = closest_name(use.name, known)
        if member == "T" and base in known:
            hint = f"write `transpose({base})`"
        elif member == "shape" and base in known:
            hint = f"write `shape({base}, 0)`"
        elif close:
            hint = f"did you mean `{close}`?"
        else:
            hint = f"known here: {_listed(known)}"
        problems.append(ExpressionProblem(f"unknown name `{use.name}`", use.span, hint))
    return problems


def _listed(known: Collection[str]) -> str:
    first = list(known)[:MAX_LISTED]
    return ", ".join(first) + (", …" if len(known) > MAX_LISTED else "") or "no names, only numbers"


def _check_call(node: FunctionCall, context: str) -> ExpressionProblem | None:
    span = Span(node.span.start, node.span.start + len(node.function))
    rule = FUNCTIONS.get(node.function)
    if rule is None:
        offered = [name for name, candidate in FUNCTIONS.items() if context in candidate.contexts]
        close = FOREIGN_NAMES.get(node.function) or closest_name(node.function, offered)
        hint = f"did you mean `{close}`?" if close else "docs/contracts.md lists the functions"
        return ExpressionProblem(f"unknown function `{node.function}`", span, hint)
    if context not in rule.contexts:
        places = " and ".join(_PLACES[place] for place in ("symbol", "input", "expect") if place in rule.contexts)
        return ExpressionProblem(f"`{rule.name}` is not available in {_PLACES[context]}", span, f"it belongs to {places}")
    count = len(node.arguments)
    given = {name for name, _ in node.keywords}
    unknown = sorted(given - (frozenset[str]() if context == SYMBOL else rule.keywords))
    if unknown:
        takes = ", ".join(f"`{name}`" for name in sorted(rule.keywords)) if context != SYMBOL else ""
        hint = f"it takes {takes}" if takes else "it takes no keywords here"
        return ExpressionProblem(f"`{rule.name}` has no keyword `{unknown[0]}`", span, hint)
    if count < rule.min_args or (rule.max_args is not None and count > rule.max_args):
        arguments = "1 argument" if count == 1 else f"{count} arguments"
        return ExpressionProblem(f"`{rule.name}` is called with {arguments}", span, f"it is called as `{rule.signature}`")
    return None
