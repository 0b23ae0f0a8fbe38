#include "exact_exp.wgsl"

const WIDTH = 8u; // invocations in a workgroup
const TILE = 32u; // keys
const LOWEST = -1e30;
const WORDS = HEAD / 8u; // vectors of eight f16 in the row of a key

struct State {
    position: u32, // of the first token of the batch
}

struct Size {
    kv_heads: u32,
    window: u32, // keys that a query sees at most; 0 for all
    tiles: u32, // space for each token in `sums` and `tops`
}

#ifdef UNIFORM
@group(0) @binding(0) var<uniform> q: array<vec4<f32>, 4096>;
#else
@group(0) @binding(0) var<storage, read> q: array<vec4<f32>>;
#endif
@group(0) @binding(1) var<storage, read> keys: array<vec4<u32>>;
@group(0) @binding(2) var<storage, read> values: array<vec4<u32>>;
@group(0) @binding(3) var<uniform> state: State;
@group(0) @binding(4) var<uniform> size: Size;
@group(0) @binding(5) var<storage, read_write> sums: array<vec4<f32>>; // per token, tile, head and column
@group(0) @binding(6) var<storage, read_write> tops: array<vec2<f32>>; // per token, tile and head: greatest score, sum of weights

var<workgroup> weights: array<f32, TILE * GROUP>;

fn total(x: vec4<f32>) -> f32 {
    return (x.x + x.y) + (x.z + x.w);
}

@compute @workgroup_size(WIDTH)
fn attention_tile(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let tile = workgroup.x;
    let kv_head = workgroup.y;
    let token = workgroup.z;
    let seen = state.position + token + 1u;
    var oldest = 0u;
    if (size.window > 0u && seen > size.window) {
        oldest = seen - size.window;
    }
    let first = tile * TILE;
    let q_start = (token * size.kv_heads + kv_head) * GROUP * (HEAD / 4u);

    for (var i = lane; i < TILE; i += WIDTH) {
        let key = first + i;
        var scores = array<f32, GROUP>();
        let start = (key * size.kv_heads + kv_head) * WORDS;
        if (key < seen) {
            for (var word = 0u; word < WORDS; word++) {
                let bits = keys[start + word];
                let low = vec4<f32>(unpack2x16float(bits.x), unpack2x16float(bits.y));
                let high = vec4<f32>(unpack2x16float(bits.z), unpack2x16float(bits.w));
                for (var g = 0u; g < GROUP; g++) {
                    scores[g] += total(low * q[q_start + g * (HEAD / 4u) + word * 2u]);
                    scores[g] += total(high * q[q_start + g * (HEAD / 4u) + word * 2u + 1u]);
                }
            }
        }
        for (var g = 0u; g < GROUP; g++) {
            weights[g * TILE + i] = select(LOWEST, scores[g], key >= oldest && key < seen);
        }
    }
    workgroupBarrier();

    // Each head has an invocation that turns its scores into weights.
    let place = (token * size.tiles + tile) * size.kv_heads + kv_head;
    for (var g = lane; g < GROUP; g += WIDTH) {
        var top = LOWEST;
        for (var i = 0u; i < TILE; i++) {
            top = max(top, weights[g * TILE + i]);
        }
        var sum = 0.0;
        for (var i = 0u; i < TILE; i++) {
            let score = weights[g * TILE + i];
            let weight = select(0.0, exact_exp(score - top), score > LOWEST);
            weights[g * TILE + i] = weight;
            sum += weight;
        }
        tops[place * GROUP + g] = vec2<f32>(top, sum);
    }
    workgroupBarrier();

    let count = min(TILE, max(seen, first) - first);
    for (var word = lane; word < WORDS; word += WIDTH) {
        var low = array<vec4<f32>, GROUP>();
        var high = array<vec4<f32>, GROUP>();
        for (var i = 0u; i < count; i++) {
            let bits = values[((first + i) * size.kv_heads + kv_head) * WORDS + word];
            let v_low = vec4<f32>(unpack2x16float(bits.x), unpack2x16float(bits.y));
            let v_high = vec4<f32>(unpack2x16float(bits.z), unpack2x16float(bits.w));
            for (var g = 0u; g < GROUP; g++) {
                let weight = weights[g * TILE + i];
                low[g] += v_low * weight;
                high[g] += v_high * weight;
            }
        }
        for (var g = 0u; g < GROUP; g++) {
            let out = ((place * GROUP + g) * WORDS + word) * 2u;
            sums[out] = low[g];
            sums[out + 1u] = high[g];
        }
    }
}
