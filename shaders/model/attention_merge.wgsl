//! What attention_tile.wgsl found in the tiles, brought together and quantised to signed bytes; an invocation for each block of 32 columns.
//!
//! Tiles are weighted by e to the power of their greatest score less the greatest of all, and added in their order.
//!
//! [attention_merge]
//! prepare   = [{ define = {} }]
//! dims      = "tokens position space heads columns"
//! where     = ["columns % 32 == 0", "position + tokens <= 32 * space", "tokens <= 65535"]
//! shapes    = { sums = "tokens space heads columns", tops = "tokens space heads 2", bytes = "tokens (heads * columns / 32) 8", scales = "tokens (heads * columns / 32) 4" }
//! params    = { state = { position = "position" }, size = { heads = "heads", columns = "columns", tiles = "space" } }
//! inputs    = { sums = "normal(0, 1)", tops = "uniform(0.5, 3)" }
//! dispatch  = "ceil(heads * columns / 32 / workgroup_size.x), tokens"
//! reference = "reference.py:attention_merge"
//! compare   = { bytes = "exact", scales = "exact" }
//! cases     = [
//!   "tokens=1 position=127 space=4 heads=9 columns=64",
//!   "tokens=4 position=62 space=5 heads=2 columns=32",
//!   "tokens=1 position=0 space=1 heads=1 columns=32",
//!   "tokens=1 position=2047 space=64 heads=14 columns=64",
//!   "tokens=1 position=95 space=3 heads=2 columns=128",
//! ]
//! derive    = false

#include "quantise_block.wgsl"
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
@group(0) @binding(4) var<storage, read_write> bytes: array<vec4<u32>>;
@group(0) @binding(5) var<storage, read_write> scales: array<vec4<f32>>;

@compute @workgroup_size(WIDTH)
fn attention_merge(@builtin(global_invocation_id) global: vec3<u32>) {
    let block = global.x;
    let token = global.y;
    let blocks = size.heads * size.columns / 32u;
    if (block >= blocks) {
        return;
    }
    let head = block * 32u / size.columns;
    let tiles = (state.position + token) / TILE + 1u;
    let first = token * size.tiles;
    var greatest = LOWEST;
    for (var tile = 0u; tile < tiles; tile++) {
        greatest = max(greatest, tops[(first + tile) * size.heads + head].x);
    }
    var whole = 0.0;
    var v = array<vec4<f32>, 8>();
    for (var tile = 0u; tile < tiles; tile++) {
        let top = tops[(first + tile) * size.heads + head];
        let share = exact_exp(top.x - greatest);
        whole += top.y * share;
        let start = (first + tile) * blocks * 8u + block * 8u;
        for (var i = 0u; i < 8u; i++) {
            v[i] += sums[start + i] * share;
        }
    }
    for (var i = 0u; i < 8u; i++) {
        v[i] /= whole;
    }
    let made = quantise_block(v);
    let place = token * blocks + block;
    bytes[place * 2u] = made.low;
    bytes[place * 2u + 1u] = made.high;
    scales[place] = made.scales;
}
