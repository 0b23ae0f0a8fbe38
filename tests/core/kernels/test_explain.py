from pathlib import Path
from textwrap import dedent

from pixel_core.engines.base import AdapterInfo
from pixel_core.findings import Finding, Span
from pixel_core.kernels.explain import explain_results, informative_cases, rerun_command
from pixel_core.kernels.load_shader import understand
from pixel_core.kernels.place import Kernel
from pixel_core.kernels.plan import plan_cases
from pixel_core.kernels.results import CaseResult, Element, Fault, Mismatch, OutputResult, Pattern
from pixel_core.rules import RULES
from pixel_core.source import SourceText

SHADER = dedent("""\
    //! Doubles.
    //!
    //! [double]
    //! dims     = "n"
    //! shapes   = { x = "n", y = "n" }
    //! dispatch = "ceil(n / 16)"
    //! expect   = { y = "x * 2" }
    //! cases    = ["n=16", "n=17", "n=32", "n=33"]
    //! derive   = false

    @group(0) @binding(0) var<storage, read> x: array<f32>;
    @group(0) @binding(1) var<storage, read_write> y: array<f32>;

    @compute @workgroup_size(16)
    fn double(@builtin(global_invocation_id) id: vec3<u32>) {
        let i = id.x;
        if (i >= arrayLength(&y)) { return; }
        if (i == 0u) {
            y[0] = 2.0 * x[0];
        } else {
            y[i] = 2.0 * x[i];
        }
    }
""")

ADAPTER = AdapterInfo(engine="device", name="llvmpipe (LLVM 15)", backend="Vulkan", driver="Mesa", is_software=True)


def kernel_of(text: str = SHADER) -> Kernel:
    loaded = understand(SourceText(Path("double.wgsl"), text), None)
    assert not loaded.findings
    assert not loaded.contracts.findings
    contract = loaded.contracts.contracts[0]
    plan = plan_cases(contract, loaded.module, loaded.interface)
    assert not plan.findings
    return Kernel(
        file=loaded.source,
        shader=loaded.wgsl,
        tree=loaded.tree,
        names=loaded.names,
        interface=loaded.interface,
        contract=contract,
        plan=plan,
    )


def right(name: str, *, informative: bool = True) -> CaseResult:
    return CaseResult(name=name, status="passed", outputs=(judged(informative=informative),), adapter=ADAPTER)


def judged(*, mismatch: Mismatch | None = None, informative: bool = True, only_element: Element | None = None) -> OutputResult:
    return OutputResult(
        output="y", shape=(17,), mode="scaled", passed=mismatch is None, informative=informative,
        passing_dumb_output=None if informative else "zeros", max_absolute_error="0.5", max_bound_ratio="9e6", nmse="0.02",
        nmse_limit="1e-13", mismatch=mismatch, only_element=only_element,
    )  # fmt: skip


def element(index: int, expected: float, actual: float, ulp: int = 7) -> Element:
    error = abs(actual - expected)
    return Element(
        index=(index,), expected=repr(expected), actual=repr(actual), absolute_error=repr(error),
        relative_error=repr(error / abs(expected)), ulp=ulp, bound="2.4e-07",
    )  # fmt: skip


def wrong(name: str, kind: str = "last_element", text: str = "only the last element", worst: Element | None = None) -> CaseResult:
    first = element(16, 1.5, 1.0)
    mismatch = Mismatch(wrong=1, total=17, first=first, worst=worst or first, patterns=(Pattern(kind=kind, text=text),))
    return CaseResult(name=name, status="failed", outputs=(judged(mismatch=mismatch),), adapter=ADAPTER)


def faulty(name: str, fault: Fault, status: str = "failed") -> CaseResult:
    return CaseResult(name=name, status=status, faults=(fault,), adapter=ADAPTER)


def explain(*results: CaseResult, text: str = SHADER) -> list[Finding]:
    kernel = kernel_of(text)
    cases = {case.name: case for case in kernel.plan.cases}
    return explain_results(kernel, [(cases[result.name], result) for result in results])


def text_at(finding: Finding) -> str:
    span = finding.location.span
    assert span is not None
    return SHADER[span.start : span.end]


def test_a_wrong_output_is_told_once_on_the_store_that_writes_it() -> None:
    (finding,) = explain(right("n=16"), wrong("n=17"), right("n=32"), wrong("n=33"))
    assert finding.code == "PX401"
    assert finding.message == "y is wrong in 1 of 17 elements (case n=17, device llvmpipe)"
    assert text_at(finding) == "y[i] = 2.0 * x[i]"
    assert [label.message for label in finding.labels] == ["this store writes `y`", "`y` is written here too"]
    assert finding.notes == (
        "only the last element",
        "first y[16]: expected 1.5, got 1 (error 0.5, bound 2.4e-07, relative 0.33, 7 ULP)",
        "error of the whole (NMSE) 0.02, limit 1e-13",
        "in 2 of 4 cases: n=17, n=33",
        "passes in n=16, n=32",
        "fails exactly when n is not a multiple of 16",
        're-run: pixel-lsp check double.wgsl --case "n=17"',
    )


def test_the_case_with_the_most_telling_structure_is_shown() -> None:
    (finding,) = explain(right("n=16"), wrong("n=17"), right("n=32"), wrong("n=33", kind="every_kth", text="every 2nd element"))
    assert "case n=33" in finding.message
    assert finding.notes[0] == "every 2nd element"


def test_the_worst_element_is_told_when_it_is_not_the_first() -> None:
    (finding,) = explain(wrong("n=17", worst=element(3, -8.0, 4.0, ulp=1_073_741_824)))
    assert finding.notes[2] == "worst y[3]: expected -8, got 4 (error 12, bound 2.4e-07, relative 1.5, 1.1e+09 ULP)"


def test_values_that_look_equal_are_shown_with_more_digits() -> None:
    (finding,) = explain(wrong("n=17", worst=element(3, 1.0000001, 1.0000002)))
    assert finding.notes[2].startswith("worst y[3]: expected 1.0000001, got 1.0000002 (")


def test_a_loss_of_precision_without_a_wrong_element_says_so() -> None:
    mismatch = Mismatch(wrong=0, total=17, first=None, worst=None, patterns=())
    result = CaseResult(name="n=17", status="failed", outputs=(judged(mismatch=mismatch),), adapter=ADAPTER)
    (finding,) = explain(result)
    assert finding.message == "y is less exact as a whole than its arithmetic allows (case n=17, device llvmpipe)"
    assert finding.notes[0].startswith("every element is within its bound")


def test_an_inconclusive_case_accuses_nobody() -> None:
    inconclusive = CaseResult(name="n=17", status="inconclusive", outputs=wrong("n=17").outputs, adapter=ADAPTER)
    assert explain(right("n=16"), inconclusive, right("n=32"), right("n=33")) == []


def test_uninformative_cases_are_counted() -> None:
    (finding,) = explain(right("n=16"), right("n=17"), right("n=32", informative=False), right("n=33", informative=False))
    assert finding.code == "PX391"
    assert finding.message == "2 of 4 cases can tell a right `y` from a dumb one; 3 are needed"
    assert finding.notes == ("uninformative: n=32 (passes with zeros), n=33 (passes with zeros)",)
    assert text_at(finding) == '"x * 2"'


def test_one_element_outputs_need_values_that_no_constant_fits() -> None:
    different = [judged(only_element=element(0, value, value)) for value in (1.0, 2.0, 3.0)]
    same = [judged(only_element=element(0, 1.0, 1.0)) for _ in range(3)]
    assert informative_cases(different) == 3
    assert informative_cases(same) == 0


def test_one_fault_in_several_cases_is_one_finding() -> None:
    fault = Fault(kind="timeout", message="the case did not end within 20 s")
    (finding,) = explain(right("n=16"), faulty("n=17", fault), faulty("n=32", fault))
    assert finding.code == "PX701"
    assert finding.message == "stopped: the case did not end within 20 s (case n=17, device llvmpipe)"
    assert finding.notes == ("in 2 of 3 cases: n=17, n=32",)
    assert text_at(finding) == "double"


def test_a_compiler_s_position_becomes_the_token_there() -> None:
    (finding,) = explain(faulty("n=17", Fault(kind="compile", message="unknown identifier", line=16, column=13)))
    assert (finding.code, text_at(finding)) == ("PX201", "id")
    (finding,) = explain(faulty("n=17", Fault(kind="compile", message="something")))
    assert text_at(finding) == "double"


def test_a_failing_expression_is_shown_at_its_wrong_part() -> None:
    fault = Fault(kind="expression", message="shapes differ", subject="expect.y", expression_start=4, expression_end=5)
    (finding,) = explain(faulty("n=17", fault))
    assert (finding.code, text_at(finding)) == ("PX392", "2")
    whole = Fault(kind="expression", message="shapes differ", subject="expect.y")
    assert text_at(explain(faulty("n=17", whole))[0]) == "x * 2"


def test_every_kind_of_fault_has_a_rule_and_a_place() -> None:
    kinds = {
        "compile", "pipeline", "validation", "unsupported", "out_of_memory", "device_lost", "loop_cap", "guard_overwritten",
        "input_changed", "not_repeatable", "depends_on_poison", "expression", "reference", "outside_workspace", "interpreter",
        "timeout", "worker_ended", "cancelled", "internal",
    }  # fmt: skip
    for kind in sorted(kinds):
        (finding,) = explain(faulty("n=17", Fault(kind=kind, message="it happened", subject="y")))
        assert finding.code in RULES
        assert finding.severity is RULES[finding.code].severity
        assert isinstance(finding.location.span, Span), kind


def test_the_command_is_quoted_for_a_shell() -> None:
    source = SourceText(Path("my kernels/a.wgsl"), "")
    assert rerun_command(source, "M=1 N=2") == "pixel-lsp check 'my kernels/a.wgsl' --case \"M=1 N=2\""
    assert rerun_command(source, "big $HOME") == "pixel-lsp check 'my kernels/a.wgsl' --case 'big $HOME'"
