"""Findings for everything besides a wrong number: refusals, crashes, time-outs, changed inputs, loops that were cut short."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec

from pixel_core.findings import Finding
from pixel_core.kernels.place import (
    Kernel,
    Place,
    place_entry,
    place_expression,
    place_key,
    place_output,
    place_position,
)
from pixel_core.kernels.plan import Case
from pixel_core.kernels.results import CaseResult, Fault
from pixel_core.rules import RULES

FINAL_FAULTS = frozenset({"compile", "no_input", "no_reference", "outside_workspace", "interpreter", "timeout", "cancelled"})
"""Kinds of fault after which the other cases of a kernel are not run: they could not do better, or would each wait as long."""

_DETAIL_LINES = 8
"""How many lines of a compiler's text or a traceback a finding shows; the last ones, where the cause stands."""


class _Explanation(msgspec.Struct, frozen=True, kw_only=True):
    """How one kind of fault is told.

    Attributes:
        code: Its rule.
        message: With `{message}`, `{subject}` and `{case}` filled in.
        place: Where it belongs.
        hint: Used when the fault brings none.
        shows_detail: Whether the end of the fault's detail becomes notes.
    """

    code: str
    message: str
    place: Callable[[Kernel, Fault], Place]
    hint: str | None = None
    shows_detail: bool = False


def explain_fault(kernel: Kernel, case: Case, result: CaseResult, fault: Fault, notes: Sequence[str] = ()) -> Finding:
    """The finding for one fault.

    Args:
        kernel: What was run.
        case: The first case in which it happened.
        result: Of that case.
        fault: What happened.
        notes: Further facts, such as the other cases.
    """
    how = _EXPLANATIONS[fault.kind]
    place = how.place(kernel, fault)
    device = f", {result.adapter.engine} {result.adapter.name.split(' (')[0]}" if result.adapter else ""
    detail = fault.detail.strip().splitlines()[-_DETAIL_LINES:] if how.shows_detail else []
    return Finding(
        code=how.code,
        severity=RULES[how.code].severity,
        message=how.message.format(message=fault.message, subject=fault.subject, case=f"case {case.name}{device}"),
        location=place.location,
        labels=place.labels,
        notes=(*notes, *detail),
        hint=fault.hint or how.hint,
    )


def _position(kernel: Kernel, fault: Fault) -> Place:
    return place_position(kernel, fault.line, fault.column, fault.subject or _first_entry(kernel))


def _entry(kernel: Kernel, fault: Fault) -> Place:
    return place_entry(kernel, fault.subject or _first_entry(kernel))


def _store(kernel: Kernel, fault: Fault) -> Place:
    return place_output(kernel, fault.subject)


def _dispatch(kernel: Kernel, fault: Fault) -> Place:
    return place_key(kernel.contract, fault.subject or "dispatch")


def _expression(kernel: Kernel, fault: Fault) -> Place:
    return place_expression(kernel.contract, fault.subject, fault.expression_start, fault.expression_end)


def _reference(kernel: Kernel, fault: Fault) -> Place:
    return place_key(kernel.contract, fault.subject or "reference")


def _oracle(kernel: Kernel, fault: Fault) -> Place:  # noqa: ARG001  (one signature for all places)
    return place_key(kernel.contract, "oracle")


def _first_entry(kernel: Kernel) -> str:
    return kernel.contract.passes[0].entry


_EXPLANATIONS = {
    "compile": _Explanation(code="PX201", message="naga refuses the shader: {message}", place=_position),
    "pipeline": _Explanation(code="PX202", message="no pipeline for this entry point: {message}", place=_position),
    "validation": _Explanation(code="PX705", message="the adapter refuses to run this: {message} ({case})", place=_dispatch),
    "unsupported": _Explanation(code="PX705", message="this cannot be run yet: {message} ({case})", place=_dispatch),
    "out_of_memory": _Explanation(
        code="PX704", message="out of memory: {message} ({case})", place=_entry, hint="use smaller sizes in the cases"
    ),
    "device_lost": _Explanation(code="PX703", message="the device was lost: {message} ({case})", place=_entry),
    "loop_cap": _Explanation(
        code="PX410",
        message="inconclusive: the adapter ended this loop before its own exit was taken ({case})",
        place=_position,
        hint="an endless loop, or more than 65,535 iterations: check its condition, or use smaller sizes",
    ),
    "guard_overwritten": _Explanation(code="PX403", message="the kernel changed bytes outside of `{subject}` ({case})", place=_store),
    "input_changed": _Explanation(
        code="PX402",
        message="`{subject}` is an input, and the kernel changed it: {message} ({case})",
        place=_store,
        hint="if that is meant, give the buffer the role `inout`",
    ),
    "not_repeatable": _Explanation(
        code="PX404",
        message="`{subject}` differs between two runs with the same inputs: {message} ({case})",
        place=_store,
        hint="look for a missing barrier, or for two invocations that store into one element",
    ),
    "depends_on_poison": _Explanation(
        code="PX405",
        message="`{subject}` depends on what an output or scratch buffer held before: {message} ({case})",
        place=_store,
        hint="every element must be written before it is read",
    ),
    "expression": _Explanation(code="PX392", message="{message} ({case})", place=_expression),
    "input": _Explanation(code="PX395", message="{message} ({case})", place=_reference, shows_detail=True),
    "no_input": _Explanation(code="PX395", message="{message}", place=_reference, shows_detail=True),
    "reference": _Explanation(code="PX706", message="the reference failed: {message} ({case})", place=_reference, shows_detail=True),
    "no_reference": _Explanation(code="PX706", message="the reference cannot be used: {message}", place=_reference, shows_detail=True),
    "invariant": _Explanation(code="PX406", message="{message} ({case})", place=_dispatch),
    "oracle": _Explanation(code="PX710", message="the oracle failed: {message} ({case})", place=_oracle),
    "oracle_loop_cap": _Explanation(
        code="PX410",
        message="inconclusive: {message} ({case})",
        place=_oracle,
        hint="an endless loop, or more than 65,535 iterations: use smaller sizes, or a less simple oracle",
    ),
    "outside_workspace": _Explanation(code="PX707", message="{message}", place=_reference),
    "interpreter": _Explanation(code="PX902", message="the user's Python cannot run: {message}", place=_reference),
    "timeout": _Explanation(
        code="PX701",
        message="stopped: {message} ({case})",
        place=_entry,
        hint="a loop that never ends, or a shader that takes long to compile? else use smaller sizes, or raise `budget = { seconds = … }`",
    ),
    "worker_ended": _Explanation(
        code="PX702", message="the process that ran the kernel ended: {message} ({case})", place=_entry, shows_detail=True
    ),
    "cancelled": _Explanation(code="PX709", message="cancelled before this kernel was through", place=_entry),
    "internal": _Explanation(
        code="PX790",
        message="pixel-lsp failed here: {message} ({case})",
        place=_entry,
        hint="this is a bug of pixel-lsp; please report it with the lines below",
        shows_detail=True,
    ),
}
