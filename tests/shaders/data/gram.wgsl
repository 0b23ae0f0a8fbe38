//! The products of all pairs of rows, by a kernel for A · Bᵀ that gets one buffer under two names: two variables that only read may
//! share it.
//!
//! [gram]
//! entry    = "times_transposed"
//! dims     = "rows columns"
//! shapes   = { x = "rows columns", products = "rows rows" }
//! params   = { columns_ = "columns" }
//! bind     = { a = "x", b = "x", c = "products" }
//! dispatch = "ceil(rows / 8), ceil(rows / 8)"
//! expect   = { products = "x @ transpose(x)" }
//! cases    = ["rows=1 columns=7", "rows=8 columns=16", "rows=33 columns=5"]
//! derive   = false

@group(0) @binding(0) var<uniform> columns_: u32;
@group(0) @binding(1) var<storage, read> a: array<f32>;
@group(0) @binding(2) var<storage, read> b: array<f32>;
@group(0) @binding(3) var<storage, read_write> c: array<f32>;

@compute @workgroup_size(8, 8)
fn times_transposed(@builtin(global_invocation_id) id: vec3<u32>) {
    let rows = arrayLength(&a) / columns_;
    let others = arrayLength(&b) / columns_;
    if (id.x >= others || id.y >= rows) {
        return;
    }
    var sum = 0.0;
    for (var k = 0u; k < columns_; k++) {
        sum += a[id.y * columns_ + k] * b[id.x * columns_ + k];
    }
    c[id.y * others + id.x] = sum;
}
