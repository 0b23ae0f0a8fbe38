//! GELU in its tanh form; the function comes from an included file.
//!
//! [gelu_all]
//! prepare  = [{ include = ["."] }]
//! dims     = "n"
//! shapes   = { x = "n", y = "n" }
//! dispatch = "ceil(n / 64)"
//! expect   = { y = "0.5 * x * (1 + tanh(0.7978845608028654 * (x + 0.044715 * x * x * x)))" }
//! cases    = ["n=64", "n=1", "n=1000"]
#include "activation.inc"
#include "activation.inc"

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;

@compute @workgroup_size(64)
fn gelu_all(@builtin(global_invocation_id) id: vec3<u32>) {
    if (id.x < arrayLength(&y)) {
        y[id.x] = gelu(x[id.x]);
    }
}
