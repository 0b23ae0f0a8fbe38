//! C = A · B with A and B in half precision, two elements to a word, and C in f32; row-major, two columns of C for
//! each invocation.
//!
//! The optional feature shader-f16 is not needed: unpack2x16float is part of every WGSL and widens two neighbours of
//! a row at once, the lower half of the word first. A workgroup computes a tile of 16 × 32 elements of C and walks
//! along k in steps of 16. The tiles of A and B stay packed in workgroup memory, at half the size; only the sums are
//! f32, since f16 would lose a product of 1/2048 of the sum. n and k must be even, so that no word holds parts of two
//! rows.
//! Source: the tiling as in matmul.wgsl; P. Micikevicius et al., "Mixed Precision Training", ICLR 2018 (arXiv
//! 1710.03740), section 3.3, on accumulating half precision products in f32.
//!
//! [matmul_f16]
//! dims     = "M N K"
//! where    = ["N % 2 == 0", "K % 2 == 0"]
//! shapes   = { a = "M K", b = "K N", c = "M N" }      # in elements; the codec knows the words
//! codecs   = { a = "f16x2", b = "f16x2" }
//! params   = { size = { m = "M", n = "N", k = "K" } }
//! inputs   = { a = "normal(0, 1)", b = "normal(0, 1)" }
//! dispatch = "ceil(N / 32), ceil(M / 16)"
//! expect   = { c = "a @ b" }
//! flops    = "2 * M * N * K"
//! cases    = ["M=32 N=64 K=64", "M=1 N=2 K=2", "M=33 N=34 K=20", "M=17 N=30 K=100"]

const TILE = 16u; // rows of C, words of its columns, and steps along k
const PAIRS = TILE / 2u; // words that hold 16 steps along k

struct Size {
    m: u32,
    n: u32,
    k: u32,
}

@group(0) @binding(0) var<uniform> size: Size;
@group(0) @binding(1) var<storage, read> a: array<u32>;
@group(0) @binding(2) var<storage, read> b: array<u32>;
@group(0) @binding(3) var<storage, read_write> c: array<f32>;

var<workgroup> tile_a: array<array<u32, PAIRS>, TILE>; // row of C, pair of steps along k
var<workgroup> tile_b: array<array<u32, TILE>, TILE>; // step along k, pair of columns of C

@compute @workgroup_size(TILE, TILE)
fn matmul_f16(
    @builtin(global_invocation_id) global: vec3<u32>,
    @builtin(local_invocation_id) local: vec3<u32>,
) {
    let row = global.y;
    let word = global.x; // holds the columns 2 · word and 2 · word + 1
    let a_words = size.k / 2u; // in a row of A
    let b_words = size.n / 2u; // in a row of B

    var sums = vec2<f32>();
    for (var k = 0u; k < size.k; k += TILE) {
        // The word of each tile that this invocation loads; two zeros outside the matrix.
        if (local.x < PAIRS) {
            let a_word = k / 2u + local.x;
            var a_pair = 0u;
            if ((row < size.m) && (a_word < a_words)) {
                a_pair = a[row * a_words + a_word];
            }
            tile_a[local.y][local.x] = a_pair;
        }
        let b_row = k + local.y;
        var b_pair = 0u;
        if ((b_row < size.k) && (word < b_words)) {
            b_pair = b[b_row * b_words + word];
        }
        tile_b[local.y][local.x] = b_pair;
        workgroupBarrier(); // both tiles are complete

        for (var pair = 0u; pair < PAIRS; pair++) {
            let a_values = unpack2x16float(tile_a[local.y][pair]);
            sums += a_values.x * unpack2x16float(tile_b[2u * pair][local.x]);
            sums += a_values.y * unpack2x16float(tile_b[2u * pair + 1u][local.x]);
        }
        workgroupBarrier(); // nobody needs these tiles any more
    }

    if ((row < size.m) && (word < b_words)) {
        let place = row * size.n + 2u * word;
        c[place] = sums.x;
        c[place + 1u] = sums.y;
    }
}
