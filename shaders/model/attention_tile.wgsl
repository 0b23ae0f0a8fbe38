//! Attention of each query to a tile of 32 keys, for queries in groups of GROUP (1 to 8) that share a head of keys and values; a workgroup for each tile, head of
//! keys and token.
//!
//! The greatest score of the tile is taken off before the exponential; attention_merge.wgsl brings the tiles together. Keys and values are f16,
//! eight of them in a vector, queries are f32 and scaled. First each invocation scores keys, then it adds up columns of the values. A window hides
//! keys that lie too far back. Sums are made key after key: the same bits wherever floats are rounded as IEEE 754 says.
//! Source: T. Dao et al., "FlashAttention", arXiv 2205.14135 (2022); the split over keys as "Flash-Decoding", T. Dao, D. Haziza, F. Massa, G. Sizov (2023).
//!
//! [attention_tile]
//! entry     = "attention_tile"
//! prepare   = [{ define = { HEAD = "64u", GROUP = "3u" } }]
//! dims      = "tokens kv_heads position tiles"
//! where     = ["position + tokens > 32 * (tiles - 1)", "position + tokens <= 32 * tiles", "kv_heads <= 65535", "tokens <= 65535"]
//! params    = { state = { position = "position" }, size = { kv_heads = "kv_heads", window = 0, tiles = "tiles" } }
//! dispatch  = "tiles, kv_heads, tokens"
//! reference = "reference.py:attention_tile"
//! flops     = "128 * tokens * tiles * kv_heads * 192"
//! cases     = [
//!   "tokens=1 kv_heads=3 position=99 tiles=4",
//!   "tokens=4 kv_heads=3 position=29 tiles=2",
//!   "tokens=1 kv_heads=1 position=0 tiles=1",
//!   "tokens=1 kv_heads=2 position=63 tiles=2",
//! ]
//! derive    = false
//!
//! [attention_tile.shapes]
//! q      = "tokens (3 * kv_heads) 64"
//! keys   = "(32 * tiles) kv_heads 32"
//! values = "(32 * tiles) kv_heads 32"
//! sums   = "tokens tiles (3 * kv_heads) 64"
//! tops   = "tokens tiles (3 * kv_heads) 2"
//!
//! [attention_tile.inputs]
//! q      = "normal(0, 0.3)"
//! keys   = "integers(14336, 16384) + 65536 * integers(14336, 16384) + 32768 * integers(0, 2)"
//! values = "integers(14336, 16384) + 65536 * integers(14336, 16384) + 32768 * integers(0, 2)"
//!
//! [attention_tile_alone]
//! entry     = "attention_tile"
//! prepare   = [{ define = { HEAD = "32u", GROUP = "1u" } }]
//! dims      = "tokens kv_heads position tiles"
//! where     = ["position + tokens > 32 * (tiles - 1)", "position + tokens <= 32 * tiles", "kv_heads <= 65535", "tokens <= 65535"]
//! params    = { state = { position = "position" }, size = { kv_heads = "kv_heads", window = 0, tiles = "tiles" } }
//! dispatch  = "tiles, kv_heads, tokens"
//! reference = "reference.py:attention_tile"
//! flops     = "128 * tokens * tiles * kv_heads * 32"
//! cases     = [
//!   "tokens=1 kv_heads=3 position=99 tiles=4",
//!   "tokens=4 kv_heads=3 position=29 tiles=2",
//!   "tokens=1 kv_heads=1 position=0 tiles=1",
//!   "tokens=1 kv_heads=2 position=63 tiles=2",
//! ]
//! derive    = false
//!
//! [attention_tile_alone.shapes]
//! q      = "tokens (1 * kv_heads) 32"
//! keys   = "(32 * tiles) kv_heads 16"
//! values = "(32 * tiles) kv_heads 16"
//! sums   = "tokens tiles (1 * kv_heads) 32"
//! tops   = "tokens tiles (1 * kv_heads) 2"
//!
//! [attention_tile_alone.inputs]
//! q      = "normal(0, 0.3)"
//! keys   = "integers(14336, 16384) + 65536 * integers(14336, 16384) + 32768 * integers(0, 2)"
//! values = "integers(14336, 16384) + 65536 * integers(14336, 16384) + 32768 * integers(0, 2)"
//!
//! [attention_tile_wide]
//! entry     = "attention_tile"
//! prepare   = [{ define = { HEAD = "128u", GROUP = "2u" } }]
//! dims      = "tokens kv_heads position tiles"
//! where     = ["position + tokens > 32 * (tiles - 1)", "position + tokens <= 32 * tiles", "kv_heads <= 65535", "tokens <= 65535"]
//! params    = { state = { position = "position" }, size = { kv_heads = "kv_heads", window = 0, tiles = "tiles" } }
//! dispatch  = "tiles, kv_heads, tokens"
//! reference = "reference.py:attention_tile"
//! flops     = "128 * tokens * tiles * kv_heads * 256"
//! cases     = [
//!   "tokens=1 kv_heads=3 position=99 tiles=4",
//!   "tokens=4 kv_heads=3 position=29 tiles=2",
//!   "tokens=1 kv_heads=1 position=0 tiles=1",
//!   "tokens=1 kv_heads=2 position=63 tiles=2",
//! ]
//! derive    = false
//!
//! [attention_tile_wide.shapes]
//! q      = "tokens (2 * kv_heads) 128"
//! keys   = "(32 * tiles) kv_heads 64"
//! values = "(32 * tiles) kv_heads 64"
//! sums   = "tokens tiles (2 * kv_heads) 128"
//! tops   = "tokens tiles (2 * kv_heads) 2"
//!
//! [attention_tile_wide.inputs]
//! q      = "normal(0, 0.3)"
//! keys   = "integers(14336, 16384) + 65536 * integers(14336, 16384) + 32768 * integers(0, 2)"
//! values = "integers(14336, 16384) + 65536 * integers(14336, 16384) + 32768 * integers(0, 2)"

#include "exact_exp.wgsl"

const WIDTH = 8u; // invocations in a workgroup
const TILE = 32u; // keys
const KEYS = TILE / WIDTH; // for each invocation
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

var<workgroup> maxima: array<f32, WIDTH * GROUP>;
var<workgroup> weights: array<f32, TILE * GROUP>;

// Loops with every index a constant, so that what is indexed stays in registers.
#define EACH_KEY(what) what(0u) what(1u) what(2u) what(3u)
#if GROUP == 1
#define EACH_QUERY(what) what(0u)
#elif GROUP == 2
#define EACH_QUERY(what) what(0u) what(1u)
#elif GROUP == 3
#define EACH_QUERY(what) what(0u) what(1u) what(2u)
#elif GROUP == 4
#define EACH_QUERY(what) what(0u) what(1u) what(2u) what(3u)
#elif GROUP == 5
#define EACH_QUERY(what) what(0u) what(1u) what(2u) what(3u) what(4u)
#elif GROUP == 6
#define EACH_QUERY(what) what(0u) what(1u) what(2u) what(3u) what(4u) what(5u)
#elif GROUP == 7
#define EACH_QUERY(what) what(0u) what(1u) what(2u) what(3u) what(4u) what(5u) what(6u)
#elif GROUP == 8
#define EACH_QUERY(what) what(0u) what(1u) what(2u) what(3u) what(4u) what(5u) what(6u) what(7u)
#endif

// Eight columns of a key, times those of every query.
#define SCORE_KEY(k) { \
        const i = k; \
        let bits = keys[((first + i * WIDTH + lane) * size.kv_heads + kv_head) * WORDS + word]; \
        let low = vec4<f32>(unpack2x16float(bits.x), unpack2x16float(bits.y)); \
        let high = vec4<f32>(unpack2x16float(bits.z), unpack2x16float(bits.w)); \
        EACH_QUERY(ADD_PRODUCTS) \
    }
#define ADD_PRODUCTS(g) products[i * GROUP + g] += low * q_low[g]; products[i * GROUP + g] += high * q_high[g];
#define READ_QUERY(g) q_low[g] = q[q_start + g * (HEAD / 4u) + word * 2u]; q_high[g] = q[q_start + g * (HEAD / 4u) + word * 2u + 1u];

#define FINISH_KEY(k) { \
        const i = k; \
        let key = first + i * WIDTH + lane; \
        let is_seen = key >= oldest && key < seen; \
        EACH_QUERY(FINISH_SCORE) \
    }
#define FINISH_SCORE(g) { \
        let product = products[i * GROUP + g]; \
        let score = select(LOWEST, (product.x + product.y) + (product.z + product.w), is_seen); \
        scores[i * GROUP + g] = score; \
        top[g] = max(top[g], score); \
    }

#define SHARE_TOP(g) maxima[g * WIDTH + lane] = top[g];
#define FIND_TOP(g) for (var i = 0u; i < WIDTH; i++) { top[g] = max(top[g], maxima[g * WIDTH + i]); }
#define WEIGH_KEY(k) { const i = k; EACH_QUERY(WEIGH) }
#define WEIGH(g) weights[g * TILE + i * WIDTH + lane] = exact_exp(scores[i * GROUP + g] - top[g]);

#define ADD_VALUE(g) { \
        let weight = weights[g * TILE + i]; \
        sum[g] += weight; \
        sum_low[g] += low * weight; \
        sum_high[g] += high * weight; \
    }
#define STORE(g) { \
        let out = ((place * GROUP + g) * WORDS + word) * 2u; \
        sums[out] = sum_low[g]; \
        sums[out + 1u] = sum_high[g]; \
        if (word == 0u) { \
            tops[place * GROUP + g] = vec2<f32>(top[g], sum[g]); \
        } \
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

    // Each invocation scores every eighth key of the tile, whether it is seen or not: a query is read once for all of them.
    var products: array<vec4<f32>, GROUP * KEYS>;
    for (var word = 0u; word < WORDS; word++) {
        var q_low: array<vec4<f32>, GROUP>;
        var q_high: array<vec4<f32>, GROUP>;
        EACH_QUERY(READ_QUERY)
        EACH_KEY(SCORE_KEY)
    }
    var scores: array<f32, GROUP * KEYS>;
    var top = array<f32, GROUP>();
#define CLEAR_TOP(g) top[g] = LOWEST;
    EACH_QUERY(CLEAR_TOP)
    EACH_KEY(FINISH_KEY)
    EACH_QUERY(SHARE_TOP)
    workgroupBarrier();

    EACH_QUERY(FIND_TOP)
    EACH_KEY(WEIGH_KEY)
    workgroupBarrier();

    let place = (token * size.tiles + tile) * size.kv_heads + kv_head;
    // Keys that are not seen stand before the others or behind them.
    let low_key = max(oldest, first) - first;
    let end = min(TILE, max(seen, first) - first);
    for (var word = lane; word < WORDS; word += WIDTH) {
        var sum_low = array<vec4<f32>, GROUP>();
        var sum_high = array<vec4<f32>, GROUP>();
        var sum = array<f32, GROUP>();
        for (var i = low_key; i < end; i++) {
            let bits = values[((first + i) * size.kv_heads + kv_head) * WORDS + word];
            let low = vec4<f32>(unpack2x16float(bits.x), unpack2x16float(bits.y));
            let high = vec4<f32>(unpack2x16float(bits.z), unpack2x16float(bits.w));
            EACH_QUERY(ADD_VALUE)
        }
        EACH_QUERY(STORE)
    }
}
