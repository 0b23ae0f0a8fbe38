//! Embedding lookup: row t of y is the row of the table that token t names; one invocation for each vector of four
//! columns.
//!
//! Neighbouring invocations copy neighbouring vectors of one row, so only the step from token to token jumps in
//! memory. Every token must be a row of the table: WGSL would clamp or drop a wild index, and hide the mistake. The
//! columns must be a multiple of 4, so that a row is whole vectors.
//! Source: `ggml_compute_forward_get_rows_f32`, ops.cpp, github.com/ggml-org/ggml.
//!
//! [embedding]
//! dims     = "tokens vocabulary columns"
//! where    = ["columns % 4 == 0", "tokens <= 65535"]  # a dispatch has no more workgroups in one direction
//! shapes   = { ids = "tokens", table = "vocabulary columns", y = "tokens columns" }
//! params   = { size = { columns = "columns" } }
//! inputs   = { ids = "integers(0, vocabulary)", table = "normal(0, 1)" }
//! dispatch = "ceil(columns / 4 / 64), tokens"
//! expect   = { y = "table[ids]" }
//! compare  = { y = "exact" }                          # nothing is computed: every bit stays
//! cases    = [
//!   "tokens=7 vocabulary=100 columns=64",
//!   "tokens=1 vocabulary=1 columns=4",
//!   "tokens=5 vocabulary=33 columns=260",
//! ]

const WIDTH = 64u; // invocations in a workgroup

struct Size {
    columns: u32,
}

@group(0) @binding(0) var<uniform> size: Size;
@group(0) @binding(1) var<storage, read> ids: array<u32>;
@group(0) @binding(2) var<storage, read> table: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read_write> y: array<vec4<f32>>;

@compute @workgroup_size(WIDTH)
fn embedding(@builtin(global_invocation_id) global: vec3<u32>) {
    let vector = global.x;
    let token = global.y;
    let vectors = size.columns / 4u; // in a row
    if (vector < vectors) {
        y[token * vectors + vector] = table[ids[token] * vectors + vector];
    }
}
