//! C = A · B for row-major matrices, A of m × k, B of k × n, C of m × n; 4 × 16 elements of C for each invocation.
//!
//! The 64 sums of an invocation stay in registers, 16 columns of each row as a mat4x4: four vectors of four. For each
//! step along k it loads 4 elements of A and 16 of B and makes 64 products of them: 3.2 for each element loaded, where
//! matmul.wgsl makes half a one from its tiles. It needs no workgroup memory and no barriers. Rows and columns beyond
//! the edge of C are computed from the last ones inside and not stored. n must be a multiple of 4: rows of B and C
//! are whole vectors.
//! Source: V. Volkov, J. Demmel, "Benchmarking GPUs to Tune Dense Linear Algebra", SC 2008 (sums in registers); K.
//! Goto, R. van de Geijn, "Anatomy of High-Performance Matrix Multiplication", ACM TOMS 34 (2008).
//!
//! [matmul_registers]
//! dims     = "M N K"
//! where    = ["N % 4 == 0"]
//! shapes   = { a = "M K", b = "K N", c = "M N" }
//! params   = { size = { m = "M", n = "N", k = "K" } }
//! inputs   = { a = "normal(0, 1)", b = "normal(0, 1)" }
//! dispatch = "ceil(N / (16 * workgroup_size.x)), ceil(M / (4 * workgroup_size.y))"
//! expect   = { c = "a @ b" }
//! flops    = "2 * M * N * K"
//! cases    = ["M=64 N=128 K=64", "M=1 N=4 K=1", "M=33 N=132 K=20", "M=5 N=260 K=100"]

const ROWS = 4u; // rows of C of one invocation
const VECTORS = 4u; // vectors in each of these rows, as many as a mat4x4 has columns

struct Size {
    m: u32,
    n: u32,
    k: u32,
}

@group(0) @binding(0) var<uniform> size: Size;
@group(0) @binding(1) var<storage, read> a: array<f32>;
@group(0) @binding(2) var<storage, read> b: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read_write> c: array<vec4<f32>>;

@compute @workgroup_size(8, 8)
fn matmul_registers(@builtin(global_invocation_id) global: vec3<u32>) {
    let row = global.y * ROWS;
    let vector = global.x * VECTORS;
    let row_vectors = size.n / 4u;
    let last = row_vectors - 1u;

    var sums: array<mat4x4<f32>, ROWS>;
    for (var k = 0u; k < size.k; k++) {
        let start = k * row_vectors;
        let b_values = mat4x4<f32>(
            b[start + min(vector, last)],
            b[start + min(vector + 1u, last)],
            b[start + min(vector + 2u, last)],
            b[start + min(vector + 3u, last)],
        );
        for (var r = 0u; r < ROWS; r++) {
            sums[r] += a[min(row + r, size.m - 1u) * size.k + k] * b_values;
        }
    }

    for (var r = 0u; r < ROWS; r++) {
        for (var v = 0u; v < VECTORS; v++) {
            if ((row + r < size.m) && (vector + v < row_vectors)) {
                c[(row + r) * row_vectors + vector + v] = sums[r][v];
            }
        }
    }
}
