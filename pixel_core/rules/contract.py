"""Rules about contracts (PX30x-PX38x): how they are written, and how they fit their shader. PX39x, what a run proves, is in `results`."""

from __future__ import annotations

from pixel_core.findings import Severity
from pixel_core.rules.rule import Rule

_WRITING_RULES: tuple[Rule, ...] = (
    Rule(
        code="PX301",
        name="contract-not-toml",
        severity=Severity.ERROR,
        summary="The contract is not valid TOML.",
        explanation=(
            "A contract is TOML 1.1, in the `//!` lines at the top of the shader or in `NAME.contract.toml` beside it. In the `//!` lines, prose "
            "comes first; everything from the contract's `[name]` header to the end of the block is TOML."
        ),
        example='//! [scale]\n//! dims = "n        # the closing quote is missing',
        remedy="Mend the place that is marked. Prose after the contract goes above it, or behind `#`.",
    ),
    Rule(
        code="PX302",
        name="two-contracts",
        severity=Severity.ERROR,
        summary="There is a contract in the shader and another one in the file beside it.",
        explanation="Two places could say different things and nobody would know which one was proved, so neither is used.",
        example="scale.wgsl (with a `//! [scale]` block) and scale.contract.toml",
        remedy="Keep one of them. The sidecar is for shaders that you cannot edit.",
    ),
    Rule(
        code="PX303",
        name="unknown-key",
        severity=Severity.ERROR,
        summary="A key means nothing in this place of a contract.",
        explanation="Keys that are not understood are never skipped: a misspelt `where` would otherwise silently promise less.",
        example='//! [scale]\n//! dim = "n"        # did you mean `dims`?',
        remedy="Correct the key, or move it to the table it belongs to. docs/contracts.md lists all keys.",
    ),
    Rule(
        code="PX304",
        name="not-supported-yet",
        severity=Severity.ERROR,
        summary="The contract, or the shader that it runs, uses something that this version of pixel-lsp cannot check yet.",
        explanation="The format describes more than the checker can do today. What it cannot do is said, and the contract is not run without it.",
        example='//! invariants = ["all(diff(keys) >= 0)"]',
        remedy="Express it with what is there (`expect`, a Python `reference`), or leave this kernel unchecked for now.",
    ),
    Rule(
        code="PX305",
        name="bad-value",
        severity=Severity.ERROR,
        summary="A value of the contract has the wrong type or is not among the values that are allowed.",
        explanation="Numbers are literals, strings are expressions or names, and each key takes one form. The hint shows it.",
        example='//! dims = 3                      # dims = "M N K"\n//! roles = { c = "output" }       # "out"',
        remedy="Write the value in the form that the hint shows.",
    ),
    Rule(
        code="PX306",
        name="bad-expression",
        severity=Severity.ERROR,
        summary="An expression of the contract cannot be read.",
        explanation=(
            "Expressions use Python's syntax for numbers, names, operators, calls, indexing and conditions, and nothing else: no attributes, strings, "
            "comprehensions or assignments. They are read without running anything, at most 4,000 characters and 100 operations deep."
        ),
        example='//! expect = { y = "x.sum()" }     # write `sum(x)`',
        remedy="Write it with the functions of docs/contracts.md, and name long parts in `define` or `let`.",
    ),
    Rule(
        code="PX307",
        name="unknown-name-in-contract",
        severity=Severity.ERROR,
        summary="An expression uses a name or a function that is not there, or calls a function in the wrong way.",
        explanation=(
            "Sizes, dispatches and parameters may use dims, `let`, overrides, the shader's constants and `workgroup_size.x`. `inputs` may also use "
            "the inputs before them. `expect` may use all buffers, as they were before the first pass, and `define`."
        ),
        example='//! dims = "n"\n//! dispatch = "ceil(N / 64)"     # did you mean `n`?',
        remedy="Correct the name, or define it in `dims`, `let` or `define`.",
    ),
    Rule(
        code="PX308",
        name="missing-key",
        severity=Severity.ERROR,
        summary="The contract lacks something that it cannot do without.",
        explanation="A contract needs to know how many workgroups to start (`dispatch`, or `passes`), and what is right (`expect` or `reference`).",
        example='//! [scale]\n//! dims = "n"\n//! shapes = { x = "n" }            # no dispatch, no expect',
        remedy="Add the key that the message names. `pixel-lsp contract FILE` writes a complete frame.",
    ),
    Rule(
        code="PX309",
        name="contract-too-large",
        severity=Severity.ERROR,
        summary="The contract exceeds a limit on its size.",
        explanation="At most 1,048,576 characters, 64 contracts in a file, 256 cases and 256 passes in a contract, 16 dims.",
        remedy="Split it. Cases with other sizes are derived on their own and need not be listed.",
    ),
    Rule(
        code="PX310",
        name="bad-case",
        severity=Severity.ERROR,
        summary="A case is not complete, or it repeats another one.",
        explanation="A case gives every dim one whole number, and its name, which is its text unless it has a `name`, occurs once.",
        example='//! dims  = "M N"\n//! cases = ["M=64"]                 # N is missing',
        remedy='Write every dim: `"M=64 N=64"`, or as a table: `{ dims = { M = 64, N = 64 }, seed = 7 }`.',
    ),
    Rule(
        code="PX311",
        name="misplaced-contract",
        severity=Severity.WARNING,
        summary="What looks like a contract stands below the first code of the shader, and is not read.",
        explanation="Contracts are read from the `//!` lines above the first declaration only, so that a reader finds all promises in one place.",
        remedy="Move it to the top of the file.",
    ),
    Rule(
        code="PX312",
        name="unfinished-contract",
        severity=Severity.ERROR,
        summary="The contract still has a `?` where its author must say what is right.",
        explanation="`pixel-lsp contract` infers sizes, bindings and dispatches from the shader. What the kernel should compute it cannot know.",
        example='//! expect = { y = "?" }',
        remedy='Write the expression that the output must equal, such as `"a @ b"`, or a `reference` in Python.',
    ),
)

_FITTING_RULES: tuple[Rule, ...] = (
    Rule(
        code="PX320",
        name="unknown-entry-point",
        severity=Severity.ERROR,
        summary="The contract names an entry point that the shader does not have, or one that is not a compute shader.",
        explanation="The entry point is the contract's name, unless `entry` says otherwise.",
        example="//! [matmul]        # the shader has `fn main`",
        remedy='Add `entry = "main"`, or name the contract after the entry point.',
    ),
    Rule(
        code="PX321",
        name="unknown-buffer",
        severity=Severity.ERROR,
        summary="The contract names a buffer, field, uniform or override that the shader's entry points do not use.",
        explanation="Names are the shader's own: the variable after `var<storage>`, its structure members, the override's identifier.",
        example='//! shapes = { A = "M K" }            # the variable is `a`',
        remedy="Use the shader's name. A variable that the entry point does not use needs no entry in the contract.",
    ),
    Rule(
        code="PX322",
        name="missing-shape",
        severity=Severity.ERROR,
        summary="A runtime-sized buffer has no shape, or a texture no size.",
        explanation=(
            "`array<f32>` has as many elements as its binding, and a texture as many texels as its maker gave it; only the contract can say how "
            "many those are."
        ),
        example="@group(0) @binding(0) var<storage, read> a: array<f32>;",
        remedy=(
            'Add it to `shapes`: `a = "M K"`, axes from the outermost, counted in scalars; or to `textures`: `image = { size = "H W" }`, counted in '
            "texels."
        ),
    ),
    Rule(
        code="PX323",
        name="shape-does-not-fit",
        severity=Severity.ERROR,
        summary="A shape and the type of its buffer contradict each other.",
        explanation=(
            "Shapes count scalars, vector components innermost: `array<vec4<f32>>` of 8 elements is `8 4` or `32`, never `8`. A fixed-size array has "
            "exactly its number of elements, a matrix is columns × rows, a codec's last axis is whole blocks, and nothing is empty: WebGPU has no "
            "binding of size zero."
        ),
        example='var<storage> p: array<vec4<f32>>;   // shapes = { p = "n" } fits only where n % 4 == 0',
        remedy='Correct the shape, or say in `where` which sizes are allowed: `where = ["n % 4 == 0"]`.',
    ),
    Rule(
        code="PX324",
        name="uniform-without-value",
        severity=Severity.ERROR,
        summary="A uniform variable has no value in `params`, or one that does not fit its type.",
        explanation=(
            "Structures are filled by field name, padding is inserted. Fields whose name starts with `_` or `pad` default to zero. Integers must be "
            "whole and in range."
        ),
        example='var<uniform> size: Size;           // params = { size = { m = "M", n = "N" } }',
        remedy="Give every field a value; the hint lists them.",
    ),
    Rule(
        code="PX325",
        name="size-not-computable",
        severity=Severity.ERROR,
        summary="An expression for a size, dispatch or parameter has no usable value in some case.",
        explanation="Sizes are computed exactly, in fractions: a count must come out whole, and nothing may divide by zero or exceed 2**128.",
        example='//! dispatch = "N / 16"              # 65/16 for N=65; write `ceil(N / 16)`',
        remedy="Round with `ceil` or `floor`, or exclude the case in `where`.",
    ),
    Rule(
        code="PX326",
        name="case-breaks-where",
        severity=Severity.ERROR,
        summary="A case of the contract contradicts its own `where`.",
        explanation="`where` says for which sizes the kernel promises anything. A case outside of it would test what nobody promised.",
        example='//! where = ["K % 4 == 0"]\n//! cases = ["M=1 K=3"]',
        remedy="Correct the case, or weaken the condition.",
    ),
    Rule(
        code="PX327",
        name="dispatch-too-large",
        severity=Severity.ERROR,
        summary="A dispatch has more than 65,535 workgroups in one dimension, or a contract more dispatches than can be run.",
        explanation="65,535 is WebGPU's limit for each dimension on every device. A case runs at most 10,000 dispatches.",
        example='//! dispatch = "n"                   # n=100000',
        remedy="Spread the workgroups over two dimensions, let each invocation do more, or exclude such sizes in `where`.",
    ),
    Rule(
        code="PX328",
        name="budget-exceeded",
        severity=Severity.ERROR,
        summary="A case would need more memory or invocations than the contract's budget.",
        explanation=(
            "Without a `budget`, a case may use 128 MiB and 134,217,728 invocations. Sizes are added up before anything runs, so a slip of "
            "the pen cannot exhaust the machine."
        ),
        remedy="Use smaller sizes (errors show at small ones too), or raise it: `budget = { bytes = 1_000_000_000 }`.",
    ),
    Rule(
        code="PX329",
        name="output-without-truth",
        severity=Severity.WARNING,
        summary="The shader writes a buffer for which the contract gives no truth, so nothing checks it.",
        explanation="It is treated as scratch: poisoned before the run and not compared afterwards.",
        remedy='Add it to `expect`, or say that it is scratch: `roles = { partials = "scratch" }`.',
    ),
    Rule(
        code="PX330",
        name="role-conflict",
        severity=Severity.ERROR,
        summary="A buffer's role, its access in the shader and its place in the contract contradict each other.",
        explanation="An output must be writable and have a truth; a buffer that the shader only reads cannot be one.",
        example='var<storage, read> a: array<f32>;   // expect = { a = "b" }',
        remedy="Correct the role or the name of the output, or declare the variable `read_write`.",
    ),
    Rule(
        code="PX331",
        name="no-output",
        severity=Severity.ERROR,
        summary="Nothing that the contract runs produces a result.",
        explanation="A kernel without a writable storage buffer cannot be observed.",
        remedy="Check that the variable is `var<storage, read_write>` and that an entry point of the contract uses it.",
    ),
    Rule(
        code="PX332",
        name="no-case",
        severity=Severity.ERROR,
        summary="Not one case of the contract could be planned.",
        explanation="The contract lists no cases, and none could be derived that meets `where` and the budget.",
        remedy='Add one that does: `cases = ["M=64 N=64 K=64"]`.',
    ),
    Rule(
        code="PX333",
        name="shader-not-understood",
        severity=Severity.ERROR,
        summary="The contract cannot be planned because a type or workgroup size of the shader could not be worked out.",
        explanation="Buffers are laid out by the shader's types. Another finding (PX1xx) says what is wrong with the declaration.",
        remedy="Mend the declaration, or give the override that it depends on a value in `overrides`.",
    ),
    Rule(
        code="PX334",
        name="texture-format",
        severity=Severity.ERROR,
        summary="The format of a texture does not exist, contradicts the shader, or cannot be used as the shader uses it.",
        explanation=(
            "A storage texture declares its format in the shader; a sampled one has the contract's, or a default: 32 bits a channel, and "
            "rgba16float where a linear filter is used. Every WebGPU device filters normalised formats and 16-bit floats, and reads and writes "
            "in one pass r32uint, r32sint and r32float; more than that is optional, and a kernel that needs it is not portable."
        ),
        example='//! textures = { image = { size = "H W", format = "rgba32float" } }\n//! samplers = { s = { filter = "linear" } }',
        remedy="Choose a format that the message names, or leave `format` out.",
    ),
)

CONTRACT_RULES: tuple[Rule, ...] = (*_WRITING_RULES, *_FITTING_RULES)
