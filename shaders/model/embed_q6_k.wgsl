//! Rows of a table in ggml's Q6_K, one for each token, as floats times a scale; an invocation for four columns. The table may be a page of a larger
//! one: tokens whose row lies on another page are left alone. Planes as in q6_k_matvec.wgsl.
//!
//! [embed_q6_k]
//! prepare   = [{ define = { TEXTURE = 1 } }]
//! dims      = "batch groups blocks"
//! where     = ["batch <= 65535"]
//! textures  = { quants = { size = "groups (64 * blocks)" }, high = { size = "groups (32 * blocks)" }, scales = { size = "groups (9 * blocks)" } }
//! shapes    = { tokens = "batch", y = "batch (256 * blocks)" }
//! params    = { size = { columns = "256 * blocks", first = 0, rows = "8 * groups", scale = 1 } }
//! dispatch  = "ceil(64 * blocks / 32), batch"
//! reference = "reference_types.py:embed_q6_k"
//! cases     = ["batch=4 groups=40 blocks=2", "batch=1 groups=1 blocks=1", "batch=17 groups=5 blocks=3"]
//! derive    = false
//!
//! [embed_q6_k.inputs]
//! tokens = "integers(0, 8 * groups)"
//! quants = "integers(0, 4294967296)"
//! high   = "integers(0, 4294967296)"
//! scales = "where(arange(9 * blocks)[None, :, None] % 9 == 8, integers(8192, 12288) + 65536 * integers(8192, 12288), integers(0, 4294967296))"

#ifdef TEXTURE
@group(0) @binding(0) var quants: texture_storage_2d<rgba32uint, read>;
@group(0) @binding(6) var high: texture_storage_2d<rgba32uint, read>;
@group(0) @binding(1) var scales: texture_storage_2d<rgba32uint, read>;

fn load_quants(column: u32, row: u32) -> vec4<u32> {
    return textureLoad(quants, vec2<u32>(column, row));
}

fn load_high(column: u32, row: u32) -> vec4<u32> {
    return textureLoad(high, vec2<u32>(column, row));
}

fn load_scales(column: u32, row: u32) -> vec4<u32> {
    return textureLoad(scales, vec2<u32>(column, row));
}
#else
@group(0) @binding(0) var<storage, read> quants: array<vec4<u32>>;
@group(0) @binding(6) var<storage, read> high: array<vec4<u32>>;
@group(0) @binding(1) var<storage, read> scales: array<vec4<u32>>;

fn load_quants(column: u32, row: u32) -> vec4<u32> {
    return quants[row * (size.columns / 4u) + column];
}

fn load_high(column: u32, row: u32) -> vec4<u32> {
    return high[row * (size.columns / 8u) + column];
}

fn load_scales(column: u32, row: u32) -> vec4<u32> {
    return scales[row * (size.columns / 256u * 9u) + column];
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

@compute @workgroup_size(WIDTH)
fn embed_q6_k(@builtin(global_invocation_id) global: vec3<u32>) {
    let vector = global.x; // of four columns
    let id = tokens[global.y];
    if (vector >= size.columns / 4u || id < size.first || id >= size.first + size.rows) {
        return;
    }
    let row = (id - size.first) / 8u; // of texels
    let j = (id - size.first) % 8u;
    let nibbles = (load_quants(vector, row) >> vec4<u32>(4u * j)) & vec4<u32>(15u);
    let part = vector / 8u % 8u; // of the block: 32 columns
    let more = load_high(vector / 2u, row);
    let pairs = (select(more.xy, more.zw, vector % 2u == 1u) >> vec2<u32>(4u * j)) & vec2<u32>(15u);
    let upper = vec4<u32>(pairs.x & 3u, pairs.x >> 2u, pairs.y & 3u, pairs.y >> 2u);
    let levels = vec4<i32>(nibbles | (upper << vec4<u32>(4u))) - vec4<i32>(32);
    let start = vector / 64u * 9u;
    let factor = unpack2x16float(load_scales(start + 8u, row)[j / 2u])[j % 2u];
    let both = load_scales(start + part, row)[j / 2u] >> (j % 2u * 16u);
    let scale = i32((both >> (vector / 4u % 2u * 8u)) << 24u) >> 24u;
    y[global.y * (size.columns / 4u) + vector] = (vec4<f32>(levels) * (factor * f32(scale))) * size.scale;
}
