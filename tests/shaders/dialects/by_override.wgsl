//! y = the sum of each row, by one workgroup a row. Its width is an override, and macros follow from it: the preprocessor knows no overrides.
//!
//! [by_override]
//! dims      = "rows columns"
//! overrides = { WIDTH = 32 }
//! prepare   = [{ define = { LANES = "workgroup_size.x", IS_WIDE = "WIDTH > 32", EACH = "ceil(columns / WIDTH)" } }]
//! shapes    = { x = "rows columns", y = "rows" }
//! dispatch  = "rows"
//! expect    = { y = "sum(x, axis=1)" }
//!
//! [[by_override.cases]]
//! name      = "narrow"
//! dims      = { rows = 5, columns = 40 }
//!
//! [[by_override.cases]]
//! name      = "wide"
//! dims      = { rows = 3, columns = 100 }
//! overrides = { WIDTH = 64 }
//!
//! [[by_override.cases]]
//! name      = "wider than the row"
//! dims      = { rows = 70, columns = 33 }
//! overrides = { WIDTH = 128 }

override WIDTH: u32 = 16;

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;

var<workgroup> sums: array<f32, LANES>;

@compute @workgroup_size(WIDTH)
fn by_override(@builtin(workgroup_id) row: vec3<u32>, @builtin(num_workgroups) rows: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let columns = arrayLength(&x) / rows.x;
    var sum = 0.0;
    for (var i = 0u; i < EACH; i++) {
        let column = i * LANES + lane;
        if (column < columns) {
            sum += x[row.x * columns + column];
        }
    }
    sums[lane] = sum;
#if IS_WIDE
    for (var width = LANES / 2u; width > 16u; width /= 2u) {
        workgroupBarrier();
        if (lane < width) {
            sums[lane] += sums[lane + width];
        }
    }
    let left = 32u;
#else
    let left: u32 = LANES;
#endif
    workgroupBarrier();
    if (lane == 0u) {
        sum = 0.0;
        for (var i = 0u; i < left; i++) {
            sum += sums[i];
        }
        y[row.x] = sum;
    }
}
