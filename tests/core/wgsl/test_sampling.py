"""Which textures are sampled through which samplers."""

from __future__ import annotations

from pathlib import Path

from pixel_core.source import SourceText
from pixel_core.wgsl.analyse import analyse
from pixel_core.wgsl.parse import parse
from pixel_core.wgsl.sampling import sampled_pairs

HEAD = """
@group(0) @binding(0) var a: texture_2d<f32>;
@group(0) @binding(1) var b: texture_2d<f32>;
@group(0) @binding(2) var s: sampler;
@group(0) @binding(3) var t: sampler;
"""


def check(body: str, *expected: str) -> None:
    module = analyse(parse(SourceText(Path("shader.wgsl"), HEAD + body)))
    assert {f"{texture} {sampler}" for texture, sampler in sampled_pairs(module.names, module.entries[0])} == set(expected)


def test_direct_calls() -> None:
    check("@compute @workgroup_size(1) fn main() { _ = textureSampleLevel(a, s, vec2(0.0), 0.0); _ = textureLoad(b, vec2(0), 0); }", "a s")
    check("@compute @workgroup_size(1) fn main() { _ = textureGather(1, a, (t), vec2(0.0)); _ = textureDimensions(b); }", "a t")


def test_parameters_are_followed() -> None:
    functions = """
    fn outer(image: texture_2d<f32>, through: sampler) -> vec4<f32> { return inner(through, image); }
    fn inner(through: sampler, image: texture_2d<f32>) -> vec4<f32> { return textureSampleLevel(image, through, vec2(0.0), 0.0); }
    """
    check(functions + "@compute @workgroup_size(1) fn main() { _ = outer(a, t); _ = inner(s, b); }", "a t", "b s")


def test_functions_that_are_not_called_do_not_count() -> None:
    check("fn other() { _ = textureSampleLevel(a, s, vec2(0.0), 0.0); } @compute @workgroup_size(1) fn main() {}")
