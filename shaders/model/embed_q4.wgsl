//! Rows of a table in ggml's Q4_0 or Q4_1, one for each token, as floats times a scale; an invocation for four columns. The table may be a page of a
//! larger one: tokens whose row lies on another page are left alone. Planes as in q4_matvec.wgsl.
//!
//! [embed_q4_1]
//! entry     = "embed_q4"
//! prepare   = [{ define = { TEXTURE = 1, SCALE_TEXELS = 2 } }]
//! dims      = "batch groups blocks first"
//! where     = ["batch <= 65535"]
//! textures  = { quants = { size = "groups (8 * blocks)" }, scales = { size = "groups (2 * blocks)" } }
//! shapes    = { tokens = "batch", y = "batch (32 * blocks)" }
//! params    = { size = { columns = "32 * blocks", first = "first", rows = "8 * groups", scale = 1 } }
//! dispatch  = "ceil(8 * blocks / workgroup_size.x), batch"
//! reference = "reference.py:embed_q4_1"
//! cases     = [
//!   "batch=4 groups=40 blocks=18 first=0",
//!   { name = "scaled", dims = { batch = 1, groups = 1, blocks = 1, first = 0 }, params = { size = { scale = 24.5 } }, inputs = { tokens = "integers(0, 8)" } },
//!   "batch=7 groups=5 blocks=3 first=64",
//! ]
//! derive    = false
//!
//! [embed_q4_1.inputs]
//! tokens = "first + integers(0, 9 * groups)"
//! quants = "integers(0, 4294967296)"
//! scales = "integers(8192, 12288) + 65536 * integers(8192, 12288)"
//! y      = "normal(0, 1)"
//!
//! [embed_q4_1_buffer]
//! entry     = "embed_q4"
//! prepare   = [{ define = { SCALE_TEXELS = 2 } }]
//! dims      = "batch groups blocks first"
//! where     = ["batch <= 65535"]
//! shapes    = { quants = "groups (8 * blocks) 4", scales = "groups (2 * blocks) 4", tokens = "batch", y = "batch (32 * blocks)" }
//! params    = { size = { columns = "32 * blocks", first = "first", rows = "8 * groups", scale = 1 } }
//! dispatch  = "ceil(8 * blocks / workgroup_size.x), batch"
//! reference = "reference.py:embed_q4_1"
//! cases     = [
//!   "batch=4 groups=40 blocks=18 first=0",
//!   { name = "scaled", dims = { batch = 1, groups = 1, blocks = 1, first = 0 }, params = { size = { scale = 24.5 } }, inputs = { tokens = "integers(0, 8)" } },
//!   "batch=7 groups=5 blocks=3 first=64",
//! ]
//! derive    = false
//!
//! [embed_q4_1_buffer.inputs]
//! tokens = "first + integers(0, 9 * groups)"
//! quants = "integers(0, 4294967296)"
//! scales = "integers(8192, 12288) + 65536 * integers(8192, 12288)"
//! y      = "normal(0, 1)"
//!
//! [embed_q4_0]
//! entry     = "embed_q4"
//! prepare   = [{ define = { TEXTURE = 1, SCALE_TEXELS = 1 } }]
//! dims      = "batch groups blocks first"
//! where     = ["batch <= 65535"]
//! textures  = { quants = { size = "groups (8 * blocks)" }, scales = { size = "groups blocks" } }
//! shapes    = { tokens = "batch", y = "batch (32 * blocks)" }
//! params    = { size = { columns = "32 * blocks", first = "first", rows = "8 * groups", scale = 1 } }
//! dispatch  = "ceil(8 * blocks / workgroup_size.x), batch"
//! reference = "reference.py:embed_q4_0"
//! cases     = [
//!   "batch=4 groups=40 blocks=18 first=0",
//!   { name = "scaled", dims = { batch = 1, groups = 1, blocks = 1, first = 0 }, params = { size = { scale = 24.5 } }, inputs = { tokens = "integers(0, 8)" } },
//!   "batch=7 groups=5 blocks=3 first=64",
//! ]
//! derive    = false
//!
//! [embed_q4_0.inputs]
//! tokens = "first + integers(0, 9 * groups)"
//! quants = "integers(0, 4294967296)"
//! scales = "integers(8192, 12288) + 65536 * integers(8192, 12288)"
//! y      = "normal(0, 1)"
//!
//! [embed_q4_0_buffer]
//! entry     = "embed_q4"
//! prepare   = [{ define = { SCALE_TEXELS = 1 } }]
//! dims      = "batch groups blocks first"
//! where     = ["batch <= 65535"]
//! shapes    = { quants = "groups (8 * blocks) 4", scales = "groups blocks 4", tokens = "batch", y = "batch (32 * blocks)" }
//! params    = { size = { columns = "32 * blocks", first = "first", rows = "8 * groups", scale = 1 } }
//! dispatch  = "ceil(8 * blocks / workgroup_size.x), batch"
//! reference = "reference.py:embed_q4_0"
//! cases     = [
//!   "batch=4 groups=40 blocks=18 first=0",
//!   { name = "scaled", dims = { batch = 1, groups = 1, blocks = 1, first = 0 }, params = { size = { scale = 24.5 } }, inputs = { tokens = "integers(0, 8)" } },
//!   "batch=7 groups=5 blocks=3 first=64",
//! ]
//! derive    = false
//!
//! [embed_q4_0_buffer.inputs]
//! tokens = "first + integers(0, 9 * groups)"
//! quants = "integers(0, 4294967296)"
//! scales = "integers(8192, 12288) + 65536 * integers(8192, 12288)"
//! y      = "normal(0, 1)"

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
    return scales[row * (size.columns / 32u * SCALE_TEXELS) + column];
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
fn embed_q4(@builtin(global_invocation_id) global: vec3<u32>) {
    let vector = global.x; // of four columns
    let id = tokens[global.y];
    if (vector >= size.columns / 4u || id < size.first || id >= size.first + size.rows) {
        return;
    }
    let row = id - size.first;
    let nibbles = (load_quants(vector, row / 8u) >> vec4<u32>(4u * (row % 8u))) & vec4<u32>(15u);
    let block = vector / 8u;
#if SCALE_TEXELS == 2
    let dm = unpack2x16float(load_scales(block * 2u + row % 8u / 4u, row / 8u)[row % 4u]);
    var v = vec4<f32>(nibbles) * dm.x;
    v += dm.y;
#else
    let d = unpack2x16float(load_scales(block, row / 8u)[row % 8u / 2u])[row % 2u];
    let v = (vec4<f32>(nibbles) - 8.0) * d;
#endif
    y[global.y * (size.columns / 4u) + vector] = v * size.scale;
}
