//! y = 2x in half precision, two values in a word.
//!
//! [pack_halves]
//! dims     = "n"
//! where    = ["n % 2 == 0"]
//! shapes   = { x = "n", y = "n" }
//! codecs   = { y = "f16x2" }
//! dispatch = "ceil(n / 128)"
//! expect   = { y = "2 * x" }

@group(0) @binding(0) var<storage, read> x: array<vec2<f32>>;
@group(0) @binding(1) var<storage, read_write> y: array<u32>;

@compute @workgroup_size(64)
fn pack_halves(@builtin(global_invocation_id) id: vec3<u32>) {
    if (id.x < arrayLength(&y)) {
        y[id.x] = pack2x16float(2.0 * x[id.x]);
    }
}
