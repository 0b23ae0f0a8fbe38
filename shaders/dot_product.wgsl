//! Dot product of two vectors, in two passes.
//!
//! 1. `sum_products`: all invocations stride through the vectors together, each keeping one sum. Every workgroup
//!    then folds its 256 sums into one, as a tree in workgroup memory, and stores it as a partial sum.
//! 2. `sum_partials`: a single workgroup folds the partial sums in the same way.
//!
//! Two passes because WGSL has no float atomics and no barrier across workgroups. The order of the additions is
//! fixed, so equal inputs give equal bits, and it is shorter than a plain loop's, so it rounds less often.
//! Source: M. Harris, "Optimizing Parallel Reduction in CUDA", NVIDIA 2007, kernels 3 and 7.
//!
//! [dot_product]
//! dims   = "n"
//! let    = { groups = "min(ceil(n / 1024), 64)" }     # workgroups of pass 1: four elements or more for each invocation
//! shapes = { a = "n", b = "n", partials = "groups", result = "1" }
//! roles  = { partials = "scratch" }
//! inputs = { a = "normal(0, 1)", b = "normal(0, 1)" }
//! expect = { result = "sum(a * b, keepdims=True)" }
//! flops  = "2 * n"
//! cases  = ["n=1", "n=20", "n=255", "n=1024", "n=1025", "n=100003"]
//!
//! [[dot_product.passes]]
//! entry    = "sum_products"
//! dispatch = "groups"
//!
//! [[dot_product.passes]]
//! entry    = "sum_partials"
//! dispatch = "1"

const WIDTH = 256u; // invocations in a workgroup, a power of two

@group(0) @binding(0) var<storage, read> a: array<f32>;
@group(0) @binding(1) var<storage, read> b: array<f32>;
@group(0) @binding(2) var<storage, read_write> partials: array<f32>;
@group(0) @binding(3) var<storage, read_write> result: array<f32>;

var<workgroup> sums: array<f32, WIDTH>;

// Folds `sums` into `sums[0]`, halving the number of live sums at each step.
// Holds barriers: every invocation of the workgroup must call it.
fn fold_sums(lane: u32) {
    for (var live = WIDTH / 2u; live > 0u; live /= 2u) {
        workgroupBarrier();
        if (lane < live) {
            sums[lane] += sums[lane + live];
        }
    }
}

@compute @workgroup_size(WIDTH)
fn sum_products(
    @builtin(global_invocation_id) global: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(num_workgroups) workgroups: vec3<u32>,
) {
    let n = arrayLength(&a);
    let stride = workgroups.x * WIDTH;

    var sum = 0.0;
    for (var i = global.x; i < n; i += stride) {
        sum += a[i] * b[i];
    }

    sums[lane] = sum;
    fold_sums(lane);
    if (lane == 0u) {
        partials[workgroup.x] = sums[0];
    }
}

@compute @workgroup_size(WIDTH)
fn sum_partials(@builtin(local_invocation_index) lane: u32) {
    let count = arrayLength(&partials);

    var sum = 0.0;
    for (var i = lane; i < count; i += WIDTH) {
        sum += partials[i];
    }

    sums[lane] = sum;
    fold_sums(lane);
    if (lane == 0u) {
        result[0] = sums[0];
    }
}
