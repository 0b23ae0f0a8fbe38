//! The gated activation of feed-forward layers, silu(gate) · up or gelu(gate) · up, as floats; one invocation for four columns.
//!
//! Source: N. Shazeer, "GLU Variants Improve Transformer", arXiv 2002.05202 (2020), section 2; D. Hendrycks, K. Gimpel, "Gaussian Error Linear
//! Units", arXiv 1606.08415.
//!
//! [float_gate]
//! prepare   = [{ define = {} }]
//! dims      = "tokens columns"
//! where     = ["tokens <= 65535", "columns % 4 == 0"]
//! shapes    = { gate_up = "tokens 2 columns", y = "tokens columns" }
//! params    = { size = { columns = "columns" } }
//! inputs    = { gate_up = "normal(0, 2)" }
//! dispatch  = "ceil(columns / 128), tokens"
//! expect    = { y = "silu(gate_up[:, 0]) * gate_up[:, 1]" }
//! cases     = ["tokens=1 columns=1536", "tokens=4 columns=1536", "tokens=3 columns=32", "tokens=2 columns=100"]
//! derive    = false
//!
//! [float_gate_gelu]
//! entry     = "float_gate"
//! prepare   = [{ define = {} }]
//! overrides = { gelu = 1 }
//! dims      = "tokens columns"
//! where     = ["tokens <= 65535", "columns % 4 == 0"]
//! shapes    = { gate_up = "tokens 2 columns", y = "tokens columns" }
//! params    = { size = { columns = "columns" } }
//! inputs    = { gate_up = "normal(0, 2)" }
//! dispatch  = "ceil(columns / 128), tokens"
//! define    = { g = "gate_up[:, 0]" }
//! expect    = { y = "g * sigmoid(2 * sqrt(2 / pi) * (g + 0.044715 * g * g * g)) * gate_up[:, 1]" }
//! cases     = ["tokens=1 columns=1536", "tokens=4 columns=1536", "tokens=3 columns=32", "tokens=2 columns=100"]
//! derive    = false

#include "activate.wgsl"

const WIDTH = 32u; // invocations in a workgroup

struct Size {
    columns: u32, // of the gate, and as many of up
}

@group(0) @binding(0) var<uniform> size: Size;
@group(0) @binding(1) var<storage, read> gate_up: array<vec4<f32>>; // per token: gate, up
@group(0) @binding(2) var<storage, read_write> y: array<vec4<f32>>;

@compute @workgroup_size(WIDTH)
fn float_gate(@builtin(global_invocation_id) global: vec3<u32>) {
    let vector = global.x; // of four columns
    let token = global.y;
    let vectors = size.columns / 4u;
    if (vector >= vectors) {
        return;
    }
    let gate = gate_up[token * vectors * 2u + vector];
    let up = gate_up[token * vectors * 2u + vectors + vector];
    y[token * vectors + vector] = vec4<f32>(activate(gate.x), activate(gate.y), activate(gate.z), activate(gate.w)) * up;
}
