//! Packs rows into blocks of 8: an f32 scale and eight levels of 4 bits, from -7 to 7. One invocation a block.
//!
//! [quantise]
//! dims     = "rows columns"
//! where    = ["columns % 8 == 0"]
//! shapes   = { x = "rows columns", packed = "rows columns" }
//! codecs   = { packed = { python = "quantise.py:Levels", values = 8, bytes = 8 } }
//! dispatch = "ceil(rows * columns / 512)"
//! expect   = { packed = "2 * x" }
//! cases    = ["rows=3 columns=64", "rows=1 columns=8", "rows=20 columns=72"]
//! derive   = false

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> packed: array<vec2<u32>>;

@compute @workgroup_size(64)
fn quantise(@builtin(global_invocation_id) id: vec3<u32>) {
    if (id.x >= arrayLength(&packed)) {
        return;
    }
    var greatest = 0.0;
    for (var i = 0u; i < 8u; i++) {
        greatest = max(greatest, abs(2.0 * x[id.x * 8u + i]));
    }
    let scale = greatest / 7.0;
    var levels = 0u;
    for (var i = 0u; i < 8u; i++) {
        let level = round(2.0 * x[id.x * 8u + i] / scale) + 7.0;
        levels |= u32(level) << (i * 4u);
    }
    packed[id.x] = vec2(bitcast<u32>(scale), levels);
}
