//! Small buffers, and an expected value that needs 320 GB on the way.
//!
//! [main]
//! dims     = "n"
//! shapes   = { x = "n", y = "n" }
//! dispatch = "ceil(n / 64)"
//! expect   = { y = "2 * x + 0 * sum(x[:, None] * x[None, :], axis=0)" }
//! cases    = ["n=200000"]
//! derive   = false

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) global: vec3<u32>) {
    if (global.x < arrayLength(&x)) {
        y[global.x] = 2.0 * x[global.x];
    }
}
