#include "quantise_block.wgsl"
#include "exact_exp.wgsl"

const WIDTH = 8u; // invocations in a workgroup
const LOWEST = -1e30;
const PAIRS = HEAD / 2u;
const OUTPUTS = HEAD * GROUP;

struct State {
    position: u32, // of the first token of the batch
}

struct Size {
    kv_heads: u32,
    window: u32, // keys that a query sees at most; 0 for all
}

#ifdef UNIFORM
@group(0) @binding(0) var<uniform> q: array<vec4<f32>, 4096>;
#else
@group(0) @binding(0) var<storage, read> q: array<vec4<f32>>;
#endif
@group(0) @binding(1) var<storage, read> keys: array<u32>;
@group(0) @binding(2) var<storage, read> values: array<u32>;
@group(0) @binding(3) var<uniform> state: State;
@group(0) @binding(4) var<uniform> size: Size;
@group(0) @binding(5) var<storage, read_write> bytes: array<vec4<u32>>;
@group(0) @binding(6) var<storage, read_write> scales: array<vec4<f32>>;

var<workgroup> tops: array<f32, WIDTH * GROUP>;
var<workgroup> totals: array<f32, WIDTH * GROUP>;
var<workgroup> parts: array<f32, WIDTH * OUTPUTS>;
var<workgroup> merged: array<f32, OUTPUTS>;

@compute @workgroup_size(WIDTH)
fn attention(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let kv_head = workgroup.x;
    let token = workgroup.y;
    let seen = state.position + token + 1u;
    let q_start = (token * size.kv_heads + kv_head) * GROUP * HEAD / 4u;
    var oldest = 0u;
    if (size.window > 0u && seen > size.window) {
        oldest = seen - size.window;
    }

    var top: array<f32, GROUP>;
    var total: array<f32, GROUP>;
    var sums: array<vec2<f32>, GROUP * PAIRS>;
    for (var g = 0u; g < GROUP; g++) {
        top[g] = LOWEST;
    }
    for (var key = oldest + lane; key < seen; key += WIDTH) {
        let start = (key * size.kv_heads + kv_head) * PAIRS;
        var scores: array<f32, GROUP>;
        for (var i = 0u; i < PAIRS; i += 2u) {
            let k = vec4<f32>(unpack2x16float(keys[start + i]), unpack2x16float(keys[start + i + 1u]));
            for (var g = 0u; g < GROUP; g++) {
                let p = k * q[q_start + g * (HEAD / 4u) + i / 2u];
                scores[g] += (p.x + p.y) + (p.z + p.w);
            }
        }
        var shrink: array<f32, GROUP>;
        var weight: array<f32, GROUP>;
        for (var g = 0u; g < GROUP; g++) {
            let greater = max(top[g], scores[g]);
            shrink[g] = exact_exp(top[g] - greater);
            weight[g] = exact_exp(scores[g] - greater);
            top[g] = greater;
            total[g] = total[g] * shrink[g] + weight[g];
        }
        for (var i = 0u; i < PAIRS; i++) {
            let v = unpack2x16float(values[start + i]);
            for (var g = 0u; g < GROUP; g++) {
                sums[g * PAIRS + i] = sums[g * PAIRS + i] * shrink[g] + v * weight[g];
            }
        }
    }
    for (var g = 0u; g < GROUP; g++) {
        tops[lane * GROUP + g] = top[g];
        totals[lane * GROUP + g] = total[g];
        for (var i = 0u; i < PAIRS; i++) {
            parts[lane * OUTPUTS + g * HEAD + 2u * i] = sums[g * PAIRS + i].x;
            parts[lane * OUTPUTS + g * HEAD + 2u * i + 1u] = sums[g * PAIRS + i].y;
        }
    }
    workgroupBarrier();

    // Each invocation merges the columns that it will quantise no sooner than all are there.
    for (var g = 0u; g < GROUP; g++) {
        var greatest = tops[g];
        for (var i = 1u; i < WIDTH; i++) {
            greatest = max(greatest, tops[i * GROUP + g]);
        }
        var share: array<f32, WIDTH>;
        var whole = 0.0;
        for (var i = 0u; i < WIDTH; i++) {
            share[i] = exact_exp(tops[i * GROUP + g] - greatest);
            whole += totals[i * GROUP + g] * share[i];
        }
        for (var column = lane; column < HEAD; column += WIDTH) {
            var sum = 0.0;
            for (var i = 0u; i < WIDTH; i++) {
                sum += parts[i * OUTPUTS + g * HEAD + column] * share[i];
            }
            merged[g * HEAD + column] = sum / whole;
        }
    }
    workgroupBarrier();

    let first = (token * size.kv_heads + kv_head) * OUTPUTS / 32u;
    for (var block = lane; block < OUTPUTS / 32u; block += WIDTH) {
        var v: array<vec4<f32>, 8>;
        for (var i = 0u; i < 8u; i++) {
            let place = block * 32u + i * 4u;
            v[i] = vec4<f32>(merged[place], merged[place + 1u], merged[place + 2u], merged[place + 3u]);
        }
        let made = quantise_block(v);
        bytes[(first + block) * 2u] = made.low;
        bytes[(first + block) * 2u + 1u] = made.high;
        scales[first + block] = made.scales;
    }
}
