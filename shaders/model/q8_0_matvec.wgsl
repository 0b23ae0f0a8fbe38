//! y = W · x, or y + W · x, with W in ggml's Q8_0 and x quantised to signed bytes, for TOKENS rows x at once; an invocation has eight rows of W.
//!
//! A word of `quants` is one row of four columns; a texel four rows, two rows of texels eight. x, TEXTURE and UNIFORM as in q4_matvec.wgsl.
//! Source: `block_q8_0` in ggml-common.h and `ggml_vec_dot_q8_0_q8_0`, ggml-cpu/quants.c, github.com/ggml-org/llama.cpp.
//!
//! [q8_0_matvec]
//! entry     = "q8_0_matvec"
//! prepare   = [{ define = { TOKENS = "tokens", TEXTURE = 1, UNIFORM = 1 } }]
//! dims      = "tokens groups blocks first stride add"
//! where     = ["first % 4 == 0", "stride % 4 == 0", "first + 8 * groups <= stride", "tokens * blocks <= 2048"]
//! textures  = { quants = { size = "(2 * groups) (8 * blocks)" }, scales = { size = "groups blocks" } }
//! shapes    = { x = "tokens blocks 8", x_scales = "tokens blocks 4", y = "tokens stride" }
//! params    = { size = { rows = "8 * groups", columns = "32 * blocks", first = "first", stride = "stride", add = "add" } }
//! dispatch  = "ceil(groups / workgroup_size.x)"
//! reference = "reference.py:q8_0_matvec"
//! flops     = "512 * tokens * groups * blocks"
//! cases     = [
//!   "tokens=1 groups=72 blocks=18 first=0 stride=576 add=1",
//!   "tokens=4 groups=17 blocks=3 first=8 stride=160 add=0",
//!   "tokens=4 groups=5 blocks=48 first=0 stride=40 add=1",
//!   "tokens=1 groups=1 blocks=1 first=0 stride=8 add=0",
//! ]
//! derive    = false
//!
//! [q8_0_matvec.inputs]
//! quants   = "integers(0, 4294967296)"
//! scales   = "integers(8192, 12288) + 65536 * integers(8192, 12288)"
//! x        = "integers(0, 4294967296)"
//! x_scales = "normal(0, 1)"
//! y        = "normal(0, 100)"
//!
//! [q8_0_matvec_buffer]
//! entry     = "q8_0_matvec"
//! prepare   = [{ define = { TOKENS = "tokens", UNIFORM = 1 } }]
//! dims      = "tokens groups blocks first stride add"
//! where     = ["first % 4 == 0", "stride % 4 == 0", "first + 8 * groups <= stride", "tokens * blocks <= 2048"]
//! shapes    = { quants = "(2 * groups) (8 * blocks) 4", scales = "groups blocks 4", x = "tokens blocks 8", x_scales = "tokens blocks 4", y = "tokens stride" }
//! params    = { size = { rows = "8 * groups", columns = "32 * blocks", first = "first", stride = "stride", add = "add" } }
//! dispatch  = "ceil(groups / workgroup_size.x)"
//! reference = "reference.py:q8_0_matvec"
//! flops     = "512 * tokens * groups * blocks"
//! cases     = [
//!   "tokens=4 groups=17 blocks=3 first=8 stride=160 add=0",
//!   "tokens=4 groups=5 blocks=48 first=0 stride=40 add=1",
//!   "tokens=4 groups=1 blocks=1 first=0 stride=8 add=0",
//! ]
//! derive    = false
//!
//! [q8_0_matvec_buffer.inputs]
//! quants   = "integers(0, 4294967296)"
//! scales   = "integers(8192, 12288) + 65536 * integers(8192, 12288)"
//! x        = "integers(0, 4294967296)"
//! x_scales = "normal(0, 1)"
//! y        = "normal(0, 100)"

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

#ifdef UNIFORM
@group(0) @binding(2) var<uniform> x: array<vec4<u32>, 4096>;
@group(0) @binding(3) var<uniform> x_scales: array<vec4<f32>, 2048>;
#else
@group(0) @binding(2) var<storage, read> x: array<vec4<u32>>;
@group(0) @binding(3) var<storage, read> x_scales: array<vec4<f32>>;
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

// Byte `i` of each of four words, with its sign: column i of four rows.
fn column(words: vec4<u32>, i: u32) -> vec4<i32> {
    return bitcast<vec4<i32>>(words << vec4<u32>(24u - 8u * i)) >> vec4<u32>(24u);
}

// Of each of four rows, four products.
fn four(words: vec4<u32>, bytes: u32) -> vec4<i32> {
    let number = unpack4xI8(bytes);
    return column(words, 0u) * number.x + column(words, 1u) * number.y + column(words, 2u) * number.z + column(words, 3u) * number.w;
}

@compute @workgroup_size(WIDTH)
fn q8_0_matvec(@builtin(global_invocation_id) global: vec3<u32>) {
    let row = global.x; // of scales: eight rows of weights, two rows of texels
    if (row * 8u >= size.rows) {
        return;
    }
    let blocks = size.columns / 32u;
    var low: array<vec4<f32>, TOKENS>; // rows 0 to 3
    var high: array<vec4<f32>, TOKENS>; // rows 4 to 7
    for (var block = 0u; block < blocks; block++) {
        let c = block * 8u;
        let u0 = load_quants(c, row * 2u);
        let u1 = load_quants(c + 1u, row * 2u);
        let u2 = load_quants(c + 2u, row * 2u);
        let u3 = load_quants(c + 3u, row * 2u);
        let u4 = load_quants(c + 4u, row * 2u);
        let u5 = load_quants(c + 5u, row * 2u);
        let u6 = load_quants(c + 6u, row * 2u);
        let u7 = load_quants(c + 7u, row * 2u);
        var dots_low: array<vec4<i32>, TOKENS>;
        for (var t = 0u; t < TOKENS; t++) {
            let a = x[(t * blocks + block) * 2u];
            let b = x[(t * blocks + block) * 2u + 1u];
            dots_low[t] = four(u0, a.x) + four(u1, a.y) + four(u2, a.z) + four(u3, a.w)
                + four(u4, b.x) + four(u5, b.y) + four(u6, b.z) + four(u7, b.w);
        }
        let l0 = load_quants(c, row * 2u + 1u);
        let l1 = load_quants(c + 1u, row * 2u + 1u);
        let l2 = load_quants(c + 2u, row * 2u + 1u);
        let l3 = load_quants(c + 3u, row * 2u + 1u);
        let l4 = load_quants(c + 4u, row * 2u + 1u);
        let l5 = load_quants(c + 5u, row * 2u + 1u);
        let l6 = load_quants(c + 6u, row * 2u + 1u);
        let l7 = load_quants(c + 7u, row * 2u + 1u);
        var dots_high: array<vec4<i32>, TOKENS>;
        for (var t = 0u; t < TOKENS; t++) {
            let a = x[(t * blocks + block) * 2u];
            let b = x[(t * blocks + block) * 2u + 1u];
            dots_high[t] = four(l0, a.x) + four(l1, a.y) + four(l2, a.z) + four(l3, a.w)
                + four(l4, b.x) + four(l5, b.y) + four(l6, b.z) + four(l7, b.w);
        }
        let pairs = load_scales(block, row);
        let d_low = vec4<f32>(unpack2x16float(pairs.x), unpack2x16float(pairs.y));
        let d_high = vec4<f32>(unpack2x16float(pairs.z), unpack2x16float(pairs.w));
        for (var t = 0u; t < TOKENS; t++) {
            let d = x_scales[t * blocks + block].x;
            low[t] += vec4<f32>(dots_low[t]) * (d_low * d);
            high[t] += vec4<f32>(dots_high[t]) * (d_high * d);
        }
    }
    for (var t = 0u; t < TOKENS; t++) {
        let place = (t * size.stride + size.first) / 4u + row * 2u;
        if (size.add != 0u) {
            low[t] += y[place];
            high[t] += y[place + 1u];
        }
        y[place] = low[t];
        y[place + 1u] = high[t];
    }
}
