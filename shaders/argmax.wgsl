//! Index of the greatest element of each row; of several that are equal, the first. One workgroup for each row.
//!
//! Each invocation walks over the row with a stride of the workgroup's width and keeps the best element that it
//! meets, with its index; a tree in workgroup memory then finds the best of these. A tree compares elements that are
//! far apart in an order of its own, so "greater" alone would let chance decide between equal ones: the lesser index
//! has to be asked for, in every comparison. The rule is numpy's and torch's. No element may be NaN.
//! Source: argmax.wgsl, github.com/ggml-org/llama.cpp, ggml/src/ggml-webgpu/wgsl-shaders; the tree as in
//! dot_product.wgsl.
//!
//! [argmax]
//! dims     = "rows columns"
//! where    = ["rows <= 65535"]                        # a dispatch has no more workgroups in one direction
//! shapes   = { x = "rows columns", index = "rows" }
//! params   = { size = { columns = "columns" } }
//! inputs   = { x = "normal(0, 1)" }
//! dispatch = "rows"
//! expect   = { index = "argmax(x, axis=1)" }
//! cases    = [
//!   "rows=8 columns=128",
//!   "rows=3 columns=1",
//!   "rows=20 columns=129",
//!   "rows=9 columns=3000",
//!   { name = "equal elements", dims = { rows = 20, columns = 700 }, inputs = { x = "integers(0, 100)" } },
//!   { name = "rising", dims = { rows = 4, columns = 130 }, inputs = { x = "full(rows, 1, 0) + arange(columns)" } },
//!   { name = "below zero", dims = { rows = 6, columns = 50 }, inputs = { x = "uniform(-9, -8)" } },
//! ]

const WIDTH = 128u; // invocations in a workgroup, a power of two

struct Size {
    columns: u32,
}

struct Candidate {
    value: f32,
    index: u32,
}

@group(0) @binding(0) var<uniform> size: Size;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> index: array<u32>;

var<workgroup> candidates: array<Candidate, WIDTH>;

// The greater of two; of equal ones, the one of lesser index.
fn better(a: Candidate, b: Candidate) -> Candidate {
    if ((b.value > a.value) || ((b.value == a.value) && (b.index < a.index))) {
        return b;
    }
    return a;
}

@compute @workgroup_size(WIDTH)
fn argmax(
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let start = workgroup.x * size.columns;

    var best = Candidate(x[start], 0u);
    for (var j = lane; j < size.columns; j += WIDTH) {
        best = better(best, Candidate(x[start + j], j));
    }

    candidates[lane] = best;
    for (var live = WIDTH / 2u; live > 0u; live /= 2u) {
        workgroupBarrier();
        if (lane < live) {
            candidates[lane] = better(candidates[lane], candidates[lane + live]);
        }
    }
    if (lane == 0u) {
        index[workgroup.x] = candidates[0].index;
    }
}
