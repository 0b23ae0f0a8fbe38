//! The smallest network that writes: 8 → 16 → 8, relu between the layers, weights as pixels, and the index of the greatest output.
//!
//! One invocation for each row of x. A texel holds four f32 weights as they lie in the file, and a row of a matrix is a row of
//! texels. Nothing here is ever rounded, so any device gives the same bits, whatever order it adds in and whether or not it fuses:
//! weights are multiples of 1/32 of at most 2, inputs multiples of 1/4 of at most 2, so hidden values are multiples of 1/128 of at
//! most 8 · 2 · 2 + 2 = 34, outputs multiples of 1/4096 of at most 16 · 34 · 2 + 2 = 1090, and 1090 · 4096 < 2^24.
//!
//! [toy_mlp]
//! dims     = "n"
//! where    = ["n <= 64 * 65535"]
//! shapes   = { x = "n 8", y = "n 8", next = "n" }
//! textures = { up = { size = "16 2" }, up_bias = { size = "1 4" }, down = { size = "8 4" }, down_bias = { size = "1 2" } }
//! dispatch = "ceil(n / 64)"
//! flops    = "2 * n * (8 * 16 + 16 * 8)"
//! compare  = { y = "exact", next = "exact" }
//! cases    = [
//!   "n=1",
//!   "n=585",
//!   { name = "large weights", dims = { n = 100 }, inputs = { x = "choice(-7, -5, 6, 8) / 4", up = "bitcast_u32(f32(choice(-63, 63) / 32))" } },
//! ]
//!
//! [toy_mlp.inputs]
//! x         = "integers(-8, 9) / 4"
//! up        = "bitcast_u32(f32(integers(-64, 65) / 32))"
//! up_bias   = "bitcast_u32(f32(integers(-64, 65) / 32))"
//! down      = "bitcast_u32(f32(integers(-64, 65) / 32))"
//! down_bias = "bitcast_u32(f32(integers(-64, 65) / 32))"
//!
//! [toy_mlp.define]
//! hidden = "relu(x @ transpose(reshape(bitcast_f32(up), (16, 8))) + reshape(bitcast_f32(up_bias), (16,)))"
//! output = "hidden @ transpose(reshape(bitcast_f32(down), (8, 16))) + reshape(bitcast_f32(down_bias), (8,))"
//!
//! [toy_mlp.expect]
//! y    = "output"
//! next = "argmax(output, axis=1)"

@group(0) @binding(0) var up: texture_2d<u32>;
@group(0) @binding(1) var up_bias: texture_2d<u32>;
@group(0) @binding(2) var down: texture_2d<u32>;
@group(0) @binding(3) var down_bias: texture_2d<u32>;
@group(0) @binding(4) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(5) var<storage, read_write> y: array<f32>;
@group(0) @binding(6) var<storage, read_write> next: array<u32>;

const INPUTS = 8u;
const HIDDEN = 16u;
const OUTPUTS = 8u;

fn weights(image: texture_2d<u32>, row: u32, texel: u32) -> vec4<f32> {
    return bitcast<vec4<f32>>(textureLoad(image, vec2<u32>(texel, row), 0));
}

fn bias(image: texture_2d<u32>, index: u32) -> f32 {
    return weights(image, 0u, index / 4u)[index % 4u];
}

@compute @workgroup_size(64)
fn toy_mlp(@builtin(global_invocation_id) global: vec3<u32>) {
    let row = global.x;
    if (row >= arrayLength(&next)) {
        return;
    }

    var hidden: array<vec4<f32>, HIDDEN / 4u>;
    for (var i = 0u; i < HIDDEN; i++) {
        var sum = bias(up_bias, i);
        for (var texel = 0u; texel < INPUTS / 4u; texel++) {
            sum += dot(weights(up, i, texel), x[row * INPUTS / 4u + texel]);
        }
        hidden[i / 4u][i % 4u] = max(sum, 0.0);
    }

    var greatest = 0.0;
    var index = 0u;
    for (var i = 0u; i < OUTPUTS; i++) {
        var sum = bias(down_bias, i);
        for (var texel = 0u; texel < HIDDEN / 4u; texel++) {
            sum += dot(weights(down, i, texel), hidden[texel]);
        }
        y[row * OUTPUTS + i] = sum;
        if (i == 0u || sum > greatest) {
            greatest = sum;
            index = i;
        }
    }
    next[row] = index;
}
