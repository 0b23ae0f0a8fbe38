// The scales and minima of eight runs of 32 weights, six bits each, as four bytes in each of two words for the scales and of two for the minima; in
// a block of Q4_K they are the 12 bytes behind its two f16 scales.
// Source: `get_scale_min_k4` in ggml-quants.c, github.com/ggml-org/llama.cpp.
struct SixBits {
    scales: vec2<u32>,
    minima: vec2<u32>,
}

fn six_bits(words: vec3<u32>) -> SixBits {
    let upper_scales = (words.z & 0x0f0f0f0fu) | ((words.x >> 2u) & 0x30303030u);
    let upper_minima = ((words.z >> 4u) & 0x0f0f0f0fu) | ((words.y >> 2u) & 0x30303030u);
    return SixBits(vec2<u32>(words.x & 0x3f3f3f3fu, upper_scales), vec2<u32>(words.y & 0x3f3f3f3fu, upper_minima));
}

// Number `part` of eight.
fn one_of(numbers: vec2<u32>, part: u32) -> i32 {
    return i32((select(numbers.x, numbers.y, part >= 4u) >> (part % 4u * 8u)) & 255u);
}
