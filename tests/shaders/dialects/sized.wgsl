//! y = the sum of each row; the row's length is known when the shader is compiled.
//!
//! [sized]
//! dims     = "rows columns"
//! let      = { tiles = "ceil(columns / 16)" }
//! prepare  = [{ define = { COLUMNS = "columns", TILES = "tiles", WIDE = "columns > 16", TYPE = "f32" } }]
//! shapes   = { x = "rows columns", y = "rows" }
//! dispatch = "rows"
//! expect   = { y = "sum(x, axis=1)" }
//! cases    = ["rows=64 columns=16", "rows=3 columns=33", "rows=5 columns=16", "rows=7 columns=70"]

@group(0) @binding(0) var<storage, read> x: array<TYPE>;
@group(0) @binding(1) var<storage, read_write> y: array<TYPE>;

var<workgroup> sums: array<TYPE, TILES>;

@compute @workgroup_size(TILES)
fn sized(@builtin(workgroup_id) row: vec3<u32>, @builtin(local_invocation_index) tile: u32) {
    var sum: TYPE = 0.0;
    for (var i = tile * 16u; i < min(tile * 16u + 16u, COLUMNS); i++) {
        sum += x[row.x * COLUMNS + i];
    }
    sums[tile] = sum;
#if WIDE
    workgroupBarrier();
    for (var i = 1u; i < TILES && tile == 0u; i++) {
        sum += sums[i];
    }
#endif
    if (tile == 0u) {
        y[row.x] = sum;
    }
}
