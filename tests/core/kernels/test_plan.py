"""What a contract and its shader become: cases in numbers, or findings on the line of the contract that does not fit."""

from __future__ import annotations

from pathlib import Path

import pytest

from pixel_core.findings import Severity
from pixel_core.kernels.plan import Case, Plan, plan_cases
from pixel_core.kernels.read_contracts import read_contracts
from pixel_core.rules import RULES
from pixel_core.source import SourceText
from pixel_core.wgsl.analyse import analyse
from pixel_core.wgsl.parse import parse
from pixel_core.wgsl.reflect import reflect

SCALE = """\
struct Size { n: u32, factor: f32, _pad: vec2<u32> }
@group(0) @binding(0) var<uniform> size: Size;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;
const TILE = 64;
override WIDE: bool = false;
@compute @workgroup_size(TILE) fn scale(@builtin(global_invocation_id) id: vec3<u32>) {
  if (id.x < size.n) { y[id.x] = select(1.0, 2.0, WIDE) * size.factor * x[id.x]; }
}
"""

SCALE_CONTRACT = """\
[scale]
dims = "n"
shapes = { x = "n", y = "n" }
params = { size = { n = "n", factor = "1 / 2" } }
dispatch = "ceil(n / 64)"
expect = { y = "size.factor * x" }
cases = ["n=100"]
derive = false
"""


def plan(shader: str, toml: str, *, seed: int = 0) -> Plan:
    source = SourceText(Path("kernel.wgsl"), shader)
    tree = parse(source)
    interface = reflect(tree)
    assert [finding.message for finding in (*tree.findings, *interface.findings)] == []
    read = read_contracts(source, tree, SourceText(Path("kernel.contract.toml"), toml))
    assert [finding.message for finding in read.findings] == []
    return plan_cases(read.contracts[0], analyse(tree), interface, seed=seed)


def plan_one(shader: str, toml: str) -> Case:
    planned = plan(shader, toml)
    assert [finding.message for finding in planned.findings] == []
    (case,) = planned.cases
    return case


def check(shader: str, marked: str, code: str, message: str, hint: str | None) -> None:
    """The one finding of a contract, at the place between ⟦ and ⟧."""
    start, end = marked.index("⟦"), marked.index("⟧") - 1
    toml = marked.replace("⟦", "").replace("⟧", "")
    (finding,) = plan(shader, toml).findings
    span = finding.location.span
    assert span is not None
    assert (finding.code, finding.message, finding.hint) == (code, message, hint)
    assert (span.start, span.end) == (start, end), f"marked {toml[span.start : span.end]!r}"
    assert finding.severity is RULES[code].severity


# ---------------------------------------------------------------- whole cases


def test_plans_a_case() -> None:
    case = plan_one(SCALE, SCALE_CONTRACT)
    assert (case.name, case.derived, case.seed) == ("n=100", False, 0)
    assert {name: case.symbols[name] for name in ("n", "TILE", "WIDE", "workgroup_size.x")} == {
        "n": 100,
        "TILE": 64,
        "WIDE": False,
        "workgroup_size.x": 64,
    }
    assert [(one.name, one.role, one.shapes, one.size_bytes) for one in case.buffers] == [
        ("x", "in", {"": (100,)}, 400),
        ("y", "out", {"": (100,)}, 400),
    ]
    (dispatch,) = case.dispatches
    assert (dispatch.entry, dispatch.workgroups, dispatch.workgroup_size) == ("scale", (2, 1, 1), (64, 1, 1))
    assert [(one.binding, one.variable, one.buffer) for one in dispatch.bindings] == [(0, "size", None), (1, "x", "x"), (2, "y", "y")]
    assert dispatch.bindings[0].uniform_value == {"n": 100, "factor": 0.5, "_pad": (0, 0)}
    assert {name: expression.text for name, expression in case.inputs.items()} == {"x": "normal(0, 1)"}
    assert (case.invocations, case.size_bytes) == (128, 800)


def test_overrides_reach_sizes_and_dispatches() -> None:
    shader = """
    override WIDTH: u32 = 64;
    override SCALE: f32 = 1.0;
    override UNUSED: u32 = 1;
    @group(0) @binding(0) var<storage, read_write> y: array<f32>;
    @compute @workgroup_size(WIDTH, 2) fn main(@builtin(global_invocation_id) id: vec3<u32>) { y[id.x] = SCALE; }
    """
    contract = """
    [main]
    dims = "n"
    let = { per_group = "workgroup_size.x * workgroup_size.y", half = "WIDTH / 2 / 3" }
    overrides = { SCALE = "WIDTH / 4", UNUSED = 3 }
    shapes = { y = "n" }
    dispatch = "ceil(n / workgroup_size.x), 1"
    expect = { y = "full(n, SCALE)" }
    cases = [{ dims = { n = 100 }, overrides = { WIDTH = 8 } }]
    derive = false
    """
    case = plan_one(shader, contract)
    assert case.name == "n=100 WIDTH=8"
    assert (case.symbols["per_group"], case.symbols["half"], case.symbols["SCALE"]) == (16, 8 / 6, 2)
    (dispatch,) = case.dispatches
    assert (dispatch.workgroups, dispatch.workgroup_size) == ((13, 1, 1), (8, 2, 1))
    assert dispatch.overrides == {"SCALE": 2.0, "WIDTH": 8}


PING_PONG = """
struct Step { shift: u32 }
@group(0) @binding(0) var<uniform> step: Step;
@group(0) @binding(1) var<storage, read> src: array<u32>;
@group(0) @binding(2) var<storage, read_write> dst: array<u32>;
@compute @workgroup_size(64) fn sort_step(@builtin(global_invocation_id) id: vec3<u32>) { dst[id.x] = src[id.x] >> step.shift; }
"""


def test_passes_repeat_cycle_and_count() -> None:
    contract = """
    [sort]
    dims = "n"
    shapes = { keys = "n" }
    buffers = { tmp = "u32 n" }
    expect = { keys = "keys >> 6" }
    roles = { keys = "inout" }
    cases = ["n=64"]
    derive = false
    [[sort.passes]]
    entry = "sort_step"
    dispatch = "ceil(n / 64), i + 1"
    bind = { src = ["keys", "tmp"], dst = ["tmp", "keys"] }
    params = { step = { shift = "2 * i" } }
    repeat = 4
    index = "i"
    """
    case = plan_one(PING_PONG, contract)
    assert [(one.name, one.role) for one in case.buffers] == [("keys", "inout"), ("tmp", "scratch")]
    bound = [tuple(one.buffer for one in dispatch.bindings) for dispatch in case.dispatches]
    assert bound == [(None, "keys", "tmp"), (None, "tmp", "keys")] * 2
    assert [dispatch.bindings[0].uniform_value for dispatch in case.dispatches] == [{"shift": 0}, {"shift": 2}, {"shift": 4}, {"shift": 6}]
    assert [dispatch.workgroups[1] for dispatch in case.dispatches] == [1, 2, 3, 4]


def test_repeats_without_a_counter_still_cycle() -> None:
    contract = """
    [sort]
    dims = "n"
    shapes = { keys = "n" }
    buffers = { tmp = "u32 n" }
    params = { step = { shift = 1 } }
    expect = { keys = "keys >> 3" }
    cases = ["n=64"]
    derive = false
    passes = [{ entry = "sort_step", dispatch = 1, repeat = 3, bind = { src = ["keys", "tmp"], dst = ["tmp", "keys"] } }]
    """
    case = plan_one(PING_PONG, contract)
    assert [tuple(one.buffer for one in dispatch.bindings[1:]) for dispatch in case.dispatches] == [
        ("keys", "tmp"),
        ("tmp", "keys"),
        ("keys", "tmp"),
    ]


def test_groups_repeat_their_passes() -> None:
    contract = """
    [sort]
    dims = "n"
    shapes = { keys = "n" }
    buffers = { tmp = "u32 n" }
    expect = { keys = "keys" }
    roles = { keys = "inout" }
    cases = ["n=64"]
    derive = false
    [[sort.passes]]
    repeat = 3
    index = "i"
    [[sort.passes.passes]]
    entry = "sort_step"
    dispatch = "10 * i + j"
    repeat = "i"
    index = "j"
    params = { step = { shift = "j" } }
    bind = { src = "keys", dst = "tmp" }
    [[sort.passes.passes]]
    entry = "sort_step"
    dispatch = "100 + i"
    params = { step = { shift = "i" } }
    bind = { src = ["keys", "tmp"], dst = ["tmp", "keys"] }
    """
    case = plan_one(PING_PONG, contract)
    planned = [(one.workgroups[0], one.bindings[0].uniform_value, one.bindings[1].buffer) for one in case.dispatches]
    assert planned == [
        (100, {"shift": 0}, "keys"),
        (10, {"shift": 0}, "keys"),
        (101, {"shift": 1}, "tmp"),
        (20, {"shift": 0}, "keys"),
        (21, {"shift": 1}, "keys"),
        (102, {"shift": 2}, "keys"),
    ]


def test_groups_that_would_turn_for_ever_are_refused() -> None:
    inner = "{ entry = 'sort_step', dispatch = 1, repeat = 0, params = { step = { shift = 0 } }, bind = { src = 'a', dst = 'b' } }"
    text = f"""[sort]
dims = "n"
cases = ["n=4"]
shapes = {{ a = "n", b = "n" }}
expect = {{ b = "a" }}
passes = [{{ repeat = "⟦10 ** 9⟧", passes = [{inner}] }}]
"""
    check(PING_PONG, text, "PX327", "more than 10,000 dispatches (case n=4)", None)


INDIRECT = """
@group(0) @binding(0) var<storage, read_write> counts: array<u32>;
@group(1) @binding(0) var<storage, read> x: array<f32>;
@group(1) @binding(1) var<storage, read_write> y: array<f32>;
@compute @workgroup_size(1) fn count() { counts[0] = arrayLength(&x); counts[1] = 1u; counts[2] = 1u; }
@compute @workgroup_size(1) fn copy(@builtin(global_invocation_id) id: vec3<u32>) { y[id.x] = x[id.x]; }
@compute @workgroup_size(1) fn spoil() { counts[0] = 0u; }
"""

INDIRECT_CONTRACT = """[copy]
dims = "n"
shapes = { x = "n", y = "n" }
buffers = { counts = "u32 3" }
expect = { y = "x" }
cases = ["n=4"]
derive = false
"""


def test_workgroups_that_stand_in_a_buffer() -> None:
    passes = "passes = [{ entry = 'count', dispatch = 1 }, { entry = 'copy', indirect = 'counts' }]"
    case = plan_one(INDIRECT, INDIRECT_CONTRACT + passes)
    assert [(one.workgroups, one.indirect) for one in case.dispatches] == [((1, 1, 1), None), ((0, 0, 0), ("counts", 0))]
    assert {one.name: one.role for one in case.buffers} == {"counts": "scratch", "x": "in", "y": "out"}


def test_workgroups_that_the_host_writes() -> None:
    contract = (
        INDIRECT_CONTRACT.replace("u32 3", "u32 4") + "inputs = { counts = 'n' }\npasses = [{ entry = 'copy', indirect = 'counts n-3' }]"
    )
    case = plan_one(INDIRECT, contract)
    assert [one.indirect for one in case.dispatches] == [("counts", 1)]
    assert [(one.name, one.role) for one in case.buffers] == [("x", "in"), ("y", "out"), ("counts", "in")]


@pytest.mark.parametrize(
    ("passes", "code", "message", "hint"),
    [
        (
            "passes = [{ entry = 'count', dispatch = 1 }, { entry = 'copy', indirect = ⟦'counts 1'⟧ }]",
            "PX323",
            "three workgroup counts from place 1 on do not fit `counts`, which has 3 (case n=4)",
            "a dispatch has counts in x, y and z",
        ),
        (
            "passes = [{ entry = 'count', dispatch = 1 }, { entry = 'copy', indirect = ⟦'count'⟧ }]",
            "PX321",
            "`count` is not a buffer of this contract",
            "did you mean `counts`?",
        ),
        (
            "passes = [{ entry = 'count', dispatch = 1 }, { entry = 'copy', indirect = ⟦'x'⟧ }]",
            "PX323",
            "`x` holds f32, and workgroups are counted in u32",
            None,
        ),
        (
            "passes = [{ entry = 'copy', dispatch = 1 }, { entry = 'spoil', indirect = ⟦'counts'⟧ }]",
            "PX330",
            "`counts` holds the workgroups of this pass, and `counts` may write it meanwhile",
            "WebGPU allows that for no dispatch; write it in an earlier pass",
        ),
    ],
)
def test_mistakes_about_indirect_dispatches(passes: str, code: str, message: str, hint: str | None) -> None:
    check(INDIRECT, INDIRECT_CONTRACT + passes, code, message, hint)


@pytest.mark.parametrize(
    ("lines", "code", "message", "hint"),
    [
        (
            "slack = { ⟦z⟧ = 1 }",
            "PX321",
            "`z` is not a buffer of this contract's entry points",
            "buffers: x, y",
        ),
        (
            'slack = { x = ⟦"10000 * n"⟧ }',
            "PX328",
            "`x` has 160,000 bytes of slack; at most 65,536 are allowed (case n=4)",
            "slack counts words of 4 bytes",
        ),
        ("valid = { ⟦x⟧ = 1 }", "PX321", "`x` has no truth, so no part of it is compared", "`expect` has `y`"),
        (
            'valid = { y = "⟦m⟧ + 1" }',
            "PX307",
            "unknown name `m`",
            "known here: n, workgroup_size.x, workgroup_size.y, workgroup_size.z, x, y",
        ),
    ],
)
def test_mistakes_about_slack_and_valid(lines: str, code: str, message: str, hint: str | None) -> None:
    contract = INDIRECT_CONTRACT.replace('buffers = { counts = "u32 3" }\n', "")
    check(INDIRECT, f"{contract}dispatch = 'n'\n{lines}", code, message, hint)


def test_bind_renames_a_variable_whose_name_is_no_name_in_expressions() -> None:
    shader = """
    @group(0) @binding(0) var<storage, read> in: array<f32>;
    @group(0) @binding(1) var<storage, read_write> out: array<f32>;
    @compute @workgroup_size(1) fn copy(@builtin(global_invocation_id) id: vec3<u32>) { out[id.x] = in[id.x]; }
    """
    contract = """
    [copy]
    dims = "n"
    bind = { in = "source" }
    shapes = { source = "n", out = "n" }
    dispatch = "n"
    expect = { out = "source" }
    cases = ["n=3"]
    derive = false
    """
    case = plan_one(shader, contract)
    assert [(one.name, one.role) for one in case.buffers] == [("source", "in"), ("out", "out")]
    assert [(one.variable, one.buffer) for one in case.dispatches[0].bindings] == [("in", "source"), ("out", "out")]


def test_params_of_contract_pass_and_case_are_layered() -> None:
    contract = SCALE_CONTRACT.replace('["n=100"]', "[{ dims = { n = 1 }, params = { size.factor = 3 } }]")
    assert plan_one(SCALE, contract).dispatches[0].bindings[0].uniform_value == {"n": 1, "factor": 3.0, "_pad": (0, 0)}


def test_seeds_add_up() -> None:
    contract = SCALE_CONTRACT.replace('["n=100"]', '["n=1", { dims = { n = 2 }, seed = 5 }]')
    assert [case.seed for case in plan(SCALE, contract, seed=10).cases] == [10, 15]


# ---------------------------------------------------------------- types and shapes


def plan_types(declaration: str, contract: str = "", *, structs: str = "", use: str = "y") -> Case:
    """A case of a kernel with one output `y` of some type."""
    shader = f"""
    {structs}
    @group(0) @binding(0) var<storage, read_write> y: {declaration};
    @compute @workgroup_size(1) fn main() {{ let p = &{use}; }}
    """
    return plan_one(shader, f'[main]\ndims = "n"\ndispatch = 1\ncases = ["n=8"]\nderive = false\n{contract}')


PARTICLE = "struct Particle { pos: vec3<f32>, mass: f32, id: u32 }"
LIST = "struct List { count: atomic<u32>, bounds: vec2<f32>, items: array<vec3<f32>> }"


@pytest.mark.parametrize(
    ("declaration", "structs", "contract", "shapes", "size"),
    [
        ("array<f32>", "", 'shapes = { y = "n 2" }\nexpect = { y = "0" }', {"": (8, 2)}, 64),
        ("array<vec4<f32>>", "", 'shapes = { y = "n" }\nexpect = { y = "0" }', {"": (8,)}, 32),
        ("array<vec3<f32>>", "", 'shapes = { y = "n 3" }\nexpect = { y = "0" }', {"": (8, 3)}, 128),
        ("array<mat4x3<f32>>", "", 'shapes = { y = "n 4 3" }\nexpect = { y = "0" }', {"": (8, 4, 3)}, 512),
        ("array<array<u32, 5>>", "", 'shapes = { y = "n 5" }\nexpect = { y = "0" }', {"": (8, 5)}, 160),
        ("array<f32, 6>", "", 'expect = { y = "0" }', {"": (6,)}, 24),
        ("array<f32, 6>", "", 'shapes = { y = "2 3" }\nexpect = { y = "0" }', {"": (2, 3)}, 24),
        ("u32", "", 'expect = { y = "0" }', {"": ()}, 4),
        ("u32", "", 'shapes = { y = "" }\nexpect = { y = "0" }', {"": ()}, 4),
        ("mat3x3<f32>", "", 'expect = { y = "0" }', {"": (3, 3)}, 48),
        (
            "array<Particle>",
            PARTICLE,
            'shapes = { y = "n" }\nexpect = { y.pos = "0", y.mass = "0", y.id = "0" }',
            {"pos": (8, 3), "mass": (8,), "id": (8,)},
            256,
        ),
        (
            "array<Particle>",
            PARTICLE,
            'shapes = { y.pos = "n 3" }\nexpect = { y.pos = "0", y.mass = "0", y.id = "0" }',
            {"pos": (8, 3), "mass": (8,), "id": (8,)},
            256,
        ),
        (
            "array<Particle, 2>",
            PARTICLE,
            'expect = { y.pos = "0", y.mass = "0", y.id = "0" }',
            {"pos": (2, 3), "mass": (2,), "id": (2,)},
            64,
        ),
        (
            "List",
            LIST,
            'shapes = { y.items = "n 3" }\nexpect = { y.count = "0", y.bounds = "0", y.items = "0" }',
            {"count": (), "bounds": (2,), "items": (8, 3)},
            144,
        ),
    ],
)
def test_shapes_follow_the_layout(declaration: str, structs: str, contract: str, shapes: dict[str, tuple[int, ...]], size: int) -> None:
    (buffer,) = plan_types(declaration, contract, structs=structs).buffers
    assert (buffer.shapes, buffer.size_bytes) == (shapes, size)


@pytest.mark.parametrize(
    ("codec", "shape", "size"),
    [("q4_0", "1 32", 20), ("q4_0", "3 64", 108), ("q8_0", "1 32", 36), ("f16x2", "n 3 2", 96), ("f32", "n 3", 96)],
)
def test_codecs_pack(codec: str, shape: str, size: int) -> None:
    case = plan_types("array<u32>", f'shapes = {{ y = "{shape}" }}\ncodecs = {{ y = "{codec}" }}\nexpect = {{ y = "0" }}')
    assert case.buffers[0].size_bytes == size


@pytest.mark.parametrize(
    ("declaration", "value", "expected"),
    [
        ("u32", '"n"', 8),
        ("f32", "0.5", 0.5),
        ("f32", '"-inf"', float("-inf")),
        ("i32", "-3", -3),
        ("vec3<f32>", "[1, 2, '1 / 4']", (1.0, 2.0, 0.25)),
        ("vec2<u32>", "7", (7, 7)),
        ("mat2x3<f32>", "[1, 2, 3, 4, 5, 6]", ((1.0, 2.0, 3.0), (4.0, 5.0, 6.0))),
        ("array<vec4<i32>, 2>", "[[1, 2, 3, 4], 0]", ((1, 2, 3, 4), (0, 0, 0, 0))),
    ],
)
def test_uniforms_take_the_shaders_types(declaration: str, value: str, expected: object) -> None:
    shader = f"""
    @group(0) @binding(0) var<uniform> u: {declaration};
    @group(0) @binding(1) var<storage, read_write> y: array<f32>;
    @compute @workgroup_size(1) fn main() {{ let p = u; y[0] = 1.0; }}
    """
    contract = (
        f'[main]\ndims = "n"\nshapes = {{ y = "n" }}\nparams = {{ u = {value} }}\ndispatch = 1\nexpect = {{ y = "1" }}\ncases = ["n=8"]'
    )
    contract += "\nderive = false"
    assert plan_one(shader, contract).dispatches[0].bindings[0].uniform_value == expected


# ---------------------------------------------------------------- roles

ROLES = """
@group(0) @binding(0) var<storage, read> a: array<f32>;
@group(0) @binding(1) var<storage, read_write> b: array<f32>;
@group(0) @binding(2) var<storage, read_write> c: array<atomic<u32>>;
@compute @workgroup_size(1) fn main() { b[0] = a[0]; atomicAdd(&c[0], 1u); }
"""


@pytest.mark.parametrize(
    ("lines", "roles", "outputs"),
    [
        ('expect = { b = "a", c = "0" }', "in out accumulate", "b c"),
        ('expect = { b = "a + b", c = "0" }', "in inout accumulate", "b c"),
        ('define = { t = "b" }\nexpect = { b = "a + t", c = "0" }', "in inout accumulate", "b c"),
        ('expect = { b = "a", c = "0" }\ninputs = { b = "ones()" }', "in inout accumulate", "b c"),
        ('expect = { b = "a" }\nroles = { c = "scratch" }', "in out scratch", "b"),
        ('expect = { b = "a", c = "0" }\nroles = { a = "table", c = "out" }', "table out out", "b c"),
        ('reference = "r.py:f"', "in out accumulate", "b c"),
        ('reference = "r.py:f"\ninputs = { b = "a" }\nroles = { c = "scratch" }', "in inout scratch", "b"),
        ('expect = { c = "c + 1" }\nreference = "r.py:f"', "in out accumulate", "c b"),
    ],
)
def test_roles_are_inferred(lines: str, roles: str, outputs: str) -> None:
    planned = plan(ROLES, f"[main]\nshapes = {{ a = 4, b = 4, c = 4 }}\ndispatch = 1\n{lines}")
    assert [finding.message for finding in planned.findings] == []
    assert [buffer.role for buffer in planned.cases[0].buffers] == roles.split()
    assert planned.outputs == tuple(outputs.split())


def test_default_inputs_follow_the_type() -> None:
    shader = """
    @group(0) @binding(0) var<storage, read> f: array<f32>;
    @group(0) @binding(1) var<storage, read> i: array<vec2<i32>>;
    @group(0) @binding(2) var<storage, read> w: array<u32>;
    @group(0) @binding(3) var<storage, read_write> c: array<atomic<u32>>;
    @compute @workgroup_size(1) fn main() { let p = f[0]; let q = i[0]; let r = w[0]; atomicAdd(&c[0], 1u); }
    """
    contract = '[main]\nshapes = { f = 1, i = 2, w = 32, c = 1 }\ncodecs = { w = "q8_0" }\ndispatch = 1\nexpect = { c = "1" }'
    assert {name: expression.text for name, expression in plan_one(shader, contract).inputs.items()} == {
        "f": "normal(0, 1)",
        "i": "integers(0, 256)",
        "w": "normal(0, 1)",
        "c": "zeros()",
    }


def test_an_output_without_truth_is_a_warning() -> None:
    contract = '[main]\nshapes = { a = 4, b = 4, c = 4 }\ndispatch = 1\nexpect = { b = "a" }'
    # Whoever calls it an output has not said what it must equal either.
    assert [one.code for one in plan(ROLES, f'{contract}\nroles = {{ c = "out" }}').findings] == ["PX329"]
    planned = plan(ROLES, contract)
    (finding,) = planned.findings
    assert (finding.code, finding.severity) == ("PX329", Severity.WARNING)
    assert finding.message == "`c` is written, and nothing says what it must equal"
    assert finding.hint == 'add it to `expect`, or say that it is scratch: roles = { c = "scratch" }'
    assert [buffer.role for buffer in planned.cases[0].buffers] == ["in", "out", "scratch"]


def test_padding_needs_no_truth_and_a_field_that_begins_likewise_does() -> None:
    shader = """
    struct List {{ count: u32, pad0: u32, padding: vec2<u32>, _unused: u32, {field}: u32 }}
    @group(0) @binding(0) var<storage, read_write> list: List;
    @compute @workgroup_size(1) fn main() {{ list.count = 1; }}
    """
    contract = '[main]\ndispatch = 1\nexpect = { "list.count" = "1" }'
    assert plan(shader.format(field="pad_1"), contract).findings == ()
    assert [one.message for one in plan(shader.format(field="padded"), contract).findings] == [
        "`list.padded` is written, and nothing says what it must equal"
    ]


# ---------------------------------------------------------------- mistakes


def scale(old: str, new: str) -> str:
    assert old in SCALE_CONTRACT
    return SCALE_CONTRACT.replace(old, new)


@pytest.mark.parametrize(
    ("old", "new", "code", "message", "hint"),
    [
        ("[scale]", "⟦[scele]⟧", "PX320", "the shader has no entry point `scele`", 'say which entry point it runs: entry = "scale"'),
        ("[scale]", "[scale]\nentry = ⟦'scal'⟧", "PX320", "the shader has no entry point `scal`", "did you mean `scale`?"),
        ('x = "n", y', '⟦z⟧ = 1, x = "n", y', "PX321", "`z` is not a buffer of this contract's entry points", "buffers: x, y"),
        (
            'x = "n", y',
            '⟦size⟧ = 1, x = "n", y',
            "PX321",
            "`size` is not a buffer of this contract's entry points",
            "it is a uniform: give its value in `params`",
        ),
        ('{ y = "size', '{ ⟦yy⟧ = "1", y = "size', "PX321", "`yy` is not a buffer of this contract's entry points", "did you mean `y`?"),
        ('"size.factor * x"', '"⟦size.factr⟧ * x"', "PX307", "unknown name `size.factr`", "did you mean `size.factor`?"),
        ('"size.factor * x"', '"⟦x.T⟧ * n"', "PX307", "unknown name `x.T`", "write `transpose(x)`"),
        ('"size.factor * x"', '"⟦X⟧ * n"', "PX307", "unknown name `X`", "did you mean `x`?"),
        ('"ceil(n / 64)"', '"ceil(⟦N⟧ / 64)"', "PX307", "unknown name `N`", "did you mean `n`?"),
        ('"ceil(n / 64)"', '"⟦n / 64⟧"', "PX325", "`n / 64` is 25/16; a whole number is needed here (case n=100)", "write `ceil(n / 64)`"),
        ('"ceil(n / 64)"', '"⟦n // (n - 100)⟧"', "PX325", "division by zero (case n=100)", None),
        (
            '"ceil(n / 64)"',
            '"⟦n * 1000⟧"',
            "PX327",
            "`n * 1000` is 100,000 workgroups in x; at most 65,535 can be dispatched (case n=100)",
            "use a second dimension",
        ),
        (
            'shapes = { x = "n", y = "n" }',
            '⟦shapes⟧ = { y = "n" }',
            "PX322",
            "`x` has no shape",
            'give its axes, outermost first: shapes = { … = "n" }',
        ),
        (
            'x = "n", y',
            'x = "⟦n-100⟧", y',
            "PX323",
            "`x` would be empty: `n-100` is 0 (case n=100)",
            "WebGPU binds no empty buffers; exclude the case in `where`, or round up: max(1, …)",
        ),
        (
            'size = { n = "n", factor = "1 / 2" }',
            'size = ⟦{ n = "n" }⟧',
            "PX324",
            "`size` has no value for `factor`",
            "its fields: { n = …, factor = … }",
        ),
        ('size = { n = "n"', 'size = { n = "n", ⟦m⟧ = 1', "PX324", "`Size` has no field `m`", "its fields: n, factor, _pad"),
        (
            'n = "n", factor',
            'n = "⟦n / 3⟧", factor',
            "PX324",
            "`size.n` is a u32, and 100/3 is not whole (case n=100)",
            "round it with `ceil` or `floor`",
        ),
        ('n = "n", factor', 'n = "⟦-n⟧", factor', "PX324", "`size.n` is a u32, and -100 is out of its range (case n=100)", None),
        (
            'size = { n = "n", factor = "1 / 2" }',
            "size = ⟦3⟧",
            "PX324",
            "`size` is the structure Size",
            "give its fields: { n = …, factor = … }",
        ),
        (
            "params = { size",
            "params = { ⟦sizes⟧ = 1, size",
            "PX321",
            "`sizes` is not a uniform of this contract's entry points",
            "did you mean `size`?",
        ),
        ("derive = false", "overrides = { ⟦WIDTH⟧ = 1 }", "PX321", "the shader has no override `WIDTH`", "did you mean `WIDE`?"),
        (
            "derive = false",
            'overrides = { WIDE = "⟦n⟧" }',
            "PX325",
            "override `WIDE` is a bool, and 100 is none",
            "write `true`, `false` or a condition",
        ),
        (
            "derive = false",
            'let = { a = "⟦b⟧", b = "a" }',
            "PX325",
            "`a` needs `b`, which cannot be known before it",
            "it is defined by way of itself",
        ),
        (
            "derive = false",
            'where = ["⟦n % 4⟧"]',
            "PX305",
            "`n % 4` is 0; a condition is true or false",
            "compare it with something: … == 0",
        ),
        (
            '["n=100"]',
            '[⟦"n=100"⟧]\nwhere = ["n % 64 == 0"]',
            "PX326",
            "the case `n=100` does not meet `n % 64 == 0`",
            "correct the case, or weaken the condition",
        ),
        (
            "derive = false",
            'roles = { x = ⟦"out"⟧ }',
            "PX330",
            "`x` has the role `out`, and the shader can only read it",
            "declare it `var<storage, read_write>`",
        ),
        ("derive = false", "bind = { x = ⟦'yy'⟧ }", "PX321", "`yy` is not a buffer of this contract", "did you mean `y`?"),
        ("derive = false", 'bind = { ⟦z⟧ = "x" }', "PX321", "`scale` uses no storage variable or texture `z`", "it uses: x, y"),
        (
            "derive = false",
            'buffers = { ⟦tmp⟧ = "f32 n" }',
            "PX321",
            "no pass binds the buffer `tmp`",
            'bind it to a variable: bind = { variable = "tmp" }',
        ),
        (
            "derive = false",
            'codecs = { x = ⟦"q4_0"⟧ }',
            "PX323",
            "`x` has the codec q4_0, and its type is array<f32>",
            "packed values are read from `array<u32>`",
        ),
        (
            "expect = { y",
            "expect = { ⟦x⟧ = '1', y",
            "PX330",
            "`x` is an output here, and the shader can only read it",
            "declare it `var<storage, read_write>`, or correct the name",
        ),
    ],
)
def test_mistakes(old: str, new: str, code: str, message: str, hint: str | None) -> None:
    check(SCALE, scale(old, new), code, message, hint)


def test_a_mistake_of_several_cases_is_told_once() -> None:
    check(
        SCALE,
        scale('"ceil(n / 64)"', '"⟦n / 64⟧"').replace('"n=100"', '"n=64", "n=10", "n=11"'),
        "PX325",
        "`n / 64` is 5/32; a whole number is needed here (case n=10)",
        "write `ceil(n / 64)`",
    )


def test_a_missing_uniform_shows_what_to_write() -> None:
    toml = scale('params = { size = { n = "n", factor = "1 / 2" } }\n', "").replace("size.factor * x", "x")
    (finding,) = plan(SCALE, toml).findings
    assert (finding.code, finding.message) == ("PX324", "the uniform `size` has no value")
    assert finding.hint == "params = { size = { n = …, factor = … } }"


@pytest.mark.parametrize(
    ("declaration", "structs", "marked", "message", "hint"),
    [
        (
            "array<vec4<f32>>",
            "",
            'shapes = { y = ⟦"n 3"⟧ }\nexpect = { y = "0" }\ncases = ["n=1"]',
            "`y` is 3 scalars, not a multiple of the 4 of vec4<f32> (case n=1)",
            'shapes count scalars: give the 4 an axis of their own, "… 4", or say which sizes are allowed: where = ["… % 4 == 0"]',
        ),
        (
            "array<f32, 6>",
            "",
            'shapes = { y = ⟦"n"⟧ }\nexpect = { y = "0" }\ncases = ["n=8"]',
            "`y` is 8 scalars, and array<f32, 6> holds 6 (case n=8)",
            None,
        ),
        (
            "array<Particle>",
            PARTICLE,
            'shapes = { y.pos = "n 3", y.mass = ⟦"n 2"⟧ }\nexpect = { y.pos = "0", y.mass = "0", y.id = "0" }\ncases = ["n=8"]',
            "`y.pos` has 8 elements and `y.mass` has 16 (case n=8)",
            None,
        ),
        (
            "array<u32>",
            "",
            'codecs = { y = "q4_0" }\nshapes = { y = ⟦"4 n"⟧ }\nexpect = { y = "0" }\ncases = ["n=40"]',
            "`y` has a last axis of 40, and q4_0 packs 32 values into a block (case n=40)",
            'say so in `where`: where = ["… % 32 == 0"]',
        ),
    ],
)
def test_shapes_that_do_not_fit(declaration: str, structs: str, marked: str, message: str, hint: str | None) -> None:
    shader = f"""
    {structs}
    @group(0) @binding(0) var<storage, read_write> y: {declaration};
    @compute @workgroup_size(1) fn main() {{ let p = &y; }}
    """
    check(shader, f'[main]\ndims = "n"\ndispatch = 1\nderive = false\n{marked}', "PX323", message, hint)


@pytest.mark.parametrize(
    ("contract", "code", "message"),
    [
        ('shapes = { y.nope = 1 }\nexpect = { y.pos = "0" }', "PX321", "`y` has no field `nope`"),
        ('shapes = { y = 4 }\nexpect = { y = "0" }', "PX321", "`y` is a structure; its fields are compared one by one"),
        ('expect = { y.pos = "0", y.mass = "0", y.id = "0" }', "PX322", "`y` has no shape"),
        (
            'shapes = { y = 4 }\nexpect = { y.pos = "y.mass", y.mass = "0", y.id = "0" }\nroles = { y = "out" }',
            "PX307",
            "`y.mass` has no content before the first pass, and names in `expect` mean values before it",
        ),
    ],
)
def test_mistakes_with_structures(contract: str, code: str, message: str) -> None:
    shader = f"""
    {PARTICLE}
    @group(0) @binding(0) var<storage, read_write> y: array<Particle>;
    @compute @workgroup_size(1) fn main() {{ y[0].mass = 1.0; }}
    """
    (finding,) = plan(shader, f"[main]\ndispatch = 1\n{contract}").findings
    assert (finding.code, finding.message) == (code, message)


def test_a_kernel_without_output() -> None:
    shader = "@group(0) @binding(0) var<storage, read> x: array<f32>;\n@compute @workgroup_size(1) fn main() { let p = x[0]; }"
    check(
        shader,
        "⟦[main]⟧\nshapes = { x = 1 }\ndispatch = 1\nreference = 'r.py:f'",
        "PX331",
        "`main` writes no storage buffer or texture, so nothing shows what it computed",
        None,
    )


def test_depth_textures_are_not_supported_yet() -> None:
    shader = """
    @group(0) @binding(0) var image: texture_depth_2d;
    @group(0) @binding(1) var<storage, read_write> y: array<f32>;
    @compute @workgroup_size(1) fn main() { y[0] = textureLoad(image, vec2<u32>(0, 0), 0); }
    """
    check(
        shader,
        "⟦[main]⟧\nshapes = { y = 1 }\ndispatch = 1\nexpect = { y = '1' }",
        "PX304",
        "`image`: depth textures are not supported yet",
        None,
    )


def test_an_override_without_value() -> None:
    shader = """
    override FACTOR: f32;
    @group(0) @binding(0) var<storage, read_write> y: array<f32>;
    @compute @workgroup_size(1) fn main() { y[0] = FACTOR; }
    """
    check(
        shader,
        "⟦[main]⟧\nshapes = { y = 1 }\ndispatch = 1\nexpect = { y = '1' }",
        "PX333",
        "the override `FACTOR` of `main` has no default and no value in the contract",
        "add overrides = { FACTOR = … }",
    )


# ---------------------------------------------------------------- limits


@pytest.mark.parametrize(
    ("lines", "code", "message"),
    [
        (
            'cases = ["n=1000000000"]',
            "PX327",
            "`ceil(n / 64)` is 15,625,000 workgroups in x; at most 65,535 can be dispatched (case n=1000000000)",
        ),
        (
            'cases = ["n=2000000000"]\ndispatch = 1',
            "PX328",
            "`x` has 8,000,000,000 bytes; a binding has at most 2,147,483,644 (case n=2000000000)",
        ),
        (
            'cases = ["n=100000000"]\ndispatch = 1',
            "PX328",
            "the case `n=100000000` needs 800,000,000 bytes of buffers, and its budget is 134,217,728",
        ),
        (
            'cases = ["n=1"]\ndispatch = [65535, 65535, 4]',
            "PX328",
            "the case `n=1` needs 1,099,478,073,600 invocations, and its budget is 134,217,728",
        ),
        (
            'cases = ["n=1"]\ndispatch = "9 ** 9 ** 9"',
            "PX325",
            "9 to the power 387,420,489 is too large; values go up to 2**128 (case n=1)",
        ),
        (
            'cases = ["n=1"]\npasses = [{ entry = "scale", dispatch = 1, repeat = 10001 }]',
            "PX327",
            "more than 10,000 dispatches (case n=1)",
        ),
        (
            'cases = ["n=1"]\npasses = [{ entry = "scale", dispatch = 1, repeat = "2 ** 100", index = "i" }]',
            "PX327",
            "more than 10,000 dispatches (case n=1)",
        ),
    ],
)
def test_limits(lines: str, code: str, message: str) -> None:
    stated = [line.partition(" = ")[0] for line in lines.splitlines()]
    kept = [line for line in SCALE_CONTRACT.splitlines() if line.partition(" = ")[0] not in stated]
    if "passes" in stated:
        kept = [line for line in kept if not line.startswith("dispatch")]
    (finding,) = plan(SCALE, "\n".join([*kept, lines])).findings
    assert (finding.code, finding.message) == (code, message)


def test_a_refused_case_leaves_the_others() -> None:
    planned = plan(SCALE, scale('["n=100"]', '["n=100", "n=100000000", "n=3"]'))
    assert [case.name for case in planned.cases] == ["n=100", "n=3"]
    assert [finding.code for finding in planned.findings] == ["PX327"]


# ---------------------------------------------------------------- derived cases


def derived(toml: str, shader: str = SCALE) -> list[str]:
    return [case.name for case in plan(shader, toml).cases if case.derived]


def test_sizes_around_the_tile_are_derived() -> None:
    toml = scale("derive = false\n", "")
    assert derived(toml) == ["n=65", "n=1", "n=63", "n=64", "n=131", "n=193"]
    assert derived(toml) == derived(toml)


def test_given_sizes_are_not_derived_again() -> None:
    toml = scale("derive = false\n", "").replace('"n=100"', '"n=65", "n=1"')
    assert derived(toml) == ["n=63", "n=64", "n=131", "n=193"]


def test_derived_sizes_meet_where() -> None:
    toml = scale("derive = false\n", 'where = ["n % 32 == 0", "n > 64"]\n').replace("n=100", "n=96")
    assert derived(toml) == ["n=160", "n=224"]


def test_derived_sizes_meet_conditions_between_dims() -> None:
    toml = """
    [scale]
    dims = "n m"
    where = ["n == m"]
    shapes = { x = "n", y = "m" }
    params = { size = { n = "n", factor = 1 } }
    dispatch = "ceil(n / 64)"
    expect = { y = "x" }
    """
    assert derived(toml) == [f"n={n} m={n}" for n in (65, 1, 63, 64, 131, 193)]


def test_without_cases_all_are_derived() -> None:
    toml = scale("derive = false\n", "").replace('cases = ["n=100"]\n', "")
    assert [case.name for case in plan(SCALE, toml).cases][:2] == ["n=65", "n=1"]


def test_nothing_to_derive_is_a_finding() -> None:
    toml = scale("derive = false\n", 'where = ["n > 10000", "n < 5"]\n').replace('cases = ["n=100"]\n', "")
    (finding,) = plan(SCALE, toml).findings
    assert (finding.code, finding.message) == ("PX332", "no case of `scale` can be derived that meets `where` and the budget")
    assert finding.hint == 'list one: cases = ["n=64"]'


def test_why_nothing_could_be_derived_is_told() -> None:
    toml = scale("derive = false\n", "").replace('cases = ["n=100"]\n', "").replace('x = "n", ', "")
    (finding,) = plan(SCALE, toml).findings
    assert (finding.code, finding.message) == ("PX322", "`x` has no shape")


def test_a_contract_without_dims_has_one_case() -> None:
    assert [
        case.name for case in plan(ROLES, '[main]\nshapes = { a = 4, b = 4, c = 4 }\ndispatch = 1\nexpect = { b = "a", c = "1" }').cases
    ] == ["default"]


@pytest.mark.parametrize("name", ["dot_product", "histogram", "matmul", "prefix_scan", "q4_0_matvec", "softmax"])
def test_the_shipped_kernels_are_planned(name: str) -> None:
    path = Path(__file__).parents[3] / "shaders" / f"{name}.wgsl"
    source = SourceText(path, path.read_text(encoding="utf-8"))
    tree = parse(source)
    read = read_contracts(source, tree, None)
    assert read.findings == ()
    planned = plan_cases(read.contracts[0], analyse(tree), reflect(tree))
    assert planned.findings == ()
    assert len(planned.cases) >= 8
    assert len({case.name for case in planned.cases}) == len(planned.cases)


# ---------------------------------------------------------------- hostile contracts and shaders


def structs(count: int, members: str) -> str:
    """`count` structures, each with members of the next one."""
    nested = "".join(f"struct S{level} {{ {members.replace('NEXT', f'S{level + 1}')} }}\n" for level in range(count))
    return f"{nested}struct S{count} {{ x: f32 }}\n"


@pytest.mark.parametrize(("count", "members"), [(26, "a: NEXT, b: NEXT"), (20, "a: NEXT")])
def test_types_with_too_many_members_are_refused(count: int, members: str) -> None:
    shader = (
        structs(count, members)
        + "@group(0) @binding(0) var<storage, read_write> y: S0;\n@compute @workgroup_size(1) fn main() { let p = &y; }"
    )
    message = "`y` has more than 1,000 members, or structures too deep inside each other"
    check(shader, "⟦[main]⟧\ndispatch = 1\nreference = 'r.py:f'", "PX304", message, None)


def test_a_uniform_beyond_the_limit_is_refused() -> None:
    shader = """
    struct Huge { n: u32, _pad: array<vec4<u32>, 100000000> }
    @group(0) @binding(0) var<uniform> huge: Huge;
    @group(0) @binding(1) var<storage, read_write> y: array<u32>;
    @compute @workgroup_size(1) fn main() { y[0] = huge.n; }
    """
    check(
        shader,
        "[main]\nshapes = { y = 1 }\nparams = { huge = ⟦{ n = 1 }⟧ }\ndispatch = 1\nexpect = { y = '1' }",
        "PX324",
        "the uniform `huge` has 1,600,000,016 bytes; at most 65,536 can be bound",
        "keep it in a storage buffer",
    )


def test_long_chains_of_let_are_ordered_once() -> None:
    chain = "".join(f'a{place} = "a{place + 1} + n"\n' for place in range(250))
    (case,) = plan(SCALE, scale("derive = false", f'derive = false\n[scale.let]\n{chain}a250 = "n"')).cases
    assert case.symbols["a0"] == 251 * 100


def test_conditions_that_nothing_meets_end_the_search() -> None:
    dims = [f"d{place}" for place in range(16)]
    conditions = ", ".join(f'"d{place % 16} == {99_999 + place}"' for place in range(250))
    shapes = 'shapes = { x = "d0", y = "d0" }'
    toml = f'[scale]\ndims = "{" ".join(dims)}"\n{shapes}\ndispatch = 1\nexpect = {{ y = "1" }}\nwhere = [{conditions}]'
    (finding,) = plan(SCALE, f"{toml}\nparams = {{ size = {{ n = 1, factor = 1 }} }}").findings
    assert finding.code == "PX332"


def test_after_ten_refused_cases_the_rest_is_not_tried() -> None:
    cases = ", ".join(f'"n={100_000_000 + place}"' for place in range(100))
    planned = plan(SCALE, scale('["n=100"]', f"[{cases}]").replace('"ceil(n / 64)"', "1"))
    assert [finding.code for finding in planned.findings] == ["PX328"] * 10


def test_a_buffer_behind_two_variables_is_refused() -> None:
    hint = "WebGPU allows that for no dispatch; give one of them another buffer"
    toml = scale("derive = false", 'bind = ⟦{ x = "y" }⟧').replace('shapes = { x = "n", y = "n" }', 'shapes = { y = "n" }')
    check(
        SCALE,
        toml.replace("size.factor * x", "size.factor * y"),
        "PX330",
        "`x` and `y` are both bound to `y`, and one of them writes it",
        hint,
    )
