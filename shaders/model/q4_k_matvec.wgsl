//! y = W · x, or y + W · x, with W in ggml's Q4_K and x quantised to signed bytes, for TOKENS rows x at once; an invocation has eight rows of W.
//!
//! Blocks are 256 columns long and have two f16 scales; each run of 32 columns has a scale and a minimum of six bits of its own, so a weight is
//! d · scale · nibble - least · minimum. The words of `quants` are those of q4_matvec.wgsl; of `scales` a texel is the first 16 bytes of a row's block. What
//! the six bits multiply is whole numbers, so only the sum over runs is rounded. x, TEXTURE, UNIFORM and SUBGROUPS as in q4_matvec.wgsl.
//! Source: `block_q4_K` in ggml-common.h and `ggml_vec_dot_q4_K_q8_K`, ggml-cpu/quants.c, github.com/ggml-org/llama.cpp; there x has one scale for 256
//! columns, here one for 32.
//!
//! [q4_k_matvec]
//! entry     = "q4_k_matvec"
//! prepare   = [{ define = { TOKENS = "1u", TEXTURE = 1 } }]
//! dims      = "groups blocks"
//! textures  = { quants = { size = "groups (64 * blocks)" }, scales = { size = "groups (8 * blocks)" } }
//! shapes    = { x = "1 (8 * blocks) 8", x_scales = "1 (8 * blocks) 4", y = "1 (8 * groups)" }
//! params    = { size = { rows = "8 * groups", columns = "256 * blocks", first = 0, stride = "8 * groups", add = 0 } }
//! dispatch  = "ceil(groups / 16)"
//! reference = "reference_types.py:q4_k_matvec"
//! flops     = "1 * 4096 * groups * blocks"
//! cases     = ["groups=72 blocks=3", "groups=1 blocks=1", "groups=17 blocks=2", "groups=5 blocks=8"]
//! derive    = false
//!
//! [q4_k_matvec.inputs]
//! quants   = "integers(0, 4294967296)"
//! scales   = "where(arange(4) == 0, integers(8192, 12288) + 65536 * integers(8192, 12288), integers(0, 4294967296))"
//! x        = "integers(0, 4294967296)"
//! x_scales = "integers(-2000, 2000)"
//!
//! [q4_k_matmul]
//! entry     = "q4_k_matvec"
//! prepare   = [{ define = { TOKENS = "4u" } }]
//! dims      = "groups blocks"
//! shapes    = { quants = "groups (64 * blocks) 4", scales = "groups (8 * blocks) 4", x = "4 (8 * blocks) 8", x_scales = "4 (8 * blocks) 4", y = "4 (8 * groups)" }
//! params    = { size = { rows = "8 * groups", columns = "256 * blocks", first = 0, stride = "8 * groups", add = 1 } }
//! dispatch  = "ceil(groups / 16)"
//! reference = "reference_types.py:q4_k_matvec"
//! flops     = "4 * 4096 * groups * blocks"
//! cases     = ["groups=72 blocks=3", "groups=1 blocks=1", "groups=17 blocks=2", "groups=5 blocks=8"]
//! derive    = false
//!
//! [q4_k_matmul.inputs]
//! quants   = "integers(0, 4294967296)"
//! scales   = "where(arange(4) == 0, integers(8192, 12288) + 65536 * integers(8192, 12288), integers(0, 4294967296))"
//! x        = "integers(0, 4294967296)"
//! x_scales = "integers(-2000, 2000)"
//! y        = "normal(0, 100)"
//!
//! [q4_k_matmul_subgroups]
//! entry     = "q4_k_matvec"
//! prepare   = [{ define = { TOKENS = "8u", TEXTURE = 1, SUBGROUPS = 1 } }]
//! dims      = "groups blocks"
//! textures  = { quants = { size = "groups (64 * blocks)" }, scales = { size = "groups (8 * blocks)" } }
//! shapes    = { x = "8 (8 * blocks) 8", x_scales = "8 (8 * blocks) 4", y = "8 (8 * groups)" }
//! params    = { size = { rows = "8 * groups", columns = "256 * blocks", first = 0, stride = "8 * groups", add = 1 } }
//! dispatch  = "ceil(groups / 16)"
//! reference = "reference_types.py:q4_k_matvec"
//! flops     = "8 * 4096 * groups * blocks"
//! cases     = ["groups=72 blocks=3", "groups=1 blocks=1", "groups=17 blocks=2", "groups=5 blocks=8"]
//! derive    = false
//!
//! [q4_k_matmul_subgroups.inputs]
//! quants   = "integers(0, 4294967296)"
//! scales   = "where(arange(4) == 0, integers(8192, 12288) + 65536 * integers(8192, 12288), integers(0, 4294967296))"
//! x        = "integers(0, 4294967296)"
//! x_scales = "integers(-2000, 2000)"
//! y        = "normal(0, 100)"

#ifdef SUBGROUPS
enable subgroups;
#endif
#include "activations.wgsl"

#include "planes.wgsl"

const WIDTH = 16u; // invocations in a workgroup

#include "nibbles.wgsl"
#include "six_bits.wgsl"

// What stands in front of the blocks of four rows.
struct Heads {
    d: vec4<f32>,
    least: vec4<f32>,
    rows: array<SixBits, 4>,
}

fn load_heads(column: u32, row: u32) -> Heads {
    let a = load_scales(column, row);
    let b = load_scales(column + 1u, row);
    let c = load_scales(column + 2u, row);
    let e = load_scales(column + 3u, row);
    let pairs = array<vec2<f32>, 4>(unpack2x16float(a.x), unpack2x16float(b.x), unpack2x16float(c.x), unpack2x16float(e.x));
    return Heads(
        vec4<f32>(pairs[0].x, pairs[1].x, pairs[2].x, pairs[3].x),
        vec4<f32>(pairs[0].y, pairs[1].y, pairs[2].y, pairs[3].y),
        array<SixBits, 4>(six_bits(a.yzw), six_bits(b.yzw), six_bits(c.yzw), six_bits(e.yzw)),
    );
}

fn scales_of(heads: Heads, part: u32) -> vec4<i32> {
    return vec4<i32>(
        one_of(heads.rows[0].scales, part), one_of(heads.rows[1].scales, part),
        one_of(heads.rows[2].scales, part), one_of(heads.rows[3].scales, part));
}

fn minima_of(heads: Heads, part: u32) -> vec4<i32> {
    return vec4<i32>(
        one_of(heads.rows[0].minima, part), one_of(heads.rows[1].minima, part),
        one_of(heads.rows[2].minima, part), one_of(heads.rows[3].minima, part));
}

// Four columns of a run; rows j and j + 4 in the halves of component j.
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
#define SCALE(t) { \
        let s = x_scales[t * blocks + block]; \
        let sum = vec4<i32>(i32(s.z)); \
        low[t] += vec4<f32>(dots_low[t] * scales_low) * (low_heads.d * s.x); \
        low[t] -= vec4<f32>(minima_low * sum) * (low_heads.least * s.x); \
        high[t] += vec4<f32>(dots_high[t] * scales_high) * (high_heads.d * s.x); \
        high[t] -= vec4<f32>(minima_high * sum) * (high_heads.least * s.x); \
    }

@compute @workgroup_size(WIDTH)
#ifdef SUBGROUPS
fn q4_k_matvec(@builtin(global_invocation_id) global: vec3<u32>, @builtin(subgroup_invocation_id) lane: u32) {
#else
fn q4_k_matvec(@builtin(global_invocation_id) global: vec3<u32>) {
#endif
    var words: WORDS;
    // Of texels: eight rows of weights. Those behind the end work on the last one, for their neighbours' sake.
    let row = min(global.x, size.rows / 8u - 1u);
    let blocks = size.columns / 32u; // of x
    var sums: array<vec4<u32>, TOKENS>;
    var dots_low: array<vec4<i32>, TOKENS>;
    var dots_high: array<vec4<i32>, TOKENS>;
    var low: array<vec4<f32>, TOKENS>; // rows 0 to 3
    var high: array<vec4<f32>, TOKENS>; // rows 4 to 7
    for (var large = 0u; large < size.columns / 256u; large++) {
        let low_heads = load_heads(large * 8u, row);
        let high_heads = load_heads(large * 8u + 4u, row);
        for (var part = 0u; part < 8u; part++) {
            let block = large * 8u + part;
            EACH_TOKEN(READ)
            EACH_TOKEN(CLEAR)
            // Sixteen columns fit the halves of a word: 16 · 15 · 127 < 2^15. So a run is two halves.
            COLUMNS(0u) COLUMNS(1u) COLUMNS(2u) COLUMNS(3u)
            EACH_TOKEN(WIDEN)
            COLUMNS(4u) COLUMNS(5u) COLUMNS(6u) COLUMNS(7u)
            EACH_TOKEN(WIDEN)
            let scales_low = scales_of(low_heads, part);
            let scales_high = scales_of(high_heads, part);
            let minima_low = minima_of(low_heads, part);
            let minima_high = minima_of(high_heads, part);
            EACH_TOKEN(SCALE)
        }
    }
    if (global.x * 8u >= size.rows) {
        return;
    }
    EACH_TOKEN(STORE)
}
