//! y = the tone of x on a measured curve; the curve is a texture of one row, its gains are packed halves, its ranges a structure.
//!
//! [tone]
//! dims     = "n"
//! shapes   = { gain = "2", x = "n", y = "n" }
//! codecs   = { gain = "f16x2" }
//! textures = { curve = { size = "16", format = "r32float" } }
//! dispatch = "ceil(n / 64)"
//! expect   = { y = "range.scale * take(curve[:, 0], x) * gain[0] + gain[1] + range.offset[0]" }
//! cases    = ["n=64", "n=100", { dims = { n = 65 }, inputs = { gain = "file other.bin" } }]
//!
//! [tone.inputs]
//! curve         = "file curve.npy"
//! gain          = "file gain.bin"
//! range.scale   = "file scale.npy"
//! x             = "integers(0, 16)"

struct Range { offset: vec3<f32>, scale: f32 }

@group(0) @binding(0) var curve: texture_1d<f32>;
@group(0) @binding(1) var<storage, read> gain: array<u32>;
@group(0) @binding(2) var<storage, read> range: Range;
@group(0) @binding(3) var<storage, read> x: array<u32>;
@group(0) @binding(4) var<storage, read_write> y: array<f32>;

@compute @workgroup_size(64)
fn tone(@builtin(global_invocation_id) id: vec3<u32>) {
    if (id.x < arrayLength(&y)) {
        let gains = unpack2x16float(gain[0]);
        y[id.x] = range.scale * textureLoad(curve, x[id.x], 0).x * gains.x + gains.y + range.offset.x;
    }
}
