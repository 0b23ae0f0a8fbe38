//! Transpose of a row-major matrix: y[j, i] = x[i, j].
//!
//! A workgroup moves one tile of 16 × 16 elements. It reads the tile by rows of x, keeps it in workgroup memory and
//! writes it by rows of y: both times neighbouring invocations touch neighbouring addresses, which a plain loop could
//! do for one side only. Each row of the tile is one element longer than needed, so that the elements of a column lie
//! in different memory banks.
//! Source: G. Ruetsch, P. Micikevicius, "Optimizing Matrix Transpose in CUDA", NVIDIA 2009.
//!
//! [transpose]
//! dims     = "rows columns"
//! shapes   = { x = "rows columns", y = "columns rows" }
//! params   = { size = { rows = "rows", columns = "columns" } }
//! inputs   = { x = "normal(0, 1)" }
//! dispatch = "ceil(columns / 16), ceil(rows / 16)"
//! expect   = { y = "transpose(x)" }
//! compare  = { y = "exact" }                          # nothing is computed: every bit stays
//! cases    = ["rows=32 columns=48", "rows=1 columns=1", "rows=16 columns=17", "rows=50 columns=7"]

const TILE = 16u;

struct Size {
    rows: u32,
    columns: u32,
}

@group(0) @binding(0) var<uniform> size: Size;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;

var<workgroup> tile: array<array<f32, TILE + 1u>, TILE>;

@compute @workgroup_size(TILE, TILE)
fn transpose(
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(local_invocation_id) local: vec3<u32>,
) {
    let first_row = workgroup.y * TILE;
    let first_column = workgroup.x * TILE;

    let x_row = first_row + local.y;
    let x_column = first_column + local.x;
    if ((x_row < size.rows) && (x_column < size.columns)) {
        tile[local.y][local.x] = x[x_row * size.columns + x_column];
    }
    workgroupBarrier(); // the tile is complete

    // Rows of y are columns of x; local.x runs along them, as it did along the rows of x.
    let y_row = first_column + local.y;
    let y_column = first_row + local.x;
    if ((y_row < size.columns) && (y_column < size.rows)) {
        y[y_row * size.rows + y_column] = tile[local.x][local.y];
    }
}
