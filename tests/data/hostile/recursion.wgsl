//! A function that calls itself, which WGSL forbids.
//!
//! [main]
//! dims     = "n"
//! shapes   = { x = "n", y = "n" }
//! dispatch = "ceil(n / 64)"
//! expect   = { y = "2 * x" }
//! cases    = ["n=64"]
//! derive   = false

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;

fn twice(value: f32, depth: u32) -> f32 {
    return twice(value, depth + 1u);
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) global: vec3<u32>) {
    if (global.x < arrayLength(&x)) {
        y[global.x] = twice(x[global.x], 0u);
    }
}
