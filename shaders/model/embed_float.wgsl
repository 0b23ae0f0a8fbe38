//! Rows of a table in F32, F16 or BF16, one for each token, as floats times a scale; an invocation for four columns. The table may be a page of a larger
//! one: tokens whose row lies on another page are left alone. Texels as in float_matvec.wgsl.
//!
//! [embed_f32]
//! entry     = "embed_float"
//! prepare   = [{ define = { TEXTURE = 1 } }]
//! dims      = "batch rows blocks"
//! where     = ["batch <= 65535"]
//! textures  = { weights = { size = "rows (8 * blocks)" } }
//! shapes    = { tokens = "batch", y = "batch (32 * blocks)" }
//! params    = { size = { columns = "32 * blocks", first = 0, rows = "rows", scale = 1 } }
//! dispatch  = "ceil(8 * blocks / 32), batch"
//! reference = "reference_types.py:embed_f32"
//! inputs    = { tokens = "integers(0, rows)", weights = "integers(1056964608, 1073741824) + 2147483648 * integers(0, 2)" }
//! cases     = ["batch=4 rows=320 blocks=18", "batch=1 rows=8 blocks=1", "batch=7 rows=40 blocks=3"]
//! derive    = false
//!
//! [embed_f16]
//! entry     = "embed_float"
//! prepare   = [{ define = { F16 = 1, TEXTURE = 1 } }]
//! dims      = "batch rows blocks"
//! where     = ["batch <= 65535"]
//! textures  = { weights = { size = "rows (4 * blocks)" } }
//! shapes    = { tokens = "batch", y = "batch (32 * blocks)" }
//! params    = { size = { columns = "32 * blocks", first = 0, rows = "rows", scale = 1 } }
//! dispatch  = "ceil(8 * blocks / 32), batch"
//! reference = "reference_types.py:embed_f16"
//! inputs    = { tokens = "integers(0, rows)", weights = "integers(14336, 16384) + 65536 * integers(14336, 16384) + 32768 * integers(0, 2) + 2147483648 * integers(0, 2)" }
//! cases     = ["batch=4 rows=320 blocks=18", "batch=1 rows=8 blocks=1", "batch=7 rows=40 blocks=3"]
//! derive    = false
//!
//! [embed_bf16]
//! entry     = "embed_float"
//! prepare   = [{ define = { BF16 = 1, TEXTURE = 1 } }]
//! dims      = "batch rows blocks"
//! where     = ["batch <= 65535"]
//! textures  = { weights = { size = "rows (4 * blocks)" } }
//! shapes    = { tokens = "batch", y = "batch (32 * blocks)" }
//! params    = { size = { columns = "32 * blocks", first = 0, rows = "rows", scale = 1 } }
//! dispatch  = "ceil(8 * blocks / 32), batch"
//! reference = "reference_types.py:embed_bf16"
//! inputs    = { tokens = "integers(0, rows)", weights = "integers(16128, 16384) + 65536 * integers(16128, 16384) + 32768 * integers(0, 2) + 2147483648 * integers(0, 2)" }
//! cases     = ["batch=4 rows=320 blocks=18", "batch=1 rows=8 blocks=1", "batch=7 rows=40 blocks=3"]
//! derive    = false

#ifdef TEXTURE
@group(0) @binding(0) var weights: texture_storage_2d<rgba32uint, read>;

fn load_weights(column: u32, row: u32) -> vec4<u32> {
    return textureLoad(weights, vec2<u32>(column, row));
}
#else
@group(0) @binding(0) var<storage, read> weights: array<vec4<u32>>;

fn load_weights(column: u32, row: u32) -> vec4<u32> {
    return weights[row * (size.columns / COLUMNS) + column];
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

#include "float_texels.wgsl"

@compute @workgroup_size(WIDTH)
fn embed_float(@builtin(global_invocation_id) global: vec3<u32>) {
    let vector = global.x; // of four columns
    let id = tokens[global.y];
    if (vector >= size.columns / 4u || id < size.first || id >= size.first + size.rows) {
        return;
    }
    let texel = load_weights(vector / (COLUMNS / 4u), id - size.first);
    y[global.y * (size.columns / 4u) + vector] = floats(texel, vector % (COLUMNS / 4u)) * size.scale;
}
