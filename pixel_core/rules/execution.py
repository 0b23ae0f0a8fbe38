"""Rules about execution (PX7xx) and the environment (PX9xx)."""

from __future__ import annotations

from pixel_core.findings import Severity
from pixel_core.rules.rule import Rule

EXECUTION_RULES: tuple[Rule, ...] = (
    Rule(
        code="PX701",
        name="time-out",
        severity=Severity.ERROR,
        summary="A case did not end within its time and was stopped.",
        explanation=(
            "Kernels run in a child process with a deadline: `budget.seconds` of the contract (20 s unless it says otherwise). The child is asked "
            "to stop, then killed; the next case starts in a fresh one."
        ),
        remedy="Use smaller sizes, or raise the limit: `budget = { seconds = 60 }`. A kernel that never ends has a loop whose exit is never reached.",
    ),
    Rule(
        code="PX702",
        name="worker-ended",
        severity=Severity.ERROR,
        summary="The process that ran the kernel ended before it answered.",
        explanation=(
            "A driver that crashes takes its process with it, never the editor or the rest of the check. The finding names the signal or exit code, "
            "and the last lines that the driver wrote."
        ),
        remedy="Run the case again. If it ends the same way, the shader makes the driver crash: try another adapter (`pixel-lsp doctor` lists them).",
    ),
    Rule(
        code="PX703",
        name="device-lost",
        severity=Severity.ERROR,
        summary="The adapter reset itself while the kernel ran.",
        explanation="A GPU driver ends a device that does not answer for a few seconds. The device was opened anew for the next case.",
        remedy="Split the work into smaller dispatches, or use smaller sizes in the cases.",
    ),
    Rule(
        code="PX704",
        name="out-of-memory",
        severity=Severity.ERROR,
        summary="The case needs more memory than the adapter or the worker's limit allows.",
        explanation="Buffers count with their guard bands, and twice while they are read back. The worker's address space is limited, so that one kernel cannot exhaust the machine.",
        remedy="Use smaller sizes in the cases.",
    ),
    Rule(
        code="PX705",
        name="run-refused",
        severity=Severity.ERROR,
        summary="The adapter refused to run the dispatch.",
        explanation=(
            "WebGPU validates bindings, sizes and limits before anything runs: a binding larger than the adapter allows, more than 65,535 workgroups "
            "in one dimension, one buffer writable through two bindings."
        ),
        remedy="The message names what was refused; change the contract's shapes, dispatch or `bind` accordingly.",
    ),
    Rule(
        code="PX706",
        name="reference-failed",
        severity=Severity.ERROR,
        summary="The contract's Python reference raised, exited, took too long or returned something that cannot be compared.",
        explanation=(
            '`reference = "file.py:function"` runs in your interpreter, in a process of its own, as `function(**buffers, **dims)`. It returns a dict '
            "of output name to array, or to `(array, scale)`. Its prints are not shown; its traceback is."
        ),
        remedy="Run the function by hand on small arrays. The finding's notes show the line of your file and what came back.",
    ),
    Rule(
        code="PX707",
        name="outside-workspace",
        severity=Severity.ERROR,
        summary="The contract names a file outside the workspace.",
        explanation=(
            "Files that a contract names must lie inside the workspace after all symbolic links are followed, so that opening somebody's shader can "
            "neither run nor read anything else on the machine."
        ),
        remedy="Move the file into the workspace, or point `--workspace` at a folder that holds both.",
    ),
    Rule(
        code="PX708",
        name="not-executed",
        severity=Severity.INFO,
        summary="The kernel was not executed, because its workspace is not trusted.",
        explanation="Kernels and references are programs. In an untrusted workspace only what can be said without running them is said.",
        remedy=(
            "If you trust the files: in an editor take the quick fix *Trust this workspace and run its kernels*, or trust the folder where the "
            "editor itself asks; in a terminal leave out `--untrusted`. A document that is not saved as a file is not executed anywhere."
        ),
    ),
    Rule(
        code="PX709",
        name="cancelled",
        severity=Severity.INFO,
        summary="The check was cancelled before this kernel was through.",
        explanation="Cases that did not run count as skipped, never as passed.",
        remedy="Run the check again.",
    ),
    Rule(
        code="PX710",
        name="oracle-failed",
        severity=Severity.ERROR,
        summary="The kernel that the contract names as its oracle gives no truth.",
        explanation=(
            '`oracle = "naive.wgsl:matmul"` names another kernel, simple enough to trust. It runs on the same adapter from the same inputs, with '
            "the same sizes; its buffers are matched by their names. An oracle that does not compile, lacks an output, differs between two runs, "
            "leaves elements unwritten or fails its own contract proves nothing about anything, so the kernel that asks it is failed."
        ),
        example="error[PX710]: the oracle computes no `c`",
        remedy="Check the oracle alone first: `pixel-lsp check naive.wgsl`. Without a contract of its own it takes sizes, shapes and parameters from yours.",
    ),
    Rule(
        code="PX790",
        name="internal-error",
        severity=Severity.ERROR,
        summary="pixel-lsp itself failed: this is a bug of ours, not of your kernel.",
        explanation="The traceback is in the finding's notes. Other kernels and cases are not affected.",
        remedy="Please report it with the traceback, and the shader if you can share it.",
    ),
)

ENVIRONMENT_RULES: tuple[Rule, ...] = (
    Rule(
        code="PX901",
        name="engine-unavailable",
        severity=Severity.ERROR,
        summary="The engine that should run the kernels is not available on this machine.",
        explanation=(
            "The device engine needs an adapter: a GPU with a Vulkan, Metal or Direct3D 12 driver, or a software driver such as lavapipe. "
            "Nothing can be proved without one, so the check ends with exit code 2."
        ),
        example="pixel-lsp doctor",
        remedy="`pixel-lsp doctor` says what is missing. On Debian and Ubuntu, `sudo apt-get install mesa-vulkan-drivers` is enough.",
    ),
    Rule(
        code="PX902",
        name="reference-interpreter",
        severity=Severity.ERROR,
        summary="The Python that should run the reference cannot be used.",
        explanation=(
            "References run in your own interpreter: `--python`, else `.venv` of the workspace, else `VIRTUAL_ENV`, else `python3`. It needs numpy."
        ),
        remedy="Install numpy there with the command in the finding, or name another interpreter with `--python`.",
    ),
    Rule(
        code="PX903",
        name="unreadable-file",
        severity=Severity.ERROR,
        summary="The file cannot be read as WGSL text.",
        explanation="Shaders are UTF-8 text of at most 4 MiB. A file that is missing, binary or larger is not checked.",
        remedy="Check the path and the encoding.",
    ),
    Rule(
        code="PX904",
        name="compiler-absent",
        severity=Severity.INFO,
        summary="One of the two compilers was not asked.",
        explanation=(
            "naga comes with wgpu and needs an adapter. Tint, the compiler of Chrome, comes with the optional package `dawn-python`; without it "
            "nothing is said about Chrome beyond pixel-lsp's own checks."
        ),
        example='pip install "pixel-lsp[tint]"',
        remedy="Install the package, or live without: everything else works.",
    ),
)
