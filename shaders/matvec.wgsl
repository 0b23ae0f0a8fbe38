//! y = W · x for a row-major matrix of f32; one workgroup for four rows of W.
//!
//! The invocations of a workgroup stride along the rows together, one vector of four columns at a time. Each vector
//! of x that is loaded meets all four rows, and an invocation keeps its four sums as the components of one vector: so
//! one tree in workgroup memory folds all four at once. A row beyond the last one is computed as the last one and not
//! stored. The columns must be a multiple of 4, so that a row is whole vectors.
//! Source: mul_mat_vec.wgsl, github.com/ggml-org/llama.cpp, ggml/src/ggml-webgpu/wgsl-shaders (several rows for each
//! workgroup, then a tree); the tree as in dot_product.wgsl.
//!
//! [matvec]
//! dims     = "rows columns"
//! where    = ["columns % 4 == 0", "rows <= 4 * 65535"]  # a dispatch has no more workgroups in one direction
//! shapes   = { w = "rows columns", x = "columns", y = "rows" }
//! params   = { size = { rows = "rows", columns = "columns" } }
//! inputs   = { w = "normal(0, 1)", x = "normal(0, 1)" }
//! dispatch = "ceil(rows / 4)"
//! expect   = { y = "w @ x" }
//! flops    = "2 * rows * columns"
//! cases    = ["rows=8 columns=64", "rows=1 columns=4", "rows=5 columns=260", "rows=18 columns=1000"]

const WIDTH = 64u; // invocations in a workgroup, a power of two
const ROWS = 4u; // rows of a workgroup, the components of a sum

struct Size {
    rows: u32,
    columns: u32,
}

@group(0) @binding(0) var<uniform> size: Size;
@group(0) @binding(1) var<storage, read> w: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read_write> y: array<f32>;

var<workgroup> sums: array<vec4<f32>, WIDTH>;

@compute @workgroup_size(WIDTH)
fn matvec(
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let row = workgroup.x * ROWS;
    let vectors = size.columns / 4u; // in a row
    // Where each row starts in `w`.
    let starts = min(row + vec4(0u, 1u, 2u, 3u), vec4(size.rows - 1u)) * vectors;

    var sum = vec4<f32>();
    for (var i = lane; i < vectors; i += WIDTH) {
        let x_values = x[i];
        sum += vec4(
            dot(w[starts.x + i], x_values),
            dot(w[starts.y + i], x_values),
            dot(w[starts.z + i], x_values),
            dot(w[starts.w + i], x_values),
        );
    }

    sums[lane] = sum;
    for (var live = WIDTH / 2u; live > 0u; live /= 2u) {
        workgroupBarrier();
        if (lane < live) {
            sums[lane] += sums[lane + live];
        }
    }
    workgroupBarrier();
    if ((lane < ROWS) && (row + lane < size.rows)) {
        y[row + lane] = sums[0][lane];
    }
}
