//! RMS norm of rows, as floats; one workgroup for each row.
//!
//! y = x / √(mean(x²) + ε) · weight, or y plus that with ADD, as models do that normalise what a layer gives before they add it. The squares are added
//! as in norm_quantise.wgsl, so that a row has the same factor in both.
//! Source: B. Zhang, R. Sennrich, "Root Mean Square Layer Normalization", arXiv 1910.07467; `ggml_compute_forward_rms_norm`, ops.cpp,
//! github.com/ggml-org/llama.cpp.
//!
//! [float_norm]
//! prepare   = [{ define = {} }]
//! dims      = "tokens columns"
//! where     = ["tokens <= 65535", "columns % 4 == 0"]
//! shapes    = { x = "tokens columns", weight = "columns", y = "tokens columns" }
//! params    = { size = { columns = "columns", epsilon = 1e-5 } }
//! dispatch  = "tokens"
//! expect    = { y = "x * inverse_sqrt(mean(x * x, axis=1, keepdims=True) + size.epsilon) * weight" }
//! cases     = ["tokens=1 columns=576", "tokens=4 columns=576", "tokens=3 columns=32", "tokens=2 columns=2144"]
//! derive    = false
//!
//! [float_norm_add]
//! entry     = "float_norm"
//! prepare   = [{ define = { ADD = 1 } }]
//! dims      = "tokens columns"
//! where     = ["tokens <= 65535", "columns % 4 == 0"]
//! shapes    = { x = "tokens columns", weight = "columns", y = "tokens columns" }
//! params    = { size = { columns = "columns", epsilon = 1e-5 } }
//! dispatch  = "tokens"
//! expect    = { y = "y + x * inverse_sqrt(mean(x * x, axis=1, keepdims=True) + size.epsilon) * weight" }
//! cases     = ["tokens=1 columns=576", "tokens=4 columns=1152", "tokens=3 columns=32", "tokens=2 columns=2144"]
//! derive    = false

#include "exact_rsqrt.wgsl"

const WIDTH = 32u; // invocations in a workgroup

struct Size {
    columns: u32,
    epsilon: f32,
}

@group(0) @binding(0) var<uniform> size: Size;
@group(0) @binding(1) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> weight: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read_write> y: array<vec4<f32>>;

var<workgroup> sums: array<f32, WIDTH>;

@compute @workgroup_size(WIDTH)
fn float_norm(@builtin(workgroup_id) token: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let vectors = size.columns / 4u;
    let start = token.x * vectors;
    var squares = vec4<f32>();
    for (var i = lane; i < vectors; i += WIDTH) {
        let v = x[start + i];
        squares += v * v;
    }
    sums[lane] = (squares.x + squares.y) + (squares.z + squares.w);
    workgroupBarrier();
    var sum = 0.0;
    for (var i = 0u; i < WIDTH; i++) {
        sum += sums[i];
    }
    let factor = exact_rsqrt(sum / f32(size.columns) + size.epsilon);
    for (var i = lane; i < vectors; i += WIDTH) {
        let normed = (x[start + i] * factor) * weight[i];
#ifdef ADD
        y[start + i] += normed;
#else
        y[start + i] = normed;
#endif
    }
}
