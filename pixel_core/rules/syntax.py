"""Rules about syntax (PX100-PX129)."""

from __future__ import annotations

from pixel_core.findings import Severity
from pixel_core.rules.rule import Rule

_ERROR = Severity.ERROR

SYNTAX_RULES: tuple[Rule, ...] = (
    Rule(
        code="PX100",
        name="invalid-character",
        severity=_ERROR,
        summary="A character that has no place in WGSL.",
        explanation=(
            "WGSL text consists of identifiers, numbers, comments and a fixed set of signs. Quotes, `$`, `#` and `?` are not among "
            "them, and U+0000 is forbidden even in comments. A line such as `#define N 4` is the input of a preprocessor, which WGSL does "
            "not have."
        ),
        example="let price = $5;",
        remedy="Remove the character. Expand preprocessor lines first and check the expanded text.",
    ),
    Rule(
        code="PX101",
        name="unclosed-comment",
        severity=_ERROR,
        summary="A block comment without its end.",
        explanation="Block comments nest: every `/*` inside of a comment needs a `*/` of its own.",
        example="/* outer /* inner */",
        remedy="Add the missing `*/`, or use `//` comments.",
    ),
    Rule(
        code="PX102",
        name="invalid-number",
        severity=_ERROR,
        summary="A number that is malformed or does not fit its type.",
        explanation=(
            "Integers are written without leading zeros and end in `i` or `u` or nothing; floats end in `f`, `h` or nothing, and `h` needs "
            "`enable f16;`. The value must fit the type that the suffix names, without a suffix 64 bits; a hexadecimal float must be exact."
        ),
        example="let n = 4294967296u;  // the largest u32 is 4294967295",
        remedy="Correct the digits, or choose the suffix of a type that holds the value.",
    ),
    Rule(
        code="PX103",
        name="invalid-name",
        severity=_ERROR,
        summary="A word that cannot be a name.",
        explanation=(
            "Keywords, the reserved words of the specification (`filter`, `final`, `target`, `type` and some 140 others), a lone `_` and "
            "everything that starts with two underscores cannot be names, even where an implementation has no use for them."
        ),
        example="let filter = 1;",
        remedy="Choose another name.",
    ),
    Rule(
        code="PX104",
        name="missing-token",
        severity=_ERROR,
        summary="A sign is missing, most often a `;`.",
        explanation="The finding stands where the sign belongs, right after what comes before it, which may be the end of the line above.",
        example="let x = 1\nlet y = 2;",
        remedy="Insert the sign; the fix does it.",
    ),
    Rule(
        code="PX105",
        name="unexpected-token",
        severity=_ERROR,
        summary="Something else was expected here.",
        explanation="The message names what the grammar allows in this place and what stands there.",
        example="let x = * 2;",
        remedy="Replace what stands there by what is expected.",
    ),
    Rule(
        code="PX106",
        name="unclosed-bracket",
        severity=_ERROR,
        summary="A bracket, brace or template list is not closed.",
        explanation=(
            "The second place shown is the bracket that stays open. For a brace the message may stand where the next function begins, because "
            "only there it becomes clear that one is missing."
        ),
        example="let x = max(a, b;",
        remedy="Close the bracket.",
    ),
    Rule(
        code="PX107",
        name="nested-too-deep",
        severity=_ERROR,
        summary="Code is nested deeper than any compiler takes.",
        explanation="Blocks, brackets and operators nest without end in the grammar, but compilers stop at a few hundred levels.",
        remedy="Give parts of the expression names with `let`, or move them into functions.",
    ),
    Rule(
        code="PX108",
        name="mixed-operators",
        severity=_ERROR,
        summary="Operators that need parentheses when they meet.",
        explanation=(
            "WGSL gives no precedence to some pairs of operators, so that nobody can misread them: `&&` with `||`, `&`, `|` and `^` with each "
            "other and with everything else, shifts with arithmetic, and comparisons in a row. naga accepts some of them, Chrome refuses all."
        ),
        example="if a && b || c { }",
        remedy="Put parentheses around one side; the fix puts them where C would.",
    ),
    Rule(
        code="PX109",
        name="misplaced-directive",
        severity=_ERROR,
        summary="`enable`, `requires` or `diagnostic` after a declaration.",
        explanation="Directives hold for the whole file and stand at its top. Files that are joined from several parts often break this.",
        example="const n = 4;\nenable f16;",
        remedy="Move the directive above the first declaration.",
    ),
    Rule(
        code="PX110",
        name="unknown-attribute",
        severity=_ERROR,
        summary="There is no attribute of this name.",
        explanation="The attributes of WGSL are a fixed list.",
        example="@stage(compute) fn main() {}",
        remedy="Correct the name; `@stage(compute)` of old texts is `@compute` today.",
    ),
    Rule(
        code="PX111",
        name="attribute-arguments",
        severity=_ERROR,
        summary="An attribute has the wrong arguments.",
        explanation="Attributes take a fixed number of arguments, and some only certain names, such as those of the built-in values.",
        example="@compute @workgroup_size() fn main() {}",
        remedy="Give the arguments that the message names.",
    ),
    Rule(
        code="PX112",
        name="duplicate-attribute",
        severity=_ERROR,
        summary="An attribute stands twice on one thing.",
        explanation="No attribute may be repeated, except `@diagnostic` for different rules.",
        example="@group(0) @group(1) @binding(0) var<uniform> a: f32;",
        remedy="Remove one of them.",
    ),
    Rule(
        code="PX113",
        name="misplaced-attribute",
        severity=_ERROR,
        summary="An attribute where it means nothing, or one that is missing.",
        explanation=(
            "Each attribute belongs on certain things: `@group` and `@binding` on resources, `@workgroup_size` on compute entry points, "
            "`@builtin` and `@location` on what goes into an entry point and comes out of it."
        ),
        example="@compute fn main() {}  // @workgroup_size is missing",
        remedy="Move, add or remove the attribute.",
    ),
    Rule(
        code="PX114",
        name="misplaced-jump",
        severity=_ERROR,
        summary="`break`, `continue` or `return` where it cannot jump.",
        explanation=(
            "`break` leaves a loop or `switch`, `continue` goes on with a loop. A `continuing` block is left by `break if` at its end and "
            "by nothing else."
        ),
        example="fn f() { break; }",
        remedy="Move the statement, or write `return`.",
    ),
    Rule(
        code="PX115",
        name="switch-clauses",
        severity=_ERROR,
        summary="A `switch` without a `default`, or with a clause twice.",
        explanation="Every `switch` has exactly one `default`, alone or in the list of a `case`, and no value stands in two clauses.",
        example="switch x { case 1: {} }",
        remedy="Add `default: {}`, or remove the second clause.",
    ),
    Rule(
        code="PX116",
        name="unknown-extension",
        severity=_ERROR,
        summary="`enable` names no extension of WGSL.",
        explanation="Extensions of one implementation are a warning: the shader will be refused by the others.",
        example="enable f32;",
        remedy="Correct the name. Language features are named by `requires`.",
    ),
    Rule(
        code="PX117",
        name="unknown-language-feature",
        severity=_ERROR,
        summary="`requires` names no language feature of WGSL.",
        explanation="Language features are a fixed list, which grows with the specification.",
        example="requires fast_math;",
        remedy="Correct the name, or remove the directive: features work without it.",
    ),
    Rule(
        code="PX118",
        name="diagnostic-filter",
        severity=_ERROR,
        summary="A diagnostic filter that is wrong or contradicts another.",
        explanation="A filter is a severity (`error`, `warning`, `info`, `off`) and a rule (`derivative_uniformity`, `subgroup_uniformity`).",
        example="diagnostic(none, derivative_uniformity);",
        remedy="Correct the severity, or remove one of two filters for the same rule.",
    ),
    Rule(
        code="PX119",
        name="incomplete-declaration",
        severity=_ERROR,
        summary="A declaration lacks its type, value, address space or members, or has one too many.",
        explanation=(
            "`let` and `const` need a value. `var` needs a type or a value; at module scope it needs an address space too, unless it is a "
            "texture or sampler. Only `var<private>` and variables of functions may have a value. Only storage buffers have an access mode."
        ),
        example="let x: f32;",
        remedy="Add what the message names.",
    ),
    Rule(
        code="PX120",
        name="missing-return",
        severity=_ERROR,
        summary="A function does not return what it declares.",
        explanation=(
            "Every path through a function with a return type ends in `return value;`. Conditions are not evaluated: after "
            "`while true { … }` the end still counts as reachable, after `loop { … }` without `break` it does not."
        ),
        example="fn f(x: f32) -> f32 { if x > 0 { return x; } }",
        remedy="Add a `return` at the end, or an `else` that returns.",
    ),
    Rule(
        code="PX121",
        name="endless-loop",
        severity=_ERROR,
        summary="A loop without a way out.",
        explanation="A `loop`, or a `for` without condition, needs a `break`, a `return` or a `break if`. naga does not notice, Chrome refuses.",
        example="loop { x += 1; }",
        remedy="Add a way out.",
    ),
)
"""What the parser and the checks on the form of the tree report."""
