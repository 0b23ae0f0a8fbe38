//! y = W · x, or y + W · x, with W in F32, F16 or BF16 and x in f32, for TOKENS rows x at once; an invocation has eight rows of W.
//!
//! A texel is four columns of a row in F32, eight in F16 or BF16: the bytes of the tensor in their order. Products and sums are those of f32, column after
//! column. llama.cpp rounds x to the type of W; here nothing is rounded, since a product costs the same. x, TEXTURE and UNIFORM as in q4_matvec.wgsl.
//! Source: `ggml_vec_dot_f32`, `ggml_vec_dot_f16`, `ggml_vec_dot_bf16`, ggml-cpu/vec.cpp, github.com/ggml-org/llama.cpp.
//!
//! [f32_matvec]
//! entry     = "float_matvec"
//! prepare   = [{ define = { TOKENS = "1u", TEXTURE = 1 } }]
//! dims      = "groups blocks"
//! textures  = { weights = { size = "(8 * groups) (8 * blocks)" } }
//! shapes    = { x = "1 (32 * blocks)", y = "1 (8 * groups)" }
//! params    = { size = { rows = "8 * groups", columns = "32 * blocks", first = 0, stride = "8 * groups", add = 0 } }
//! dispatch  = "ceil(groups / 16)"
//! reference = "reference_types.py:f32_matvec"
//! flops     = "1 * 512 * groups * blocks"
//! cases     = ["groups=72 blocks=18", "groups=1 blocks=1", "groups=17 blocks=3", "groups=5 blocks=48"]
//! derive    = false
//!
//! [f32_matvec.inputs]
//! weights = "integers(1056964608, 1073741824) + 2147483648 * integers(0, 2)"
//!
//! [f16_matvec]
//! entry     = "float_matvec"
//! prepare   = [{ define = { TOKENS = "1u", F16 = 1, TEXTURE = 1 } }]
//! dims      = "groups blocks"
//! textures  = { weights = { size = "(8 * groups) (4 * blocks)" } }
//! shapes    = { x = "1 (32 * blocks)", y = "1 (8 * groups)" }
//! params    = { size = { rows = "8 * groups", columns = "32 * blocks", first = 0, stride = "8 * groups", add = 1 } }
//! dispatch  = "ceil(groups / 16)"
//! reference = "reference_types.py:f16_matvec"
//! flops     = "1 * 512 * groups * blocks"
//! cases     = ["groups=72 blocks=18", "groups=1 blocks=1", "groups=17 blocks=3", "groups=5 blocks=48"]
//! derive    = false
//!
//! [f16_matvec.inputs]
//! weights = "integers(14336, 16384) + 65536 * integers(14336, 16384) + 32768 * integers(0, 2) + 2147483648 * integers(0, 2)"
//! y       = "normal(0, 100)"
//!
//! [f16_matmul]
//! entry     = "float_matvec"
//! prepare   = [{ define = { TOKENS = "4u", F16 = 1 } }]
//! dims      = "groups blocks"
//! shapes    = { weights = "(8 * groups) (4 * blocks) 4", x = "4 (32 * blocks)", y = "4 (8 * groups)" }
//! params    = { size = { rows = "8 * groups", columns = "32 * blocks", first = 0, stride = "8 * groups", add = 1 } }
//! dispatch  = "ceil(groups / 16)"
//! reference = "reference_types.py:f16_matvec"
//! flops     = "4 * 512 * groups * blocks"
//! cases     = ["groups=72 blocks=18", "groups=1 blocks=1", "groups=17 blocks=3", "groups=5 blocks=48"]
//! derive    = false
//!
//! [f16_matmul.inputs]
//! weights = "integers(14336, 16384) + 65536 * integers(14336, 16384) + 32768 * integers(0, 2) + 2147483648 * integers(0, 2)"
//! y       = "normal(0, 100)"
//!
//! [bf16_matmul]
//! entry     = "float_matvec"
//! prepare   = [{ define = { TOKENS = "4u", BF16 = 1, TEXTURE = 1 } }]
//! dims      = "groups blocks"
//! textures  = { weights = { size = "(8 * groups) (4 * blocks)" } }
//! shapes    = { x = "4 (32 * blocks)", y = "4 (8 * groups)" }
//! params    = { size = { rows = "8 * groups", columns = "32 * blocks", first = 0, stride = "8 * groups", add = 0 } }
//! dispatch  = "ceil(groups / 16)"
//! reference = "reference_types.py:bf16_matvec"
//! flops     = "4 * 512 * groups * blocks"
//! cases     = ["groups=72 blocks=18", "groups=1 blocks=1", "groups=17 blocks=3", "groups=5 blocks=48"]
//! derive    = false
//!
//! [bf16_matmul.inputs]
//! weights = "integers(16128, 16384) + 65536 * integers(16128, 16384) + 32768 * integers(0, 2) + 2147483648 * integers(0, 2)"

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

#ifdef UNIFORM
@group(0) @binding(2) var<uniform> x: array<vec4<f32>, 4096>;
#else
@group(0) @binding(2) var<storage, read> x: array<vec4<f32>>;
#endif

struct Size {
    rows: u32,
    columns: u32,
    first: u32, // where the rows begin in a token's part of y
    stride: u32, // of the tokens in y
    add: u32, // whether to add to what y holds
}

@group(0) @binding(4) var<storage, read_write> y: array<vec4<f32>>;
@group(0) @binding(5) var<uniform> size: Size;

const WIDTH = 16u; // invocations in a workgroup

#include "each_token.wgsl"
#include "float_texels.wgsl"

// Column i of the result is column 4 · half + i of four rows of weights.
fn four(column: u32, row: u32, half: u32) -> mat4x4<f32> {
    return transpose(mat4x4<f32>(
        floats(load_weights(column, row), half),
        floats(load_weights(column, row + 1u), half),
        floats(load_weights(column, row + 2u), half),
        floats(load_weights(column, row + 3u), half),
    ));
}

// One after the other: compilers turn a + (b + c) into (a + b) + c.
#define MULTIPLY(t) { \
        let v = x[t * vectors + column * (COLUMNS / 4u) + half]; \
        low[t] += a[0] * v.x; \
        low[t] += a[1] * v.y; \
        low[t] += a[2] * v.z; \
        low[t] += a[3] * v.w; \
        high[t] += b[0] * v.x; \
        high[t] += b[1] * v.y; \
        high[t] += b[2] * v.z; \
        high[t] += b[3] * v.w; \
    }
#define STORE(t) { \
        let place = (t * size.stride + size.first + row) / 4u; \
        if (size.add != 0u) { \
            low[t] += y[place]; \
            high[t] += y[place + 1u]; \
        } \
        y[place] = low[t]; \
        y[place + 1u] = high[t]; \
    }

@compute @workgroup_size(WIDTH)
fn float_matvec(@builtin(global_invocation_id) global: vec3<u32>) {
    let row = global.x * 8u;
    if (row >= size.rows) {
        return;
    }
    let vectors = size.columns / 4u;
    var low: array<vec4<f32>, TOKENS>; // rows 0 to 3
    var high: array<vec4<f32>, TOKENS>; // rows 4 to 7
    for (var column = 0u; column < size.columns / COLUMNS; column++) {
        for (var half = 0u; half < COLUMNS / 4u; half++) {
            let a = four(column, row, half);
            let b = four(column, row + 4u, half);
            EACH_TOKEN(MULTIPLY)
        }
    }
    EACH_TOKEN(STORE)
}
