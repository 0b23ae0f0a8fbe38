//! A loop whose exit is never reached, before the store.
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

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) global: vec3<u32>) {
    if (global.x >= arrayLength(&x)) {
        return;
    }
    var sum = x[global.x];
    var step = 0u;
    while (step < 10u) {
        sum += x[global.x];
        step -= min(step, 1u); // meant to go up
    }
    y[global.x] = sum;
}
