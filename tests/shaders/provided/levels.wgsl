//! y = W · x with W in blocks of 8: an f32 scale and eight levels of 4 bits, from -7 to 7.
//!
//! [levels]
//! dims     = "rows columns"
//! where    = ["columns % 8 == 0"]
//! shapes   = { w = "rows columns", x = "columns", y = "rows" }
//! codecs   = { w = { python = "levels.py:Levels", values = 8, bytes = 8 } }
//! dispatch = "rows"
//! expect   = { y = "w @ x" }
//! cases    = ["rows=3 columns=64", "rows=1 columns=8", "rows=20 columns=16"]

@group(0) @binding(0) var<storage, read> w: array<u32>;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;

@compute @workgroup_size(1)
fn levels(@builtin(workgroup_id) id: vec3<u32>) {
    var sum = 0.0;
    for (var i = 0u; i < arrayLength(&x); i++) {
        let block = (id.x * arrayLength(&x) + i) / 8u;
        let level = (w[block * 2u + 1u] >> (i % 8u * 4u)) & 15u;
        sum += bitcast<f32>(w[block * 2u]) * (f32(level) - 7.0) * x[i];
    }
    y[id.x] = sum;
}
