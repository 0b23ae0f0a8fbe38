"""How planning a case stops: with the finding that says why."""

from __future__ import annotations

from pixel_core.findings import Finding, Label, Span
from pixel_core.kernels.contract import KernelContract
from pixel_core.kernels.contract_fields import make_finding
from pixel_core.kernels.expressions import Expression, ExpressionProblem


class PlanProblem(Exception):  # noqa: N818 -- a user's mistake, not an error of ours
    """A case that cannot be planned: a user's mistake, carried as its finding to `plan_cases`.

    Attributes:
        finding: What the user is told.
    """

    def __init__(self, finding: Finding) -> None:
        super().__init__(finding.message)
        self.finding = finding


def at_key(contract: KernelContract, code: str, key: str, message: str, hint: str | None = None, *labels: Label) -> Finding:
    """A finding at the value of a dotted key (`shapes.a`), or at the key itself (`key@shapes.a`); at the header where it is absent."""
    span = contract.key_spans.get(key, contract.span)
    return make_finding(code, contract.source, span, message, hint, labels)


def at_expression(
    contract: KernelContract, code: str, expression: Expression, problem: ExpressionProblem, case: str | None = None
) -> Finding:
    """A finding at the part of an expression that is wrong, naming the case in which it is."""
    span = expression.locate(problem.span) or contract.span
    message = problem.message if case is None else f"{problem.message} (case {case})"
    return make_finding(code, contract.source, span, message, problem.hint)


def at_span(contract: KernelContract, code: str, span: Span, message: str, hint: str | None = None, *labels: Label) -> Finding:
    """A finding at a span of the contract's file."""
    return make_finding(code, contract.source, span, message, hint, labels)
