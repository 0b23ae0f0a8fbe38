// The numbers of a texel of F32, F16 or BF16 weights: as floats, four at a time.
#ifdef F16
const COLUMNS = 8u; // in a texel

fn floats(texel: vec4<u32>, half: u32) -> vec4<f32> {
    let words = select(texel.xy, texel.zw, half != 0u);
    return vec4<f32>(unpack2x16float(words.x), unpack2x16float(words.y));
}
#else
#ifdef BF16
const COLUMNS = 8u; // in a texel

// The upper halves of floats.
fn floats(texel: vec4<u32>, half: u32) -> vec4<f32> {
    let words = select(texel.xy, texel.zw, half != 0u);
    return bitcast<vec4<f32>>(vec4<u32>(words.x << 16u, words.x & 0xffff0000u, words.y << 16u, words.y & 0xffff0000u));
}
#else
const COLUMNS = 4u; // in a texel

fn floats(texel: vec4<u32>, half: u32) -> vec4<f32> {
    return bitcast<vec4<f32>>(texel);
}
#endif
#endif
