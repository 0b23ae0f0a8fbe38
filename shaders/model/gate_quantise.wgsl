//! The gated activation of feed-forward layers, silu(gate) · up or gelu(gate) · up, quantised to signed bytes; one invocation for each block of 32.
//!
//! GELU is its tanh form. The exponential is that of exact_exp.wgsl, and of at most 0, so that nothing overflows.
//! Source: N. Shazeer, "GLU Variants Improve Transformer", arXiv 2002.05202 (2020), section 2; D. Hendrycks, K. Gimpel, "Gaussian Error Linear
//! Units", arXiv 1606.08415.
//!
//! [gate_quantise]
//! prepare   = [{ define = {} }]
//! dims      = "tokens blocks"
//! where     = ["tokens <= 65535"]
//! shapes    = { gate_up = "tokens 2 (32 * blocks)", bytes = "tokens blocks 8", scales = "tokens blocks 4" }
//! params    = { size = { columns = "32 * blocks" } }
//! inputs    = { gate_up = "normal(0, 2)" }
//! dispatch  = "ceil(blocks / workgroup_size.x), tokens"
//! reference = "reference.py:gate_quantise"
//! compare   = { bytes = "exact", scales = "exact" }
//! cases     = [
//!   "tokens=1 blocks=48",
//!   "tokens=4 blocks=48",
//!   "tokens=3 blocks=1",
//!   { name = "large", dims = { tokens = 2, blocks = 17 }, inputs = { gate_up = "normal(0, 100)" } },
//!   { name = "gelu", dims = { tokens = 2, blocks = 17 }, overrides = { gelu = "true" } },
//! ]
//! derive    = false

#include "quantise_block.wgsl"
#include "activate.wgsl"

const WIDTH = 16u; // invocations in a workgroup

struct Size {
    columns: u32, // of the gate, and as many of up
}

@group(0) @binding(0) var<uniform> size: Size;
@group(0) @binding(1) var<storage, read> gate_up: array<vec4<f32>>; // per token: gate, up
@group(0) @binding(2) var<storage, read_write> bytes: array<vec4<u32>>;
@group(0) @binding(3) var<storage, read_write> scales: array<vec4<f32>>;

@compute @workgroup_size(WIDTH)
fn gate_quantise(@builtin(global_invocation_id) global: vec3<u32>) {
    let block = global.x;
    let token = global.y;
    let blocks = size.columns / 32u;
    if (block >= blocks) {
        return;
    }
    let gate = token * blocks * 16u + block * 8u;
    let up = gate + blocks * 8u;
    var v: array<vec4<f32>, 8>;
    for (var i = 0u; i < 8u; i++) {
        let g = gate_up[gate + i];
        v[i] = vec4<f32>(activate(g.x), activate(g.y), activate(g.z), activate(g.w)) * gate_up[up + i];
    }
    let made = quantise_block(v);
    let place = token * blocks + block;
    bytes[place * 2u] = made.low;
    bytes[place * 2u + 1u] = made.high;
    scales[place] = made.scales;
}
