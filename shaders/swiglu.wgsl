//! SwiGLU: y = silu(gate) · up, the gated activation of Llama's feed-forward layers; one invocation for each element.
//!
//! silu(x) = x / (1 + exp(-x)). Written so, exp overflows for x below -88, and WGSL does not say what an infinite
//! value does then. So the exponential is taken of -|x|, which is never above one: sigmoid(x) is 1 / (1 + exp(-|x|))
//! for positive x, and exp(-|x|) / (1 + exp(-|x|)) for negative x.
//! Source: N. Shazeer, "GLU Variants Improve Transformer", arXiv 2002.05202 (2020), section 2; the element's formula
//! as GGML_GLU_OP_SWIGLU in glu.wgsl, github.com/ggml-org/llama.cpp, ggml/src/ggml-webgpu/wgsl-shaders.
//!
//! [swiglu]
//! dims     = "n"
//! where    = ["n <= 256 * 65535"]                     # a dispatch has no more workgroups in one direction
//! shapes   = { gate = "n", up = "n", y = "n" }
//! inputs   = { gate = "normal(0, 2)", up = "normal(0, 1)" }
//! dispatch = "ceil(n / 256)"
//! expect   = { y = "silu(gate) * up" }
//! cases    = [
//!   "n=1024",
//!   "n=1",
//!   "n=257",
//!   "n=5000",
//!   { name = "large values", dims = { n = 300 }, inputs = { gate = "normal(0, 100)" } },
//! ]

const WIDTH = 256u; // invocations in a workgroup

@group(0) @binding(0) var<storage, read> gate: array<f32>;
@group(0) @binding(1) var<storage, read> up: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;

fn sigmoid(x: f32) -> f32 {
    let small = exp(-abs(x));
    return select(small, 1.0, x >= 0.0) / (1.0 + small);
}

@compute @workgroup_size(WIDTH)
fn swiglu(@builtin(global_invocation_id) global: vec3<u32>) {
    let i = global.x;
    if (i < arrayLength(&y)) {
        y[i] = gate[i] * sigmoid(gate[i]) * up[i];
    }
}
