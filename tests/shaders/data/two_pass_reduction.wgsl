//! The sum of a vector in two passes: each workgroup adds up its share, then one workgroup adds up the shares.
//!
//! [two_pass_reduction]
//! dims    = "n"
//! let     = { groups = "ceil(n / 256)" }
//! where   = ["n <= 64 * 256"]
//! shapes  = { x = "n", result = "1" }
//! buffers = { partials = "f32 groups" }
//! expect  = { result = "sum(x, keepdims=True)" }
//! cases   = ["n=1", "n=256", "n=1000", "n=16384"]
//! derive  = false
//!
//! [[two_pass_reduction.passes]]
//! entry     = "add_shares"
//! dispatch  = "groups"
//! bind      = { sums = "partials" }
//! params    = { count = "n" }
//! overrides = { WIDTH = 256 }
//!
//! [[two_pass_reduction.passes]]
//! entry     = "add_sums"
//! dispatch  = 1
//! bind      = { sums = "partials" }
//! params    = { count = "groups" }
//! overrides = { WIDTH = 64 }

override WIDTH: u32;

@group(0) @binding(0) var<uniform> count: u32;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> sums: array<f32>;
@group(0) @binding(3) var<storage, read_write> result: array<f32>;

var<workgroup> shares: array<f32, WIDTH>;

fn add_up(lane: u32) {
    for (var width = WIDTH / 2u; width > 0u; width /= 2u) {
        workgroupBarrier();
        if (lane < width) {
            shares[lane] += shares[lane + width];
        }
    }
}

@compute @workgroup_size(WIDTH)
fn add_shares(
    @builtin(global_invocation_id) id: vec3<u32>,
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    shares[lane] = select(0.0, x[min(id.x, count - 1u)], id.x < count);
    add_up(lane);
    if (lane == 0u) {
        sums[group.x] = shares[0];
    }
}

@compute @workgroup_size(WIDTH)
fn add_sums(@builtin(local_invocation_index) lane: u32) {
    shares[lane] = select(0.0, sums[min(lane, count - 1u)], lane < count);
    add_up(lane);
    if (lane == 0u) {
        result[0] = shares[0];
    }
}
