#include "quantise_block.wgsl"

const WIDTH = 32u; // invocations in a workgroup

struct Size {
    heads: u32,
    kv_heads: u32,
    width: u32, // of a head
    turned: u32, // components of a head that rope turns
    scale: f32, // of the queries
    epsilon: f32,
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

fn exact_rsqrt(x: f32) -> f32 {
    var y = bitcast<f32>(0x5f3759dfu - (bitcast<u32>(x) >> 1u));
    for (var i = 0u; i < 4u; i++) {
        y = y * (1.5 - (0.5 * x * y) * y);
    }
    return y;
}
#endif

override halves: bool = false; // pairs are i and i + turned / 2, not 2i and 2i + 1

var<private> start: u32; // of the head in qkv
var<private> first: u32; // of the head among all rows
var<private> factor: f32;

fn component(i: u32, is_query: bool) -> f32 {
    var v = qkv[start + i];
#ifdef BIAS
    v += bias[first + i];
#endif
#ifdef NORM
    if (is_query) {
        v = (v * factor) * q_weight[i];
    } else {
        v = (v * factor) * k_weight[i];
    }
#endif
    return v;
}

// Component i of the head after the turn.
fn turned(i: u32, position: u32, is_query: bool) -> f32 {
    if (i >= size.turned) {
        return component(i, is_query);
    }
    let half = size.turned / 2u;
    var pair = i / 2u;
    var is_second = (i & 1u) == 1u;
    var other = i ^ 1u;
    if (halves) {
        is_second = i >= half;
        pair = select(i, i - half, is_second);
        other = select(i + half, pair, is_second);
    }
    let turn = turns[position * half + pair];
    let mine = component(i, is_query) * turn.x;
    let theirs = component(other, is_query) * turn.y;
    return select(mine - theirs, mine + theirs, is_second);
}

@compute @workgroup_size(WIDTH)
fn rope_append(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let head = workgroup.x; // queries, then keys, then values
    let token = workgroup.y;
    let position = state.position + token;
    first = head * size.width;
    start = token * (size.heads + 2u * size.kv_heads) * size.width + first;
    let is_query = head < size.heads;
    let is_key = !is_query && head < size.heads + size.kv_heads;
#ifdef NORM
    factor = 1.0;
    var sum = 0.0;
    if (is_query || is_key) {
        for (var i = 0u; i < size.width; i++) {
            let v = qkv[start + i];
            sum += v * v;
        }
        factor = exact_rsqrt(sum / f32(size.width) + size.epsilon);
    }
#endif
    for (var i = lane * 2u; i < size.width; i += WIDTH * 2u) {
        if (is_query) {
            let place = (token * size.heads + head) * size.width + i;
            q[place] = turned(i, position, true) * size.scale;
            q[place + 1u] = turned(i + 1u, position, true) * size.scale;
        } else if (is_key) {
            let place = ((position * size.kv_heads + head - size.heads) * size.width + i) / 2u;
            keys[place] = half_bits(turned(i, position, false)) | (half_bits(turned(i + 1u, position, false)) << 16u);
        } else {
            let place = ((position * size.kv_heads + head - size.heads - size.kv_heads) * size.width + i) / 2u;
            var a = qkv[start + i];
            var b = qkv[start + i + 1u];
#ifdef BIAS
            a += bias[first + i];
            b += bias[first + i + 1u];
#endif
            values[place] = half_bits(a) | (half_bits(b) << 16u);
        }
    }
}
