"""What contracts are read from, and which finding each mistake gives, at which place."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pixel_core.findings import Finding, Severity, Span
from pixel_core.kernels.contract import Budget, ContractFile, KernelContract
from pixel_core.kernels.expressions import Expression, Number
from pixel_core.kernels.read_contracts import read_contracts
from pixel_core.rules import RULES
from pixel_core.source import SourceText


def read_sidecar(toml: str) -> ContractFile:
    return read_contracts(SourceText(Path("scale.wgsl"), ""), None, SourceText(Path("scale.contract.toml"), toml))


def read_block(shader: str) -> ContractFile:
    return read_contracts(SourceText(Path("scale.wgsl"), shader), None, None)


def read_one(read: ContractFile) -> KernelContract:
    assert [finding.message for finding in read.findings] == []
    (contract,) = read.contracts
    return contract


def texts(value: object) -> object:
    """Expressions as their texts, at any depth."""
    if isinstance(value, Expression):
        return value.text
    if isinstance(value, tuple):
        return tuple(texts(item) for item in value)
    if isinstance(value, dict):
        return {name: texts(item) for name, item in value.items()}
    return value


EVERY_KEY = """
[matmul]
dims = "M N K"
where = ["K % 4 == 0", "M > 0"]
let = { tiles = "ceil(N / TILE)", four = 4 }
shapes = { a = "M K", b = "K N", c = "M (ceil(N / 4) * 4)", p.pos = "M 3", "p.mass" = "M", total = "", bins = 256 }
params = { size = { m = "M", pair = [1, "N"] }, eps = 1e-5, on = true }
overrides = { TILE = 16, wide = false }
inputs = { a = "normal(0, 1)", b = 0 }
roles = { a = "in" }
codecs = { b = "q4_0" }
buffers = { tmp = "u32 M 2" }
define = { e = "a @ b" }
expect = { c = "e", p.pos = "0 * p.pos" }
reference = "truth/matmul.py:matmul"
compare = { c = { rtol = 1e-3, reason = "f16 on purpose" }, "p.pos" = "exact" }
cases = ["M=1 N=2  K=4", { dims = { M = 1, N = 1, K = 4 }, seed = 7, overrides = { TILE = 8 }, inputs = { a = "ones()" } }]
derive = false
budget = { seconds = 2.5, bytes = 1_000 }
flops = "2 * M * N * K"

[[matmul.passes]]
entry = "first"
dispatch = "tiles, M"

[[matmul.passes]]
entry = "second"
dispatch = [1, "M"]
bind = { src = ["a", "tmp"], dst = "tmp" }
params = { size.m = 3 }
overrides = { TILE = "4" }
repeat = "ceil(log2(M))"
index = "i"
"""


def test_reads_every_key() -> None:
    contract = read_one(read_sidecar(EVERY_KEY))
    assert (contract.name, contract.dims) == ("matmul", ("M", "N", "K"))
    assert texts(contract.where) == ("K % 4 == 0", "M > 0")
    assert texts(contract.let) == {"tiles": "ceil(N / TILE)", "four": "4"}
    assert texts(contract.shapes) == {
        "a": ("M", "K"),
        "b": ("K", "N"),
        "c": ("M", "(ceil(N / 4) * 4)"),
        "p.pos": ("M", "3"),
        "p.mass": ("M",),
        "total": (),
        "bins": ("256",),
    }
    assert texts(contract.params) == {"size": {"m": "M", "pair": ("1", "N")}, "eps": "1e-05", "on": "true"}
    assert texts(contract.overrides) == {"TILE": "16", "wide": "false"}
    assert texts(contract.inputs) == {"a": "normal(0, 1)", "b": "0"}
    assert (contract.roles, contract.codecs) == ({"a": "in"}, {"b": "q4_0"})
    assert (contract.buffers["tmp"].scalar, texts(contract.buffers["tmp"].shape)) == ("u32", ("M", "2"))
    assert (texts(contract.define), texts(contract.expect)) == ({"e": "a @ b"}, {"c": "e", "p.pos": "0 * p.pos"})
    assert contract.reference is not None
    assert (contract.reference.file, contract.reference.function) == ("truth/matmul.py", "matmul")
    assert [(name, one.mode, one.rtol, one.reason) for name, one in contract.compare.items()] == [
        ("c", "scaled", 1e-3, "f16 on purpose"),
        ("p.pos", "exact", 0.0, None),
    ]
    assert not contract.derive
    assert contract.budget == Budget(seconds=2.5, bytes=1_000)
    assert texts(contract.flops) == "2 * M * N * K"


def test_reads_cases() -> None:
    first, second = read_one(read_sidecar(EVERY_KEY)).cases
    assert (first.name, first.dims, first.seed) == ("M=1 N=2 K=4", {"M": 1, "N": 2, "K": 4}, None)
    assert (second.name, second.dims, second.seed) == ("M=1 N=1 K=4 TILE=8 seed=7", {"M": 1, "N": 1, "K": 4}, 7)
    assert (texts(second.overrides), texts(second.inputs)) == ({"TILE": "8"}, {"a": "ones()"})


def test_reads_passes() -> None:
    first, second = read_one(read_sidecar(EVERY_KEY)).passes
    assert (first.entry, texts(first.dispatch), first.repeat, first.index) == ("first", ("tiles", "M"), None, None)
    assert (second.entry, texts(second.dispatch), texts(second.repeat), second.index) == ("second", ("1", "M"), "ceil(log2(M))", "i")
    assert second.bind == {"src": ("a", "tmp"), "dst": ("tmp",)}
    assert (texts(second.params), texts(second.overrides)) == ({"size": {"m": "3"}}, {"TILE": "4"})


def test_knows_where_keys_stand() -> None:
    contract = read_one(read_sidecar(EVERY_KEY))
    spots = {
        "expect.c": '"e"',
        "key@expect.c": "c",
        "cases[0]": '"M=1 N=2  K=4"',
        "passes[1].bind.src[1]": '"tmp"',
        "cases[1].dims.K": "4",
        "flops": '"2 * M * N * K"',
    }
    for key, text in spots.items():
        span = contract.key_spans[key]
        assert EVERY_KEY[span.start : span.end] == text


BLOCK = """\
/* A licence, /* nested */ here. */
//! Scales. [1] says how.
//!
//! [scale]
//! dims     = "n"
//!shapes = { x = "n",
//!    y = "n" }   # TOML 1.1: tables over several lines

//! dispatch = "ceil(n / 64)"
//! expect   = { y = "x / ß" }
@group(0) @binding(0) var<storage> x: array<f32>;
"""


def test_reads_a_doc_block_and_keeps_its_places() -> None:
    contract = read_one(read_block(BLOCK))
    span = contract.expect["y"].locate(Span(4, 5))
    assert span is not None
    assert contract.source.position(span.start) == (10, 27)
    assert BLOCK[span.start : span.end] == "ß"
    span = contract.key_spans["shapes.y"]
    assert contract.source.position(span.start) == (7, 12)
    assert BLOCK[span.start : span.end] == '"n"'
    assert BLOCK[contract.span.start : contract.span.end] == "[scale]"


PYTHON_CODEC = '{ python = "nf4.py:nf4", values = 64, bytes = 36 }'
CODEC_HINT = f"one of f16x2, f32, q4_0, q8_0, u8x4, unorm8x4, or {PYTHON_CODEC}"


@pytest.mark.parametrize("line_end", ["\r\n", "\r"])
def test_reads_other_line_ends(line_end: str) -> None:
    contract = read_one(read_block(BLOCK.replace("\n", line_end)))
    span = contract.key_spans["shapes.y"]
    assert contract.source.position(span.start) == (7, 12)


def test_reads_a_sidecar_with_carriage_returns() -> None:
    toml = EVERY_KEY.replace("\n", "\r\n")
    contract = read_one(read_sidecar(toml))
    span = contract.key_spans["flops"]
    assert toml[span.start : span.end] == '"2 * M * N * K"'


def test_reads_several_contracts() -> None:
    both = BLOCK.replace("//! dispatch", "//! dispatch = 1\n//! expect = { y = 0 }\n//! [other]\n//! dispatch")
    assert [contract.name for contract in read_block(both).contracts] == ["scale", "other"]


def test_one_bad_contract_leaves_the_others() -> None:
    read = read_sidecar("[bad]\ndispatch = 1\n" + EVERY_KEY)
    assert [contract.name for contract in read.contracts] == ["matmul"]
    assert [finding.code for finding in read.findings] == ["PX308"]


@pytest.mark.parametrize(
    "shader",
    [
        "",
        "fn f() {}",
        "//! [1] prose\n//! and more\n",
        "//! [scale]\n//! is prose\n",
        '// [scale]\n// dims = "n"\n',
        '//! dims = "n"',
        "/*! [scale]\ndims = 1 */",
    ],
)
def test_prose_is_no_contract(shader: str) -> None:
    assert read_block(shader) == ContractFile(contracts=(), findings=())


def test_a_misspelt_first_key_is_still_a_contract() -> None:
    (finding,) = read_block("//! [scale]\n//! dispach = 1\n//! expect = { y = 1 }").findings[:1]
    assert (finding.code, finding.message, finding.hint) == ("PX303", "unknown key `dispach`", "did you mean `dispatch`?")


def test_escapes_blur_places_to_the_whole_string() -> None:
    toml = '[s]\ndispatch = 1\nexpect = { y = "x \\u002B 1" }'
    contract = read_one(read_sidecar(toml))
    span = contract.expect["y"].locate(Span(0, 1))
    assert span is not None
    assert toml[span.start : span.end] == "x \\u002B 1"


def test_numbers_stay_exact() -> None:
    contract = read_one(read_sidecar("[s]\ndispatch = 1\nexpect = { y = 0.1 }"))
    tree = contract.expect["y"].tree
    assert isinstance(tree, Number)
    assert tree.value == Fraction(1, 10)


def check(marked: str, code: str, message: str, hint: str | None = None) -> Finding:
    """The one finding of a sidecar, at the place between ⟦ and ⟧."""
    start, end = marked.index("⟦"), marked.index("⟧") - 1
    toml = marked.replace("⟦", "").replace("⟧", "")
    (finding,) = read_sidecar(toml).findings
    span = finding.location.span
    assert span is not None
    assert (finding.code, finding.message, finding.hint) == (code, message, hint)
    assert (span.start, span.end) == (start, end), f"marked {toml[span.start : span.end]!r}"
    assert finding.severity is RULES[code].severity
    return finding


def scale(line: str, *, without: str = "") -> str:
    """A complete contract, with another line."""
    lines = ["[scale]", 'dims = "n"', 'shapes = { x = "n", y = "n" }', 'dispatch = "ceil(n / 64)"', 'expect = { y = "2 * x" }']
    return "\n".join([*(one for one in lines if not without or not one.startswith(without)), line])


@pytest.mark.parametrize(
    ("line", "code", "message", "hint"),
    [
        ("⟦dimz⟧ = 1", "PX303", "unknown key `dimz`", "did you mean `dims`?"),
        ("invariants = ⟦[]⟧", "PX308", "`invariants` is empty", 'write a list of conditions: invariants = ["all(diff(keys) >= 0)"]'),
        (
            "invariants = [⟦1⟧]",
            "PX305",
            "`invariants[0]` is an integer",
            'write a list of conditions: invariants = ["all(diff(keys) >= 0)"]',
        ),
        ("invariants = ['all(⟦sorted⟧(y))']", "PX307", "unknown function `sorted`", "did you mean `sort`?"),
        ("oracle = ⟦1⟧", "PX305", "`oracle` is an integer", 'write another kernel: oracle = "naive.wgsl:matmul"'),
        (
            "oracle = ⟦'naive.wgsl'⟧",
            "PX305",
            "`naive.wgsl` is not a shader and a kernel in it",
            'write another kernel: oracle = "naive.wgsl:matmul"',
        ),
        (
            "oracle = ⟦{ dispatch = 1 }⟧",
            "PX308",
            "`oracle` names no `kernel`",
            'add a shader and a contract or an entry point in it: kernel = "naive.wgsl:matmul"',
        ),
        ("oracle = { kernel = 'a.wgsl:b', ⟦dispach⟧ = 1 }", "PX303", "unknown key `dispach`", "did you mean `dispatch`?"),
        ("reference = 'a.py:b'\n⟦oracle⟧ = 'a.wgsl:b'", "PX303", "`oracle` stands beside `reference`", "keep one of them"),
        ("where = ⟦1⟧", "PX305", "`where` is an integer", 'write a list of conditions: where = ["K % 4 == 0"]'),
        ("where = [⟦1⟧]", "PX305", "`where[0]` is an integer", 'write a list of conditions: where = ["K % 4 == 0"]'),
        ("where = ['n >= ⟦*⟧ 1']", "PX306", "`*` is not expected here", None),
        ("let = ⟦[]⟧", "PX305", "`let` is an array", 'write a table of names: let = { tiles = "ceil(N / 16)" }'),
        ("let = { ⟦n⟧ = 1 }", "PX305", "`n` is already a name in `dims`", "give it another name"),
        (
            "let = { ⟦inf⟧ = 1 }",
            "PX305",
            "`inf` cannot be a name in `let`: it has a meaning of its own in expressions",
            "use letters, digits and `_`",
        ),
        ("define = { ⟦x⟧ = 'y' }", "PX305", "`x` is already the name of a buffer", "give it another name"),
        ("let = { t = 'sum⟦(⟧n' }", "PX306", "`(` is never closed", None),
        (
            "let = { t = '⟦sum⟧(n)' }",
            "PX307",
            "`sum` is not available in sizes and parameters",
            "it belongs to `inputs` and `expect` and `define`",
        ),
        ("let = { t = '⟦cdiv⟧(n, 4)' }", "PX307", "unknown function `cdiv`", "did you mean `ceil`?"),
        ("let = { t = '⟦ceil⟧(n, 4)' }", "PX307", "`ceil` is called with 2 arguments", "it is called as `ceil(x)`"),
        ("define = { t = '⟦sum⟧(x, axes=1)' }", "PX307", "`sum` has no keyword `axes`", "it takes `axis`, `keepdims`"),
        ("inputs = { x = '⟦normel⟧(0, 1)' }", "PX307", "unknown function `normel`", "did you mean `normal`?"),
        (
            "inputs = { x = ⟦'gen.py:row-ptr'⟧ }",
            "PX305",
            "`gen.py:row-ptr` is not a file and a function",
            'write a function: "gen.py:row_ptr"',
        ),
        ("inputs = { x = ⟦'file'⟧ }", "PX305", "`file` names no file", 'write `"file weights.npy"`'),
        ("inputs = { x = ⟦'a/b.npy'⟧ }", "PX305", "`a/b.npy` is a file; that is not an expression", 'write `"file a/b.npy"`'),
        ("roles = { x = '⟦output⟧' }", "PX305", "`output` is not one of the roles", "did you mean `out`?"),
        ("codecs = { x = '⟦q5_1⟧' }", "PX305", "`q5_1` is not one of the codecs", CODEC_HINT),
        (
            "codecs = { x = '⟦f.py:pack⟧' }",
            "PX305",
            "`f.py:pack` does not say how many bytes hold how many values",
            'write { python = "f.py:pack", values = 64, bytes = 36 }',
        ),
        ("codecs = { x = ⟦{ python = 'f.py:p', values = 8 }⟧ }", "PX308", "the codec has no `bytes`", f"write {PYTHON_CODEC}"),
        (
            "codecs = { x = { python = 'f.py:p', values = ⟦0⟧, bytes = 8 } }",
            "PX305",
            "`values` of a block is a whole number from 1 to 65,536",
            "write how many values a block holds: values = 64",
        ),
        (
            "codecs = { x = { ⟦file⟧ = 'f.py:p', values = 8, bytes = 8 } }",
            "PX303",
            "unknown key `file`",
            "known here: python, values, bytes",
        ),
        ("buffers = { tmp = '⟦vec4⟧ n' }", "PX305", "a buffer starts with its type: f32, f16, i32, u32", 'write `tmp = "u32 n"`'),
        (
            "reference = ⟦'truth'⟧",
            "PX305",
            "`truth` is not a file and a function",
            'write a Python function: reference = "reference.py:matmul"',
        ),
        ("compare = { ⟦z⟧ = 'exact' }", "PX321", "`z` is not an output of this contract", "`expect` has `y`"),
        ("compare = { y = ⟦'exactly'⟧ }", "PX305", "`exactly` is not a way to compare", "did you mean `exact`?"),
        ("compare = { y = ⟦'argsort'⟧ }", "PX305", "`argsort` does not say what the indices sort", 'name it: "argsort(keys)"'),
        ("compare = { y = ⟦'argsort(x, 1)'⟧ }", "PX305", "`argsort(x, 1)` does not say what the indices sort", 'name it: "argsort(keys)"'),
        ("compare = { y = 'argsort(x⟦]⟧' }", "PX306", "`]` closes no bracket", None),
        ("compare = { y = 'argsort(⟦sorted⟧(x))' }", "PX307", "unknown function `sorted`", "did you mean `sort`?"),
        (
            "compare = { y = ⟦{ moved = 1 }⟧ }",
            "PX305",
            "a bound looser than the derived one needs its `reason`",
            'say why: a sentence: reason = "the kernel uses f16 on purpose"',
        ),
        ("compare = { y = { moved = ⟦0.5⟧ } }", "PX305", "`moved` is a whole number from 0", "write a whole number: moved = 2"),
        ("compare = { y = { mode = 'histogram', ⟦levels⟧ = 1 } }", "PX305", "`levels` has no meaning in mode `histogram`", None),
        (
            "compare = { y = ⟦{ rtol = 0.1 }⟧ }",
            "PX305",
            "a bound looser than the derived one needs its `reason`",
            'say why: a sentence: reason = "the kernel uses f16 on purpose"',
        ),
        ("compare = { y = { mode = 'exact', ⟦rtol⟧ = 0.1 } }", "PX305", "`rtol` has no meaning in mode `exact`", None),
        ("compare = { y = { ulp = ⟦-1⟧ } }", "PX305", "`ulp` counts whole units in the last place", "write a whole number: ulp = 4"),
        ("cases = ⟦[]⟧", "PX310", "`cases` is empty", "list at least one, or leave the key out: then all are derived"),
        ("cases = ['⟦n:64⟧']", "PX310", "`n:64` is not a size: a name, `=` and a whole number", 'write `"n=64"`'),
        (
            "cases = ['n=64', '⟦m=1⟧ n=1']",
            "PX310",
            "`m` is not one of the dims",
            "dims: n; overrides go into a table: { overrides = { … } }",
        ),
        ("cases = ['⟦n=-1⟧']", "PX310", "`n` is -1; sizes go from 0 to 2,147,483,648", None),
        ("cases = ['n=1 ⟦n=2⟧']", "PX310", "`n` is given twice", None),
        ("cases = [⟦''⟧]", "PX310", "the case gives no `n`", "a case gives every dim"),
        ("cases = ['n=1', ⟦'n=1 '⟧]", "PX310", "the case `n=1` is already there, on line 6", "give it another `name`"),
        (
            "cases = [{ dims = { n = ⟦1.5⟧ } }]",
            "PX305",
            "`cases[0].dims.n` is a float",
            "write a table of whole numbers: dims = { M = 64, N = 1 }",
        ),
        ("cases = [{ dims = { n = 1 }, ⟦sead⟧ = 1 }]", "PX303", "unknown key `sead`", "did you mean `seed`?"),
        ("derive = ⟦1⟧", "PX305", "`derive` is an integer", "write true or false: derive = false"),
        ("budget = { ⟦second⟧ = 1 }", "PX303", "unknown key `second`", "did you mean `seconds`?"),
        ("budget = { invocations = ⟦1_000_000_000_000⟧ }", "PX305", "`invocations` must be above 0 and at most 17,179,869,184", None),
        ("flops = '⟦__import__⟧(1)'", "PX306", "`__import__` starts with two underscores; no name of a shader does", None),
        ("define = { e = 'x.⟦__class__⟧' }", "PX306", "`__class__` starts with two underscores; no name of a shader does", None),
        (
            "params = { p = { m = ⟦1979-05-27⟧ } }",
            "PX305",
            "`params.p.m` is a date or time",
            'write a number or an expression: "ceil(N / 16)"',
        ),
    ],
)
def test_mistakes(line: str, code: str, message: str, hint: str | None) -> None:
    check(scale(line), code, message, hint)


MISSING_DISPATCH = 'add one to three workgroup counts: dispatch = "ceil(N / 16), ceil(M / 16)"'
MISSING_TRUTH = 'add a table by output: expect = { c = "a @ b" }, or a Python function: reference = "reference.py:matmul"'


@pytest.mark.parametrize(
    ("toml", "code", "message", "hint"),
    [
        ("⟦⟧", "PX308", "there is no contract in this file", "a contract starts with its name in brackets: `[matmul]`"),
        (
            '⟦dims⟧ = "n"',
            "PX303",
            "`dims` stands above the first `[name]` header",
            "start the contract with its name in brackets: `[matmul]`",
        ),
        ("⟦[s]⟧\nexpect = { y = 1 }", "PX308", "`s` has no `dispatch`", MISSING_DISPATCH),
        ("⟦[s]⟧\ndispatch = 1", "PX308", "`s` does not say what its outputs must equal", MISSING_TRUTH),
        (
            '[s]\ndispatch = 1\nexpect = { y = ⟦"?"⟧ }',
            "PX312",
            "write here what `y` must equal",
            'an expression over the inputs, such as "a @ b"',
        ),
        ("[s]\nexpect = { y = 1 }\ndispatch = '1, 2,⟦⟧ '", "PX306", "the expression is empty", "write a number or a formula"),
        (
            "[s]\nexpect = { y = 1 }\ndispatch = ⟦'1, 1, 1, 1'⟧",
            "PX305",
            "a dispatch has one to three dimensions; here are 4",
            "write " + MISSING_DISPATCH[4:],
        ),
        (
            "[s]\nexpect = { y = 1 }\n⟦dispatch⟧ = 1\npasses = [{ entry = 'a', dispatch = 1 }]",
            "PX303",
            "`dispatch` stands beside `passes`",
            "write it in each pass",
        ),
        (
            "[s]\nexpect = { y = 1 }\npasses = [⟦{ dispatch = 1 }⟧]",
            "PX308",
            "this pass has no `entry`",
            'add the name of an entry point: entry = "main"',
        ),
        ("[s]\nexpect = { y = 1 }\npasses = [⟦{ entry = 'a' }⟧]", "PX308", "this pass has no `dispatch`", MISSING_DISPATCH),
        ("[s]\nexpect = { y = 1 }\npasses = ⟦[]⟧", "PX308", "`passes` is empty", None),
        (
            "[s]\nexpect = { y = 1 }\npasses = [⟦{ passes = [{ entry = 'a', dispatch = 1 }] }⟧]",
            "PX308",
            "these passes stand in a group, and it has no `repeat`",
            'add how often: repeat = "ceil(log2(n))"',
        ),
        (
            "[s]\nexpect = { y = 1 }\npasses = [{ ⟦entry⟧ = 'a', repeat = 2, passes = [{ entry = 'a', dispatch = 1 }] }]",
            "PX303",
            "`entry` stands beside `passes`",
            "write it in each pass",
        ),
        (
            "[s]\nexpect = { y = 1 }\npasses = [{ repeat = 2, passes = ⟦[]⟧ }]",
            "PX308",
            "`passes` is empty",
            None,
        ),
        (
            "[s]\nexpect = { y = 1 }\npasses = [{repeat=2, index='i', passes=[{entry='a', dispatch=1, repeat=3, index=⟦'i'⟧}]}]",
            "PX305",
            "`i` is already a name in `index`",
            "give it another name",
        ),
        (
            "[s]\nexpect = { y = 1 }\npasses = [{ entry = 'a', dispatch = 1, bind = { y = ⟦['y', 'z']⟧ } }]",
            "PX308",
            "`y` has 2 buffers that take turns, and nothing repeats this pass",
            'add how often: repeat = "ceil(log2(n))"',
        ),
        (
            "[s]\nexpect = { y = 1 }\npasses = [{ entry = 'a', ⟦dispatch⟧ = 1, indirect = 'buf 0' }]",
            "PX303",
            "`dispatch` stands beside `indirect`",
            "keep one of them",
        ),
        (
            "[s]\nexpect = { y = 1 }\npasses = [{ entry = 'a', indirect = ⟦'buf 0 1'⟧ }]",
            "PX305",
            "`buf 0 1` is not a buffer and a place in it",
            'write the buffer that holds the workgroup counts, and the place of the first: indirect = "arguments 0"',
        ),
        (
            "[s]\nexpect = { y = 1 }\npasses = [{ entry = 'a', indirect = '⟦4⟧' }]",
            "PX305",
            "`4` cannot be the name of a buffer: it is not a name",
            "use letters, digits and `_`",
        ),
        (
            "[s]\nexpect = { y = 1 }\n[[s.passes]]\nentry = 'a'\ndispatch = 1\nindex = ⟦'i'⟧",
            "PX308",
            "`index` counts repeats, and there is no `repeat`",
            'add how often: repeat = "ceil(log2(n))"',
        ),
        ("[s]\ndims = 'n ⟦n⟧'\ndispatch = 1\nexpect = { y = 1 }", "PX305", "`n` occurs twice in `dims`", None),
        (
            "[s]\ndims = 'n, ⟦1m⟧'".replace("n, ", "n ") + "\ndispatch = 1\nexpect = { y = 1 }",
            "PX305",
            "`1m` cannot be the name of a size: it is not a name",
            "use letters, digits and `_`",
        ),
        (
            "[s]\ndims = 'n'\ndispatch = 1\nexpect = { y = 1 }\nshapes = { y = 'n ⟦/⟧ 4' }",
            "PX306",
            "`/` stands alone: axes are separated by blanks",
            "write `n/4` without blanks, or in parentheses",
        ),
        ("[s]\ndims = ⟦x⟧", "PX301", "invalid value", None),
        ('[s]\ndims = "⟦n⟧', "PX301", "unterminated string", None),
        (
            "[s]\ndispatch = 1\nand ⟦n⟧ow some prose",
            "PX301",
            "expected '=' after a key in a key/value pair",
            "prose goes above the contract's header, or behind `#`",
        ),
    ],
)
def test_mistakes_of_the_whole(toml: str, code: str, message: str, hint: str | None) -> None:
    check(toml, code, message, hint)


def test_two_contracts() -> None:
    read = read_contracts(SourceText(Path("scale.wgsl"), BLOCK), None, SourceText(Path("scale.contract.toml"), EVERY_KEY))
    assert read.contracts == ()
    (finding,) = read.findings
    assert (finding.code, finding.message) == ("PX302", "there is a contract here and another one in scale.contract.toml")
    assert finding.location.span is not None
    assert BLOCK[finding.location.span.start : finding.location.span.end] == "[scale]"
    assert [label.location.path.name for label in finding.labels] == ["scale.contract.toml"]


def test_misplaced_contract() -> None:
    read = read_block('fn f() {}\n//! [scale]\n//! dims = "n"\n')
    (finding,) = read.findings
    assert (finding.code, finding.severity) == ("PX311", Severity.WARNING)
    assert finding.location.span == Span(14, 21)


@pytest.mark.parametrize(
    ("toml", "code", "message"),
    [
        ("x" * (1 << 20) + "\n", "PX309", "the contract has 1,048,577 characters; at most 1,048,576 are read"),
        ("".join(f"[c{n}]\n" for n in range(65)), "PX309", "65 contracts in one file; at most 64 are read"),
        (scale("cases = [" + ", ".join(f"'n={n}'" for n in range(257)) + "]"), "PX309", "257 cases; at most 256 are read"),
        (scale("let = { " + ", ".join(f"a{n} = 1" for n in range(257)) + " }"), "PX309", "`let` has 257 entries; at most 256 are read"),
        (scale("let = { t = '" + "(" * 65 + "' }"), "PX306", "more than 64 brackets inside each other"),
        (scale("let = { t = '" + "1 + " * 1_000_0 + "1' }"), "PX306", "the expression has 40,001 characters; at most 4,000 are read"),
        ("a = " + "[" * 5_000 + "]" * 5_000, "PX301", "the contract cannot be read: it is nested too deeply"),
        ("a" + ".a" * 5_000 + " = 1", "PX301", "the contract cannot be read: it is nested too deeply"),
        ("a = " + "9" * 5_000, "PX301", "the contract cannot be read: a number in it is too long"),
        (
            scale("shapes.q = '" + "n " * 1_900 + "'").replace("shapes = ", "inputs = "),
            "PX305",
            "a shape of 1,900 axes; at most 8 are read",
        ),
        ("[a]\n" + "".join(f"k{n} = 1\n" for n in range(10_000)), "PX309", "a table with 10,000 keys; at most 256 are read"),
        (scale("params = { p = " + "[" * 20 + "1" + "]" * 20 + " }"), "PX305", "parameters are nested too deeply"),
    ],
)
def test_hostile_sizes(toml: str, code: str, message: str) -> None:
    (finding,) = read_sidecar(toml).findings
    assert (finding.code, finding.message) == (code, message)


@pytest.mark.parametrize(
    "toml", ["x = '" + "a" * 1_000_000 + "'", "x = [" + "1," * 50_000 + "]", "#" * 1_000_000, "[" * 1_000_000, '"' * 1_000_000]
)
def test_a_megabyte_in_one_line_ends_in_findings(toml: str) -> None:
    read = read_sidecar(toml)
    assert read.contracts == ()
    assert len(read.findings) == 1


@given(st.text(max_size=200) | st.text(alphabet="[]s\n=\"'{},.dims n#1", max_size=80))
def test_any_text_gives_contracts_or_findings(toml: str) -> None:
    read = read_sidecar(toml)
    assert bool(read.contracts) or bool(read.findings)
    for finding in read.findings:
        span = finding.location.span
        assert span is not None
        assert 0 <= span.start <= span.end <= len(toml) + 1
