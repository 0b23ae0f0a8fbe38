"""What the kernel worker answers: plain data that crosses the process boundary as JSON.

No texts for users here: `explain` composes those, and knows where in the shader to put them.

Numbers may be NaN or infinite; JSON has no word for those, so they travel as `Real` texts (`repr` of the float).
"""

from __future__ import annotations

import msgspec

from pixel_core.engines.base import AdapterInfo

Real = str
"""A float as `repr` text (`"0.1"`, `"nan"`, `"-inf"`) or an integer as decimal text."""


class Element(msgspec.Struct, frozen=True, kw_only=True):
    """One element of an output.

    Attributes:
        index: Logical index.
        expected: Reference value, rounded to the output's type for ULP.
        actual: What the kernel wrote.
        absolute_error: |actual - expected|.
        relative_error: absolute error / |expected|; `inf` where expected is 0.
        ulp: Distance in units in the last place of the output's type; -1 when either is not finite.
        bound: The error bound of this element; `0` in exact modes.
    """

    index: tuple[int, ...]
    expected: Real
    actual: Real
    absolute_error: Real
    relative_error: Real
    ulp: int
    bound: Real


class Pattern(msgspec.Struct, frozen=True, kw_only=True):
    """The structure of the wrong elements.

    Attributes:
        kind: Stable word: `all_zeros`, `unwritten`, `all_nan`, `some_nan`, `last_row`, `last_column`, `last_element`, `tile_edge`,
            `every_kth`, `one_workgroup`, `last_workgroup`, `transposed`, `shifted`, `constant_factor`, `constant_offset`,
            `precision_f16`, `all_wrong`, `scattered`, …
        text: One sentence for the user, in the output's own terms (`all in the last row (row 64)`).
    """

    kind: str
    text: str


class Mismatch(msgspec.Struct, frozen=True, kw_only=True):
    """How one output is wrong.

    Attributes:
        wrong: Number of wrong elements; 0 when only the NMSE or the multiset differs.
        total: Number of elements.
        first: First wrong element in row-major order.
        worst: The element with the greatest error relative to its bound (NaN counts as greatest).
        patterns: Most telling first; at least one.
    """

    wrong: int
    total: int
    first: Element | None
    worst: Element | None
    patterns: tuple[Pattern, ...]


class OutputResult(msgspec.Struct, frozen=True, kw_only=True):
    """The judgement of one output in one case.

    Attributes:
        output: Buffer or `buffer.field`.
        shape: Logical shape.
        mode: Compare mode used.
        passed: Every part of the conjunction held.
        informative: No dumb output (zeros, best constant, a copy of an input) would have passed.
        passing_dumb_output: Which dumb output would have passed, or None.
        max_absolute_error: Over all elements.
        max_bound_ratio: Greatest error / bound; above 1 is wrong.
        nmse: Normalised mean squared error.
        nmse_limit: What it may be.
        bound_is_estimated: The reference gave no `scale`.
        mismatch: None when passed.
        only_element: The one element of a one-element output, where a constant is dumb only if it passes in every case; None for
            larger outputs.
    """

    output: str
    shape: tuple[int, ...]
    mode: str
    passed: bool
    informative: bool
    passing_dumb_output: str | None
    max_absolute_error: Real
    max_bound_ratio: Real
    nmse: Real
    nmse_limit: Real
    bound_is_estimated: bool = False
    mismatch: Mismatch | None = None
    only_element: Element | None = None


class Fault(msgspec.Struct, frozen=True, kw_only=True):
    """Something besides a wrong number.

    Attributes:
        kind: `compile`, `pipeline`, `validation`, `out_of_memory`, `device_lost`, `loop_cap`, `guard_overwritten`, `input_changed`,
            `not_repeatable`, `depends_on_poison`, `invariant`, `expression`, `input`, `no_input`, `reference`, `oracle`,
            `oracle_loop_cap`, `unsupported`, `internal`.
        message: The facts in one sentence.
        subject: The buffer, entry point or contract key concerned (`expect.c`); empty for none.
        line: Line in the shader from 1, 0 when unknown.
        column: Column in code points from 1, 0 when unknown.
        expression_start: For `expression`: start of the wrong part in that expression's text, -1 for all of it.
        expression_end: Likewise, its end.
        hint: What to do about it; empty for none.
        detail: The full text of a compiler or a traceback; empty for none.
    """

    kind: str
    message: str
    subject: str = ""
    line: int = 0
    column: int = 0
    expression_start: int = -1
    expression_end: int = -1
    hint: str = ""
    detail: str = ""


class Timing(msgspec.Struct, frozen=True, kw_only=True):
    """Where the time of one case went, in seconds: `device_s` and `total_s` of the wall, the others of the worker's CPU.

    `device_cpu_s` is what the process computed during `device_s`: on a software adapter the kernel, on a GPU next to nothing.
    """

    inputs_s: float = 0.0
    device_s: float = 0.0
    device_cpu_s: float = 0.0
    reference_s: float = 0.0
    compare_s: float = 0.0
    total_s: float = 0.0


class CaseResult(msgspec.Struct, frozen=True, kw_only=True):
    """What one case came to.

    Attributes:
        name: The case.
        status: `passed`, `partly_proved` (right, as far as invariants say), `failed` or `inconclusive`.
        outputs: One per output that could be judged.
        faults: Everything else that went wrong.
        adapter: What ran it.
        passing_dumb_values: What would break no invariant either (`zeros`), where only invariants speak of an output; None otherwise.
    """

    name: str
    status: str
    outputs: tuple[OutputResult, ...] = ()
    faults: tuple[Fault, ...] = ()
    adapter: AdapterInfo | None = None
    timing: Timing = msgspec.field(default_factory=Timing)
    passing_dumb_values: str | None = None
