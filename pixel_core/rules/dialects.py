"""Rules about dialects (PX34x): files of which WGSL is made by the steps of `prepare`."""

from __future__ import annotations

from pixel_core.findings import Severity
from pixel_core.rules.rule import Rule

DIALECT_RULES: tuple[Rule, ...] = (
    Rule(
        code="PX340",
        name="bad-directive",
        severity=Severity.ERROR,
        summary="A directive or a use of a macro is not what the preprocessor understands.",
        explanation=(
            "`prepare = [{ define = {…} }]` runs the preprocessor: `#define`, `#undef`, `#include`, `#import`, `#if`, `#ifdef`, `#ifndef`, "
            "`#elif`, `#else`, `#endif`, `#error`, with C's macros and integer arithmetic. A macro that is defined again as something else is "
            "a warning, as in C compilers."
        ),
        example="#if TILE >\nconst tile = TILE;\n#endif",
        remedy="Mend the line that is marked.",
    ),
    Rule(
        code="PX341",
        name="file-not-included",
        severity=Severity.ERROR,
        summary="A file that another one names cannot be included.",
        explanation=(
            "It does not exist, cannot be read, includes itself, or lies outside of the workspace once symbolic links are followed. Names are "
            "relative to the file that has them; `include` adds folders. A file is included once."
        ),
        example='#include "../../../etc/passwd"',
        remedy='Correct the name, or add the folder: `prepare = [{ include = ["common"] }]`.',
    ),
    Rule(
        code="PX342",
        name="expansion-too-large",
        severity=Severity.ERROR,
        summary="The expansion of a file reached a bound.",
        explanation=(
            "Macros may bring 100,000 tokens into a file, calls may stand 100 deep in arguments of calls, files may include each other 32 deep, "
            "and the text may have 2,097,152 characters. A few lines of macros can ask for more than any machine has."
        ),
        example="#define A B B\n#define B C C\n#define C D D   // and so on",
        remedy="Look for a macro that doubles itself at the place that is marked.",
    ),
    Rule(
        code="PX343",
        name="template-failed",
        severity=Severity.ERROR,
        summary="A template could not be rendered.",
        explanation=(
            "`template` steps are rendered by jinja2 in its sandbox, in a process of their own with limits on time and memory, and only in a "
            "trusted workspace. A name that has no value is an error."
        ),
        example="const n = {{ size }};   // prepare = [{ template = { n = 4 } }]",
        remedy='Mend the line that is marked, or give the value in the contract. `pip install "pixel-lsp[template]"` installs jinja2.',
    ),
    Rule(
        code="PX344",
        name="command-failed",
        severity=Severity.ERROR,
        summary="A program that a `command` step names did not make WGSL.",
        explanation=(
            "It is run in the folder of the contract, without a shell, with the text on standard input; what it writes to standard output is the "
            "shader. It may take 10 seconds and 2 GiB. It is run only in a trusted workspace."
        ),
        example='prepare = [{ command = ["python3", "expand.py"] }]',
        remedy="Run the command by hand on the file and mend what it says.",
    ),
    Rule(
        code="PX345",
        name="nothing-to-strip",
        severity=Severity.ERROR,
        summary="A text that a `strip` step looks for does not occur.",
        explanation="Most likely the file has changed. What is left would not be the shader that the contract speaks of.",
        example='prepare = [{ strip = { after = "wgsl`", before = "`" } }]',
        remedy="Write the text as it stands in the file.",
    ),
    Rule(
        code="PX346",
        name="dialect",
        severity=Severity.WARNING,
        summary="A file is not plain WGSL but a dialect, and no contract says how WGSL is made of it.",
        explanation=(
            "Its syntax errors as plain WGSL would say nothing, so they are not told. With a contract that has no `prepare` this is an error, "
            "because its kernels cannot be checked."
        ),
        example='#include "common.wgsl"',
        remedy="Add `prepare` to a contract in the file or beside it, such as `prepare = [{ define = {} }]` for `#` directives.",
    ),
)
