//! Softmax of each row of a matrix: y = exp(x - max(x)) / sum(exp(x - max(x))); one workgroup for each row.
//!
//! Three walks over the row, each with a stride of the workgroup's width, so that a row may have any length: the
//! greatest element, the sum of the exponentials, the quotients. Subtracting the greatest element changes nothing in
//! exact arithmetic, and keeps exp() from overflowing: no exponent is above zero and one of them is zero.
//! Source: P. Blanchard, D. Higham, N. Higham, "Accurately computing the log-sum-exp and softmax functions",
//! IMA Journal of Numerical Analysis 41 (2021), section 1; the parallel folds as in dot_product.wgsl.
//!
//! [softmax]
//! dims     = "rows columns"
//! where    = ["rows <= 65535"]                        # a dispatch has no more workgroups in one direction
//! shapes   = { x = "rows columns", y = "rows columns" }
//! params   = { size = { rows = "rows", columns = "columns" } }
//! inputs   = { x = "normal(0, 1)" }
//! dispatch = "rows"
//! define   = { e = "exp(x - max(x, axis=1, keepdims=True))" }
//! expect   = { y = "e / sum(e, axis=1, keepdims=True)" }
//! cases    = [
//!   "rows=4 columns=128",
//!   "rows=3 columns=1",
//!   "rows=7 columns=129",
//!   "rows=2 columns=2000",
//!   { name = "large values", dims = { rows = 5, columns = 100 }, inputs = { x = "100 + normal(0, 10)" } },
//! ]

const WIDTH = 128u; // invocations in a workgroup, a power of two

struct Size {
    rows: u32,
    columns: u32,
}

@group(0) @binding(0) var<uniform> size: Size;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;

var<workgroup> lanes: array<f32, WIDTH>;

@compute @workgroup_size(WIDTH)
fn softmax(
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let start = workgroup.x * size.columns;

    // The greatest element of the row.
    var greatest = x[start];
    for (var j = lane; j < size.columns; j += WIDTH) {
        greatest = max(greatest, x[start + j]);
    }
    lanes[lane] = greatest;
    for (var live = WIDTH / 2u; live > 0u; live /= 2u) {
        workgroupBarrier();
        if (lane < live) {
            lanes[lane] = max(lanes[lane], lanes[lane + live]);
        }
    }
    let row_max = workgroupUniformLoad(&lanes[0]); // has a barrier before and after the load

    // The sum of the exponentials.
    var sum = 0.0;
    for (var j = lane; j < size.columns; j += WIDTH) {
        sum += exp(x[start + j] - row_max);
    }
    lanes[lane] = sum;
    for (var live = WIDTH / 2u; live > 0u; live /= 2u) {
        workgroupBarrier();
        if (lane < live) {
            lanes[lane] += lanes[lane + live];
        }
    }
    let row_sum = workgroupUniformLoad(&lanes[0]);

    for (var j = lane; j < size.columns; j += WIDTH) {
        y[start + j] = exp(x[start + j] - row_max) / row_sum;
    }
}
