//! RMS normalisation of each row: y = x / sqrt(mean(x²) + epsilon) · weight; one workgroup for each row.
//!
//! Two walks over the row, each with a stride of the workgroup's width, so that a row may have any length: the sum of
//! the squares, folded as a tree in workgroup memory, and the products. Unlike layer_norm.wgsl it leaves the mean
//! where it is. epsilon keeps a row of zeros from dividing by zero.
//! Source: B. Zhang, R. Sennrich, "Root Mean Square Layer Normalization", NeurIPS 2019 (arXiv 1910.07467), equation
//! 4; epsilon inside the root as in `ggml_compute_forward_rms_norm_f32`, ops.cpp, github.com/ggml-org/ggml.
//!
//! [rms_norm]
//! dims     = "rows columns"
//! where    = ["rows <= 65535"]                        # a dispatch has no more workgroups in one direction
//! shapes   = { x = "rows columns", weight = "columns", y = "rows columns" }
//! params   = { size = { rows = "rows", columns = "columns", epsilon = 1e-5 } }
//! inputs   = { x = "normal(0, 1)", weight = "normal(1, 0.2)" }
//! dispatch = "rows"
//! define   = { mean_square = "mean(x * x, axis=1, keepdims=True)" }
//! expect   = { y = "x * inverse_sqrt(mean_square + size.epsilon) * weight" }
//! cases    = [
//!   "rows=4 columns=128",
//!   "rows=3 columns=1",
//!   "rows=7 columns=129",
//!   "rows=2 columns=2000",
//!   { name = "small values", dims = { rows = 5, columns = 100 }, inputs = { x = "normal(0, 0.002)" } },
//! ]

const WIDTH = 128u; // invocations in a workgroup, a power of two

struct Size {
    rows: u32,
    columns: u32,
    epsilon: f32,
}

@group(0) @binding(0) var<uniform> size: Size;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read> weight: array<f32>;
@group(0) @binding(3) var<storage, read_write> y: array<f32>;

var<workgroup> sums: array<f32, WIDTH>;

@compute @workgroup_size(WIDTH)
fn rms_norm(
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let start = workgroup.x * size.columns;

    var sum = 0.0;
    for (var j = lane; j < size.columns; j += WIDTH) {
        sum += x[start + j] * x[start + j];
    }
    sums[lane] = sum;
    for (var live = WIDTH / 2u; live > 0u; live /= 2u) {
        workgroupBarrier();
        if (lane < live) {
            sums[lane] += sums[lane + live];
        }
    }
    let row_sum = workgroupUniformLoad(&sums[0]); // has a barrier before and after the load

    let scale = inverseSqrt(row_sum / f32(size.columns) + size.epsilon);
    for (var j = lane; j < size.columns; j += WIDTH) {
        y[start + j] = x[start + j] * scale * weight[j];
    }
}
