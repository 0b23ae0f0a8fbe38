"""Rules about what the compilers say (PX2xx), what a run proves (PX39x) and what the results are (PX4xx)."""

from __future__ import annotations

from pixel_core.findings import Severity
from pixel_core.rules.rule import Rule

COMPILER_RULES: tuple[Rule, ...] = (
    Rule(
        code="PX201",
        name="naga-refuses-shader",
        severity=Severity.ERROR,
        summary="naga, the compiler behind wgpu and Firefox, does not accept the shader.",
        explanation=(
            "The device engine compiles the shader through wgpu. naga stops at its first error, so one mistake is shown at a time, "
            "in naga's own words. A shader that does not compile is failed, whatever its contract says."
        ),
        example="error[PX201]: naga refuses the shader: no definition in scope for identifier: `summ`",
        remedy="Mend the line. When the shader is valid WGSL that naga does not support yet, the message says which feature it misses.",
    ),
    Rule(
        code="PX202",
        name="pipeline-refused",
        severity=Severity.ERROR,
        summary="The shader compiles, and no pipeline can be made of this entry point on this adapter.",
        explanation=(
            "A pipeline joins an entry point with values for its overrides and with the adapter's limits: workgroup size, workgroup memory, "
            "number of storage buffers. Limits differ between adapters; the message names the one that was exceeded."
        ),
        example="@compute @workgroup_size(64, 64)  // 4,096 invocations: the limit is 1,024 here, and 256 in a browser",
        remedy="Bring the entry point under the limit, or set the override to a value that fits.",
    ),
    Rule(
        code="PX203",
        name="tint-refuses-shader",
        severity=Severity.ERROR,
        summary="Tint, the compiler of Chrome, does not accept the shader.",
        explanation=(
            "Tint checks more than naga: barriers in non-uniform control flow, pointers that alias, operators that need parentheses. A shader "
            "that only Tint refuses runs through wgpu and in Firefox, and fails in Chrome; as a rule Tint is right and the shader is not valid "
            "WGSL. It shows all errors of syntax, or the first error of meaning. Tint comes with the optional package `dawn-python`, as of "
            "Chrome 133; about what is newer than that the finding is a warning."
        ),
        example="error[PX203]: Tint refuses the shader: 'workgroupBarrier' must only be called from uniform control flow",
        remedy="Mend the line. For a barrier, move it out of the `if` and keep only the work inside.",
    ),
    Rule(
        code="PX204",
        name="compiler-warning",
        severity=Severity.WARNING,
        summary="A compiler accepts the shader and warns.",
        explanation="Tint warns about code that is never reached, and about what a `diagnostic` filter lowers from an error.",
        example="warning[PX204]: Tint warns: code is unreachable",
        remedy="Mend the line, or lower the warning with `diagnostic(off, rule);`.",
    ),
    Rule(
        code="PX210",
        name="enable-subgroups",
        severity=Severity.INFO,
        summary="Browsers need `enable subgroups;`, and naga refuses it.",
        explanation=(
            "naga knows subgroup functions without the directive and does not know the directive; Tint takes them only with it. No source suits "
            "both. pixel-lsp blanks the directive when it compiles with naga, so that the kernel runs, and keeps it for Tint."
        ),
        example="enable subgroups;",
        remedy="Keep the line for browsers. A program that uses wgpu takes it out before it makes the shader module.",
    ),
    Rule(
        code="PX211",
        name="pointer-parameter",
        severity=Severity.WARNING,
        summary="naga refuses parameters that point into storage, workgroup or uniform memory.",
        explanation="Chrome takes them (language feature `unrestricted_pointer_parameters`); wgpu and Firefox take pointers to `function` and `private` only.",
        example="fn clear(p: ptr<workgroup, array<u32, 64>>) { }",
        remedy="Use the variable itself inside of the function, or pass a value or an index.",
    ),
    Rule(
        code="PX212",
        name="requires-refused",
        severity=Severity.WARNING,
        summary="naga refuses to hear that a language feature is required.",
        explanation="`requires` only documents; a feature works without it wherever it is implemented.",
        example="requires unrestricted_pointer_parameters;",
        remedy="Remove the directive; the fix does it.",
    ),
    Rule(
        code="PX213",
        name="statement-diagnostic",
        severity=Severity.WARNING,
        summary="naga refuses `@diagnostic` on a statement.",
        explanation="It takes the attribute on functions, and the directive at the top of the file.",
        example="@diagnostic(off, derivative_uniformity) if x { }",
        remedy="Move the filter to the function or to the top of the file.",
    ),
    Rule(
        code="PX214",
        name="workgroup-memory-beyond-promise",
        severity=Severity.WARNING,
        summary="More workgroup memory than a browser promises.",
        explanation="The default limit `maxComputeWorkgroupStorageSize` is 16,384 bytes. wgpu raises it to what the adapter has, so the kernel runs here.",
        example="var<workgroup> tile: array<f32, 8192>;  // 32 KiB",
        remedy="Use smaller tiles, or ask for a higher limit when the device is requested, and be ready for a refusal.",
    ),
    Rule(
        code="PX215",
        name="workgroup-beyond-promise",
        severity=Severity.WARNING,
        summary="A larger workgroup than a browser promises.",
        explanation="The default limits are 256 invocations, at most 256 in x and in y and 64 in z. wgpu raises them to what the adapter has, so the kernel runs here.",
        example="@compute @workgroup_size(512)",
        remedy="Use a smaller workgroup, or ask for higher limits when the device is requested, and be ready for a refusal.",
    ),
    Rule(
        code="PX216",
        name="constant-function",
        severity=Severity.WARNING,
        summary="naga cannot evaluate this function at compile time.",
        explanation="`frexp`, `modf`, `bitcast`, `transpose`, the packing functions and some more are const-functions in WGSL and not yet in naga.",
        example="const one = bitcast<u32>(1.0f);",
        remedy="Inside of a function write `let`; the fix does it. At module scope write the value.",
    ),
    Rule(
        code="PX217",
        name="loop-without-return",
        severity=Severity.WARNING,
        summary="naga wants a `return` after a loop that can only be left by `return`.",
        explanation="WGSL sees that the end of the function is not reached; naga does not look.",
        example="fn find() -> u32 { loop { if done() { return 1u; } } }",
        remedy="Add a `return` after the loop; the fix does it. Tint then warns that it is unreachable.",
    ),
    Rule(
        code="PX218",
        name="plain-atomic",
        severity=Severity.WARNING,
        summary="An atomic is read or written without an atomic function.",
        explanation="WGSL allows only `atomicLoad`, `atomicStore` and their relatives. naga compiles the plain access, and Chrome refuses it.",
        example="var<workgroup> count: atomic<u32>;  …  count = 0u;",
        remedy="Use the atomic function; the fix does it.",
    ),
)

PROOF_RULES: tuple[Rule, ...] = (
    Rule(
        code="PX390",
        name="no-contract",
        severity=Severity.INFO,
        summary="The shader has a compute entry point and no contract, so nothing was executed.",
        explanation="Without a contract nothing says what the kernel should compute. The shader is parsed and checked, and its verdict is skipped.",
        example="pixel-lsp contract scale.wgsl --write",
        remedy="`pixel-lsp contract FILE` writes a first contract from what reflection sees; docs/contracts.md teaches the format in ten minutes.",
    ),
    Rule(
        code="PX391",
        name="uninformative-cases",
        severity=Severity.WARNING,
        summary="Fewer than three cases could tell a right output from a dumb one.",
        explanation=(
            "In every case the comparison is also run on dumb outputs: all zeros, the best constant, a copy of an input. A case that one of them would "
            "pass proves little (a softmax over 100,000 elements is almost zero everywhere). An output needs three cases that no dumb output passes; "
            "with none at all the kernel's verdict is inconclusive."
        ),
        remedy="Add cases with other sizes, or draw inputs that make the output vary.",
    ),
    Rule(
        code="PX392",
        name="expression-failed",
        severity=Severity.ERROR,
        summary="An expression of the contract is well formed and could not be computed for a case.",
        explanation="Shapes that do not fit, an axis that does not exist, or a result too large for the budget show only when the arrays are there.",
        example='expect = { c = "a @ b" }   # a is 4 × 3 and b is 4 × 2',
        remedy="The finding names the part of the expression and the shapes that met there.",
    ),
    Rule(
        code="PX393",
        name="no-such-case",
        severity=Severity.WARNING,
        summary="No case of this contract has the name that was asked for.",
        explanation="`--case` runs only the cases of one name, as it is written in findings and in the JSON report.",
        remedy="The finding lists the nearest names.",
    ),
    Rule(
        code="PX394",
        name="partly-proved",
        severity=Severity.INFO,
        summary="Every invariant holds, and nothing says what the output must equal.",
        explanation=(
            "Invariants alone show less than a truth: sorted keys with the right sum need not be the right keys. Such a kernel is *partly proved*, a "
            "verdict of its own that is never counted as passed. `check` exits with 0 all the same, and with 1 under `--strict`; the coach takes it "
            "for no proof."
        ),
        example='invariants = ["all(diff(keys) >= 0)", "sum(keys) == sum(old.keys)"]',
        remedy='State the truth as well: `expect = { keys = "sort(keys)" }`, a `reference` in Python, or an `oracle`.',
    ),
    Rule(
        code="PX395",
        name="content-not-provided",
        severity=Severity.ERROR,
        summary="A file, a function or a codec in Python does not give what the contract says of a buffer.",
        explanation=(
            '`inputs = { x = "file x.npy" }` takes the shape and the type of the buffer and no other; a file that is not .npy must have as many bytes '
            'as the buffer. `inputs = { x = "gen.py:f" }` calls a function in your interpreter, which returns one array. A codec in Python packs into '
            "as many bytes as its `values` and `bytes` say, and packing what it unpacked must change nothing. It unpacks what a kernel wrote as well, and "
            "says there how far values lie from each other, if the output is compared by levels."
        ),
        example='inputs = { x = "file x.npy" }   # x.npy is 4 × 4, and shapes = { x = "8 8" }',
        remedy="The finding names the shape, the type or the bytes that were found, or the line of your file that failed.",
    ),
)

RESULT_RULES: tuple[Rule, ...] = (
    Rule(
        code="PX401",
        name="wrong-result",
        severity=Severity.ERROR,
        summary="An output differs from what the contract says it must equal.",
        explanation=(
            "The kernel ran on the named adapter and its output was compared with the contract's truth. An output passes only if *all* of "
            "these hold: every element lies within its error bound, the normalised mean squared error (NMSE) lies under its limit, and no "
            "element is NaN or infinite where a number is expected. Bounds come from error analysis of the expression (docs/tolerance.md), "
            "not from what happens to pass.\n\n"
            "The finding stands on the statement that stores into the output. It names the case, how many elements are wrong, the first and the "
            "worst of them, and the structure of the wrong ones, which is often the shortest way to the cause: a wrong last row is a bounds "
            "check, every 16th element is a tile edge, an error of 5e-4 everywhere is a value that went through f16."
        ),
        example=(
            "error[PX401]: c is wrong in 33 of 2,145 elements (case M=65 N=33 K=20, device llvmpipe)\n"
            "   = all in the last row (row 64)\n"
            "   = first c[64, 0]: expected 3.2187, got 0 (error 3.2, bound 4.1e-6)"
        ),
        remedy=(
            "Run the case again alone with the command in the last note. When the kernel is right and its arithmetic is less exact on purpose, "
            "loosen the bound in `compare` and give the `reason`."
        ),
    ),
    Rule(
        code="PX402",
        name="input-changed",
        severity=Severity.ERROR,
        summary="The kernel wrote into a buffer that the contract calls an input.",
        explanation="Every buffer is read back and inputs are compared byte for byte with what was written before the first pass.",
        remedy='If the kernel works in place, give the buffer the role `inout` (`roles = { a = "inout" }`); if not, it writes through the wrong name.',
    ),
    Rule(
        code="PX403",
        name="guard-overwritten",
        severity=Severity.ERROR,
        summary="The kernel changed bytes outside of a buffer's binding.",
        explanation=(
            "Every buffer is bound as a range inside a larger one whose margins hold a known pattern. A changed margin means that the driver "
            "let a write out of bounds through. Most drivers drop such writes silently, so the absence of this finding proves nothing."
        ),
        remedy="Check the index of every store into this buffer against `arrayLength` or the size in the uniforms.",
    ),
    Rule(
        code="PX404",
        name="not-repeatable",
        severity=Severity.ERROR,
        summary="The same inputs gave different outputs in two runs.",
        explanation=(
            "Every case runs at least twice from the same start. Results that differ bit for bit come from a race between invocations, or from "
            "memory that was never written. Sums of floats by atomics in varying order differ too: that is a race in the order."
        ),
        remedy="Look for a missing `workgroupBarrier()`, two invocations that store into one element, or a variable read before it is written.",
    ),
    Rule(
        code="PX405",
        name="depends-on-old-content",
        severity=Severity.ERROR,
        summary="The result depends on what an output or scratch buffer held before the kernel ran.",
        explanation=(
            "Outputs and scratch buffers are filled with a NaN pattern in one run and with a large finite number in the other. Results that "
            "follow the filling read memory that the kernel should have written first. In an application such a buffer holds the last frame's data."
        ),
        remedy=(
            "Write the element before reading it, or say that the buffer has a starting value: role `accumulate` (starts at zeros) or `inout` with `inputs`."
        ),
    ),
    Rule(
        code="PX406",
        name="broken-invariant",
        severity=Severity.ERROR,
        summary="A condition of `invariants` does not hold of what the kernel wrote.",
        explanation=(
            "An invariant speaks of the values after the last pass, and as `old.x` of those before the first. The finding names the first element that "
            "breaks it, with both sides of the comparison. Integers are whole numbers there and do not wrap. Floats are compared within the "
            "rounding errors of the invariant's own arithmetic: what these leave open holds."
        ),
        example="error[PX406]: `all(diff(keys) >= 0)` does not hold at [17]: `diff(keys)` is -3 (2 of 63 elements) (case n=64, device llvmpipe)",
        remedy="Run the case again alone with `--case`. If the values may be off by more than rounding, say so in the invariant: `abs(sum(y) - 1) < 1e-3`.",
    ),
    Rule(
        code="PX410",
        name="loop-cut-short",
        severity=Severity.WARNING,
        summary="Inconclusive: this adapter ended a loop before the loop's own exit was taken.",
        explanation=(
            "Software adapters of the llvmpipe family end all loops of an invocation after 65,535 iterations in total, without an error. The "
            "result is then worth nothing, in either direction, so the case is inconclusive: neither passed nor failed. It is detected by "
            "running the case again with every loop watched. An endless loop ends this way too."
        ),
        remedy="If the loop is meant to end, check its condition. If it is only long, use smaller sizes in the cases, or run on a GPU.",
    ),
)
