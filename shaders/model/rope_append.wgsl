//! From the product of a layer's QKV matrix to queries that attention can use and keys and values in the cache; a workgroup for each head and token.
//!
//! With BIAS a bias is added first; with NORM the heads of queries and keys are RMS-normalised. Then pairs of components are turned by the angle of the
//! token's position, whose cosines and sines are in a table: 2i with 2i + 1, or i with i + turned / 2 where `halves` is set. Queries are multiplied by
//! `scale`; keys and values are rounded to f16.
//! Source: J. Su et al., "RoFormer", arXiv 2104.09864, equation 34; pairs as in `ggml_compute_forward_rope`, ops.cpp, github.com/ggml-org/llama.cpp.
//!
//! [rope_append]
//! entry     = "rope_append"
//! prepare   = [{ define = {} }]
//! dims      = "tokens heads kv_heads width pairs position"
//! where     = ["2 * pairs <= width", "width % 4 == 0", "pairs % 2 == 0"]
//! let       = { rows = "heads + 2 * kv_heads", positions = "position + tokens + 1" }
//! dispatch  = "rows, tokens"
//! reference = "reference.py:rope_append"
//! compare   = { q = "exact", keys = "exact", values = "exact" }
//! cases     = [
//!   "tokens=1 heads=9 kv_heads=3 width=64 pairs=32 position=7",
//!   { name = "halves", dims = { tokens = 4, heads = 4, kv_heads = 1, width = 128, pairs = 64, position = 0 }, params = { size = { halves = 1 } } },
//!   "tokens=2 heads=2 kv_heads=2 width=32 pairs=8 position=3",
//! ]
//! derive    = false
//!
//! [rope_append.params]
//! state = { position = "position" }
//! size  = { heads = "heads", kv_heads = "kv_heads", width = "width", turned = "2 * pairs", scale = 0.125, epsilon = 1e-5, halves = 0 }
//!
//! [rope_append.shapes]
//! qkv      = "tokens (rows * width)"
//! turns    = "positions pairs 2"
//! q        = "tokens heads width"
//! keys     = "positions kv_heads (width / 2)"
//! values   = "positions kv_heads (width / 2)"
//!
//! [rope_append.inputs]
//! turns  = "uniform(-1, 1)"
//! keys   = "integers(0, 1000)"
//! values = "integers(0, 1000)"
//!
//! [rope_append_bias]
//! entry     = "rope_append"
//! prepare   = [{ define = { BIAS = 1 } }]
//! dims      = "tokens heads kv_heads width pairs position"
//! where     = ["2 * pairs <= width", "width % 4 == 0", "pairs % 2 == 0"]
//! let       = { rows = "heads + 2 * kv_heads", positions = "position + tokens + 1" }
//! dispatch  = "rows, tokens"
//! reference = "reference.py:rope_append"
//! compare   = { q = "exact", keys = "exact", values = "exact" }
//! cases     = [
//!   "tokens=1 heads=9 kv_heads=3 width=64 pairs=32 position=7",
//!   { name = "halves", dims = { tokens = 4, heads = 4, kv_heads = 1, width = 128, pairs = 64, position = 0 }, params = { size = { halves = 1 } } },
//!   "tokens=2 heads=2 kv_heads=2 width=32 pairs=8 position=3",
//! ]
//! derive    = false
//!
//! [rope_append_bias.params]
//! state = { position = "position" }
//! size  = { heads = "heads", kv_heads = "kv_heads", width = "width", turned = "2 * pairs", scale = 0.125, epsilon = 1e-5, halves = 0 }
//!
//! [rope_append_bias.shapes]
//! qkv      = "tokens (rows * width)"
//! turns    = "positions pairs 2"
//! q        = "tokens heads width"
//! keys     = "positions kv_heads (width / 2)"
//! values   = "positions kv_heads (width / 2)"
//! bias     = "(rows * width)"
//!
//! [rope_append_bias.inputs]
//! turns  = "uniform(-1, 1)"
//! keys   = "integers(0, 1000)"
//! values = "integers(0, 1000)"
//!
//! [rope_append_norm]
//! entry     = "rope_append"
//! prepare   = [{ define = { NORM = 1 } }]
//! dims      = "tokens heads kv_heads width pairs position"
//! where     = ["2 * pairs <= width", "width % 4 == 0", "pairs % 2 == 0"]
//! let       = { rows = "heads + 2 * kv_heads", positions = "position + tokens + 1" }
//! dispatch  = "rows, tokens"
//! reference = "reference.py:rope_append"
//! compare   = { q = "exact", keys = "exact", values = "exact" }
//! cases     = [
//!   "tokens=1 heads=9 kv_heads=3 width=64 pairs=32 position=7",
//!   { name = "halves", dims = { tokens = 4, heads = 4, kv_heads = 1, width = 128, pairs = 64, position = 0 }, params = { size = { halves = 1 } } },
//!   "tokens=2 heads=2 kv_heads=2 width=32 pairs=8 position=3",
//! ]
//! derive    = false
//!
//! [rope_append_norm.params]
//! state = { position = "position" }
//! size  = { heads = "heads", kv_heads = "kv_heads", width = "width", turned = "2 * pairs", scale = 0.125, epsilon = 1e-5, halves = 0 }
//!
//! [rope_append_norm.shapes]
//! qkv      = "tokens (rows * width)"
//! turns    = "positions pairs 2"
//! q        = "tokens heads width"
//! keys     = "positions kv_heads (width / 2)"
//! values   = "positions kv_heads (width / 2)"
//! q_weight = "width"
//! k_weight = "width"
//!
//! [rope_append_norm.inputs]
//! turns  = "uniform(-1, 1)"
//! keys   = "integers(0, 1000)"
//! values = "integers(0, 1000)"
//!
//! [rope_append_bias_norm]
//! entry     = "rope_append"
//! prepare   = [{ define = { BIAS = 1, NORM = 1 } }]
//! dims      = "tokens heads kv_heads width pairs position"
//! where     = ["2 * pairs <= width", "width % 4 == 0", "pairs % 2 == 0"]
//! let       = { rows = "heads + 2 * kv_heads", positions = "position + tokens + 1" }
//! dispatch  = "rows, tokens"
//! reference = "reference.py:rope_append"
//! compare   = { q = "exact", keys = "exact", values = "exact" }
//! cases     = [
//!   "tokens=1 heads=9 kv_heads=3 width=64 pairs=32 position=7",
//!   { name = "halves", dims = { tokens = 4, heads = 4, kv_heads = 1, width = 128, pairs = 64, position = 0 }, params = { size = { halves = 1 } } },
//!   "tokens=2 heads=2 kv_heads=2 width=32 pairs=8 position=3",
//! ]
//! derive    = false
//!
//! [rope_append_bias_norm.params]
//! state = { position = "position" }
//! size  = { heads = "heads", kv_heads = "kv_heads", width = "width", turned = "2 * pairs", scale = 0.125, epsilon = 1e-5, halves = 0 }
//!
//! [rope_append_bias_norm.shapes]
//! qkv      = "tokens (rows * width)"
//! turns    = "positions pairs 2"
//! q        = "tokens heads width"
//! keys     = "positions kv_heads (width / 2)"
//! values   = "positions kv_heads (width / 2)"
//! bias     = "(rows * width)"
//! q_weight = "width"
//! k_weight = "width"
//!
//! [rope_append_bias_norm.inputs]
//! turns  = "uniform(-1, 1)"
//! keys   = "integers(0, 1000)"
//! values = "integers(0, 1000)"

#include "quantise_block.wgsl"

const WIDTH = 16u; // invocations in a workgroup

struct Size {
    heads: u32,
    kv_heads: u32,
    width: u32, // of a head
    turned: u32, // components of a head that rope turns
    scale: f32, // of the queries
    epsilon: f32,
    halves: u32, // whether pairs are i and i + turned / 2, not 2i and 2i + 1
}

struct State {
    position: u32, // of the first token of the batch
}

@group(0) @binding(0) var<uniform> size: Size;
@group(0) @binding(1) var<uniform> state: State;
@group(0) @binding(2) var<storage, read> qkv: array<f32>; // per token: queries, keys, values
@group(0) @binding(3) var<storage, read> turns: array<vec2<f32>>; // per position and pair: cosine, sine
@group(0) @binding(4) var<storage, read_write> q: array<f32>;
@group(0) @binding(5) var<storage, read_write> keys: array<u32>; // per position: two f16 in a word
@group(0) @binding(6) var<storage, read_write> values: array<u32>;
#ifdef BIAS
@group(0) @binding(7) var<storage, read> bias: array<f32>;
#endif
#ifdef NORM
@group(0) @binding(8) var<storage, read> q_weight: array<f32>;
@group(0) @binding(9) var<storage, read> k_weight: array<f32>;

#include "exact_rsqrt.wgsl"
#endif

@compute @workgroup_size(WIDTH)
fn rope_append(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let head = workgroup.x; // queries, then keys, then values
    let token = workgroup.y;
    let position = state.position + token;
    let first = head * size.width;
    let start = token * (size.heads + 2u * size.kv_heads) * size.width + first;
    let is_query = head < size.heads;
    let is_value = head >= size.heads + size.kv_heads;
#ifdef NORM
    var sum = 0.0;
    if (!is_value) {
        for (var i = 0u; i < size.width; i++) {
            let v = qkv[start + i];
            sum += v * v;
        }
    }
    let factor = exact_rsqrt(sum / f32(size.width) + size.epsilon);
#endif
    let half = size.turned / 2u;
    // Each invocation takes two pairs: components x.x with y.x, and x.y with y.y.
    for (var i = lane * 4u; i < size.width; i += WIDTH * 4u) {
        let is_turned = !is_value && i < size.turned;
        let is_apart = is_turned && size.halves != 0u;
        let x_place = select(vec2<u32>(i, i + 2u), vec2<u32>(i / 2u, i / 2u + 1u), is_apart);
        let y_place = x_place + select(1u, half, is_apart);
        var x = vec2<f32>(qkv[start + x_place.x], qkv[start + x_place.y]);
        var y = vec2<f32>(qkv[start + y_place.x], qkv[start + y_place.y]);
#ifdef BIAS
        x += vec2<f32>(bias[first + x_place.x], bias[first + x_place.y]);
        y += vec2<f32>(bias[first + y_place.x], bias[first + y_place.y]);
#endif
#ifdef NORM
        if (is_query) {
            x = (x * factor) * vec2<f32>(q_weight[x_place.x], q_weight[x_place.y]);
            y = (y * factor) * vec2<f32>(q_weight[y_place.x], q_weight[y_place.y]);
        } else if (!is_value) {
            x = (x * factor) * vec2<f32>(k_weight[x_place.x], k_weight[x_place.y]);
            y = (y * factor) * vec2<f32>(k_weight[y_place.x], k_weight[y_place.y]);
        }
#endif
        if (is_turned) {
            let one = turns[position * half + i / 2u];
            let two = turns[position * half + i / 2u + 1u];
            let cosine = vec2<f32>(one.x, two.x);
            let sine = vec2<f32>(one.y, two.y);
            let before = x;
            x = before * cosine - y * sine;
            y = y * cosine + before * sine;
        }
        if (is_query) {
            let target_row = (token * size.heads + head) * size.width;
            q[target_row + x_place.x] = x.x * size.scale;
            q[target_row + x_place.y] = x.y * size.scale;
            q[target_row + y_place.x] = y.x * size.scale;
            q[target_row + y_place.y] = y.y * size.scale;
        } else {
            // Neighbours share a word.
            let one = select(vec2<f32>(x.x, y.x), x, is_apart);
            let two = select(vec2<f32>(x.y, y.y), y, is_apart);
            let words = vec2<u32>(
                half_bits(one.x) | (half_bits(one.y) << 16u),
                half_bits(two.x) | (half_bits(two.y) << 16u));
            let places = select(vec2<u32>(i, i + 2u), vec2<u32>(x_place.x, y_place.x), is_apart);
            let kv_head = head - size.heads - select(0u, size.kv_heads, is_value);
            let row = (position * size.kv_heads + kv_head) * size.width;
            if (is_value) {
                values[(row + places.x) / 2u] = words.x;
                values[(row + places.y) / 2u] = words.y;
            } else {
                keys[(row + places.x) / 2u] = words.x;
                keys[(row + places.y) / 2u] = words.y;
            }
        }
    }
}
