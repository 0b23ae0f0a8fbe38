// A block of 32 activations as ggml's Q8_0 and Q8_1 have it: 32 signed bytes, their f16 scale d = greatest magnitude / 127, and
// for weights with a minimum the f16 s = d · (sum of the bytes). Included by the kernels that write activations.
// Source: `quantize_row_q8_0` and `quantize_row_q8_1` in ggml-cpu/arch/x86/quants.c, github.com/ggml-org/llama.cpp.

// The nearest f16, ties to even, as 16 bits; larger magnitudes than 65504 become 65504. WGSL leaves the rounding of
// `pack2x16float` open, so it is done here by integers: the same bits on every device.
fn half_bits(x: f32) -> u32 {
    let bits = bitcast<u32>(x);
    let magnitude = min(bits & 0x7fffffffu, 0x477fe000u);
    let normal = (magnitude - 0x38000000u + 0xfffu + ((magnitude >> 13u) & 1u)) >> 13u;
    // Below 2^-14 f16 has steps of 2^-24, as f32 has from 0.5 on: the addition rounds.
    let subnormal = bitcast<u32>(bitcast<f32>(magnitude) + 0.5) - 0x3f000000u;
    return ((bits >> 16u) & 0x8000u) | select(subnormal, normal, magnitude >= 0x38800000u);
}

fn as_half(x: f32) -> f32 {
    return unpack2x16float(half_bits(x)).x;
}

fn greatest(x: vec4<f32>) -> f32 {
    let pairs = max(abs(x.xy), abs(x.zw));
    return max(pairs.x, pairs.y);
}

// Four signed bytes as a word, the first lowest.
fn pack_bytes(x: vec4<i32>) -> u32 {
    let bytes = vec4<u32>(x) & vec4<u32>(255u);
    return bytes.x | (bytes.y << 8u) | (bytes.z << 16u) | (bytes.w << 24u);
}

struct Block {
    low: vec4<u32>, // bytes 0 to 15
    high: vec4<u32>, // bytes 16 to 31
    scales: vec4<f32>, // d, s, the sum of the bytes, 0
}

fn quantise_block(x: array<vec4<f32>, 8>) -> Block {
    let most = max(
        max(max(greatest(x[0]), greatest(x[1])), max(greatest(x[2]), greatest(x[3]))),
        max(max(greatest(x[4]), greatest(x[5])), max(greatest(x[6]), greatest(x[7]))),
    );
    var inverse = 0.0;
    if (most > 0.0) {
        inverse = 127.0 / most;
    }
    let d = most / 127.0;
    var words: array<u32, 8>;
    var sums = vec4<i32>();
    for (var i = 0u; i < 8u; i++) {
        let bytes = vec4<i32>(round(x[i] * inverse));
        sums += bytes;
        words[i] = pack_bytes(bytes);
    }
    let sum = f32(sums.x + sums.y + sums.z + sums.w);
    return Block(
        vec4<u32>(words[0], words[1], words[2], words[3]),
        vec4<u32>(words[4], words[5], words[6], words[7]),
        vec4<f32>(as_half(d), as_half(d * sum), sum, 0.0),
    );
}
