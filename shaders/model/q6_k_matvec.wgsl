//! y = W · x, or y + W · x, with W in ggml's Q6_K and x quantised to signed bytes, for TOKENS rows x at once; an invocation has eight rows of W.
//!
//! Blocks are 256 columns long and have an f16 scale; each run of 16 columns has a scale of eight bits, so a weight is d · scale · (six bits - 32). The low
//! four bits are in the words of `quants`, as in q4_matvec.wgsl; the others in those of `high`, of two columns in a nibble. Both fit the halves of a word
//! for 16 columns: 16 · 15 · 127 < 2^15. A texel of `scales` has those of 32 columns, two bytes a row; every ninth the f16 scales of the blocks. All but the sum over
//! 32 columns is whole numbers below 2^24. x, TEXTURE, UNIFORM and SUBGROUPS as in q4_matvec.wgsl.
//! Source: `block_q6_K` in ggml-common.h and `ggml_vec_dot_q6_K_q8_K`, ggml-cpu/quants.c, github.com/ggml-org/llama.cpp; there x has one scale for 256
//! columns, here one for 32.
//!
//! [q6_k_matvec]
//! entry     = "q6_k_matvec"
//! prepare   = [{ define = { TOKENS = "1u", TEXTURE = 1 } }]
//! dims      = "groups blocks"
//! textures  = { quants = { size = "groups (64 * blocks)" }, high = { size = "groups (32 * blocks)" }, scales = { size = "groups (9 * blocks)" } }
//! shapes    = { x = "1 (8 * blocks) 8", x_scales = "1 (8 * blocks) 4", y = "1 (8 * groups)" }
//! params    = { size = { rows = "8 * groups", columns = "256 * blocks", first = 0, stride = "8 * groups", add = 0 } }
//! dispatch  = "ceil(groups / 16)"
//! reference = "reference_types.py:q6_k_matvec"
//! flops     = "1 * 4096 * groups * blocks"
//! cases     = ["groups=72 blocks=3", "groups=1 blocks=1", "groups=17 blocks=2", "groups=5 blocks=8"]
//! derive    = false
//!
//! [q6_k_matvec.inputs]
//! quants   = "integers(0, 4294967296)"
//! high     = "integers(0, 4294967296)"
//! scales   = "where(arange(9 * blocks)[None, :, None] % 9 == 8, integers(8192, 12288) + 65536 * integers(8192, 12288), integers(0, 4294967296))"
//! x        = "integers(0, 4294967296)"
//! x_scales = "integers(-2000, 2000)"
//!
//! [q6_k_matmul]
//! entry     = "q6_k_matvec"
//! prepare   = [{ define = { TOKENS = "4u" } }]
//! dims      = "groups blocks"
//! shapes    = { quants = "groups (64 * blocks) 4", high = "groups (32 * blocks) 4", scales = "groups (9 * blocks) 4", x = "4 (8 * blocks) 8", x_scales = "4 (8 * blocks) 4", y = "4 (8 * groups)" }
//! params    = { size = { rows = "8 * groups", columns = "256 * blocks", first = 0, stride = "8 * groups", add = 1 } }
//! dispatch  = "ceil(groups / 16)"
//! reference = "reference_types.py:q6_k_matvec"
//! flops     = "4 * 4096 * groups * blocks"
//! cases     = ["groups=72 blocks=3", "groups=1 blocks=1", "groups=17 blocks=2", "groups=5 blocks=8"]
//! derive    = false
//!
//! [q6_k_matmul.inputs]
//! quants   = "integers(0, 4294967296)"
//! high     = "integers(0, 4294967296)"
//! scales   = "where(arange(9 * blocks)[None, :, None] % 9 == 8, integers(8192, 12288) + 65536 * integers(8192, 12288), integers(0, 4294967296))"
//! x        = "integers(0, 4294967296)"
//! x_scales = "integers(-2000, 2000)"
//! y        = "normal(0, 100)"
//!
//! [q6_k_matmul_subgroups]
//! entry     = "q6_k_matvec"
//! prepare   = [{ define = { TOKENS = "8u", TEXTURE = 1, SUBGROUPS = 1 } }]
//! dims      = "groups blocks"
//! textures  = { quants = { size = "groups (64 * blocks)" }, high = { size = "groups (32 * blocks)" }, scales = { size = "groups (9 * blocks)" } }
//! shapes    = { x = "8 (8 * blocks) 8", x_scales = "8 (8 * blocks) 4", y = "8 (8 * groups)" }
//! params    = { size = { rows = "8 * groups", columns = "256 * blocks", first = 0, stride = "8 * groups", add = 1 } }
//! dispatch  = "ceil(groups / 16)"
//! reference = "reference_types.py:q6_k_matvec"
//! flops     = "8 * 4096 * groups * blocks"
//! cases     = ["groups=72 blocks=3", "groups=1 blocks=1", "groups=17 blocks=2", "groups=5 blocks=8"]
//! derive    = false
//!
//! [q6_k_matmul_subgroups.inputs]
//! quants   = "integers(0, 4294967296)"
//! high     = "integers(0, 4294967296)"
//! scales   = "where(arange(9 * blocks)[None, :, None] % 9 == 8, integers(8192, 12288) + 65536 * integers(8192, 12288), integers(0, 4294967296))"
//! x        = "integers(0, 4294967296)"
//! x_scales = "integers(-2000, 2000)"
//! y        = "normal(0, 100)"

#ifdef SUBGROUPS
enable subgroups;
#endif
#include "activations.wgsl"

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

#include "nibbles.wgsl"

// The low two bits of nibbles 0 to 3 and of nibbles 4 to 7.
fn pairs(word: u32) -> vec4<u32> {
    return vec4<u32>(word, word >> 4u, word >> 8u, word >> 12u) & vec4<u32>(0x00030003u);
}

// The signed bytes at the bits 0 and 16 of two words: rows in their order.
fn bytes_of(words: vec2<u32>) -> vec4<i32> {
    return bitcast<vec4<i32>>(vec4<u32>(words.x << 24u, words.x << 8u, words.y << 24u, words.y << 8u)) >> vec4<u32>(24u);
}

// Eight columns of a run; rows j and j + 4 in the halves of component j.
#define EIGHT(n) { \
        let more = load_high(block * 4u + n, row); \
        COLUMNS(2u * n, more.x, more.y) \
        COLUMNS(2u * n + 1u, more.z, more.w) \
    }
#define COLUMNS(n, one, other) { \
        const i = n; \
        let texel = load_quants(block * 8u + i, row); \
        let n0 = nibbles(texel.x); \
        let n1 = nibbles(texel.y); \
        let n2 = nibbles(texel.z); \
        let n3 = nibbles(texel.w); \
        let p0 = pairs(one); \
        let p1 = pairs(one >> 2u); \
        let p2 = pairs(other); \
        let p3 = pairs(other >> 2u); \
        EACH_TOKEN(MULTIPLY) \
    }
#define MULTIPLY(t) { \
        let number = spread(WORD(t, i)); \
        sums[t] += n0 * number.x + n1 * number.y + n2 * number.z + n3 * number.w; \
        more_sums[t] += p0 * number.x + p1 * number.y + p2 * number.z + p3 * number.w; \
        numbers[t] += bitcast<vec4<i32>>(number); \
    }
#define CLEAR(t) dots_low[t] = vec4<i32>(); dots_high[t] = vec4<i32>();
// 32 is taken off each six bits by the sum of the numbers.
#define WIDEN(t) { \
        let off = vec4<i32>(32 * ((numbers[t].x + numbers[t].y) + (numbers[t].z + numbers[t].w))); \
        dots_low[t] += scales_low * (lower_halves(sums[t]) + 16 * lower_halves(more_sums[t]) - off); \
        dots_high[t] += scales_high * (upper_halves(sums[t]) + 16 * upper_halves(more_sums[t]) - off); \
        sums[t] = vec4<u32>(); \
        more_sums[t] = vec4<u32>(); \
        numbers[t] = vec4<i32>(); \
    }
#define SCALE(t) { \
        let d = x_scales[t * blocks + block].x; \
        low[t] += vec4<f32>(dots_low[t]) * (d_low * d); \
        high[t] += vec4<f32>(dots_high[t]) * (d_high * d); \
    }

@compute @workgroup_size(WIDTH)
#ifdef SUBGROUPS
fn q6_k_matvec(@builtin(global_invocation_id) global: vec3<u32>, @builtin(subgroup_invocation_id) lane: u32) {
#else
fn q6_k_matvec(@builtin(global_invocation_id) global: vec3<u32>) {
#endif
    var words: WORDS;
    // Of texels: eight rows of weights. Those behind the end work on the last one, for their neighbours' sake.
    let row = min(global.x, size.rows / 8u - 1u);
    let blocks = size.columns / 32u; // of x
    var sums: array<vec4<u32>, TOKENS>;
    var more_sums: array<vec4<u32>, TOKENS>;
    var numbers: array<vec4<i32>, TOKENS>;
    var dots_low: array<vec4<i32>, TOKENS>;
    var dots_high: array<vec4<i32>, TOKENS>;
    var low: array<vec4<f32>, TOKENS>; // rows 0 to 3
    var high: array<vec4<f32>, TOKENS>; // rows 4 to 7
    for (var large = 0u; large < size.columns / 256u; large++) {
        let factors = load_scales(large * 9u + 8u, row);
        let d_low = vec4<f32>(unpack2x16float(factors.x), unpack2x16float(factors.y));
        let d_high = vec4<f32>(unpack2x16float(factors.z), unpack2x16float(factors.w));
        for (var part = 0u; part < 8u; part++) {
            let block = large * 8u + part;
            let both = load_scales(large * 9u + part, row);
            EACH_TOKEN(READ)
            EACH_TOKEN(CLEAR)
            {
                let scales_low = bytes_of(both.xy);
                let scales_high = bytes_of(both.zw);
                EIGHT(0u) EIGHT(1u)
                EACH_TOKEN(WIDEN)
            }
            {
                let scales_low = bytes_of(both.xy >> vec2<u32>(8u));
                let scales_high = bytes_of(both.zw >> vec2<u32>(8u));
                EIGHT(2u) EIGHT(3u)
                EACH_TOKEN(WIDEN)
            }
            EACH_TOKEN(SCALE)
        }
    }
    if (global.x * 8u >= size.rows) {
        return;
    }
    EACH_TOKEN(STORE)
}
