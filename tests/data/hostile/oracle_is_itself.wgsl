//! A kernel that would be its own judge.
//!
//! [double]
//! dims     = "n"
//! shapes   = { x = "n", y = "n" }
//! dispatch = "ceil(n / 64)"
//! oracle   = "oracle_is_itself.wgsl:double"
//! cases    = ["n=64", "n=65", "n=100"]
//! derive   = false

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;

@compute @workgroup_size(64)
fn double(@builtin(global_invocation_id) global: vec3<u32>) {
    if (global.x < arrayLength(&x)) {
        y[global.x] = 2.0 * x[global.x];
    }
}
