//! A size with a billion binary digits.
//!
//! [main]
//! dims     = "n"
//! let      = { m = "1 << 1000000000" }
//! shapes   = { x = "n", y = "n" }
//! dispatch = "m"
//! expect   = { y = "2 * x" }
//! cases    = ["n=64"]
//! derive   = false

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) global: vec3<u32>) {
    if (global.x < arrayLength(&x)) {
        y[global.x] = 2.0 * x[global.x];
    }
}
