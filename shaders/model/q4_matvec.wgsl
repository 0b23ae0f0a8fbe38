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
//! prepare   = [{ define = { TOKENS = "tokens", SCALE_TEXELS = 2, TEXTURE = 1, UNIFORM = 1 } }]
//! dims      = "tokens groups blocks first stride add"
//! where     = ["first % 4 == 0", "stride % 4 == 0", "first + 8 * groups <= stride", "tokens * blocks <= 4096"]
//! textures  = { quants = { size = "groups (8 * blocks)" }, scales = { size = "groups (2 * blocks)" } }
//! shapes    = { x = "tokens blocks 8", x_scales = "tokens blocks 4", y = "tokens stride" }
//! params    = { size = { rows = "8 * groups", columns = "32 * blocks", first = "first", stride = "stride", add = "add" } }
//! dispatch  = "ceil(groups / workgroup_size.x)"
//! reference = "reference.py:q4_1_matvec"
//! flops     = "512 * tokens * groups * blocks"
//! cases     = [
//!   "tokens=1 groups=72 blocks=18 first=0 stride=576 add=1",
//!   "tokens=4 groups=17 blocks=3 first=8 stride=160 add=0",
//!   "tokens=4 groups=5 blocks=48 first=0 stride=40 add=1",
//!   "tokens=1 groups=1 blocks=1 first=0 stride=8 add=0",
//! ]
//! derive    = false
//!
//! [q4_1_matvec.inputs]
//! quants   = "integers(0, 4294967296)"
//! scales   = "integers(8192, 12288) + 65536 * integers(8192, 12288)"
//! x        = "integers(0, 4294967296)"
//! x_scales = "normal(0, 1)"
//! y        = "normal(0, 100)"
//!
//! [q4_1_matvec_subgroups]
//! entry     = "q4_matvec"
//! prepare   = [{ define = { TOKENS = "tokens", SCALE_TEXELS = 2, TEXTURE = 1, UNIFORM = 1, SUBGROUPS = 1 } }]
//! dims      = "tokens groups blocks first stride add"
//! where     = ["first % 4 == 0", "stride % 4 == 0", "first + 8 * groups <= stride", "tokens * blocks <= 4096"]
//! textures  = { quants = { size = "groups (8 * blocks)" }, scales = { size = "groups (2 * blocks)" } }
//! shapes    = { x = "tokens blocks 8", x_scales = "tokens blocks 4", y = "tokens stride" }
//! params    = { size = { rows = "8 * groups", columns = "32 * blocks", first = "first", stride = "stride", add = "add" } }
//! dispatch  = "ceil(groups / workgroup_size.x)"
//! reference = "reference.py:q4_1_matvec"
//! flops     = "512 * tokens * groups * blocks"
//! cases     = [
//!   "tokens=8 groups=72 blocks=18 first=0 stride=576 add=1",
//!   "tokens=8 groups=17 blocks=3 first=8 stride=160 add=0",
//!   "tokens=8 groups=5 blocks=48 first=0 stride=40 add=1",
//!   "tokens=8 groups=1 blocks=1 first=0 stride=8 add=0",
//! ]
//! derive    = false
//!
//! [q4_1_matvec_subgroups.inputs]
//! quants   = "integers(0, 4294967296)"
//! scales   = "integers(8192, 12288) + 65536 * integers(8192, 12288)"
//! x        = "integers(0, 4294967296)"
//! x_scales = "normal(0, 1)"
//! y        = "normal(0, 100)"
//!
//! [q4_1_matvec_buffer]
//! entry     = "q4_matvec"
//! prepare   = [{ define = { TOKENS = "tokens", SCALE_TEXELS = 2, UNIFORM = 1 } }]
//! dims      = "tokens groups blocks first stride add"
//! where     = ["first % 4 == 0", "stride % 4 == 0", "first + 8 * groups <= stride", "tokens * blocks <= 4096"]
//! shapes    = { quants = "groups (8 * blocks) 4", scales = "groups (2 * blocks) 4", x = "tokens blocks 8", x_scales = "tokens blocks 4", y = "tokens stride" }
//! params    = { size = { rows = "8 * groups", columns = "32 * blocks", first = "first", stride = "stride", add = "add" } }
//! dispatch  = "ceil(groups / workgroup_size.x)"
//! reference = "reference.py:q4_1_matvec"
//! flops     = "512 * tokens * groups * blocks"
//! cases     = [
//!   "tokens=4 groups=17 blocks=3 first=8 stride=160 add=0",
//!   "tokens=4 groups=5 blocks=48 first=0 stride=40 add=1",
//!   "tokens=4 groups=1 blocks=1 first=0 stride=8 add=0",
//! ]
//! derive    = false
//!
//! [q4_1_matvec_buffer.inputs]
//! quants   = "integers(0, 4294967296)"
//! scales   = "integers(8192, 12288) + 65536 * integers(8192, 12288)"
//! x        = "integers(0, 4294967296)"
//! x_scales = "normal(0, 1)"
//! y        = "normal(0, 100)"
//!
//! [q4_0_matvec]
//! entry     = "q4_matvec"
//! prepare   = [{ define = { TOKENS = "tokens", SCALE_TEXELS = 1, TEXTURE = 1, UNIFORM = 1 } }]
//! dims      = "tokens groups blocks first stride add"
//! where     = ["first % 4 == 0", "stride % 4 == 0", "first + 8 * groups <= stride", "tokens * blocks <= 4096"]
//! textures  = { quants = { size = "groups (8 * blocks)" }, scales = { size = "groups blocks" } }
//! shapes    = { x = "tokens blocks 8", x_scales = "tokens blocks 4", y = "tokens stride" }
//! params    = { size = { rows = "8 * groups", columns = "32 * blocks", first = "first", stride = "stride", add = "add" } }
//! dispatch  = "ceil(groups / workgroup_size.x)"
//! reference = "reference.py:q4_0_matvec"
//! flops     = "512 * tokens * groups * blocks"
//! cases     = [
//!   "tokens=1 groups=72 blocks=18 first=0 stride=576 add=1",
//!   "tokens=4 groups=17 blocks=3 first=8 stride=160 add=0",
//!   "tokens=4 groups=5 blocks=48 first=0 stride=40 add=1",
//!   "tokens=1 groups=1 blocks=1 first=0 stride=8 add=0",
//! ]
//! derive    = false
//!
//! [q4_0_matvec.inputs]
//! quants   = "integers(0, 4294967296)"
//! scales   = "integers(8192, 12288) + 65536 * integers(8192, 12288)"
//! x        = "integers(0, 4294967296)"
//! x_scales = "integers(-2000, 2000)"
//! y        = "normal(0, 100)"
//!
//! [q4_0_matvec_buffer]
//! entry     = "q4_matvec"
//! prepare   = [{ define = { TOKENS = "tokens", SCALE_TEXELS = 1, UNIFORM = 1 } }]
//! dims      = "tokens groups blocks first stride add"
//! where     = ["first % 4 == 0", "stride % 4 == 0", "first + 8 * groups <= stride", "tokens * blocks <= 4096"]
//! shapes    = { quants = "groups (8 * blocks) 4", scales = "groups blocks 4", x = "tokens blocks 8", x_scales = "tokens blocks 4", y = "tokens stride" }
//! params    = { size = { rows = "8 * groups", columns = "32 * blocks", first = "first", stride = "stride", add = "add" } }
//! dispatch  = "ceil(groups / workgroup_size.x)"
//! reference = "reference.py:q4_0_matvec"
//! flops     = "512 * tokens * groups * blocks"
//! cases     = [
//!   "tokens=4 groups=17 blocks=3 first=8 stride=160 add=0",
//!   "tokens=4 groups=5 blocks=48 first=0 stride=40 add=1",
//!   "tokens=4 groups=1 blocks=1 first=0 stride=8 add=0",
//! ]
//! derive    = false
//!
//! [q4_0_matvec_buffer.inputs]
//! quants   = "integers(0, 4294967296)"
//! scales   = "integers(8192, 12288) + 65536 * integers(8192, 12288)"
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
