//! C = A · B for row-major matrices, A of m × k, B of k × n, C of m × n; 12 × 16 elements of C for each invocation.
//!
//! As matmul_registers.wgsl, with three times as many sums and with elements of A loaded four at a time: for each four
//! steps along k an invocation loads 12 vectors of A and 16 of B and makes 768 products of them, 6.9 for each element
//! loaded. The rows are written out instead of looped over, so that every sum has a name of its own that a compiler
//! can keep in a register: a loop that a compiler does not unroll would index the sums in memory. Rows and columns
//! beyond the edge of C are computed from the last ones inside and not stored. n and k must be multiples of 4: rows of
//! A, B and C are whole vectors. On software adapters it is the quickest of the products here without subgroups; bench/matmul.py
//! tells.
//! Source: K. Goto, R. van de Geijn, "Anatomy of High-Performance Matrix Multiplication", ACM TOMS 34 (2008).
//!
//! [matmul_unrolled]
//! dims     = "M N K"
//! where    = ["N % 4 == 0", "K % 4 == 0"]
//! shapes   = { a = "M K", b = "K N", c = "M N" }
//! params   = { size = { m = "M", n = "N", k = "K" } }
//! inputs   = { a = "normal(0, 1)", b = "normal(0, 1)" }
//! dispatch = "ceil(N / (16 * workgroup_size.x)), ceil(M / (12 * workgroup_size.y))"
//! expect   = { c = "a @ b" }
//! flops    = "2 * M * N * K"
//! cases    = ["M=64 N=128 K=64", "M=1 N=4 K=4", "M=33 N=132 K=20", "M=13 N=260 K=100", "M=49 N=272 K=8"]

const ROWS = 12u; // rows of C of one invocation
const VECTORS = 4u; // vectors in each of these rows, as many as a mat4x4 has columns

struct Size {
    m: u32,
    n: u32,
    k: u32,
}

@group(0) @binding(0) var<uniform> size: Size;
@group(0) @binding(1) var<storage, read> a: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> b: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read_write> c: array<vec4<f32>>;

// Four neighbouring elements of a row of A, or of the last row.
fn load_a(row: u32, step: u32) -> vec4<f32> {
    return a[min(row, size.m - 1u) * (size.k / 4u) + step];
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

@compute @workgroup_size(16, 4)
fn matmul_unrolled(@builtin(global_invocation_id) global: vec3<u32>) {
    let row = global.y * ROWS;
    let vector = global.x * VECTORS;

    var sums: array<mat4x4<f32>, ROWS>;
    for (var step = 0u; step < size.k / 4u; step++) {
        let a0 = load_a(row, step);
        let a1 = load_a(row + 1u, step);
        let a2 = load_a(row + 2u, step);
        let a3 = load_a(row + 3u, step);
        let a4 = load_a(row + 4u, step);
        let a5 = load_a(row + 5u, step);
        let a6 = load_a(row + 6u, step);
        let a7 = load_a(row + 7u, step);
        let a8 = load_a(row + 8u, step);
        let a9 = load_a(row + 9u, step);
        let a10 = load_a(row + 10u, step);
        let a11 = load_a(row + 11u, step);
        let b0 = load_b(4u * step, vector);
        let b1 = load_b(4u * step + 1u, vector);
        let b2 = load_b(4u * step + 2u, vector);
        let b3 = load_b(4u * step + 3u, vector);
        sums[0] += a0.x * b0 + a0.y * b1 + a0.z * b2 + a0.w * b3;
        sums[1] += a1.x * b0 + a1.y * b1 + a1.z * b2 + a1.w * b3;
        sums[2] += a2.x * b0 + a2.y * b1 + a2.z * b2 + a2.w * b3;
        sums[3] += a3.x * b0 + a3.y * b1 + a3.z * b2 + a3.w * b3;
        sums[4] += a4.x * b0 + a4.y * b1 + a4.z * b2 + a4.w * b3;
        sums[5] += a5.x * b0 + a5.y * b1 + a5.z * b2 + a5.w * b3;
        sums[6] += a6.x * b0 + a6.y * b1 + a6.z * b2 + a6.w * b3;
        sums[7] += a7.x * b0 + a7.y * b1 + a7.z * b2 + a7.w * b3;
        sums[8] += a8.x * b0 + a8.y * b1 + a8.z * b2 + a8.w * b3;
        sums[9] += a9.x * b0 + a9.y * b1 + a9.z * b2 + a9.w * b3;
        sums[10] += a10.x * b0 + a10.y * b1 + a10.z * b2 + a10.w * b3;
        sums[11] += a11.x * b0 + a11.y * b1 + a11.z * b2 + a11.w * b3;
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
}
