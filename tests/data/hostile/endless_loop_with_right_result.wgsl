//! A loop whose exit is never reached, after the store.
//!
//! [main]
//! dims     = "n"
//! shapes   = { x = "n", y = "n" }
//! dispatch = "ceil(n / 64)"
//! expect   = { y = "2 * x" }
//! cases    = ["n=64", "n=65", "n=130"]
//! derive   = false

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) global: vec3<u32>) {
    var i = global.x;
    while (i < arrayLength(&x)) {
        y[i] = 2.0 * x[i];
        i += 0u * arrayLength(&x); // meant to be a stride
    }
}
