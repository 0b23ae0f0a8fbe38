//! Sorts unsigned integers together with a value each, stably: least significant digit first, 4 bits a round, in 8 rounds of three passes.
//!
//! 1. `count_digits`: each workgroup counts how often each of the 16 digits occurs in its block of 256 keys.
//! 2. `scan_counts`: a single workgroup replaces each count by the sum of those before it, all blocks of digit 0 first, then of digit 1 …
//! 3. `scatter`: that sum is where the block's first key with this digit goes; a key follows those of its digit that stand before it.
//!
//! How many stand before a key is read off a mask: for each digit, 256 bits that say which invocations hold it.
//! Source: N. Satish, M. Harris, M. Garland, "Designing Efficient Sorting Algorithms for Manycore GPUs", IPDPS 2009, section IV.
//!
//! [radix_sort]
//! dims    = "n"
//! where   = ["n <= 256 * 65535"]                      # a dispatch has no more workgroups in one direction
//! let     = { blocks = "ceil(n / 256)" }
//! shapes  = { keys = "n", values = "n", counts = "16 blocks" }
//! buffers = { other_keys = "u32 n", other_values = "u32 n" }
//! roles   = { counts = "scratch" }
//! inputs  = { keys = "integers(0, 4294967296)", values = "arange()" }
//! expect  = { keys = "sort(keys)", values = "take(values, argsort(keys))" }
//! cases   = [
//!   "n=256",
//!   "n=257",
//!   "n=1000",
//!   "n=20000",                                        # 79 blocks: an invocation scans five counts
//!   { name = "few keys", dims = { n = 700 }, inputs = { keys = "integers(0, 5)" } },
//!   { name = "high bits", dims = { n = 300 }, inputs = { keys = "16777216 * integers(0, 256)" } },
//! ]
//!
//! [[radix_sort.passes]]
//! repeat = 8
//! index  = "i"
//!
//! [[radix_sort.passes.passes]]
//! entry    = "count_digits"
//! dispatch = "blocks"
//! params   = { shift = "4 * i" }
//! bind     = { from_keys = ["keys", "other_keys"] }
//!
//! [[radix_sort.passes.passes]]
//! entry    = "scan_counts"
//! dispatch = 1
//!
//! [[radix_sort.passes.passes]]
//! entry    = "scatter"
//! dispatch = "blocks"
//! params   = { shift = "4 * i" }
//!
//! [radix_sort.passes.passes.bind]
//! from_keys   = ["keys", "other_keys"]
//! to_keys     = ["other_keys", "keys"]
//! from_values = ["values", "other_values"]
//! to_values   = ["other_values", "values"]

const WIDTH = 256u; // keys in a block, one for each invocation
const DIGITS = 16u; // values of 4 bits
const WORDS = 8u;   // words of 32 bits for a bit of each invocation

@group(0) @binding(0) var<uniform> shift: u32;
@group(0) @binding(1) var<storage, read> from_keys: array<u32>;
@group(0) @binding(2) var<storage, read> from_values: array<u32>;
@group(0) @binding(3) var<storage, read_write> to_keys: array<u32>;
@group(0) @binding(4) var<storage, read_write> to_values: array<u32>;
@group(0) @binding(5) var<storage, read_write> counts: array<u32>; // [DIGITS, blocks]

var<workgroup> masks: array<atomic<u32>, DIGITS * WORDS>;
var<workgroup> sums: array<u32, WIDTH>;

fn digit_of(key: u32) -> u32 {
    return (key >> shift) % DIGITS;
}

// How many invocations before `end` hold the digit.
fn count_before(digit: u32, end: u32) -> u32 {
    var count = 0u;
    for (var word = 0u; word < end / 32u; word++) {
        count += countOneBits(atomicLoad(&masks[digit * WORDS + word]));
    }
    if (end % 32u > 0u) {
        count += countOneBits(atomicLoad(&masks[digit * WORDS + end / 32u]) & ((1u << (end % 32u)) - 1u));
    }
    return count;
}

// Sets this invocation's bit in the mask of its digit. Holds barriers: every invocation of the workgroup must call it.
fn set_masks(lane: u32, holds_key: bool, digit: u32) {
    if (lane < DIGITS * WORDS) {
        atomicStore(&masks[lane], 0u);
    }
    workgroupBarrier();
    if (holds_key) {
        atomicOr(&masks[digit * WORDS + lane / 32u], 1u << (lane % 32u));
    }
    workgroupBarrier();
}

@compute @workgroup_size(WIDTH)
fn count_digits(
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(num_workgroups) blocks: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let i = workgroup.x * WIDTH + lane;
    let holds_key = i < arrayLength(&from_keys);
    var digit = 0u;
    if (holds_key) {
        digit = digit_of(from_keys[i]);
    }
    set_masks(lane, holds_key, digit);
    if (lane < DIGITS) {
        counts[lane * blocks.x + workgroup.x] = count_before(lane, WIDTH);
    }
}

@compute @workgroup_size(WIDTH)
fn scan_counts(@builtin(local_invocation_index) lane: u32) {
    // Each invocation takes a run of neighbours: first their sum, then, once it knows what comes before, their running sums.
    let length = arrayLength(&counts);
    let share = (length + WIDTH - 1u) / WIDTH;
    let start = min(lane * share, length);
    let end = min(start + share, length);
    var sum = 0u;
    for (var i = start; i < end; i++) {
        sum += counts[i];
    }
    sums[lane] = sum;
    for (var apart = 1u; apart < WIDTH; apart *= 2u) {
        workgroupBarrier();
        var before = 0u;
        if (lane >= apart) {
            before = sums[lane - apart];
        }
        workgroupBarrier();
        sums[lane] += before;
    }
    var place = sums[lane] - sum;
    for (var i = start; i < end; i++) {
        let count = counts[i];
        counts[i] = place;
        place += count;
    }
}

@compute @workgroup_size(WIDTH)
fn scatter(
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(num_workgroups) blocks: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let i = workgroup.x * WIDTH + lane;
    let holds_key = i < arrayLength(&from_keys);
    var key = 0u;
    if (holds_key) {
        key = from_keys[i];
    }
    let digit = digit_of(key);
    set_masks(lane, holds_key, digit);
    if (holds_key) {
        let place = counts[digit * blocks.x + workgroup.x] + count_before(digit, lane);
        to_keys[place] = key;
        to_values[place] = from_values[i];
    }
}
