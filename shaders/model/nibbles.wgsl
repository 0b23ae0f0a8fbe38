// Words of eight rows and one column of small numbers, times the numbers of activations.wgsl, which is included before: as in q4_matvec.wgsl. What
// includes this has `load_quants`, the variables `block`, `row` and `size`, and y.

// Four bytes as the words that nibbles are multiplied with.
fn spread(bytes: u32) -> vec4<u32> {
    return bitcast<vec4<u32>>(unpack4xI8(bytes));
}

fn nibbles(word: u32) -> vec4<u32> {
    return vec4<u32>(word, word >> 4u, word >> 8u, word >> 12u) & vec4<u32>(0x000f000fu);
}

// Sums of rows 0 to 3, and of rows 4 to 7.
fn lower_halves(sums: vec4<u32>) -> vec4<i32> {
    return bitcast<vec4<i32>>(sums << vec4<u32>(16u)) >> vec4<u32>(16u);
}

fn upper_halves(sums: vec4<u32>) -> vec4<i32> {
    return bitcast<vec4<i32>>(sums + vec4<u32>(0x8000u)) >> vec4<u32>(16u);
}

#define STORE(t) { \
        let place = (t * size.stride + size.first) / 4u + row * 2u; \
        if (size.add != 0u) { \
            low[t] += y[place]; \
            high[t] += y[place + 1u]; \
        } \
        y[place] = low[t]; \
        y[place + 1u] = high[t]; \
    }
