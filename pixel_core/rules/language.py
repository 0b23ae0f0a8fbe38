"""Rules about names, types and layout (PX13x-PX19x)."""

from __future__ import annotations

from pixel_core.findings import Severity
from pixel_core.rules.rule import Rule

_NAME_RULES = (
    Rule(
        code="PX130",
        name="unknown-name",
        severity=Severity.ERROR,
        summary="A name is used that nothing declares.",
        explanation=(
            "Neither the file nor WGSL itself declares this name. Names that other shading languages have (`float4`, `lerp`, `threadIdx`)"
            " are recognised and the hint gives WGSL's name for them; otherwise the hint gives the nearest name in scope."
        ),
        example="fn f(x: f32) -> f32 { return lerp(x, 1.0, 0.5); }  // WGSL calls it mix",
        remedy="Correct the spelling, or declare the name.",
    ),
    Rule(
        code="PX131",
        name="name-not-in-scope",
        severity=Severity.ERROR,
        summary="A local name is used before its declaration, or outside the block that declares it.",
        explanation=(
            "Inside a function a declaration holds from its end to the end of the block that contains it."
            " At module scope the order does not matter."
        ),
        example="if (a) { let n = 1; }\nlet m = n;  // n ended with the block",
        remedy="Move the declaration up, or out of the block.",
    ),
    Rule(
        code="PX132",
        name="duplicate-declaration",
        severity=Severity.ERROR,
        summary="One scope declares a name twice.",
        explanation=(
            "A name may be declared again in an inner block, where it hides the outer one, but not twice in one scope."
            " The parameters of a function and its outermost block are one scope."
        ),
        example="fn f(n: u32) { let n = 1u; }",
        remedy="Rename one of the two.",
    ),
    Rule(
        code="PX133",
        name="declaration-cycle",
        severity=Severity.ERROR,
        summary="A function calls itself, or a declaration needs itself.",
        explanation=(
            "WGSL has no recursion, neither direct nor through other functions, and a constant, type or structure cannot be made of"
            " itself. The finding shows the shortest cycle."
        ),
        example="fn f(n: u32) -> u32 { return f(n - 1u); }",
        remedy="Replace the recursion by a loop; where it needs a stack, use an array.",
    ),
    Rule(
        code="PX134",
        name="wrong-kind-of-name",
        severity=Severity.ERROR,
        summary="A name stands where another kind of thing is needed: a type as a value, a variable where a type should be.",
        explanation="The name is declared, but as something that cannot stand there. A function needs its parentheses, a type makes a value when called.",
        example="let v = vec3f;  // vec3f() makes the value",
        remedy="Call the function or type, or use the name that was meant.",
    ),
    Rule(
        code="PX135",
        name="missing-enable",
        severity=Severity.ERROR,
        summary="A language extension is used without its `enable` directive.",
        explanation=(
            "`f16` and its vectors and matrices need `enable f16;`, subgroup functions need `enable subgroups;`. The latter is a warning:"
            " browsers need the directive, and some native implementations do without it or do not know it."
        ),
        example="var<private> x: f16;  // needs `enable f16;` at the top",
        remedy="Write the directive before all declarations.",
    ),
)

_CONSTANT_RULES = (
    Rule(
        code="PX140",
        name="constant-error",
        severity=Severity.ERROR,
        summary="The value of a constant expression does not exist: division by zero, overflow, a shift too far.",
        explanation=(
            "Expressions of literals and `const`s are computed when the shader is compiled, those with overrides when the pipeline is made."
            " There an overflow of an abstract or floating-point number, a division by zero or a value outside its type is an error."
            " Arithmetic on `i32` and `u32` wraps around and is none."
        ),
        example="const n = 16 / (4 - 4);",
        remedy="Correct the expression; the message gives the value and the range.",
    ),
    Rule(
        code="PX141",
        name="assertion-failed",
        severity=Severity.ERROR,
        summary="A `const_assert` does not hold.",
        explanation="The author of the shader stated a condition on its constants, and it is false.",
        example="const TILE = 24;\nconst_assert TILE % 16 == 0;",
        remedy="Change the constants so that the condition holds.",
    ),
    Rule(
        code="PX142",
        name="not-constant",
        severity=Severity.ERROR,
        summary="A value that must be known early depends on something that is known later.",
        explanation=(
            "Array sizes, attributes, `const`s and case selectors must be known when the shader is compiled: literals and `const`s."
            " Workgroup sizes, sizes of workgroup arrays, overrides and initial values of private variables may use overrides as well."
            " Neither may use variables, `let`s, parameters or functions of the program."
        ),
        example="override n = 4;\nvar<private> a: array<f32, n>;",
        remedy="Use a `const`; in workgroup memory an `override` will do.",
    ),
)

_TYPE_RULES = (
    Rule(
        code="PX150",
        name="malformed-type",
        severity=Severity.ERROR,
        summary="A type is written with template arguments that it cannot have, or without those it needs.",
        explanation="Vectors and matrices need a component type, pointers an address space and a type, storage textures a format and an access mode.",
        example="var<private> m: mat4x4<i32>;  // matrices hold floats",
        remedy="Follow the hint.",
    ),
    Rule(
        code="PX151",
        name="type-not-allowed-here",
        severity=Severity.ERROR,
        summary="A type cannot be in this address space, structure or array.",
        explanation=(
            "Buffers are shared with the host and hold no `bool`; atomics live in storage and workgroup memory; textures and samplers are"
            " module-scope variables or parameters; arrays sized by an override are for workgroup memory."
        ),
        example="@group(0) @binding(0) var<storage> flags: array<bool>;",
        remedy="Use a type that the place allows: `u32` for `bool`, another address space for atomics.",
    ),
    Rule(
        code="PX152",
        name="misplaced-runtime-array",
        severity=Severity.ERROR,
        summary="A runtime-sized array is not the last member of its structure, or is inside another array or structure.",
        explanation="Its size is that of the bound buffer, so that nothing can come after it.",
        example="struct Body { points: array<vec4f>, count: u32 }",
        remedy="Move it to the end of the structure, or give it an element count.",
    ),
    Rule(
        code="PX153",
        name="layout-attribute",
        severity=Severity.ERROR,
        summary="`@align` or `@size` has a value that the type does not allow.",
        explanation="An alignment is a power of two and, in a buffer, a multiple of the type's own; a size is at least the type's own.",
        example="struct S { @size(8) v: vec4f }  // a vec4f has 16 bytes",
        remedy="Raise the value, or remove the attribute.",
    ),
    Rule(
        code="PX154",
        name="uniform-layout",
        severity=Severity.WARNING,
        summary="A uniform buffer has a layout that only implementations with `uniform_buffer_standard_layout` accept.",
        explanation=(
            "Without that language feature the elements of arrays in uniform buffers are a multiple of 16 bytes apart, and nested arrays"
            " and structures start at multiples of 16. A file that says `requires uniform_buffer_standard_layout;` is not warned."
        ),
        example="@group(0) @binding(0) var<uniform> taps: array<f32, 8>;",
        remedy="Use `array<vec4f, 2>`, `@align(16)`, or a storage buffer.",
    ),
    Rule(
        code="PX155",
        name="array-size",
        severity=Severity.ERROR,
        summary="The element count of an array is not a positive integer.",
        explanation="The count is an `i32` or `u32` of at least 1.",
        example="var<private> a: array<f32, 4 - 4>;",
        remedy="Correct the expression of the count.",
    ),
)

_INTERFACE_RULES = (
    Rule(
        code="PX161",
        name="binding-used-twice",
        severity=Severity.ERROR,
        summary="An entry point uses two variables with the same group and binding.",
        explanation="Different entry points may reuse a binding for different variables; one entry point, with all functions it calls, may not.",
        example="@group(0) @binding(0) var<storage> a: array<f32>;\n@group(0) @binding(0) var<storage> b: array<f32>;",
        remedy="Give one of them a free binding number.",
    ),
    Rule(
        code="PX162",
        name="attribute-value",
        severity=Severity.ERROR,
        summary="The value of an attribute is no integer, out of its range, or used twice.",
        explanation="Groups, bindings and locations count from 0; two overrides cannot have one `@id`, which goes up to 65535.",
        example="@id(70000) override n: u32;",
        remedy="Correct the value.",
    ),
    Rule(
        code="PX163",
        name="workgroup-size",
        severity=Severity.ERROR,
        summary="A workgroup size is no positive integer, or its values differ in type.",
        explanation="`@workgroup_size(x, y, z)` says how many invocations share workgroup memory. Each value is an `i32` or `u32`, and at least 1.",
        example="@compute @workgroup_size(8, 0) fn main() {}",
        remedy="Correct the value; where it is an expression with overrides, the finding tells what it came to.",
    ),
    Rule(
        code="PX165",
        name="entry-point-interface",
        severity=Severity.ERROR,
        summary="A parameter or result of an entry point is not what the pipeline passes there, or an entry point is called.",
        explanation=(
            "A compute entry point receives built-in values only, each of its own type: `global_invocation_id` is a `vec3<u32>`."
            " Numbers come in buffers. Only the pipeline calls entry points."
        ),
        example="@compute @workgroup_size(64) fn main(@builtin(global_invocation_id) id: vec2u) {}",
        remedy="Declare the type that the finding names; move code that others call into a function of its own.",
    ),
    Rule(
        code="PX166",
        name="missing-address-space",
        severity=Severity.ERROR,
        summary="A bound variable is no texture or sampler and has no address space.",
        explanation="Buffers are `var<storage>`, `var<storage, read_write>` or `var<uniform>`; only textures and samplers have no address space.",
        example="@group(0) @binding(0) var data: array<f32>;",
        remedy="Write the address space after `var`.",
    ),
    Rule(
        code="PX167",
        name="override-type",
        severity=Severity.ERROR,
        summary="An override is no scalar.",
        explanation="The host gives overrides as single numbers: `bool`, `i32`, `u32`, `f32` or `f16`.",
        example="override size: vec2u;",
        remedy="Declare one override for each component.",
    ),
)

_USE_RULES = (
    Rule(
        code="PX170",
        name="not-writable",
        severity=Severity.ERROR,
        summary="Something is assigned that cannot be changed: a `let`, a constant, a parameter, a read-only buffer.",
        explanation=(
            "Only `var` declares a variable. Storage buffers are read-only unless they are declared `read_write`; uniform buffers and"
            " sampled textures always are."
        ),
        example="@group(0) @binding(0) var<storage> out: array<f32>;\nfn f() { out[0] = 1.0; }",
        remedy="Declare it with `var`, or as `var<storage, read_write>`.",
    ),
    Rule(
        code="PX171",
        name="argument-count",
        severity=Severity.ERROR,
        summary="A function is called with more or fewer arguments than it has parameters.",
        explanation="WGSL has neither default values nor overloads of the program's own functions.",
        example="fn f(a: u32, b: u32) {}\nfn g() { f(1u); }",
        remedy="Pass one argument for each parameter.",
    ),
)

LANGUAGE_RULES: tuple[Rule, ...] = (*_NAME_RULES, *_CONSTANT_RULES, *_TYPE_RULES, *_INTERFACE_RULES, *_USE_RULES)
