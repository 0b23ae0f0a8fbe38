//! y = W · x with W in ggml's Q8_0 format, eight and a half bits for each weight; one workgroup for each row of W.
//!
//! A row is a list of blocks of 32 weights, and a block is 34 bytes: a scale d of type f16, then 32 signed bytes q. A
//! weight is d · q. WGSL reads storage in words of four bytes, and 34 is not a multiple of four: blocks of even
//! number start at a word, blocks of odd number in the middle of one. So the kernel reads 16 bits at a time, two
//! weights. Each invocation takes every 64th block of the row; the 64 sums are then folded as a tree in workgroup
//! memory.
//! Source: `block_q8_0` in ggml-common.h and `dequantize_row_q8_0` in ggml-quants.c, github.com/ggml-org/ggml.
//!
//! [q8_0_matvec]
//! dims     = "rows columns"
//! where    = ["columns % 32 == 0", "rows <= 65535"]
//! shapes   = { w = "rows columns", x = "columns", y = "rows" }    # in weights; the codec knows the bytes
//! codecs   = { w = "q8_0" }
//! params   = { size = { rows = "rows", columns = "columns" } }
//! inputs   = { w = "normal(0, 1)", x = "normal(0, 1)" }
//! dispatch = "rows"
//! expect   = { y = "w @ x" }
//! flops    = "2 * rows * columns"
//! cases    = ["rows=8 columns=32", "rows=1 columns=32", "rows=5 columns=96", "rows=17 columns=4096"]

const WIDTH = 64u; // invocations in a workgroup, a power of two
const BLOCK_WEIGHTS = 32u;
const BLOCK_BYTES = 34u;

struct Size {
    rows: u32,
    columns: u32,
}

@group(0) @binding(0) var<uniform> size: Size;
@group(0) @binding(1) var<storage, read> w: array<u32>;
@group(0) @binding(2) var<storage, read> x: array<f32>;
@group(0) @binding(3) var<storage, read_write> y: array<f32>;

var<workgroup> sums: array<f32, WIDTH>;

// The 16 bits of `w` that start at byte `offset`, an even number.
fn half_word(offset: u32) -> u32 {
    return (w[offset / 4u] >> (8u * (offset % 4u))) & 0xffffu;
}

// The two lowest bytes of `bits` as signed numbers: each is moved to the top, and back with its sign.
fn signed_bytes(bits: u32) -> vec2<f32> {
    return vec2<f32>(vec2(i32(bits << 24u), i32(bits << 16u)) >> vec2(24u));
}

// The dot product of one block of `w`, by its number in the matrix, with 32 elements of `x` from `first` on.
fn block_dot(block: u32, first: u32) -> f32 {
    let offset = block * BLOCK_BYTES;
    let scale = unpack2x16float(half_word(offset)).x;

    var sum = 0.0;
    for (var j = 0u; j < BLOCK_WEIGHTS; j += 2u) {
        let weights = signed_bytes(half_word(offset + 2u + j));
        sum += dot(weights, vec2(x[first + j], x[first + j + 1u]));
    }
    return scale * sum;
}

@compute @workgroup_size(WIDTH)
fn q8_0_matvec(
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let row = workgroup.x;
    let blocks = size.columns / BLOCK_WEIGHTS;

    var sum = 0.0;
    for (var i = lane; i < blocks; i += WIDTH) {
        sum += block_dot(row * blocks + i, i * BLOCK_WEIGHTS);
    }

    sums[lane] = sum;
    for (var live = WIDTH / 2u; live > 0u; live /= 2u) {
        workgroupBarrier();
        if (lane < live) {
            sums[lane] += sums[lane + live];
        }
    }
    if (lane == 0u) {
        y[row] = sums[0];
    }
}
