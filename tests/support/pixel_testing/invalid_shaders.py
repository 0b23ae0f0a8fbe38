"""Shaders with one mistake each, and where each compiler's error about it belongs."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class InvalidShader:
    """One shader.

    Attributes:
        name: Of the mistake.
        marked: WGSL with the mistake between « and ».
        naga: The text that naga's error is placed on; empty when naga takes the shader.
        tint: Likewise for Tint.
    """

    name: str
    marked: str
    naga: str
    tint: str

    @property
    def text(self) -> str:
        """The shader without the marks."""
        return self.marked.replace("«", "").replace("»", "")

    @property
    def line(self) -> int:
        """The line of the mistake, from 1."""
        return self.marked.count("\n", 0, self.marked.index("«")) + 1


INVALID_SHADERS = (
    InvalidShader(
        "unknown-ident",
        "fn f() { let x: f32 = «bar»; }",
        naga="bar",
        tint="bar",
    ),
    InvalidShader(
        "let-mismatch",
        "fn f() {\n let x: f32 =\n  «1u»;\n}",
        naga="1u",
        tint="1u",
    ),
    InvalidShader(
        "ret-mismatch",
        "fn f() -> u32 {\n let a = 1;\n return «1.5f»;\n}",
        naga="1.5f",
        tint="1.5f",
    ),
    InvalidShader(
        "assign-let",
        "fn f() {\n let x = 1;\n «x» = 2;\n}",
        naga="x",
        tint="x",
    ),
    InvalidShader(
        "redecl",
        "fn f() {\n let x = 1;\n let «x» = 2;\n}",
        naga="x",
        tint="x",
    ),
    InvalidShader(
        "dupfn",
        "fn f() {\n}\nfn «f»() {\n}",
        naga="f",
        tint="f",
    ),
    InvalidShader(
        "texsample",
        "@group(0) @binding(0) var t: texture_2d<f32>;\n"
        "@group(0) @binding(1) var s: sampler;\n"
        "@group(0) @binding(2) var<storage, read_write> o: array<vec4f>;\n"
        "@compute @workgroup_size(1)\n"
        "fn main() {\n"
        " o[0] = «textureSample(t, s, vec2f(0.0))»;\n"
        "}",
        naga="textureSample(t, s, vec2f(0.0))",
        tint="textureSample(t, s, vec2f(0.0))",
    ),
    InvalidShader(
        "wg0",
        "\n@compute\n@workgroup_size(«0»)\nfn main() {}",
        naga="0",
        tint="0",
    ),
    InvalidShader(
        "builtin-type",
        "@compute @workgroup_size(1)\nfn main(\n «@builtin(global_invocation_id) id: vec3f»\n) {}",
        naga="@builtin(global_invocation_id) id: vec3f",
        tint="@builtin(global_invocation_id)",
    ),
    InvalidShader(
        "dupcase",
        "fn f(x: i32) {\n switch x {\n  case 1: {}\n  case «1»: {}\n  default: {}\n }\n}",
        naga="1",
        tint="1",
    ),
    InvalidShader(
        "constidx",
        "fn f() -> f32 {\n let v = vec3f();\n return v[«5»];\n}",
        naga="5",
        tint="5",
    ),
    InvalidShader(
        "constidx-arr",
        "fn f() -> f32 {\n var v = array<f32,3>();\n return v[«5»];\n}",
        naga="5",
        tint="5",
    ),
    InvalidShader(
        "argcount",
        "fn g(a: f32) {}\nfn f() {\n «g(1.0, 2.0)»;\n}",
        naga="g(1.0, 2.0)",
        tint="g",
    ),
    InvalidShader(
        "argtype",
        "fn g(a: f32) {}\nfn f() {\n g(«1u»);\n}",
        naga="1u",
        tint="1u",
    ),
    InvalidShader(
        "binop",
        "fn f() -> f32 {\n return «1.0f + 1u»;\n}",
        naga="1.0f + 1u",
        tint="1.0f + 1u",
    ),
    InvalidShader(
        "badmember",
        "struct S { a: f32 }\nfn f(s: S) -> f32 {\n return s.«b»;\n}",
        naga="b",
        tint="s.b",
    ),
    InvalidShader(
        "badswizzle",
        "fn f(s: vec2f) -> f32 {\n return s.«z»;\n}",
        naga="z",
        tint="z",
    ),
    InvalidShader(
        "unknowntype",
        "fn f(s: «vec5f») {\n}",
        naga="vec5f",
        tint="vec5f",
    ),
    InvalidShader(
        "noreturn",
        "fn f() -> u32 {\n let a = 1;\n«}»",
        naga="}",
        tint="}",
    ),
    InvalidShader(
        "recursion",
        "fn g() {\n «f»();\n}\nfn f() {\n g();\n}",
        naga="f",
        tint="f",
    ),
    InvalidShader(
        "uniform-stride",
        "@group(0) @binding(0)\nvar<uniform> «a: array<u32,4>»;\n",
        naga="array<u32,4>",
        tint="array<u32,4>",
    ),
    InvalidShader(
        "storage-write-ro",
        "@group(0) @binding(0) var<storage, read> a: array<u32>;\n@compute @workgroup_size(1) fn main() {\n «a[0]» = 1u;\n}",
        naga="a[0]",
        tint="a[0]",
    ),
    InvalidShader(
        "missing-semi",
        "fn f() {\n let x = 1\n «let» y = 2;\n}",
        naga="let",
        tint="let",
    ),
    InvalidShader(
        "missing-brace",
        "fn f() {\n let x = 1«;»\n",
        naga=";",
        tint=";",
    ),
    InvalidShader(
        "badtoken",
        "fn f() {\n let x = «$»1;\n}",
        naga="$",
        tint="$",
    ),
    InvalidShader(
        "not-bool-if",
        "fn f() {\n if «1u» { }\n}",
        naga="1u",
        tint="1u",
    ),
    InvalidShader(
        "override-dup",
        "@id(1) override a = 1;\n@id(«1») override b = 2;\n@compute @workgroup_size(a,b) fn main() {}",
        naga="@id(1)",
        tint="@id(1)",
    ),
    InvalidShader(
        "const-overflow",
        "const a: i32 = «2147483647 + 1»;\n",
        naga="2147483647 + 1",
        tint="2147483647 + 1",
    ),
    InvalidShader(
        "div0",
        "fn f() -> i32 {\n return «1i / 0i»;\n}",
        naga="1i / 0i",
        tint="1i / 0i",
    ),
    InvalidShader(
        "shift-big",
        "fn f(a: u32) -> u32 {\n return «a << 33u»;\n}",
        naga="a << 33u",
        tint="a << 33u",
    ),
    InvalidShader(
        "const-assert",
        "const a = 3;\nconst_assert «a == 4»;\n",
        naga="a == 4",
        tint="a == 4",
    ),
    InvalidShader(
        "storage-no-binding",
        "var<storage> «a»: array<u32>;\n@compute @workgroup_size(1) fn main() {\n _ = a[0];\n}",
        naga="a",
        tint="a",
    ),
    InvalidShader(
        "ptr-ret",
        "fn f() -> «ptr<function, f32>» {\n}",
        naga="ptr<function, f32>",
        tint="ptr<function, f32>",
    ),
    InvalidShader(
        "atomic-nonatomic",
        "var<workgroup> a: atomic<u32>;\n@compute @workgroup_size(1) fn main() {\n «a» = 1u;\n}",
        naga="",
        tint="1u",
    ),
    InvalidShader(
        "atomic-f32",
        "var<workgroup> a: atomic<«f32»>;\n",
        naga="f32",
        tint="f32",
    ),
    InvalidShader(
        "call-void-value",
        "fn g() {}\nfn f() {\n let x = «g()»;\n}",
        naga="g()",
        tint="g()",
    ),
    InvalidShader(
        "unknown-attr",
        "@«foo» fn f() {\n}",
        naga="foo",
        tint="@foo",
    ),
    InvalidShader(
        "break-out",
        "fn f() {\n «break»;\n}",
        naga="break;",
        tint="break",
    ),
    InvalidShader(
        "discard-compute",
        "@compute @workgroup_size(1) fn main() {\n «discard»;\n}",
        naga="discard;",
        tint="discard",
    ),
    InvalidShader(
        "runtime-arr-local",
        "fn f() {\n var a: «array<u32>»;\n}",
        naga="array<u32>",
        tint="array<u32>",
    ),
    InvalidShader(
        "barrier-nonuni",
        "@compute @workgroup_size(4) fn main(@builtin(local_invocation_index) i: u32) {\n if i > 2 {\n  «workgroupBarrier()»;\n }\n}",
        naga="",
        tint="workgroupBarrier",
    ),
    InvalidShader(
        "infinite",
        "fn f() {\n «loop { }»\n}",
        naga="",
        tint="loop",
    ),
    InvalidShader(
        "andor",
        "fn f(a: bool, b: bool, c: bool) -> bool {\n return «a && b || c»;\n}",
        naga="",
        tint="&& b ||",
    ),
    InvalidShader(
        "alias-ptr",
        "fn g(a: ptr<function,f32>, b: ptr<function,f32>) {\n *a = *b;\n}\nfn f() {\n var x = 1.0;\n g(&x, «&x»);\n}",
        naga="",
        tint="&x",
    ),
    InvalidShader(
        "ptr-param",
        "@group(0) @binding(0) var<storage, read_write> o: array<u32>;\n"
        "fn g(p: «ptr<storage, array<u32>, read_write>») {\n"
        " (*p)[0] = 1u;\n"
        "}\n"
        "@compute @workgroup_size(1) fn main() {\n"
        " g(&o);\n"
        "}",
        naga="ptr<storage, array<u32>, read_write>",
        tint="",
    ),
    InvalidShader(
        "f16-noenable",
        "fn f(a: «f16») {\n}",
        naga="f16",
        tint="f16",
    ),
    InvalidShader(
        "struct-runtime-notlast",
        "struct S {\n «a: array<u32>»,\n b: u32 }\n",
        naga="a: array<u32>",
        tint="a",
    ),
    InvalidShader(
        "wrong-type-store",
        "@group(0) @binding(0) var<storage, read_write> o: array<u32>;\n@compute @workgroup_size(1) fn main() {\n o[0] = «1.5f»;\n}",
        naga="1.5f",
        tint="1.5f",
    ),
    InvalidShader(
        "vec-ctor",
        "fn f() {\n let v = «vec3f(1.0, 2.0)»;\n}",
        naga="vec3f(1.0, 2.0)",
        tint="vec3f(1.0, 2.0)",
    ),
    InvalidShader(
        "unop",
        "fn f(a: u32) -> u32 {\n return «-a»;\n}",
        naga="-a",
        tint="-a",
    ),
    InvalidShader(
        "index-float",
        "fn f(a: vec3f) -> f32 {\n return a[«1.0f»];\n}",
        naga="1.0f",
        tint="1.0f",
    ),
    InvalidShader(
        "builtin-args",
        "fn f() -> f32 {\n return «max(1.0f)»;\n}",
        naga="max",
        tint="max(1.0f)",
    ),
    InvalidShader(
        "builtin-types",
        "fn f() -> f32 {\n return «max(1.0f, 1u)»;\n}",
        naga="1u",
        tint="max(1.0f, 1u)",
    ),
    InvalidShader(
        "compound-mismatch",
        "fn f() {\n var a = 1u;\n «a += 1.0f»;\n}",
        naga="1.0f",
        tint="1.0f",
    ),
    InvalidShader(
        "two-default",
        "fn f(x: i32) {\n switch x {\n  default: {}\n  «default»: {}\n }\n}",
        naga="default",
        tint="default",
    ),
    InvalidShader(
        "case-type",
        "fn f(x: i32) {\n switch x {\n  case «1u»: {}\n  default: {}\n }\n}",
        naga="1u",
        tint="1u",
    ),
    InvalidShader(
        "dup-member",
        "struct S {\n a: f32,\n «a»: u32 }\n",
        naga="a",
        tint="a",
    ),
    InvalidShader(
        "dup-param",
        "fn f(a: f32,\n «a»: f32) {\n}",
        naga="a",
        tint="a",
    ),
    InvalidShader(
        "ret-void",
        "fn f() {\n return «1»;\n}",
        naga="1",
        tint="1",
    ),
    InvalidShader(
        "missing-ret-val",
        "fn f() -> u32 {\n «return»;\n}",
        naga="return;",
        tint="return",
    ),
    InvalidShader(
        "cyclic-struct",
        "struct «A» { b: B }\nstruct B { a: A }\n",
        naga="B",
        tint="B",
    ),
    InvalidShader(
        "wg-init",
        "var<workgroup> a: u32 = «1u»;\n",
        naga="1u",
        tint="1u",
    ),
    InvalidShader(
        "priv-in-const",
        "var<private> p: u32;\nconst c = «p»;\n",
        naga="p",
        tint="p",
    ),
    InvalidShader(
        "no-wgsize",
        "@compute fn «main»() {}",
        naga="@compute",
        tint="main",
    ),
    InvalidShader(
        "subgroup-noenable",
        "@compute @workgroup_size(32) fn main() {\n let x = «subgroupAdd»(1u);\n}",
        naga="",
        tint="subgroupAdd(1u)",
    ),
    InvalidShader(
        "requires-ptr",
        "requires «unrestricted_pointer_parameters»;\nfn f() {}",
        naga="unrestricted_pointer_parameters",
        tint="",
    ),
    InvalidShader(
        "frexp-const",
        "const a = «frexp(1.5)»;\n",
        naga="frexp",
        tint="",
    ),
    InvalidShader(
        "addr-vec-comp",
        "fn f() {\n var v: vec3f;\n let p = «&v.x»;\n}",
        naga="v.x",
        tint="v.x",
    ),
    InvalidShader(
        "stmt-diag",
        "@compute @workgroup_size(1) fn main() {\n «@diagnostic(off, derivative_uniformity)» if true { }\n}",
        naga="@diagnostic(off, derivative_uniformity)",
        tint="",
    ),
    InvalidShader(
        "naga-tabs",
        "fn f() {\n\tvar a = 1u;\n\t\ta = «1.5f»;\n}",
        naga="1.5f",
        tint="1.5f",
    ),
    InvalidShader(
        "struct-builtin-type",
        "struct In {\n"
        " @builtin(workgroup_id) w: vec3u,\n"
        " «@builtin(num_workgroups) n: vec3i»,\n"
        "}\n"
        "@compute @workgroup_size(1)\n"
        "fn main(in: In) {}",
        naga="@builtin(num_workgroups) n: vec3i",
        tint="@builtin(num_workgroups)",
    ),
    InvalidShader(
        "texsample-called",
        "@group(0) @binding(0) var t: texture_2d<f32>;\n"
        "@group(0) @binding(1) var s: sampler;\n"
        "fn g() -> vec4f {\n"
        " return «textureSample(t, s, vec2f(0.0))»;\n"
        "}\n"
        "@compute @workgroup_size(1)\n"
        "fn main() {\n"
        " _ = g();\n"
        "}",
        naga="textureSample(t, s, vec2f(0.0))",
        tint="textureSample(t, s, vec2f(0.0))",
    ),
    InvalidShader(
        "let-call-mismatch",
        "fn f() {\n var x: vec2f =\n  «vec3f(1.0, 2.0, 3.0)»;\n}",
        naga="vec3f(1.0, 2.0, 3.0)",
        tint="vec3f(1.0, 2.0, 3.0)",
    ),
    InvalidShader(
        "no-default",
        "fn f(x: i32) {\n «switch x» {\n  case 1: {}\n }\n}",
        naga="switch x",
        tint="switch",
    ),
    InvalidShader(
        "i64",
        "fn f() {\n var a: «i64»;\n}",
        naga="i64",
        tint="i64",
    ),
)
"""Own snippets; the names of the mistakes are the words of a programmer."""
