//! GELU by its tanh formula: y = x / 2 · (1 + tanh(√(2 / π) · (x + 0.044715 x³))); one invocation for each element.
//!
//! The exact GELU is x · Φ(x) with the normal distribution's Φ. This formula differs from it by up to 5e-4 and is a
//! function of its own: GPT-2's weights and those of many others are trained for it, so neither may stand for the
//! other. tanh is held within ±10, where it is ±1 in f32: many drivers compute it as a quotient of exponentials,
//! which overflow and leave NaN.
//! Source: D. Hendrycks, K. Gimpel, "Gaussian Error Linear Units (GELUs)", arXiv 1606.08415 (2016), section 2;
//! `ggml_gelu_f32`, vec.h, github.com/ggml-org/ggml.
//!
//! [gelu]
//! dims     = "n"
//! where    = ["n <= 256 * 65535"]                     # a dispatch has no more workgroups in one direction
//! shapes   = { x = "n", y = "n" }
//! inputs   = { x = "normal(0, 2)" }
//! dispatch = "ceil(n / 256)"
//! define   = { inner = "sqrt(2 / pi) * (x + 0.044715 * x * x * x)" }
//! expect   = { y = "0.5 * x * (1 + tanh(inner))" }
//! cases    = [
//!   "n=1024",
//!   "n=1",
//!   "n=257",
//!   "n=5000",
//!   { name = "large values", dims = { n = 300 }, inputs = { x = "normal(0, 100)" } },
//! ]

const WIDTH = 256u; // invocations in a workgroup
const SQRT_2_OVER_PI = 0.7978845608028654;
const CUBIC = 0.044715;

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;

@compute @workgroup_size(WIDTH)
fn gelu(@builtin(global_invocation_id) global: vec3<u32>) {
    let i = global.x;
    if (i < arrayLength(&x)) {
        let value = x[i];
        let inner = SQRT_2_OVER_PI * (value + CUBIC * value * value * value);
        y[i] = 0.5 * value * (1.0 + tanh(clamp(inner, -10.0, 10.0)));
    }
}
