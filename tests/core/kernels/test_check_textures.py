"""Textures and samplers of a contract: what they are planned as, and which finding each mistake gives, at which place."""

from __future__ import annotations

from pathlib import Path

import pytest

from pixel_core.engines.base import SamplerJob
from pixel_core.kernels.plan import Case, Plan, plan_cases
from pixel_core.kernels.read_contracts import read_contracts
from pixel_core.source import SourceText
from pixel_core.wgsl.analyse import analyse
from pixel_core.wgsl.parse import parse
from pixel_core.wgsl.reflect import reflect

SHADER = """\
@group(0) @binding(0) var image: texture_2d<f32>;
@group(0) @binding(1) var s: sampler;
@group(0) @binding(2) var out: texture_storage_2d<rgba16float, write>;
@group(0) @binding(3) var<storage, read_write> list: array<f32>;
fn read(from_image: texture_2d<f32>, through: sampler) -> vec4<f32> { return textureSampleLevel(from_image, through, vec2(0.5), 0.0); }
@compute @workgroup_size(8, 8)
fn main(@builtin(global_invocation_id) id: vec3<u32>) { textureStore(out, id.xy, read(image, s)); list[id.x] = 1.0; }
"""

CONTRACT = """\
[main]
dims = "H W"
shapes = { list = "W" }
textures = { image = { size = "H W" }, out = { size = "H W" } }
dispatch = 1
expect = { out = "image", list = "ones(W)" }
cases = ["H=5 W=12"]
derive = false
"""


def plan(toml: str, shader: str = SHADER) -> Plan:
    source = SourceText(Path("kernel.wgsl"), shader)
    tree = parse(source)
    interface = reflect(tree)
    assert [finding.message for finding in (*tree.findings, *interface.findings)] == []
    read = read_contracts(source, tree, SourceText(Path("kernel.contract.toml"), toml))
    assert [finding.message for finding in read.findings] == []
    return plan_cases(read.contracts[0], analyse(tree), interface)


def plan_one(toml: str, shader: str = SHADER) -> Case:
    planned = plan(toml, shader)
    assert [finding.message for finding in planned.findings] == []
    (case,) = planned.cases
    return case


def formats(toml: str, shader: str = SHADER) -> dict[str, str]:
    return {one.name: one.texture.format.name for one in plan_one(toml, shader).buffers if one.texture is not None}


def check(old: str, marked: str, code: str, message: str, hint: str | None) -> None:
    """The one finding of the contract in which `old` is replaced by `marked`, at the place between ⟦ and ⟧."""
    assert CONTRACT.count(old) == 1
    text = CONTRACT.replace(old, marked)
    start, end = text.index("⟦"), text.index("⟧") - 1
    toml = text.replace("⟦", "").replace("⟧", "")
    (finding,) = plan(toml).findings
    assert finding.location.span is not None
    assert (finding.code, finding.message, finding.hint) == (code, message, hint)
    assert (finding.location.span.start, finding.location.span.end) == (start, end)


def test_a_texture_is_planned() -> None:
    case = plan_one(CONTRACT)
    image, out = case.buffer("image"), case.buffer("out")
    assert (image.role, dict(image.shapes), image.size_bytes) == ("in", {"": (5, 12, 4)}, 5 * 12 * 16)
    assert (out.role, dict(out.shapes), out.size_bytes) == ("out", {"": (5, 12, 4)}, 5 * 12 * 8)
    assert case.inputs["image"].text == "normal(0, 1)"


def test_levels_are_parts() -> None:
    toml = CONTRACT.replace('image = { size = "H W" }', 'image = { size = "H W", mips = 3, format = "r8uint" }')
    shader = SHADER.replace("image: texture_2d<f32>", "image: texture_2d<u32>")
    shader = shader.replace("read(image, s)", "vec4<f32>(textureLoad(image, id.xy, 1))")
    case = plan_one(toml.replace('"image"', '"image.mip1"'), shader)
    assert dict(case.buffer("image").shapes) == {"": (5, 12, 1), "mip1": (2, 6, 1), "mip2": (1, 3, 1)}
    assert case.buffer("image").size_bytes == 60 + 12 + 3
    assert case.inputs["image.mip2"].text == "integers(0, 256)"


def test_a_filter_changes_the_default_format() -> None:
    assert formats(CONTRACT) == {"image": "rgba32float", "out": "rgba16float"}
    assert formats(CONTRACT + 'samplers = { s = { filter = "linear" } }') == {"image": "rgba16float", "out": "rgba16float"}


def test_samplers_have_the_settings_of_webgpu() -> None:
    (dispatch,) = plan_one(CONTRACT).dispatches
    assert [one.sampler for one in dispatch.bindings if one.sampler] == [SamplerJob(filter="nearest", address=("clamp-to-edge",) * 3)]
    (dispatch,) = plan_one(CONTRACT + 'samplers = { s = { address = "repeat clamp-to-edge" } }').dispatches
    assert [one.sampler for one in dispatch.bindings if one.sampler] == [
        SamplerJob(filter="nearest", address=("repeat", "clamp-to-edge", "clamp-to-edge"))
    ]


@pytest.mark.parametrize(
    ("old", "marked", "code", "message", "hint"),
    [
        (
            "textures = { image = { size = \"H W\" }, out = { size = \"H W\" } }",
            'textures = { image = { size = "H W" }, ⟦out⟧ = { } }',
            "PX322",
            "the texture `out` has no size",
            'give it, outermost axis first: textures = { out = { size = "H W" } }',
        ),
        (
            'image = { size = "H W" }',
            'image = { size = ⟦"H W 4"⟧ }',
            "PX323",
            "`image` is a 2d texture with 2 axes, and its size has 3",
            'outermost first, without the channels: size = "H W"',
        ),
        (
            'image = { size = "H W" }',
            'image = { size = "H ⟦W-12⟧" }',
            "PX323",
            "`image` would be 0 texels long (case H=5 W=12)",
            "exclude the case in `where`",
        ),
        (
            'image = { size = "H W" }',
            'image = { size = "H W", mips = ⟦9⟧ }',
            "PX323",
            "`image` would have 9 levels, and its size allows 1 to 4 (case H=5 W=12)",
            "each level is half the one before; exclude smaller sizes in `where`",
        ),
        (
            'out = { size = "H W" }',
            'out = { size = "H W", mips = ⟦2⟧ }',
            "PX334",
            "`out` is a storage texture, of which a shader sees one level",
            "leave `mips` out",
        ),
        (
            'out = { size = "H W" }',
            'out = { size = "H W", format = ⟦"rgba8unorm"⟧ }',
            "PX334",
            "`out` is rgba16float in the shader, and rgba8unorm here",
            "leave `format` out: storage textures declare theirs",
        ),
        (
            'image = { size = "H W" }',
            'image = { size = "H W", format = ⟦"rgba8uint"⟧ }',
            "PX334",
            "`image` reads f32, and a texel of rgba8uint is u32",
            "declare it as <u32>, or choose another format",
        ),
        (
            'image = { size = "H W" }',
            'image = { size = "H W" }, ⟦list⟧ = { size = "W" }',
            "PX321",
            "`list` is a buffer, not a texture",
            "its axes stand in `shapes`",
        ),
        ('image = { size', '⟦imag⟧ = { size', "PX321", "`imag` is not a texture of this contract's entry points", "did you mean `image`?"),
        ('shapes = { list', 'shapes = { ⟦out⟧ = "H W 4", list', "PX321", "`out` is a texture and has no shape",
         'give its size instead: textures = { out = { size = "H W" } }'),
        ("dispatch", "samplers = { ⟦t⟧ = { } }\ndispatch", "PX321", "`t` is not a sampler of this contract's entry points", "samplers: s"),
        ("dispatch", "samplers = { ⟦image⟧ = { } }\ndispatch", "PX321", "`image` is a texture, not a sampler", None),
        ("dispatch", 'inputs = { ⟦"image.mip1"⟧ = "0" }\ndispatch', "PX321", "`image` has no level `mip1`",
         "give it levels: textures = { image = { mips = 2 } }"),
    ],
)  # fmt: skip
def test_mistakes(old: str, marked: str, code: str, message: str, hint: str | None) -> None:
    check(old, marked, code, message, hint)


def test_a_texture_is_not_read_and_written_in_one_pass() -> None:
    findings = plan(CONTRACT.replace("dispatch", 'bind = { out = "image" }\ndispatch')).findings
    assert "`image` and `out` are both bound to `image`, and one of them writes it" in [finding.message for finding in findings]


def test_a_filter_on_a_format_that_need_not_be_filterable() -> None:
    check(
        'textures = { image = { size = "H W" }',
        'samplers = { s = { filter = "linear" } }\ntextures = { image = { size = "H W", format = ⟦"rg32float"⟧ }',
        "PX334",
        "`s` filters `image`, and not every WebGPU device can filter rg32float",
        "use rgba16float or rgba8unorm, or a nearest filter",
    )


@pytest.mark.parametrize(
    ("declared", "what"),
    [
        ("texture_depth_2d", "depth textures"),
        ("texture_cube<f32>", "cube textures"),
        ("texture_multisampled_2d<f32>", "multisampled textures"),
        ("texture_external", "external textures"),
        ("sampler_comparison", "comparison samplers"),
    ],
)
def test_what_is_not_supported_yet(declared: str, what: str) -> None:
    shader = f"@group(0) @binding(0) var odd: {declared};\n@group(0) @binding(1) var<storage, read_write> y: array<u32, 1>;\n"
    shader += "fn use_it() { _ = odd; }\n"
    shader += "@compute @workgroup_size(1) fn main() { use_it(); y[0] = 1u; }"
    (finding,) = plan('[main]\ndispatch = 1\nexpect = { y = "1" }\n', shader).findings
    assert (finding.code, finding.message) == ("PX304", f"`odd`: {what} are not supported yet")


@pytest.mark.parametrize(
    ("declared", "message"),
    [
        (
            "texture_storage_2d<r8unorm, write>",
            "not every WebGPU device has storage textures of the format r8unorm, and they cannot be checked yet",
        ),
        ("texture_storage_2d<rgba8unorm, read_write>", "`y` is read and written as rgba8unorm, which not every WebGPU device can do"),
    ],
)
def test_storage_formats_that_are_not_portable(declared: str, message: str) -> None:
    shader = f"@group(0) @binding(0) var y: {declared};\n"
    shader += "@compute @workgroup_size(1) fn main() { textureStore(y, vec2<u32>(0, 0), vec4<f32>()); }"
    (finding,) = plan('[main]\ntextures = { y = { size = "1 1" } }\ndispatch = 1\nexpect = { y = "0" }\n', shader).findings
    assert (finding.code, finding.message) == ("PX334", message)


SHARED = """\
@group(0) @binding(0) var source: texture_2d<f32>;
@group(0) @binding(1) var destination: texture_storage_2d<rgba8unorm, write>;
@compute @workgroup_size(1) fn main() { textureStore(destination, vec2<u32>(0, 0), textureLoad(source, vec2<u32>(0, 0), 0)); }
"""


def test_passes_share_a_texture() -> None:
    passes = [("image", "between"), ("between", "out")]
    toml = (
        '[twice]\ntextures = { image = { size = "1 1" }, between = { size = "1 1" }, out = { size = "1 1" } }\nexpect = { out = "image" }\n'
    )
    for source, destination in passes:
        toml += f'[[twice.passes]]\nentry = "main"\ndispatch = 1\nbind = {{ source = "{source}", destination = "{destination}" }}\n'
    case = plan_one(toml, SHARED)
    assert {one.name: one.role for one in case.buffers} == {"image": "in", "between": "scratch", "out": "out"}
    # What is written is rgba8unorm wherever it is read; what is only read has the default.
    assert {one.name: one.texture.format.name for one in case.buffers if one.texture} == {
        "image": "rgba32float", "between": "rgba8unorm", "out": "rgba8unorm",
    }  # fmt: skip
