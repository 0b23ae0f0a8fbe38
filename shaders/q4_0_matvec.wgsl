//! y = W · x with W in ggml's Q4_0 format, four and a half bits for each weight; one workgroup for each row of W.
//!
//! A row is a list of blocks of 32 weights, and a block is 18 bytes: a scale d of type f16, then 16 bytes of which
//! byte j holds weight j in its low nibble and weight j + 16 in its high nibble. A weight is d · (nibble - 8).
//! WGSL reads storage in words of four bytes, and 18 is not a multiple of four: blocks of even number start at a
//! word, blocks of odd number in the middle of one. Each invocation takes every 64th block of the row; the 64 sums
//! are then folded as a tree in workgroup memory.
//! Source: `block_q4_0` in ggml-common.h and `dequantize_row_q4_0` in ggml-quants.c, github.com/ggml-org/ggml.
//!
//! [q4_0_matvec]
//! dims     = "rows columns"
//! where    = ["columns % 32 == 0", "rows <= 65535"]
//! shapes   = { w = "rows columns", x = "columns", y = "rows" }    # in weights; the codec knows the bytes
//! codecs   = { w = "q4_0" }
//! params   = { size = { rows = "rows", columns = "columns" } }
//! inputs   = { w = "normal(0, 1)", x = "normal(0, 1)" }
//! dispatch = "rows"
//! expect   = { y = "w @ x" }
//! flops    = "2 * rows * columns"
//! cases    = ["rows=8 columns=32", "rows=1 columns=32", "rows=5 columns=96", "rows=33 columns=4096"]

const WIDTH = 64u; // invocations in a workgroup, a power of two
const BLOCK_WEIGHTS = 32u;
const BLOCK_BYTES = 18u;

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

// The dot product of one block of `w`, by its number in the matrix, with 32 elements of `x` from `first` on.
fn block_dot(block: u32, first: u32) -> f32 {
    let offset = block * BLOCK_BYTES;
    let scale = unpack2x16float(half_word(offset)).x;

    var sum = 0.0;
    for (var pair = 0u; pair < 8u; pair++) {
        // Two bytes, four weights: j and j + 1 in the low nibbles, j + 16 and j + 17 in the high ones.
        let bits = half_word(offset + 2u + 2u * pair);
        let j = first + 2u * pair;
        sum += (f32(bits & 15u) - 8.0) * x[j];
        sum += (f32((bits >> 4u) & 15u) - 8.0) * x[j + 16u];
        sum += (f32((bits >> 8u) & 15u) - 8.0) * x[j + 1u];
        sum += (f32((bits >> 12u) & 15u) - 8.0) * x[j + 17u];
    }
    return scale * sum;
}

@compute @workgroup_size(WIDTH)
fn q4_0_matvec(
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
