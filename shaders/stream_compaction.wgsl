//! Keeps the elements above a threshold, in their order, and says how many they are; in three passes over blocks of 256 elements.
//!
//! 1. `count_kept`: each workgroup counts what its block keeps.
//! 2. `scan_counts`: a single workgroup replaces each count by the sum of those before it, and stores the sum of all.
//! 3. `move_kept`: an element goes behind those that are kept before it, in earlier blocks and in its own.
//!
//! No atomics, so that the order is that of the input on every run.
//! Source: M. Harris, S. Sengupta, J. Owens, "Parallel Prefix Sum (Scan) with CUDA", GPU Gems 3 (2007), chapter 39, section 3.1.
//!
//! [stream_compaction]
//! dims   = "n"
//! where  = ["n <= 256 * 65535"]                       # a dispatch has no more workgroups in one direction
//! let    = { blocks = "ceil(n / 256)" }
//! shapes = { x = "n", kept = "n", count = "1", block_counts = "blocks" }
//! roles  = { block_counts = "scratch" }
//! params = { threshold = 0.25 }
//! define = { goes = "x <= threshold" }
//! expect = { kept = "take(x, argsort(goes))", count = "sum(x > threshold)" }
//! valid  = { kept = "count[0]" }                      # what lies behind is left as it was
//! cases  = [
//!   "n=256",
//!   "n=257",
//!   "n=1000",
//!   "n=150000",                                       # 586 blocks: an invocation scans three counts
//!   { name = "keep all", dims = { n = 700 }, inputs = { x = "uniform(1, 2)" } },
//!   { name = "keep few", dims = { n = 5000 }, inputs = { x = "normal(-2, 1)" } },
//! ]
//!
//! [[stream_compaction.passes]]
//! entry    = "count_kept"
//! dispatch = "blocks"
//!
//! [[stream_compaction.passes]]
//! entry    = "scan_counts"
//! dispatch = 1
//!
//! [[stream_compaction.passes]]
//! entry    = "move_kept"
//! dispatch = "blocks"

const WIDTH = 256u; // elements in a block, one for each invocation

@group(0) @binding(0) var<uniform> threshold: f32;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> kept: array<f32>;
@group(0) @binding(3) var<storage, read_write> count: array<u32>;
@group(0) @binding(4) var<storage, read_write> block_counts: array<u32>;

var<workgroup> sums: array<u32, WIDTH>;

fn is_kept(i: u32) -> bool {
    return i < arrayLength(&x) && x[i] > threshold;
}

// The sum of `value` over the invocations up to this one. Holds barriers: every invocation of the workgroup must call it.
fn running_sum(lane: u32, value: u32) -> u32 {
    sums[lane] = value;
    for (var apart = 1u; apart < WIDTH; apart *= 2u) {
        workgroupBarrier();
        var before = 0u;
        if (lane >= apart) {
            before = sums[lane - apart];
        }
        workgroupBarrier();
        sums[lane] += before;
    }
    return sums[lane];
}

@compute @workgroup_size(WIDTH)
fn count_kept(@builtin(workgroup_id) block: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let sum = running_sum(lane, u32(is_kept(block.x * WIDTH + lane)));
    if (lane == WIDTH - 1u) {
        block_counts[block.x] = sum;
    }
}

@compute @workgroup_size(WIDTH)
fn scan_counts(@builtin(local_invocation_index) lane: u32) {
    // Each invocation takes a run of neighbours: first their sum, then, once it knows what comes before, their running sums.
    let blocks = arrayLength(&block_counts);
    let share = (blocks + WIDTH - 1u) / WIDTH;
    let start = min(lane * share, blocks);
    let end = min(start + share, blocks);
    var own = 0u;
    for (var i = start; i < end; i++) {
        own += block_counts[i];
    }
    let sum = running_sum(lane, own);
    if (lane == WIDTH - 1u) {
        count[0] = sum;
    }
    var place = sum - own;
    for (var i = start; i < end; i++) {
        let kept_here = block_counts[i];
        block_counts[i] = place;
        place += kept_here;
    }
}

@compute @workgroup_size(WIDTH)
fn move_kept(@builtin(workgroup_id) block: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let i = block.x * WIDTH + lane;
    let stays = is_kept(i);
    let sum = running_sum(lane, u32(stays));
    if (stays) {
        kept[block_counts[block.x] + sum - 1u] = x[i];
    }
}
