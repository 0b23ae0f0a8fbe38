"""Stubs: what reflection guesses, and that they become contracts once the `?` are filled in."""

from __future__ import annotations

from pathlib import Path

import pytest
import tomli

from pixel_core.kernels.plan import plan_cases
from pixel_core.kernels.read_contracts import read_contracts
from pixel_core.kernels.stub import contract_stub
from pixel_core.source import SourceText
from pixel_core.wgsl.analyse import analyse
from pixel_core.wgsl.parse import parse
from pixel_core.wgsl.reflect import reflect

SHADERS = Path(__file__).parents[3] / "shaders"


def stub_of(shader: str) -> str:
    return contract_stub(reflect(parse(SourceText(Path("kernel.wgsl"), shader))))


def check_becomes_a_contract(shader: str, stub: str) -> None:
    """The stub reads with `?` as its only findings, as a block and as a sidecar; with the `?` filled in it can be planned."""
    source = SourceText(Path("kernel.wgsl"), shader)
    block = "".join(f"//! {line}\n" for line in stub.splitlines()) + shader
    for read in (
        read_contracts(SourceText(Path("kernel.wgsl"), block), None, None),
        read_contracts(SourceText(Path("kernel.wgsl"), "fn f() {}"), None, SourceText(Path("kernel.contract.toml"), stub)),
    ):
        assert {finding.code for finding in read.findings} == {"PX312"}
        assert len(read.findings) == stub.count('"?"')
    read = read_contracts(SourceText(source.path, "fn f() {}"), None, SourceText(Path("kernel.contract.toml"), stub.replace('"?"', '"0"')))
    assert read.findings == ()
    tree = parse(source)
    for contract in read.contracts:
        plan = plan_cases(contract, analyse(tree), reflect(tree))
        assert [finding.message for finding in plan.findings] == []
        assert len(plan.cases) >= 3


MATMUL = """\
struct Size { m: u32, n: u32, k: u32, _pad: u32 }
@group(0) @binding(0) var<uniform> size: Size;
@group(0) @binding(1) var<storage, read> a: array<f32>;
@group(0) @binding(2) var<storage, read> b: array<f32>;
@group(0) @binding(3) var<storage, read_write> c: array<f32>;
@compute @workgroup_size(16, 16) fn matmul(@builtin(global_invocation_id) id: vec3<u32>) { c[id.x] = a[id.x] + b[size.k]; }
"""


def test_a_matrix_product() -> None:
    assert (
        stub_of(MATMUL)
        == """\
[matmul]
dims     = "m n k"
shapes   = { a = "m k", b = "k n", c = "m n" }   # axes from the outermost, counted in scalars: check them
params   = { size = { m = "m", n = "n", k = "k" } }
inputs   = { a = "normal(0, 1)", b = "normal(0, 1)" }
dispatch = "ceil(n / 16), ceil(m / 16)"   # workgroups in x, y, z: check them
expect   = { c = "?" }   # write what c must equal
cases    = ["m=64 n=64 k=64", "m=1 n=1 k=1", "m=65 n=33 k=20"]
"""
    )


RENAMED = """\
override FACTOR: f32;
override WIDTH: u32 = 64;
struct Params { row_count: u32, gain: f32, mode: i32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(1) @binding(0) var<storage, read> in: array<vec2<i32>>;
@group(0) @binding(1) var<storage, read_write> grün: array<f32>;
@compute @workgroup_size(WIDTH) fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  grün[id.x] = FACTOR * params.gain * f32(in[id.x].x);
}
"""


def test_names_overrides_and_vectors() -> None:
    assert (
        stub_of(RENAMED)
        == """\
[main]
dims      = "row_count"
shapes    = { "grün" = "row_count", in_ = "row_count 2" }   # axes from the outermost, counted in scalars: check them
params    = { params = { row_count = "row_count", gain = 1.0, mode = 1 } }
overrides = { FACTOR = 1 }
bind      = { in = "in_" }
inputs    = { in_ = "integers(0, 256)" }
dispatch  = "ceil(row_count / workgroup_size.x)"   # workgroups in x, y, z: check them
expect    = { "grün" = "?" }   # write what grün must equal
cases     = ["row_count=64", "row_count=1", "row_count=65"]
"""
    )


STRUCTURES = """\
struct Body { pos: vec3<f32>, mass: f32 }
struct List { count: atomic<u32>, items: array<u32> }
@group(0) @binding(0) var<uniform> grid_size: vec2<u32>;
@group(0) @binding(1) var<storage, read_write> bodies: array<Body>;
@group(0) @binding(2) var<storage, read_write> list: List;
@group(0) @binding(3) var<storage, read> table: array<f32, 16>;
@compute @workgroup_size(64) fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  bodies[id.x].mass = table[0] * f32(grid_size.x);
  list.items[atomicAdd(&list.count, 1u)] = id.x;
}
"""


@pytest.mark.parametrize("shader", [MATMUL, RENAMED, STRUCTURES], ids=["matmul", "renamed", "structures"])
def test_stubs_become_contracts(shader: str) -> None:
    check_becomes_a_contract(shader, stub_of(shader))


@pytest.mark.parametrize("name", ["dot_product", "histogram", "matmul", "prefix_scan", "q4_0_matvec", "softmax"])
def test_stubs_of_the_shipped_kernels_become_contracts(name: str) -> None:
    text = (SHADERS / f"{name}.wgsl").read_text(encoding="utf-8")
    shader = "".join(line for line in text.splitlines(keepends=True) if not line.startswith("//!"))
    check_becomes_a_contract(shader, stub_of(shader))


def test_every_compute_entry_point_has_a_contract() -> None:
    shader = """
    @group(0) @binding(0) var<storage, read_write> y: array<u32>;
    @compute @workgroup_size(8) fn first() { y[0] = 1u; }
    @fragment fn colour() -> @location(0) vec4<f32> { return vec4<f32>(); }
    @compute @workgroup_size(8) fn second() { y[1] = 1u; }
    """
    assert list(tomli.loads(stub_of(shader))) == ["first", "second"]


def test_textures_and_samplers() -> None:
    shader = """
    struct Size { width: u32, height: u32 }
    @group(0) @binding(0) var<uniform> size: Size;
    @group(0) @binding(1) var image: texture_2d_array<f32>;
    @group(0) @binding(2) var s: sampler;
    @group(0) @binding(3) var out: texture_storage_2d<rgba8unorm, write>;
    @compute @workgroup_size(8, 4)
    fn main(@builtin(global_invocation_id) id: vec3<u32>) {
        if (id.x < size.width) { textureStore(out, id.xy, textureSampleLevel(image, s, vec2(0.5), 0, 0.0)); }
    }
    """
    stub = tomli.loads(stub_of(shader))["main"]
    assert stub["textures"] == {"image": {"size": "1 height width"}, "out": {"size": "height width"}}
    assert stub["samplers"] == {"s": {"filter": "nearest", "address": "clamp-to-edge"}}
    assert stub["dispatch"] == "ceil(width / 8), ceil(height / 4)"
    assert stub["expect"] == {"out": "?"}
    assert "inputs" not in stub


def test_a_depth_texture_is_mentioned() -> None:
    shader = """
    @group(0) @binding(0) var image: texture_depth_2d;
    @group(0) @binding(1) var<storage, read_write> y: array<f32>;
    @compute @workgroup_size(1) fn main() { y[0] = textureLoad(image, vec2<u32>(0, 0), 0); }
    """
    assert stub_of(shader).splitlines()[-1] == "# image: such resources cannot be checked yet"


def test_without_a_compute_shader_there_is_nothing_to_write() -> None:
    assert stub_of("fn f() {}") == ""
