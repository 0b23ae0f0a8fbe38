from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from pixel_core.engines.compilers import AbsentCompiler, compile_with
from pixel_core.engines.device import open_device_engine
from pixel_core.engines.naga import NagaCompiler
from pixel_core.engines.tint import open_tint
from pixel_core.findings import Finding, Fix, Severity
from pixel_core.kernels.compiler_findings import compiler_findings
from pixel_core.kernels.load_shader import understand
from pixel_core.kernels.portability import portability_findings
from pixel_core.source import SourceText

MAIN = "@compute @workgroup_size(64)\nfn main(@builtin(local_invocation_index) i: u32) {\n"
OUT = "@group(0) @binding(0) var<storage, read_write> o: array<u32>;\n"
COUNT = "var<workgroup> count: atomic<u32>;\n"

Verdict = Callable[[str], tuple[frozenset[str], list[Finding]]]
"""Who refuses a text, and everything that is found in it."""


@pytest.fixture(scope="module")
def verdict() -> Verdict:
    tint = open_tint()
    assert not isinstance(tint, AbsentCompiler)
    compilers = (NagaCompiler(open_device_engine().refusal), tint)

    def ask(text: str) -> tuple[frozenset[str], list[Finding]]:
        loaded = understand(SourceText(Path("k.wgsl"), text), None)
        verdicts = compile_with(compilers, text)
        return verdicts.refused_by, [*loaded.findings, *compiler_findings(loaded, verdicts)]

    return ask


@dataclass(frozen=True)
class OneSided:
    """A kernel that one compiler takes and the other refuses; `marked` has the place of the finding between « and ».

    `is_mended` says whether the finding brings a fix after which both take it.
    """

    refuser: str
    code: str
    marked: str
    is_mended: bool = True

    @property
    def text(self) -> str:
        return self.marked.replace("«", "").replace("»", "")


ONE_SIDED = {
    "storage pointer parameter": OneSided(
        "naga",
        "PX211",
        OUT + "fn g(p: «ptr<storage, array<u32>, read_write>») { (*p)[0] = 1u; }\n" + MAIN + "g(&o); }",
        is_mended=False,
    ),
    "workgroup pointer parameter": OneSided(
        "naga",
        "PX211",
        "var<workgroup> a: array<u32, 4>;\nfn g(p: «ptr<workgroup, array<u32, 4>>») { (*p)[0] = 1u; }\n" + MAIN + "g(&a); }",
        is_mended=False,
    ),
    "uniform pointer parameter behind an alias": OneSided(
        "naga",
        "PX211",
        "@group(0) @binding(0) var<uniform> u: vec4u;\nalias P = ptr<uniform, vec4u>;\nfn g(p: «P») -> u32 { return (*p).x; }\n"
        + MAIN
        + "_ = g(&u); }",
        is_mended=False,
    ),
    "pointer to an atomic": OneSided(
        "naga", "PX211", COUNT + "fn g(p: «ptr<workgroup, atomic<u32>>») { atomicAdd(p, 1u); }\n" + MAIN + "g(&count); }", is_mended=False
    ),
    "requires": OneSided("naga", "PX212", "requires «unrestricted_pointer_parameters»;\n" + MAIN + "}"),
    "requires among others": OneSided(
        "naga", "PX212", "requires packed_4x8_integer_dot_product, «unrestricted_pointer_parameters»;\n" + MAIN + "}"
    ),
    "diagnostic on an if": OneSided("naga", "PX213", MAIN + "«@diagnostic(off, derivative_uniformity)» if i > 1u { } }"),
    "diagnostic on a block": OneSided("naga", "PX213", MAIN + "/* 😀é */ «@diagnostic(off, derivative_uniformity)» { } }"),
    "diagnostic on a loop": OneSided("naga", "PX213", MAIN + "«@diagnostic(off, derivative_uniformity)» for (var k = 0; k < 3; k++) { } }"),
    "bitcast in a const": OneSided("naga", "PX216", MAIN + "const x = «bitcast<u32>»(1.5f); _ = x; }"),
    "frexp in a const": OneSided("naga", "PX216", MAIN + "const x = «frexp»(1.5f).fract; _ = x; }"),
    "modf in a const": OneSided("naga", "PX216", MAIN + "const x = 1.0 + «modf»(1.5f).whole; _ = x; }"),
    "transpose in a const": OneSided("naga", "PX216", MAIN + "const x = «transpose»(mat2x2f()); _ = x; }"),
    "packing in a const": OneSided("naga", "PX216", MAIN + "/* 😀é */ const x = «pack4x8unorm»(vec4f()); _ = x; }"),
    "extractBits in a const": OneSided("naga", "PX216", MAIN + "const x = «extractBits»(7u, 1u, 2u); _ = x; }"),
    "ldexp in a const": OneSided("naga", "PX216", MAIN + "const x = «ldexp»(1.0, 3); _ = x; }"),
    "reflect in a const": OneSided("naga", "PX216", MAIN + "const x = «reflect»(vec2f(1, 1), vec2f(1, 1)); _ = x; }"),
    "modf in a constant of the module": OneSided("naga", "PX216", "const x = «modf»(1.5f).fract;\n" + MAIN + "_ = x; }", is_mended=False),
    "mix in a const": OneSided("naga", "PX216", MAIN + "const x = «mix»(1.0, 2.0, 0.5); _ = x; }", is_mended=False),
    "bitcast in a const that a size needs": OneSided(
        "naga", "PX216", MAIN + "const x = «bitcast<u32>»(4i); var a: array<u32, x>; a[0] = 1u; }", is_mended=False
    ),
    "loop that returns": OneSided("naga", "PX217", "fn f() -> u32 { «loop» { return 1u; } }\n" + MAIN + "_ = f(); }"),
    "loop with a return inside": OneSided(
        "naga", "PX217", "fn f(x: u32) -> vec3<u32> { var k = x; «loop» { if k > 4u { return vec3u(k); } k++; } }\n" + MAIN + "_ = f(1u); }"
    ),
    "for without a condition": OneSided(
        "naga",
        "PX217",
        "struct S { a: u32 }\nfn f(x: u32) -> S { «for» (var k = x; ; k++) { if k > 4u { return S(k); } } }\n" + MAIN + "_ = f(1u); }",
    ),
    "plain store to an atomic": OneSided("tint", "PX218", COUNT + MAIN + "«count = 1u»; }"),
    "plain load of an atomic": OneSided("tint", "PX218", OUT + COUNT + MAIN + "/* 😀é */ o[0] = «count»; }"),
    "plain load of an atomic in an array": OneSided(
        "tint", "PX218", OUT + "var<workgroup> counts: array<atomic<u32>, 4>;\n" + MAIN + "let x = «counts[i & 3u]»; o[0] = x; }"
    ),
    "plain load of an atomic in a structure": OneSided(
        "tint",
        "PX218",
        OUT + "alias A = atomic<u32>;\nstruct S { n: A }\nvar<workgroup> s: S;\n" + MAIN + "o[0] = 1u + «s.n»; }",
    ),
    "plain addition to an atomic": OneSided("tint", "PX218", COUNT + MAIN + "«count += 2u * i»; }"),
    "operators without parentheses": OneSided("tint", "PX108", OUT + MAIN + "if «i > 1u && i < 3u» || i == 7u { o[0] = 1u; } }"),
    "bits without parentheses": OneSided("tint", "PX108", OUT + MAIN + "o[0] = «i & 3u» | 4u; }"),
    "subgroups not enabled": OneSided("tint", "PX135", OUT + MAIN + "o[i] = «subgroupAdd»(i); }"),
    "barrier in an if": OneSided("tint", "PX203", MAIN + "if i > 2u { «workgroupBarrier» (); } }", is_mended=False),
    "barrier after a return": OneSided(
        "tint", "PX203", MAIN + "if i > 2u { return; }\n /* 😀é */ «workgroupBarrier» (); }", is_mended=False
    ),
    "aliased pointers": OneSided(
        "tint",
        "PX203",
        "fn g(a: ptr<function, f32>, b: ptr<function, f32>) { *a = *b; }\n" + MAIN + "var x = 1.0; g(&x, «&x»); }",
        is_mended=False,
    ),
}


@pytest.mark.device
@pytest.mark.parametrize("kernel", ONE_SIDED.values(), ids=ONE_SIDED)
def test_a_kernel_that_one_compiler_refuses(verdict: Verdict, kernel: OneSided) -> None:
    refused_by, findings = verdict(kernel.text)
    assert refused_by == {kernel.refuser}
    (finding,) = findings
    span = finding.location.span
    assert span is not None
    marked = kernel.text[: span.start] + "«" + kernel.text[span.start : span.end] + "»" + kernel.text[span.end :]
    assert (finding.code, marked) == (kernel.code, kernel.marked)
    assert (finding.fix is not None) == kernel.is_mended
    if finding.fix is not None:
        mended, _ = verdict(applied(kernel.text, finding.fix))
        assert mended == frozenset(), applied(kernel.text, finding.fix)


def applied(text: str, fix: Fix) -> str:
    return text[: fix.span.start] + fix.new_text + text[fix.span.end :]


def check(text: str, *expected: tuple[str, Severity, str]) -> None:
    findings = portability_findings(understand(SourceText(Path("k.wgsl"), text), None))
    assert [(one.code, one.severity, one.message) for one in findings] == list(expected)


def test_a_portable_kernel_has_none() -> None:
    check(OUT + MAIN + "o[i] = 1u; }")
    check(COUNT + MAIN + "atomicStore(&count, 1u); atomicAdd(&count, atomicLoad(&count)); }")
    check("fn f(p: ptr<function, u32>, q: ptr<private, u32>) { }")
    check("fn f() -> u32 { for (var k = 0u; k < 4u; k++) { } return 1u; }")


@pytest.mark.device
def test_enable_subgroups_is_told_and_both_take_it(verdict: Verdict) -> None:
    text = "enable subgroups;\n" + OUT + MAIN + "o[i] = subgroupAdd(i); }"
    refused_by, findings = verdict(text)
    assert refused_by == frozenset()
    message = "browsers need `enable subgroups;` and naga, which knows subgroups without it, refuses it"
    assert [(one.code, one.severity, one.message) for one in findings] == [("PX210", Severity.INFO, message)]


def test_every_filter_of_a_statement_is_told() -> None:
    filters = "@diagnostic(off, derivative_uniformity) @diagnostic(info, subgroup_uniformity)"
    refused = ("PX213", Severity.WARNING, "naga refuses `@diagnostic` on a statement")
    check(MAIN + f"{filters} switch i @diagnostic(off, chromium.unreachable_code) {{ default: {{ }} }} }}", refused, refused, refused)


def test_more_workgroup_memory_than_browsers_promise() -> None:
    check("var<workgroup> a: array<u32, 4096>;\n" + MAIN + "a[i] = 1u; }")
    check(
        "var<workgroup> a: array<u32, 4096>;\nvar<workgroup> b: u32;\n" + MAIN + "a[i] = b; }",
        ("PX214", Severity.WARNING, "`main` uses 16,400 bytes of workgroup memory; browsers promise 16,384"),
    )


def test_larger_workgroups_than_browsers_promise() -> None:
    check("@compute @workgroup_size(16, 16)\nfn main() {}")
    check(
        "override n = 512u;\n@compute @workgroup_size(n)\nfn main() {}",
        ("PX215", Severity.WARNING, "`main` has 512 invocations in a workgroup; browsers promise 256"),
    )
    check(
        "@compute @workgroup_size(1, 1, 128)\nfn main() {}",
        ("PX215", Severity.WARNING, "the workgroup of `main` has 128 in z; browsers promise 256 in x and y, and 64 in z"),
    )


def test_a_broken_text_is_looked_at_as_far_as_it_goes() -> None:
    check(
        "fn f(p: ptr<storage, u32) -> { loop",
        ("PX211", Severity.WARNING, "naga refuses `p`: a parameter cannot be a pointer into `storage` memory there"),
    )
    check("alias A = B; alias B = A; fn f(p: A) { p = p; } // atomic")
