//! What attention_tile.wgsl found in the tiles, brought together as floats; an invocation for four columns. As attention_merge.wgsl, but for the bytes.
//!
//! [float_merge]
//! prepare   = [{ define = {} }]
//! dims      = "tokens tiles heads columns"
//! where     = ["columns % 4 == 0", "tokens == 1", "tiles >= 1"]
//! shapes    = { sums = "tokens tiles heads columns", tops = "tokens tiles heads 2", y = "tokens heads columns" }
//! params    = { state = { position = "32 * tiles - 1" }, size = { heads = "heads", columns = "columns", tiles = "tiles" } }
//! inputs    = { sums = "normal(0, 1)", tops = "uniform(0.5, 3)" }
//! dispatch  = "ceil(heads * columns / 64), tokens"
//! define    = { share = "exp(tops[:, :, :, 0] - max(tops[:, :, :, 0], axis=1, keepdims=True))" }
//! expect    = { y = "sum(sums * share[:, :, :, None], axis=1) / sum(tops[:, :, :, 1] * share, axis=1)[:, :, None]" }
//! cases     = ["tokens=1 tiles=4 heads=9 columns=64", "tokens=1 tiles=1 heads=1 columns=32", "tokens=1 tiles=64 heads=14 columns=64", "tokens=1 tiles=3 heads=2 columns=128"]
//! derive    = false

#include "exact_exp.wgsl"

const WIDTH = 16u; // invocations in a workgroup
const TILE = 32u; // keys
const LOWEST = -1e30;

struct State {
    position: u32, // of the first token of the batch
}

struct Size {
    heads: u32,
    columns: u32, // of a head
    tiles: u32, // space for each token
}

@group(0) @binding(0) var<storage, read> sums: array<vec4<f32>>; // per token, tile, head and column
@group(0) @binding(1) var<storage, read> tops: array<vec2<f32>>; // per token, tile and head: greatest score, sum of weights
@group(0) @binding(2) var<uniform> state: State;
@group(0) @binding(3) var<uniform> size: Size;
@group(0) @binding(4) var<storage, read_write> y: array<vec4<f32>>;

@compute @workgroup_size(WIDTH)
fn float_merge(@builtin(global_invocation_id) global: vec3<u32>) {
    let vector = global.x; // of four columns
    let token = global.y;
    let vectors = size.heads * size.columns / 4u;
    if (vector >= vectors) {
        return;
    }
    let head = vector * 4u / size.columns;
    let tiles = (state.position + token) / TILE + 1u;
    let first = token * size.tiles;
    var greatest = LOWEST;
    for (var tile = 0u; tile < tiles; tile++) {
        greatest = max(greatest, tops[(first + tile) * size.heads + head].x);
    }
    var whole = 0.0;
    var v = vec4<f32>();
    for (var tile = 0u; tile < tiles; tile++) {
        let top = tops[(first + tile) * size.heads + head];
        let share = exact_exp(top.x - greatest);
        whole += top.y * share;
        v += sums[(first + tile) * vectors + vector] * share;
    }
    y[token * vectors + vector] = v / whole;
}
