//! C = A · B for row-major matrices, A of m × k, B of k × n, C of m × n; 16 × 16 elements of C for each invocation, subgroups of 8 or more.
//!
//! As matmul_unrolled.wgsl, but every invocation of a workgroup needs the same elements of A: 16 rows of four. Instead of loading them all,
//! each of eight neighbours loads eight of them, one for every two rows, and tells them to the others. So an invocation loads 8 elements of A
//! and 64 of B for 1,024 products. Rows and columns beyond the edge of C are computed from the last ones inside and not stored: nobody leaves
//! early, since the neighbours would ask in vain. n and k must be multiples of 4. A device with subgroups of less than 8 computes nonsense.
//! On llvmpipe it is the quickest of the products here; bench/matmul.py tells.
//! Source: K. Goto, R. van de Geijn, "Anatomy of High-Performance Matrix Multiplication", ACM TOMS 34 (2008); the WGSL specification,
//! section "Subgroup Built-in Functions".
//!
//! [matmul_subgroups]
//! dims     = "M N K"
//! where    = ["N % 4 == 0", "K % 4 == 0"]
//! shapes   = { a = "M K", b = "K N", c = "M N" }
//! params   = { size = { m = "M", n = "N", k = "K" } }
//! inputs   = { a = "normal(0, 1)", b = "normal(0, 1)" }
//! dispatch = "ceil(N / (16 * workgroup_size.x)), ceil(M / 16)"
//! expect   = { c = "a @ b" }
//! flops    = "2 * M * N * K"
//! cases    = ["M=64 N=128 K=64", "M=1 N=4 K=4", "M=33 N=132 K=20", "M=17 N=260 K=100", "M=49 N=272 K=8"]

enable subgroups;

const ROWS = 16u; // rows of C of one invocation
const VECTORS = 4u; // vectors in each of these rows, as many as a mat4x4 has columns
const NEIGHBOURS = 8u; // that share elements of A: two rows of four

struct Size {
    m: u32,
    n: u32,
    k: u32,
}

@group(0) @binding(0) var<uniform> size: Size;
@group(0) @binding(1) var<storage, read> a: array<f32>;
@group(0) @binding(2) var<storage, read> b: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read_write> c: array<vec4<f32>>;

// An element of A; the last row stands for those beyond it.
fn load_a(row: u32, k: u32) -> f32 {
    return a[min(row, size.m - 1u) * size.k + k];
}

// Sixteen neighbouring elements of a row of B; the last four of the row stand for those beyond it.
fn load_b(k: u32, vector: u32) -> mat4x4<f32> {
    let start = k * (size.n / 4u);
    let last = size.n / 4u - 1u;
    return mat4x4<f32>(
        b[start + min(vector, last)],
        b[start + min(vector + 1u, last)],
        b[start + min(vector + 2u, last)],
        b[start + min(vector + 3u, last)],
    );
}

fn store_row(row: u32, vector: u32, sums: mat4x4<f32>) {
    var values = sums;
    for (var v = 0u; v < VECTORS; v++) {
        if ((row < size.m) && (vector + v < size.n / 4u)) {
            c[row * (size.n / 4u) + vector + v] = values[v];
        }
    }
}

@compute @workgroup_size(NEIGHBOURS)
fn matmul_subgroups(@builtin(global_invocation_id) global: vec3<u32>, @builtin(subgroup_invocation_id) lane: u32) {
    let row = global.y * ROWS;
    let vector = global.x * VECTORS;
    // Of the elements that neighbours share, this invocation loads those of the first or the second row of two, in one column of four.
    let own_row = row + (lane % NEIGHBOURS) / 4u;
    let own_k = lane % 4u;

    var sums: array<mat4x4<f32>, ROWS>;
    for (var k = 0u; k < size.k; k += 4u) {
        let a0 = load_a(own_row, k + own_k); // and row 1
        let a2 = load_a(own_row + 2u, k + own_k); // and row 3
        let a4 = load_a(own_row + 4u, k + own_k); // and row 5
        let a6 = load_a(own_row + 6u, k + own_k); // and row 7
        let a8 = load_a(own_row + 8u, k + own_k); // and row 9
        let a10 = load_a(own_row + 10u, k + own_k); // and row 11
        let a12 = load_a(own_row + 12u, k + own_k); // and row 13
        let a14 = load_a(own_row + 14u, k + own_k); // and row 15
        let b0 = load_b(k, vector);
        let b1 = load_b(k + 1u, vector);
        let b2 = load_b(k + 2u, vector);
        let b3 = load_b(k + 3u, vector);
        sums[0] += subgroupBroadcast(a0, 0u) * b0 + subgroupBroadcast(a0, 1u) * b1
            + subgroupBroadcast(a0, 2u) * b2 + subgroupBroadcast(a0, 3u) * b3;
        sums[1] += subgroupBroadcast(a0, 4u) * b0 + subgroupBroadcast(a0, 5u) * b1
            + subgroupBroadcast(a0, 6u) * b2 + subgroupBroadcast(a0, 7u) * b3;
        sums[2] += subgroupBroadcast(a2, 0u) * b0 + subgroupBroadcast(a2, 1u) * b1
            + subgroupBroadcast(a2, 2u) * b2 + subgroupBroadcast(a2, 3u) * b3;
        sums[3] += subgroupBroadcast(a2, 4u) * b0 + subgroupBroadcast(a2, 5u) * b1
            + subgroupBroadcast(a2, 6u) * b2 + subgroupBroadcast(a2, 7u) * b3;
        sums[4] += subgroupBroadcast(a4, 0u) * b0 + subgroupBroadcast(a4, 1u) * b1
            + subgroupBroadcast(a4, 2u) * b2 + subgroupBroadcast(a4, 3u) * b3;
        sums[5] += subgroupBroadcast(a4, 4u) * b0 + subgroupBroadcast(a4, 5u) * b1
            + subgroupBroadcast(a4, 6u) * b2 + subgroupBroadcast(a4, 7u) * b3;
        sums[6] += subgroupBroadcast(a6, 0u) * b0 + subgroupBroadcast(a6, 1u) * b1
            + subgroupBroadcast(a6, 2u) * b2 + subgroupBroadcast(a6, 3u) * b3;
        sums[7] += subgroupBroadcast(a6, 4u) * b0 + subgroupBroadcast(a6, 5u) * b1
            + subgroupBroadcast(a6, 6u) * b2 + subgroupBroadcast(a6, 7u) * b3;
        sums[8] += subgroupBroadcast(a8, 0u) * b0 + subgroupBroadcast(a8, 1u) * b1
            + subgroupBroadcast(a8, 2u) * b2 + subgroupBroadcast(a8, 3u) * b3;
        sums[9] += subgroupBroadcast(a8, 4u) * b0 + subgroupBroadcast(a8, 5u) * b1
            + subgroupBroadcast(a8, 6u) * b2 + subgroupBroadcast(a8, 7u) * b3;
        sums[10] += subgroupBroadcast(a10, 0u) * b0 + subgroupBroadcast(a10, 1u) * b1
            + subgroupBroadcast(a10, 2u) * b2 + subgroupBroadcast(a10, 3u) * b3;
        sums[11] += subgroupBroadcast(a10, 4u) * b0 + subgroupBroadcast(a10, 5u) * b1
            + subgroupBroadcast(a10, 6u) * b2 + subgroupBroadcast(a10, 7u) * b3;
        sums[12] += subgroupBroadcast(a12, 0u) * b0 + subgroupBroadcast(a12, 1u) * b1
            + subgroupBroadcast(a12, 2u) * b2 + subgroupBroadcast(a12, 3u) * b3;
        sums[13] += subgroupBroadcast(a12, 4u) * b0 + subgroupBroadcast(a12, 5u) * b1
            + subgroupBroadcast(a12, 6u) * b2 + subgroupBroadcast(a12, 7u) * b3;
        sums[14] += subgroupBroadcast(a14, 0u) * b0 + subgroupBroadcast(a14, 1u) * b1
            + subgroupBroadcast(a14, 2u) * b2 + subgroupBroadcast(a14, 3u) * b3;
        sums[15] += subgroupBroadcast(a14, 4u) * b0 + subgroupBroadcast(a14, 5u) * b1
            + subgroupBroadcast(a14, 6u) * b2 + subgroupBroadcast(a14, 7u) * b3;
    }

    store_row(row, vector, sums[0]);
    store_row(row + 1u, vector, sums[1]);
    store_row(row + 2u, vector, sums[2]);
    store_row(row + 3u, vector, sums[3]);
    store_row(row + 4u, vector, sums[4]);
    store_row(row + 5u, vector, sums[5]);
    store_row(row + 6u, vector, sums[6]);
    store_row(row + 7u, vector, sums[7]);
    store_row(row + 8u, vector, sums[8]);
    store_row(row + 9u, vector, sums[9]);
    store_row(row + 10u, vector, sums[10]);
    store_row(row + 11u, vector, sums[11]);
    store_row(row + 12u, vector, sums[12]);
    store_row(row + 13u, vector, sums[13]);
    store_row(row + 14u, vector, sums[14]);
    store_row(row + 15u, vector, sums[15]);
}
