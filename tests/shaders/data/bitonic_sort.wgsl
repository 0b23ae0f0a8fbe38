//! Bitonic sort in place (K. E. Batcher, Sorting networks and their applications, 1968): runs of 2, 4, 8, … elements are merged,
//! and merging a run of 2^(i+1) takes i + 1 steps.
//!
//! [bitonic_sort]
//! dims   = "n"
//! where  = ["is_power_of_two(n)", "n >= 2"]
//! shapes = { keys = "n" }
//! inputs = { keys = "normal(0, 10)" }
//! expect = { keys = "sort(keys)" }
//! cases  = ["n=2", "n=4", "n=64", "n=512"]
//! derive = false
//!
//! [[bitonic_sort.passes]]
//! repeat = "log2(n)"
//! index  = "i"
//!
//! [[bitonic_sort.passes.passes]]
//! entry    = "exchange"
//! repeat   = "i + 1"
//! index    = "j"
//! dispatch = "ceil(n / 128)"
//! params   = { step = { run = "2 ** (i + 1)", apart = "2 ** (i - j)" } }

struct Step { run: u32, apart: u32 }

@group(0) @binding(0) var<uniform> step: Step;
@group(0) @binding(1) var<storage, read_write> keys: array<f32>;

@compute @workgroup_size(64)
fn exchange(@builtin(global_invocation_id) id: vec3<u32>) {
    let low = id.x / step.apart * step.apart * 2u + id.x % step.apart;
    let high = low + step.apart;
    if (high >= arrayLength(&keys)) {
        return;
    }
    let ascending = (low & step.run) == 0u;
    let first = keys[low];
    let second = keys[high];
    if ((first > second) == ascending) {
        keys[low] = second;
        keys[high] = first;
    }
}
