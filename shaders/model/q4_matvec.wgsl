//! y = W · x, or y + W · x, with W in ggml's Q4_0 or Q4_1 and x quantised to signed bytes, for TOKENS rows x at once; an invocation has eight
//! rows of W.
//!
//! A word of `quants` is eight rows of one column, row j in the bits from 4j. Shifted and masked it is four words of two nibbles, 16 bits apart,
//! and one product with a number of x multiplies both: eight products by four multiplications, signed and exact, since sixteen of them
//! (16 · 15 · 127) fit 16 bits. A texel holds four columns; where x lies says activations.wgsl. For Q4_1 a weight is d · nibble + m, for Q4_0 d · (nibble - 8); `x_scales` holds d and s = d · Σ of each block of x, and Σ.
//! TEXTURE keeps W in textures, else in buffers. Every sum is made in one order: the result is the same on every
//! device that rounds as IEEE 754 says.
//! Source: `block_q4_0`, `block_q4_1` in ggml-common.h and `ggml_vec_dot_q4_1_q8_1`, ggml-cpu/quants.c, github.com/ggml-org/llama.cpp; words as
//! vectors of small numbers: L. Lamport, "Multiple byte processing with full-word instructions" (1975).
//!
//! [q4_1_matvec]
//! entry     = "q4_matvec"
//! prepare   = [{ define = { TOKENS = "1u", SCALE_TEXELS = 2, TEXTURE = 1 } }]
//! dims      = "groups blocks"
//! textures  = { quants = { size = "(1 * groups) (8 * blocks)" }, scales = { size = "groups (2 * blocks)" } }
//! shapes    = { x = "1 blocks 8", x_scales = "1 blocks 4", y = "1 (8 * groups)" }
//! params    = { size = { rows = "8 * groups", columns = "32 * blocks", first = 0, stride = "8 * groups", add = 0 } }
//! dispatch  = "ceil(groups / 16)"
//! reference = "reference.py:q4_1_matvec"
//! flops     = "1 * 512 * groups * blocks"
//! cases     = ["groups=72 blocks=18", "groups=1 blocks=1", "groups=17 blocks=3", "groups=5 blocks=48"]
//! derive    = false
//!
//! [q4_1_matvec.inputs]
//! quants   = "integers(0, 4294967296)"
//! scales   = "integers(8192, 12288) + 65536 * integers(8192, 12288)"
//! x        = "integers(0, 4294967296)"
//! x_scales = "normal(0, 1)"
//!
//! [q4_1_matvec_buffer]
//! entry     = "q4_matvec"
//! prepare   = [{ define = { TOKENS = "1u", SCALE_TEXELS = 2 } }]
//! dims      = "groups blocks"
//! shapes    = { quants = "(1 * groups) (8 * blocks) 4", scales = "groups (2 * blocks) 4", x = "1 blocks 8", x_scales = "1 blocks 4", y = "1 (8 * groups)" }
//! params    = { size = { rows = "8 * groups", columns = "32 * blocks", first = 0, stride = "8 * groups", add = 1 } }
//! dispatch  = "ceil(groups / 16)"
//! reference = "reference.py:q4_1_matvec"
//! flops     = "1 * 512 * groups * blocks"
//! cases     = ["groups=72 blocks=18", "groups=1 blocks=1", "groups=17 blocks=3", "groups=5 blocks=48"]
//! derive    = false
//!
//! [q4_1_matvec_buffer.inputs]
//! quants   = "integers(0, 4294967296)"
//! scales   = "integers(8192, 12288) + 65536 * integers(8192, 12288)"
//! x        = "integers(0, 4294967296)"
//! x_scales = "normal(0, 1)"
//! y        = "normal(0, 100)"
//!
//! [q4_1_matmul]
//! entry     = "q4_matvec"
//! prepare   = [{ define = { TOKENS = "4u", SCALE_TEXELS = 2, TEXTURE = 1 } }]
//! dims      = "groups blocks"
//! textures  = { quants = { size = "(1 * groups) (8 * blocks)" }, scales = { size = "groups (2 * blocks)" } }
//! shapes    = { x = "4 blocks 8", x_scales = "4 blocks 4", y = "4 (8 * groups)" }
//! params    = { size = { rows = "8 * groups", columns = "32 * blocks", first = 0, stride = "8 * groups", add = 1 } }
//! dispatch  = "ceil(groups / 16)"
//! reference = "reference.py:q4_1_matvec"
//! flops     = "4 * 512 * groups * blocks"
//! cases     = ["groups=72 blocks=18", "groups=1 blocks=1", "groups=17 blocks=3", "groups=5 blocks=48"]
//! derive    = false
//!
//! [q4_1_matmul.inputs]
//! quants   = "integers(0, 4294967296)"
//! scales   = "integers(8192, 12288) + 65536 * integers(8192, 12288)"
//! x        = "integers(0, 4294967296)"
//! x_scales = "normal(0, 1)"
//! y        = "normal(0, 100)"
//!
//! [q4_1_matmul_subgroups]
//! entry     = "q4_matvec"
//! prepare   = [{ define = { TOKENS = "8u", SCALE_TEXELS = 2, TEXTURE = 1, SUBGROUPS = 1 } }]
//! dims      = "groups blocks"
//! textures  = { quants = { size = "(1 * groups) (8 * blocks)" }, scales = { size = "groups (2 * blocks)" } }
//! shapes    = { x = "8 blocks 8", x_scales = "8 blocks 4", y = "8 (8 * groups)" }
//! params    = { size = { rows = "8 * groups", columns = "32 * blocks", first = 0, stride = "8 * groups", add = 1 } }
//! dispatch  = "ceil(groups / 16)"
//! reference = "reference.py:q4_1_matvec"
//! flops     = "8 * 512 * groups * blocks"
//! cases     = ["groups=72 blocks=18", "groups=1 blocks=1", "groups=17 blocks=3", "groups=5 blocks=48"]
//! derive    = false
//!
//! [q4_1_matmul_subgroups.inputs]
//! quants   = "integers(0, 4294967296)"
//! scales   = "integers(8192, 12288) + 65536 * integers(8192, 12288)"
//! x        = "integers(0, 4294967296)"
//! x_scales = "normal(0, 1)"
//! y        = "normal(0, 100)"
//!
//! [q4_0_matvec]
//! entry     = "q4_matvec"
//! prepare   = [{ define = { TOKENS = "1u", SCALE_TEXELS = 1, TEXTURE = 1 } }]
//! dims      = "groups blocks"
//! textures  = { quants = { size = "(1 * groups) (8 * blocks)" }, scales = { size = "groups (1 * blocks)" } }
//! shapes    = { x = "1 blocks 8", x_scales = "1 blocks 4", y = "1 (8 * groups)" }
//! params    = { size = { rows = "8 * groups", columns = "32 * blocks", first = 0, stride = "8 * groups", add = 0 } }
//! dispatch  = "ceil(groups / 16)"
//! reference = "reference.py:q4_0_matvec"
//! flops     = "1 * 512 * groups * blocks"
//! cases     = ["groups=72 blocks=18", "groups=1 blocks=1", "groups=17 blocks=3", "groups=5 blocks=48"]
//! derive    = false
//!
//! [q4_0_matvec.inputs]
//! quants   = "integers(0, 4294967296)"
//! scales   = "integers(8192, 12288) + 65536 * integers(8192, 12288)"
//! x        = "integers(0, 4294967296)"
//! x_scales = "integers(-2000, 2000)"
//!
//! [q4_0_matmul]
//! entry     = "q4_matvec"
//! prepare   = [{ define = { TOKENS = "4u", SCALE_TEXELS = 1 } }]
//! dims      = "groups blocks"
//! shapes    = { quants = "(1 * groups) (8 * blocks) 4", scales = "groups (1 * blocks) 4", x = "4 blocks 8", x_scales = "4 blocks 4", y = "4 (8 * groups)" }
//! params    = { size = { rows = "8 * groups", columns = "32 * blocks", first = 0, stride = "8 * groups", add = 0 } }
//! dispatch  = "ceil(groups / 16)"
//! reference = "reference.py:q4_0_matvec"
//! flops     = "4 * 512 * groups * blocks"
//! cases     = ["groups=72 blocks=18", "groups=1 blocks=1", "groups=17 blocks=3", "groups=5 blocks=48"]
//! derive    = false
//!
//! [q4_0_matmul.inputs]
//! quants   = "integers(0, 4294967296)"
//! scales   = "integers(8192, 12288) + 65536 * integers(8192, 12288)"
//! x        = "integers(0, 4294967296)"
//! x_scales = "integers(-2000, 2000)"

#ifdef SUBGROUPS
enable subgroups;
#endif
#include "activations.wgsl"

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

// Four bytes as the words that nibbles are multiplied with.
fn spread(bytes: u32) -> vec4<u32> {
    return bitcast<vec4<u32>>(unpack4xI8(bytes));
}

fn nibbles(word: u32) -> vec4<u32> {
    return vec4<u32>(word, word >> 4u, word >> 8u, word >> 12u) & vec4<u32>(0x000f000fu);
}

fn lower_halves(sums: vec4<u32>) -> vec4<i32> {
    return bitcast<vec4<i32>>(sums << vec4<u32>(16u)) >> vec4<u32>(16u);
}

fn upper_halves(sums: vec4<u32>) -> vec4<i32> {
    return bitcast<vec4<i32>>(sums + vec4<u32>(0x8000u)) >> vec4<u32>(16u);
}

// Four columns of a block; rows j and j + 4 in the halves of component j.
#define COLUMNS(n) { \
        const i = n; \
        let texel = load_quants(block * 8u + i, row); \
        let n0 = nibbles(texel.x); \
        let n1 = nibbles(texel.y); \
        let n2 = nibbles(texel.z); \
        let n3 = nibbles(texel.w); \
        EACH_TOKEN(MULTIPLY) \
    }
#define MULTIPLY(t) { let number = spread(WORD(t, i)); sums[t] += n0 * number.x + n1 * number.y + n2 * number.z + n3 * number.w; }
#define CLEAR(t) dots_low[t] = vec4<i32>(); dots_high[t] = vec4<i32>();
#define WIDEN(t) dots_low[t] += lower_halves(sums[t]); dots_high[t] += upper_halves(sums[t]); sums[t] = vec4<u32>();

#if SCALE_TEXELS == 2
// One after the other: compilers turn a + (b + c) into (a + b) + c.
#define SCALE(t) { \
        let s = x_scales[t * blocks + block]; \
        low[t] += vec4<f32>(dots_low[t]) * (d_low * s.x); \
        low[t] += m_low * s.y; \
        high[t] += vec4<f32>(dots_high[t]) * (d_high * s.x); \
        high[t] += m_high * s.y; \
    }
#else
#define SCALE(t) { \
        let s = x_scales[t * blocks + block]; \
        let eight = vec4<i32>(8 * i32(s.z)); \
        low[t] += vec4<f32>(dots_low[t] - eight) * (d_low * s.x); \
        high[t] += vec4<f32>(dots_high[t] - eight) * (d_high * s.x); \
    }
#endif

#define STORE(t) { \
        let place = (t * size.stride + size.first) / 4u + row * 2u; \
        if (size.add != 0u) { \
            low[t] += y[place]; \
            high[t] += y[place + 1u]; \
        } \
        y[place] = low[t]; \
        y[place + 1u] = high[t]; \
    }

@compute @workgroup_size(WIDTH)
#ifdef SUBGROUPS
fn q4_matvec(@builtin(global_invocation_id) global: vec3<u32>, @builtin(subgroup_invocation_id) lane: u32) {
#else
fn q4_matvec(@builtin(global_invocation_id) global: vec3<u32>) {
#endif
    var words: WORDS;
    // Of texels: eight rows of weights. Those behind the end work on the last one, for their neighbours' sake.
    let row = min(global.x, size.rows / 8u - 1u);
    let blocks = size.columns / 32u;
    var sums: array<vec4<u32>, TOKENS>;
    var dots_low: array<vec4<i32>, TOKENS>;
    var dots_high: array<vec4<i32>, TOKENS>;
    var low: array<vec4<f32>, TOKENS>; // rows 0 to 3
    var high: array<vec4<f32>, TOKENS>; // rows 4 to 7
    for (var block = 0u; block < blocks; block++) {
        EACH_TOKEN(READ)
        EACH_TOKEN(CLEAR)
        // Sixteen columns fit the halves of a word: 16 · 15 · 127 < 2^15. So a block is two halves.
        COLUMNS(0u) COLUMNS(1u) COLUMNS(2u) COLUMNS(3u)
        EACH_TOKEN(WIDEN)
        COLUMNS(4u) COLUMNS(5u) COLUMNS(6u) COLUMNS(7u)
        EACH_TOKEN(WIDEN)
#if SCALE_TEXELS == 2
        let pairs = load_scales(block * 2u, row);
        let more = load_scales(block * 2u + 1u, row);
        let dm = array<vec2<f32>, 8>(
            unpack2x16float(pairs.x), unpack2x16float(pairs.y), unpack2x16float(pairs.z), unpack2x16float(pairs.w),
            unpack2x16float(more.x), unpack2x16float(more.y), unpack2x16float(more.z), unpack2x16float(more.w));
        let d_low = vec4<f32>(dm[0].x, dm[1].x, dm[2].x, dm[3].x);
        let m_low = vec4<f32>(dm[0].y, dm[1].y, dm[2].y, dm[3].y);
        let d_high = vec4<f32>(dm[4].x, dm[5].x, dm[6].x, dm[7].x);
        let m_high = vec4<f32>(dm[4].y, dm[5].y, dm[6].y, dm[7].y);
#else
        let pairs = load_scales(block, row);
        let d_low = vec4<f32>(unpack2x16float(pairs.x), unpack2x16float(pairs.y));
        let d_high = vec4<f32>(unpack2x16float(pairs.z), unpack2x16float(pairs.w));
#endif
        EACH_TOKEN(SCALE)
    }
    if (global.x * 8u >= size.rows) {
        return;
    }
    EACH_TOKEN(STORE)
}
