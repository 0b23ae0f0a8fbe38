//! Text of another file, from outside the workspace, is to be put in front of the shader.
//!
//! [main]
//! dims     = "n"
//! prepare  = [{ include = "../outside.wgsl" }]
//! shapes   = { x = "n", y = "n" }
//! dispatch = "ceil(n / 64)"
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
