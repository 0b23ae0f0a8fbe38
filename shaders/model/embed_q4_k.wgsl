//! Rows of a table in ggml's Q4_K, one for each token, as floats times a scale; an invocation for four columns. The table may be a page of a larger
//! one: tokens whose row lies on another page are left alone. Planes as in q4_k_matvec.wgsl.
//!
//! [embed_q4_k]
//! prepare   = [{ define = { TEXTURE = 1 } }]
//! dims      = "batch groups blocks"
//! where     = ["batch <= 65535"]
//! textures  = { quants = { size = "groups (64 * blocks)" }, scales = { size = "groups (8 * blocks)" } }
//! shapes    = { tokens = "batch", y = "batch (256 * blocks)" }
//! params    = { size = { columns = "256 * blocks", first = 0, rows = "8 * groups", scale = 1 } }
//! dispatch  = "ceil(64 * blocks / 32), batch"
//! reference = "reference_types.py:embed_q4_k"
//! cases     = ["batch=4 groups=40 blocks=2", "batch=1 groups=1 blocks=1", "batch=17 groups=5 blocks=3"]
//! derive    = false
//!
//! [embed_q4_k.inputs]
//! tokens = "integers(0, 8 * groups)"
//! quants = "integers(0, 4294967296)"
//! scales = "where(arange(4) == 0, integers(8192, 12288) + 65536 * integers(8192, 12288), integers(0, 4294967296))"

#ifdef TEXTURE
@group(0) @binding(0) var quants: texture_storage_2d<rgba32uint, read>;
@group(0) @binding(1) var scales: texture_storage_2d<rgba32uint, read>;

fn load_quants(column: u32, row: u32) -> vec4<u32> {
    return textureLoad(quants, vec2<u32>(column, row));
}

fn load_scales(column: u32, row: u32) -> vec4<u32> {
    return textureLoad(scales, vec2<u32>(column, row));
}
#else
@group(0) @binding(0) var<storage, read> quants: array<vec4<u32>>;
@group(0) @binding(1) var<storage, read> scales: array<vec4<u32>>;

fn load_quants(column: u32, row: u32) -> vec4<u32> {
    return quants[row * (size.columns / 4u) + column];
}

fn load_scales(column: u32, row: u32) -> vec4<u32> {
    return scales[row * (size.columns / 32u) + column];
}
#endif

const WIDTH = 32u; // invocations in a workgroup

struct Size {
    columns: u32,
    first: u32, // token whose row is the first of this page
    rows: u32, // of this page
    scale: f32,
}

@group(0) @binding(2) var<storage, read> tokens: array<u32>;
@group(0) @binding(3) var<storage, read_write> y: array<vec4<f32>>;
@group(0) @binding(4) var<uniform> size: Size;

#include "six_bits.wgsl"

@compute @workgroup_size(WIDTH)
fn embed_q4_k(@builtin(global_invocation_id) global: vec3<u32>) {
    let vector = global.x; // of four columns
    let id = tokens[global.y];
    if (vector >= size.columns / 4u || id < size.first || id >= size.first + size.rows) {
        return;
    }
    let row = (id - size.first) / 8u; // of texels
    let j = (id - size.first) % 8u;
    let nibbles = (load_quants(vector, row) >> vec4<u32>(4u * j)) & vec4<u32>(15u);
    let part = vector / 8u % 8u; // of the block: 32 columns
    let head = load_scales(vector / 64u * 8u + j, row);
    let numbers = six_bits(head.yzw);
    let pair = unpack2x16float(head.x);
    let d = pair.x * f32(one_of(numbers.scales, part));
    let least = pair.y * f32(one_of(numbers.minima, part));
    var v = vec4<f32>(nibbles) * d;
    v -= least;
    y[global.y * (size.columns / 4u) + vector] = v * size.scale;
}
