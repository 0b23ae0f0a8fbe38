//! C = A · B for row-major matrices, A of m × k, B of k × n, C of m × n; one invocation for each element of C.
//!
//! A workgroup computes a 16 × 16 tile of C. It walks along k in steps of 16: all invocations together load one tile
//! of A and one of B into workgroup memory, then each adds 16 products to its own sum. So every element of A and B is
//! read from storage once for every 16 times that it is used. Sizes need not be multiples of 16: what lies outside
//! the matrices is loaded as zero and not stored.
//! Source: "CUDA C++ Programming Guide", NVIDIA, section "Shared Memory" (the tiled matrix multiplication).
//!
//! [matmul]
//! dims     = "M N K"
//! shapes   = { a = "M K", b = "K N", c = "M N" }
//! params   = { size = { m = "M", n = "N", k = "K" } }
//! inputs   = { a = "normal(0, 1)", b = "normal(0, 1)" }
//! dispatch = "ceil(N / 16), ceil(M / 16)"
//! expect   = { c = "a @ b" }
//! flops    = "2 * M * N * K"
//! cases    = ["M=64 N=64 K=64", "M=1 N=1 K=1", "M=65 N=33 K=20", "M=17 N=48 K=100"]

const TILE = 16u;

struct Size {
    m: u32,
    n: u32,
    k: u32,
}

@group(0) @binding(0) var<uniform> size: Size;
@group(0) @binding(1) var<storage, read> a: array<f32>;
@group(0) @binding(2) var<storage, read> b: array<f32>;
@group(0) @binding(3) var<storage, read_write> c: array<f32>;

var<workgroup> tile_a: array<array<f32, TILE>, TILE>;
var<workgroup> tile_b: array<array<f32, TILE>, TILE>;

@compute @workgroup_size(TILE, TILE)
fn matmul(
    @builtin(global_invocation_id) global: vec3<u32>,
    @builtin(local_invocation_id) local: vec3<u32>,
) {
    let row = global.y;
    let col = global.x;
    let tiles = (size.k + TILE - 1u) / TILE;

    var sum = 0.0;
    for (var t = 0u; t < tiles; t++) {
        // The element of each tile that this invocation loads.
        let a_col = t * TILE + local.x;
        let b_row = t * TILE + local.y;

        var a_value = 0.0;
        if ((row < size.m) && (a_col < size.k)) {
            a_value = a[row * size.k + a_col];
        }
        var b_value = 0.0;
        if ((b_row < size.k) && (col < size.n)) {
            b_value = b[b_row * size.n + col];
        }
        tile_a[local.y][local.x] = a_value;
        tile_b[local.y][local.x] = b_value;
        workgroupBarrier(); // both tiles are complete

        for (var i = 0u; i < TILE; i++) {
            sum += tile_a[local.y][i] * tile_b[i][local.x];
        }
        workgroupBarrier(); // nobody needs these tiles any more
    }

    if ((row < size.m) && (col < size.n)) {
        c[row * size.n + col] = sum;
    }
}
