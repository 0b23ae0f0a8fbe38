//! RMS norm of rows, quantised to signed bytes in blocks of 32; one workgroup for each row.
//!
//! y = x / √(mean(x²) + ε) · weight, then as in quantise_block.wgsl. The squares are added by 32 invocations and their sums by each of them in the
//! same order; the root is made of products and differences. So every device that rounds as IEEE 754 says gives the same bits.
//! Source: B. Zhang, R. Sennrich, "Root Mean Square Layer Normalization", arXiv 1910.07467; `ggml_compute_forward_rms_norm`, ops.cpp,
//! github.com/ggml-org/llama.cpp.
//!
//! [norm_quantise]
//! prepare   = [{ define = {} }]
//! dims      = "tokens blocks"
//! where     = ["tokens <= 65535"]
//! shapes    = { x = "tokens (32 * blocks)", weight = "(32 * blocks)", bytes = "tokens blocks 8", scales = "tokens blocks 4" }
//! params    = { size = { columns = "32 * blocks", epsilon = 1e-5 } }
//! dispatch  = "tokens"
//! reference = "reference.py:norm_quantise"
//! compare   = { bytes = "exact", scales = "exact" }
//! cases     = [
//!   "tokens=1 blocks=18",
//!   "tokens=4 blocks=18",
//!   "tokens=3 blocks=1",
//!   "tokens=2 blocks=67",
//!   { name = "small", dims = { tokens = 2, blocks = 18 }, inputs = { x = "normal(0, 0.001)" } },
//!   { name = "epsilon", dims = { tokens = 2, blocks = 2 }, inputs = { x = "normal(0, 0.001)" }, params = { size = { epsilon = 1e-6 } } },
//! ]
//! derive    = false

#include "quantise_block.wgsl"
#include "exact_rsqrt.wgsl"

const WIDTH = 32u; // invocations in a workgroup

struct Size {
    columns: u32,
    epsilon: f32,
}

@group(0) @binding(0) var<uniform> size: Size;
@group(0) @binding(1) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> weight: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read_write> bytes: array<vec4<u32>>;
@group(0) @binding(4) var<storage, read_write> scales: array<vec4<f32>>;

var<workgroup> sums: array<f32, WIDTH>;

@compute @workgroup_size(WIDTH)
fn norm_quantise(@builtin(workgroup_id) token: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
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

    let blocks = size.columns / 32u;
    for (var block = lane; block < blocks; block += WIDTH) {
        var v: array<vec4<f32>, 8>;
        for (var i = 0u; i < 8u; i++) {
            v[i] = (x[start + block * 8u + i] * factor) * weight[block * 8u + i];
        }
        let made = quantise_block(v);
        let place = token.x * blocks + block;
        bytes[place * 2u] = made.low;
        bytes[place * 2u + 1u] = made.high;
        scales[place] = made.scales;
    }
}
