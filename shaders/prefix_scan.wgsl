//! Prefix sums of unsigned integers modulo 2³², in three passes over blocks of 256 elements.
//!
//! 1. `scan_blocks`: each workgroup scans one block and stores the block's sum.
//! 2. `scan_block_sums`: a single workgroup replaces each block's sum by the sum of all blocks before it, 256 at a time.
//! 3. `add_offsets`: each workgroup adds that offset to its block.
//!
//! Within a block the sums climb a binary tree and come down again: about 2 · 256 additions where the simple doubling
//! scan needs about 7 · 256. Every sum excludes the element itself (y[0] = 0), or includes it when `inclusive` is set.
//! Source: G. Blelloch, "Prefix Sums and Their Applications", CMU-CS-90-190 (1990), section 1.2; for GPUs
//! M. Harris, S. Sengupta, J. Owens, "Parallel Prefix Sum (Scan) with CUDA", GPU Gems 3 (2007), chapter 39.
//!
//! [prefix_scan]
//! dims   = "n"
//! where  = ["n <= 256 * 65535"]                       # a dispatch has no more workgroups in one direction
//! let    = { blocks = "ceil(n / 256)" }
//! shapes = { x = "n", y = "n", block_sums = "blocks" }
//! roles  = { y = "out", block_sums = "scratch" }
//! inputs = { x = "integers(0, 1000000)" }
//! expect = { y = "cumsum(x) if inclusive else cumsum(x) - x" }
//! cases  = [
//!   "n=1",
//!   "n=256",
//!   "n=257",
//!   "n=1000",
//!   "n=150000",                                       # 586 blocks: pass 2 takes three turns
//!   { name = "inclusive", dims = { n = 700 }, overrides = { inclusive = true } },
//! ]
//!
//! [[prefix_scan.passes]]
//! entry    = "scan_blocks"
//! dispatch = "blocks"
//!
//! [[prefix_scan.passes]]
//! entry    = "scan_block_sums"
//! dispatch = "1"
//!
//! [[prefix_scan.passes]]
//! entry    = "add_offsets"
//! dispatch = "blocks"

const WIDTH = 128u; // invocations in a workgroup, a power of two
const BLOCK = 256u; // elements in a block: two for each invocation

override inclusive: bool = false;

@group(0) @binding(0) var<storage, read> x: array<u32>;
@group(0) @binding(1) var<storage, read_write> y: array<u32>;
@group(0) @binding(2) var<storage, read_write> block_sums: array<u32>;

var<workgroup> tree: array<u32, BLOCK>;

// Replaces each element of `tree` by the sum of those before it and returns the sum of all.
// Holds barriers: every invocation of the workgroup must call it.
fn scan_tree(lane: u32) -> u32 {
    // Up: each node becomes the sum of the leaves below it.
    var span = 1u;
    for (var nodes = WIDTH; nodes > 0u; nodes /= 2u) {
        workgroupBarrier();
        if (lane < nodes) {
            let right = span * (2u * lane + 2u) - 1u;
            tree[right] += tree[right - span];
        }
        span *= 2u;
    }
    let total = workgroupUniformLoad(&tree[BLOCK - 1u]); // has a barrier before and after the load

    // Down: each node hands its own prefix to the left child, and prefix plus left sum to the right child.
    if (lane == 0u) {
        tree[BLOCK - 1u] = 0u;
    }
    for (var nodes = 1u; nodes <= WIDTH; nodes *= 2u) {
        span /= 2u;
        workgroupBarrier();
        if (lane < nodes) {
            let right = span * (2u * lane + 2u) - 1u;
            let left_sum = tree[right - span];
            tree[right - span] = tree[right];
            tree[right] += left_sum;
        }
    }
    workgroupBarrier();
    return total;
}

@compute @workgroup_size(WIDTH)
fn scan_blocks(
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let n = arrayLength(&x);
    let start = workgroup.x * BLOCK;

    for (var j = lane; j < BLOCK; j += WIDTH) {
        var value = 0u;
        if (start + j < n) {
            value = x[start + j];
        }
        tree[j] = value;
    }

    let total = scan_tree(lane);
    if (lane == 0u) {
        block_sums[workgroup.x] = total;
    }

    for (var j = lane; j < BLOCK; j += WIDTH) {
        if (start + j < n) {
            var sum = tree[j];
            if (inclusive) {
                sum += x[start + j];
            }
            y[start + j] = sum;
        }
    }
}

@compute @workgroup_size(WIDTH)
fn scan_block_sums(@builtin(local_invocation_index) lane: u32) {
    let blocks = arrayLength(&block_sums);

    var before = 0u; // the sum of all blocks of earlier turns
    for (var start = 0u; start < blocks; start += BLOCK) {
        for (var j = lane; j < BLOCK; j += WIDTH) {
            var value = 0u;
            if (start + j < blocks) {
                value = block_sums[start + j];
            }
            tree[j] = value;
        }

        let total = scan_tree(lane);
        for (var j = lane; j < BLOCK; j += WIDTH) {
            if (start + j < blocks) {
                block_sums[start + j] = before + tree[j];
            }
        }
        before += total;
        workgroupBarrier(); // nobody needs this tree any more
    }
}

@compute @workgroup_size(WIDTH)
fn add_offsets(
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let n = arrayLength(&y);
    let start = workgroup.x * BLOCK;
    let offset = block_sums[workgroup.x];

    for (var j = lane; j < BLOCK; j += WIDTH) {
        if (start + j < n) {
            y[start + j] += offset;
        }
    }
}
