//! Layer normalisation of each row: y = (x - mean) / sqrt(variance + epsilon) · weight + bias; one workgroup for each
//! row.
//!
//! Three walks over the row, each with a stride of the workgroup's width, so that a row may have any length: the
//! mean, the variance, the results. The variance is the mean of (x - mean)², once the mean is known. The shorter
//! formula mean(x²) - mean² needs one walk less, but takes the difference of two large numbers when the mean is far
//! from zero, and may then lose every digit.
//! Source: J. Ba, J. Kiros, G. Hinton, "Layer Normalization", arXiv 1607.06450 (2016), equations 3 and 4; on the
//! variance T. Chan, G. Golub, R. LeVeque, "Algorithms for Computing the Sample Variance", The American Statistician
//! 37 (1983).
//!
//! [layer_norm]
//! dims     = "rows columns"
//! where    = ["rows <= 65535"]                        # a dispatch has no more workgroups in one direction
//! shapes   = { x = "rows columns", weight = "columns", bias = "columns", y = "rows columns" }
//! params   = { size = { rows = "rows", columns = "columns", epsilon = 1e-5 } }
//! inputs   = { x = "normal(0, 1)", weight = "normal(1, 0.2)", bias = "normal(0, 0.5)" }
//! dispatch = "rows"
//! expect   = { y = "centred * inverse_sqrt(variance + size.epsilon) * weight + bias" }
//! cases    = [
//!   "rows=4 columns=128",
//!   "rows=3 columns=2",
//!   "rows=7 columns=129",
//!   "rows=2 columns=2000",
//!   { name = "large mean", dims = { rows = 5, columns = 100 }, inputs = { x = "normal(1000, 1)" } },
//! ]
//!
//! [layer_norm.define]
//! centred  = "x - mean(x, axis=1, keepdims=True)"
//! variance = "mean(centred * centred, axis=1, keepdims=True)"

const WIDTH = 128u; // invocations in a workgroup, a power of two

struct Size {
    rows: u32,
    columns: u32,
    epsilon: f32,
}

@group(0) @binding(0) var<uniform> size: Size;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read> weight: array<f32>;
@group(0) @binding(3) var<storage, read> bias: array<f32>;
@group(0) @binding(4) var<storage, read_write> y: array<f32>;

var<workgroup> sums: array<f32, WIDTH>;

// The sum of one value from each invocation, for all of them.
// Holds barriers: every invocation of the workgroup must call it.
fn workgroup_sum(lane: u32, value: f32) -> f32 {
    sums[lane] = value;
    for (var live = WIDTH / 2u; live > 0u; live /= 2u) {
        workgroupBarrier();
        if (lane < live) {
            sums[lane] += sums[lane + live];
        }
    }
    return workgroupUniformLoad(&sums[0]); // has a barrier before and after the load
}

@compute @workgroup_size(WIDTH)
fn layer_norm(
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let start = workgroup.x * size.columns;
    let count = f32(size.columns);

    var sum = 0.0;
    for (var j = lane; j < size.columns; j += WIDTH) {
        sum += x[start + j];
    }
    let mean = workgroup_sum(lane, sum) / count;

    var squares = 0.0;
    for (var j = lane; j < size.columns; j += WIDTH) {
        let centred = x[start + j] - mean;
        squares += centred * centred;
    }
    let variance = workgroup_sum(lane, squares) / count;

    let scale = inverseSqrt(variance + size.epsilon);
    for (var j = lane; j < size.columns; j += WIDTH) {
        y[start + j] = (x[start + j] - mean) * scale * weight[j] + bias[j];
    }
}
