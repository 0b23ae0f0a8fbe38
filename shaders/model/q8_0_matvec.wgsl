//! y = W · x, or y + W · x, with W in ggml's Q8_0 and x quantised to signed bytes, for TOKENS rows x at once; an invocation has eight rows of W.
//!
//! A word of `quants` is one row of four columns; a texel four rows, two rows of texels eight. TEXTURE as in q4_matvec.wgsl; where x lies says activations.wgsl.
//! Source: `block_q8_0` in ggml-common.h and `ggml_vec_dot_q8_0_q8_0`, ggml-cpu/quants.c, github.com/ggml-org/llama.cpp.
//!
//! [q8_0_matvec]
//! entry     = "q8_0_matvec"
//! prepare   = [{ define = { TOKENS = "tokens", TEXTURE = 1, UNIFORM = 1 } }]
//! dims      = "tokens groups blocks first stride add"
//! where     = ["first % 4 == 0", "stride % 4 == 0", "first + 8 * groups <= stride", "tokens * blocks <= 4096"]
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
//! [q8_0_matvec_subgroups]
//! entry     = "q8_0_matvec"
//! prepare   = [{ define = { TOKENS = "tokens", TEXTURE = 1, UNIFORM = 1, SUBGROUPS = 1 } }]
//! dims      = "tokens groups blocks first stride add"
//! where     = ["first % 4 == 0", "stride % 4 == 0", "first + 8 * groups <= stride", "tokens * blocks <= 4096"]
//! textures  = { quants = { size = "(2 * groups) (8 * blocks)" }, scales = { size = "groups blocks" } }
//! shapes    = { x = "tokens blocks 8", x_scales = "tokens blocks 4", y = "tokens stride" }
//! params    = { size = { rows = "8 * groups", columns = "32 * blocks", first = "first", stride = "stride", add = "add" } }
//! dispatch  = "ceil(groups / workgroup_size.x)"
//! reference = "reference.py:q8_0_matvec"
//! flops     = "512 * tokens * groups * blocks"
//! cases     = [
//!   "tokens=8 groups=72 blocks=18 first=0 stride=576 add=1",
//!   "tokens=8 groups=17 blocks=3 first=8 stride=160 add=0",
//!   "tokens=8 groups=5 blocks=48 first=0 stride=40 add=1",
//!   "tokens=8 groups=1 blocks=1 first=0 stride=8 add=0",
//! ]
//! derive    = false
//!
//! [q8_0_matvec_subgroups.inputs]
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
//! where     = ["first % 4 == 0", "stride % 4 == 0", "first + 8 * groups <= stride", "tokens * blocks <= 4096"]
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

#ifdef SUBGROUPS
enable subgroups;
#endif
#include "activations.wgsl"

#include "planes.wgsl"

const WIDTH = 16u; // invocations in a workgroup

// Byte `i` of each of four words, with its sign: column i of four rows.
fn column(words: vec4<u32>, i: u32) -> vec4<i32> {
    return bitcast<vec4<i32>>(words << vec4<u32>(24u - 8u * i)) >> vec4<u32>(24u);
}

// Four columns of a block: rows 0 to 3 in one texel, rows 4 to 7 in the one below.
#define COLUMNS(n) { \
        const i = n; \
        let upper = load_quants(block * 8u + i, row * 2u); \
        let lower = load_quants(block * 8u + i, row * 2u + 1u); \
        let u0 = column(upper, 0u); \
        let u1 = column(upper, 1u); \
        let u2 = column(upper, 2u); \
        let u3 = column(upper, 3u); \
        let l0 = column(lower, 0u); \
        let l1 = column(lower, 1u); \
        let l2 = column(lower, 2u); \
        let l3 = column(lower, 3u); \
        EACH_TOKEN(MULTIPLY) \
    }
#define MULTIPLY(t) { \
        let number = unpack4xI8(WORD(t, i)); \
        dots_low[t] += u0 * number.x + u1 * number.y + u2 * number.z + u3 * number.w; \
        dots_high[t] += l0 * number.x + l1 * number.y + l2 * number.z + l3 * number.w; \
    }
#define CLEAR(t) dots_low[t] = vec4<i32>(); dots_high[t] = vec4<i32>();
#define SCALE(t) { \
        let d = x_scales[t * blocks + block].x; \
        low[t] += vec4<f32>(dots_low[t]) * (d_low * d); \
        high[t] += vec4<f32>(dots_high[t]) * (d_high * d); \
    }
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
fn q8_0_matvec(@builtin(global_invocation_id) global: vec3<u32>, @builtin(subgroup_invocation_id) lane: u32) {
#else
fn q8_0_matvec(@builtin(global_invocation_id) global: vec3<u32>) {
#endif
    var words: WORDS;
    // Of scales: eight rows of weights, two rows of texels. Those behind the end work on the last one, for their neighbours' sake.
    let row = min(global.x, size.rows / 8u - 1u);
    let blocks = size.columns / 32u;
    var dots_low: array<vec4<i32>, TOKENS>;
    var dots_high: array<vec4<i32>, TOKENS>;
    var low: array<vec4<f32>, TOKENS>; // rows 0 to 3
    var high: array<vec4<f32>, TOKENS>; // rows 4 to 7
    for (var block = 0u; block < blocks; block++) {
        EACH_TOKEN(READ)
        EACH_TOKEN(CLEAR)
        COLUMNS(0u) COLUMNS(1u) COLUMNS(2u) COLUMNS(3u)
        COLUMNS(4u) COLUMNS(5u) COLUMNS(6u) COLUMNS(7u)
        let pairs = load_scales(block, row);
        let d_low = vec4<f32>(unpack2x16float(pairs.x), unpack2x16float(pairs.y));
        let d_high = vec4<f32>(unpack2x16float(pairs.z), unpack2x16float(pairs.w));
        EACH_TOKEN(SCALE)
    }
    if (global.x * 8u >= size.rows) {
        return;
    }
    EACH_TOKEN(STORE)
}
