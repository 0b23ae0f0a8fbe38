//! A weighted mean of neighbours, repeated with another distance each time, which the kernel gets as immediate data.
//!
//! [stencil_immediate]
//! dims    = "n"
//! shapes  = { x = "n" }
//! buffers = { other = "f32 n" }
//! inputs  = { x = "normal(0, 1)" }
//! define  = { once = "x / 2 + (roll(x, 1) + roll(x, -1)) / 4" }
//! expect  = { x = "once / 2 + (roll(once, 2) + roll(once, -2)) / 4" }
//! cases   = ["n=5", "n=64", "n=200"]
//! derive  = false
//!
//! [[stencil_immediate.passes]]
//! entry    = "smoothen"
//! repeat   = 2
//! index    = "i"
//! dispatch = "ceil(n / 64)"
//! params   = { step = { apart = "2 ** i", weight = 0.25 } }
//! bind     = { before = ["x", "other"], after = ["other", "x"] }

struct Step { apart: u32, weight: f32 }

var<immediate> step: Step;
@group(0) @binding(0) var<storage, read> before: array<f32>;
@group(0) @binding(1) var<storage, read_write> after: array<f32>;

@compute @workgroup_size(64)
fn smoothen(@builtin(global_invocation_id) id: vec3<u32>) {
    let n = arrayLength(&before);
    if (id.x >= n) {
        return;
    }
    let left = before[(id.x + n - step.apart) % n];
    let right = before[(id.x + step.apart) % n];
    after[id.x] = before[id.x] * (1.0 - 2.0 * step.weight) + (left + right) * step.weight;
}
