"""From what the worker measured to what the user reads: findings on the line that matters. Pure; the texts are part of the interface."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from pixel_core.findings import Finding
from pixel_core.kernels.explain_fault import explain_fault
from pixel_core.kernels.failing_sizes import describe_failing_sizes
from pixel_core.kernels.numbers import count, listed, ratio, real
from pixel_core.kernels.place import Kernel, place_key, place_output
from pixel_core.kernels.plan import Case
from pixel_core.kernels.results import CaseResult, Element, Fault, OutputResult
from pixel_core.rules import RULES
from pixel_core.source import SourceText
from pixel_core.wgsl.texel_formats import name_channel

INFORMATIVE_CASES = 3
"""How many cases an output needs in which no dumb output would pass."""

_MANY_ULP = 10_000_000
"""From here on only the magnitude of a distance in ULP says anything."""

UNSPECIFIC_PATTERNS = frozenset({"all_zeros", "all_wrong", "scattered", "last_element"})
"""Kinds of pattern that point to no cause; a case that shows another one is the better example."""

_WHY_ESTIMATED = {
    False: "the bound is an estimate: return `(array, scale)` from the reference for an exact one",
    True: "the bound is an estimate: the oracle rounds as well, and tells no magnitudes; a formula in `expect` would give an exact one",
}

Judged = tuple[Case, CaseResult, OutputResult]


def explain_results(kernel: Kernel, results: Sequence[tuple[Case, CaseResult]], *, all_cases: bool = True) -> list[Finding]:
    """The findings of all cases of one kernel.

    An output that is wrong in nine cases is one finding, on the first case that fails, and it says where else.
    Faults that are the same in several cases are joined likewise.

    Args:
        kernel: What was run.
        results: In the order in which the cases ran.
        all_cases: Whether every case of the plan is among the results; only then can too few informative ones be told.
    """
    findings: list[Finding] = []
    for output in kernel.plan.outputs:
        judged = [
            (case, result, one)
            for case, result in results
            for one in result.outputs
            if one.output == output and result.status != "inconclusive"
        ]
        wrong = [one for one in judged if not one[2].passed]
        if wrong:
            findings.append(_explain_mismatch(kernel, wrong, [one for one in judged if one[2].passed]))
        elif all_cases and judged and len(judged) == len(results):
            findings.extend(_explain_uninformative(kernel, output, judged))
    if all_cases:
        findings.extend(_explain_idle_invariants(kernel, results))
    joined: dict[tuple[object, ...], list[tuple[Case, CaseResult, Fault]]] = {}
    for case, result in results:
        for fault in result.faults:
            place = (fault.kind, fault.subject, fault.line, fault.column, fault.expression_start, fault.expression_end)
            joined.setdefault(place, []).append((case, result, fault))
    for occurrences in joined.values():
        case, result, fault = occurrences[0]
        notes = _elsewhere([other.name for other, _, _ in occurrences], len(results))
        findings.append(explain_fault(kernel, case, result, fault, notes))
    return findings


def rerun_command(shader: SourceText, case: str) -> str:
    """The shell command that runs one case again."""
    quoted = shlex.quote(case) if set(case) & set("\"$`\\!'") else f'"{case}"'
    return f"pixel-lsp check {shlex.quote(str(shader.path))} --case {quoted}"


def _explain_mismatch(kernel: Kernel, wrong: Sequence[Judged], right: Sequence[Judged]) -> Finding:
    case, result, output = min(wrong, key=_how_little_it_tells)
    place = place_output(kernel, output.output)
    passing = [other.name for other, _, _ in right]
    failing = [case.name, *(other.name for other, _, _ in wrong if other is not case)]
    evidence = _evidence(output, _texture_dimension(case, output.output), has_oracle=kernel.contract.oracle is not None)
    notes = [*evidence, *_elsewhere(failing, len(failing) + len(passing), passing)]
    sizes = describe_failing_sizes([_dims(kernel, one) for one in wrong], [_dims(kernel, one) for one in right], _widths(wrong))
    if sizes:
        notes.append(sizes)
    notes.append(f"re-run: {rerun_command(kernel.file, case.name)}")
    return Finding(
        code="PX401",
        severity=RULES["PX401"].severity,
        message=f"{_what_is_wrong(output)} (case {case.name}{_device(result)})",
        location=place.location,
        labels=place.labels,
        notes=tuple(notes),
    )


def _how_little_it_tells(judged: Judged) -> tuple[bool, bool]:
    """Sorts first, of the failing cases in their order, the one whose wrong elements have a structure."""
    mismatch = judged[2].mismatch
    if mismatch is None:
        return True, True
    return mismatch.total == 1, all(pattern.kind in UNSPECIFIC_PATTERNS for pattern in mismatch.patterns)


def _dims(kernel: Kernel, judged: Judged) -> dict[str, int]:
    return {name: int(judged[0].symbols[name]) for name in kernel.contract.dims}


def _widths(judged: Sequence[Judged]) -> set[int]:
    return {width for case, _, _ in judged for dispatch in case.dispatches for width in dispatch.workgroup_size}


def _what_is_wrong(output: OutputResult) -> str:
    mismatch = output.mismatch
    if mismatch is None or mismatch.wrong == 0:
        return f"{output.output} is less exact as a whole than its arithmetic allows"
    if mismatch.total == 1:
        return f"{output.output} is wrong"
    return f"{output.output} is wrong in {count(mismatch.wrong)} of {count(mismatch.total)} elements"


def _texture_dimension(case: Case, output: str) -> str | None:
    """Of an output that is a texture."""
    return next((one.texture.dimension for one in case.buffers if one.name == output and one.texture is not None), None)


def _evidence(output: OutputResult, dimension: str | None, *, has_oracle: bool) -> list[str]:
    """Patterns, then the first and the worst element, then the error as a whole."""
    mismatch = output.mismatch
    if mismatch is None:
        return []
    notes = [pattern.text for pattern in mismatch.patterns]
    if mismatch.first is not None:
        first = _element("first", output, mismatch.first, dimension)
        if mismatch.worst is not None and mismatch.worst.index != mismatch.first.index:
            notes.extend((first, _element("worst", output, mismatch.worst, dimension)))
        else:
            notes.append(first)
    if output.mode == "scaled":
        sentence = f"error of the whole (NMSE) {ratio(output.nmse)}, limit {ratio(output.nmse_limit)}"
        if mismatch.wrong == 0:
            sentence = f"every element is within its bound, and the {sentence}: a systematic loss of precision"
        notes.append(sentence)
    if output.bound_is_estimated:
        notes.append(_WHY_ESTIMATED[has_oracle])
    return notes


def _element(rank: str, output: OutputResult, element: Element, dimension: str | None) -> str:
    subscript = ", ".join(str(axis) for axis in element.index)
    facts = [f"error {ratio(element.absolute_error)}"]
    if output.mode in ("scaled", "quantised"):
        facts.append(f"bound {ratio(element.bound)}")
    if element.relative_error not in ("inf", "nan", "0"):
        facts.append(f"relative {ratio(element.relative_error)}")
    if element.ulp >= 0:
        facts.append(f"{count(element.ulp) if element.ulp < _MANY_ULP else f'{element.ulp:.1e}'} ULP")
    where = f"{output.output}[{subscript}]" if subscript else output.output
    if dimension is not None:
        where = f"{output.output}{name_channel(dimension, element.index)}"
    expected, actual = real(element.expected), real(element.actual)
    if expected == actual:  # five digits do not show the difference
        expected, actual = real(element.expected, 9), real(element.actual, 9)
    return f"{rank} {where}: expected {expected}, got {actual} ({', '.join(facts)})"


def _elsewhere(failing: list[str], total: int, passing: list[str] | None = None) -> list[str]:
    if total < 2:
        return []
    if len(failing) == total:
        return [f"the same in all {total} cases"]
    notes = [f"in {len(failing)} of {total} cases: {listed(failing)}"] if len(failing) > 1 else []
    if passing:
        notes.append(f"passes in {listed(passing)}")
    return notes


def _device(result: CaseResult) -> str:
    return f", {result.adapter.engine} {result.adapter.name.split(' (')[0]}" if result.adapter else ""


def informative_cases(outputs: Sequence[OutputResult]) -> int:
    """In how many cases no dumb output would have passed.

    Args:
        outputs: The same output in all cases. For a one-element output every value is a constant, so there a constant counts as
            dumb only if it lies within the bounds of all cases at once.
    """
    informative = [output for output in outputs if output.informative]
    single = [output.only_element for output in informative if output.only_element is not None]
    if single and len(single) == len(informative):
        lowest = max(float(element.expected) - float(element.bound) for element in single)
        highest = min(float(element.expected) + float(element.bound) for element in single)
        if lowest <= highest:
            return 0
    return len(informative)


def _why_uninformative(smoke: list[str], informative: int) -> tuple[str, ...]:
    if smoke:
        return (f"uninformative: {listed(smoke)}",)
    return () if informative else ("one constant would pass in every case",)


def _explain_uninformative(kernel: Kernel, output: str, judged: Sequence[Judged]) -> list[Finding]:
    informative = informative_cases([one for _, _, one in judged])
    if informative >= INFORMATIVE_CASES:
        return []
    smoke = [f"{case.name} (passes with {one.passing_dumb_output})" for case, _, one in judged if not one.informative]
    return [
        Finding(
            code="PX391",
            severity=RULES["PX391"].severity,
            message=f"{informative} of {len(judged)} cases can tell a right `{output}` from a dumb one; {INFORMATIVE_CASES} are needed",
            location=place_key(kernel.contract, f"expect.{output}").location,
            notes=_why_uninformative(smoke, informative),
            hint="add cases with other sizes, or inputs that make the output vary",
        )
    ]


def _explain_idle_invariants(kernel: Kernel, results: Sequence[tuple[Case, CaseResult]]) -> list[Finding]:
    """Invariants that dumb values would not break either."""
    smoke = [f"{case.name} (holds for {result.passing_dumb_values})" for case, result in results if result.passing_dumb_values]
    informative = len(results) - len(smoke)
    if not smoke or informative >= INFORMATIVE_CASES:
        return []
    named = listed([f"`{output}`" for output in kernel.plan.constrained])
    return [
        Finding(
            code="PX391",
            severity=RULES["PX391"].severity,
            message=f"in {informative} of {len(results)} cases the invariants tell a right {named} from a dumb one; "
            f"{INFORMATIVE_CASES} are needed",
            location=place_key(kernel.contract, "invariants").location,
            notes=(f"uninformative: {listed(smoke)}",),
            hint="add an invariant that ties the output to the inputs, such as `sum(keys) == sum(old.keys)`",
        )
    ]
