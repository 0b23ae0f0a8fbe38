//! Packs rows into ggml's Q8_0: blocks of 32 values, an f16 scale and 32 signed bytes. One invocation makes two blocks, which are 17 words.
//!
//! [quantise_q8_0]
//! dims     = "rows columns"
//! where    = ["columns % 64 == 0"]
//! shapes   = { x = "rows columns", packed = "rows columns" }
//! codecs   = { packed = "q8_0" }
//! dispatch = "ceil(rows * columns / 4096)"
//! expect   = { packed = "x" }
//! cases    = ["rows=3 columns=64", "rows=1 columns=128", "rows=70 columns=64"]

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> packed: array<u32>;

var<private> words: array<u32, 17>;

fn put(place: u32, byte: u32) {
    words[place / 4u] |= (byte & 255u) << (place % 4u * 8u);
}

@compute @workgroup_size(64)
fn quantise_q8_0(@builtin(global_invocation_id) id: vec3<u32>) {
    if (id.x * 64u >= arrayLength(&x)) {
        return;
    }
    for (var block = 0u; block < 2u; block++) {
        let start = id.x * 64u + block * 32u;
        var greatest = 0.0;
        for (var i = 0u; i < 32u; i++) {
            greatest = max(greatest, abs(x[start + i]));
        }
        let scale = greatest / 127.0;
        let half = pack2x16float(vec2(scale, 0.0));
        put(block * 34u, half);
        put(block * 34u + 1u, half >> 8u);
        for (var i = 0u; i < 32u; i++) {
            put(block * 34u + 2u + i, u32(i32(round(x[start + i] / scale))));
        }
    }
    for (var i = 0u; i < 17u; i++) {
        packed[id.x * 17u + i] = words[i];
    }
}
