//! Causal attention with grouped queries: o = softmax(q · kᵀ / √width) · v; one workgroup for each query and head.
//!
//! The queries are the last tokens of a sequence, so query i sees the keys up to keys - queries + i. Each `group` of
//! query heads shares one head of keys and values. The keys come in tiles of 64, one for each invocation, and no
//! score outlives its tile: the softmax runs along. It keeps the greatest score so far, the sum of the exponentials
//! relative to it, and the sums of the weighted values; when a tile brings a greater score, what was summed before is
//! scaled down to it.
//! Source: M. Milakov, N. Gimelshein, "Online normalizer calculation for softmax", arXiv 1805.02867 (2018), algorithm
//! 3; T. Dao et al., "FlashAttention", arXiv 2205.14135 (2022), algorithm 1; J. Ainslie et al., "GQA", arXiv
//! 2305.13245 (2023).
//!
//! [attention]
//! dims     = "queries keys kv_heads group width"
//! where    = ["queries <= keys", "width <= 128", "queries <= 65535", "kv_heads * group <= 65535"]
//! let      = { heads = "kv_heads * group" }
//! inputs   = { q = "normal(0, 1)", k = "normal(0, 1)", v = "normal(0, 1)" }
//! dispatch = "queries, heads"
//! expect   = { o = "reshape(transpose(weights @ values, [2, 0, 1, 3]), queries, heads, width)" }
//! flops    = "4 * queries * keys * heads * width"
//! cases    = [
//!   "queries=4 keys=4 kv_heads=2 group=1 width=16",
//!   "queries=1 keys=1 kv_heads=1 group=1 width=1",
//!   "queries=1 keys=130 kv_heads=2 group=3 width=64",
//!   "queries=20 keys=70 kv_heads=1 group=2 width=72",
//!   {
//!     name = "large scores",
//!     dims = { queries = 3, keys = 150, kv_heads = 1, group = 2, width = 32 },
//!     inputs = { q = "normal(0, 20)" },
//!   },
//! ]
//!
//! [attention.shapes]
//! q = "queries heads width"
//! k = "keys kv_heads width"
//! v = "keys kv_heads width"
//! o = "queries heads width"
//!
//! [attention.params.size]
//! queries  = "queries"
//! keys     = "keys"
//! kv_heads = "kv_heads"
//! group    = "group"
//! width    = "width"
//!
//! [attention.define]                                  # axes: head of keys, head in its group, query, key or column
//! questions = "transpose(reshape(q, queries, kv_heads, group, width), [1, 2, 0, 3])"
//! scores    = "questions @ transpose(k, [1, 2, 0])[:, None] / sqrt(f32(width))"
//! mask      = "tril(ones(queries, keys), keys - queries)"
//! seen      = "where(mask > 0, scores, min(scores))"
//! e         = "mask * exp(seen - max(seen, axis=3, keepdims=True))"
//! weights   = "e / sum(e, axis=3, keepdims=True)"
//! values    = "transpose(v, [1, 0, 2])[:, None]"

const WIDTH = 64u; // invocations in a workgroup, keys in a tile
const MAX_WIDTH = 128u; // greatest width of a head
const COLUMNS = MAX_WIDTH / WIDTH; // columns of o for each invocation
const LOWEST = -1e30; // below every score, and far enough from the least f32 for a difference

struct Size {
    queries: u32,
    keys: u32,
    kv_heads: u32,
    group: u32,
    width: u32,
}

@group(0) @binding(0) var<uniform> size: Size;
@group(0) @binding(1) var<storage, read> q: array<f32>;
@group(0) @binding(2) var<storage, read> k: array<f32>;
@group(0) @binding(3) var<storage, read> v: array<f32>;
@group(0) @binding(4) var<storage, read_write> o: array<f32>;

var<workgroup> scores: array<f32, WIDTH>;
var<workgroup> weights: array<f32, WIDTH>;

// Where the row of a key begins, in `k` and in `v`.
fn key_start(key: u32, kv_head: u32) -> u32 {
    return (key * size.kv_heads + kv_head) * size.width;
}

@compute @workgroup_size(WIDTH)
fn attention(
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let query = workgroup.x;
    let head = workgroup.y;
    let kv_head = head / size.group;
    let q_start = (query * size.kv_heads * size.group + head) * size.width;
    let seen = size.keys - size.queries + query + 1u; // keys that the query sees
    let scale = inverseSqrt(f32(size.width));

    var greatest = LOWEST; // score so far
    var total = 0.0; // of the exponentials
    var sums: array<f32, COLUMNS>; // of the weighted values, in the columns lane, lane + WIDTH, …
    for (var first = 0u; first < seen; first += WIDTH) {
        var score = LOWEST;
        if (first + lane < seen) {
            let k_start = key_start(first + lane, kv_head);
            score = 0.0;
            for (var j = 0u; j < size.width; j++) {
                score += q[q_start + j] * k[k_start + j];
            }
            score *= scale;
        }
        scores[lane] = score;
        workgroupBarrier(); // all scores of the tile are known, and nobody needs the weights of the last one

        let before = greatest;
        for (var i = 0u; i < WIDTH; i++) {
            greatest = max(greatest, scores[i]);
        }
        weights[lane] = exp(score - greatest);
        workgroupBarrier(); // all weights of the tile are known, and nobody needs its scores any more

        let shrink = exp(before - greatest);
        total *= shrink;
        for (var c = 0u; c < COLUMNS; c++) {
            sums[c] *= shrink;
        }
        for (var i = 0u; i < min(WIDTH, seen - first); i++) {
            total += weights[i];
            let v_start = key_start(first + i, kv_head);
            for (var c = 0u; c < COLUMNS; c++) {
                let column = min(lane + c * WIDTH, size.width - 1u);
                sums[c] += weights[i] * v[v_start + column];
            }
        }
    }

    for (var c = 0u; c < COLUMNS; c++) {
        let column = lane + c * WIDTH;
        if (column < size.width) {
            o[q_start + column] = sums[c] / total;
        }
    }
}
