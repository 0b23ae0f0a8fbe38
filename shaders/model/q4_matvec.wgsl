#ifdef TEXTURE
@group(0) @binding(0) var quants: texture_storage_2d<rgba32uint, read>;
@group(0) @binding(1) var scales: texture_storage_2d<rgba32uint, read>;

fn load_quants(column: u32, row: u32) -> vec4<u32> {
    return textureLoad(quants, vec2<u32>(column, row));
}

fn load_scales(column: u32, row: u32) -> vec4<u32> {
    return textureLoad(scales, vec2<u32>(column, row));
}
#else
@group(0) @binding(0) var<storage, read> quants: array<vec4<u32>>;
@group(0) @binding(1) var<storage, read> scales: array<vec4<u32>>;

fn load_quants(column: u32, row: u32) -> vec4<u32> {
    return quants[row * (size.columns / 4u) + column];
}

fn load_scales(column: u32, row: u32) -> vec4<u32> {
    return scales[row * (size.columns / 32u * SCALE_TEXELS) + column];
}
#endif

#ifdef UNIFORM
@group(0) @binding(2) var<uniform> x: array<vec4<u32>, 4096>;
@group(0) @binding(3) var<uniform> x_scales: array<vec4<f32>, 2048>;
#else
@group(0) @binding(2) var<storage, read> x: array<vec4<u32>>;
@group(0) @binding(3) var<storage, read> x_scales: array<vec4<f32>>;
#endif

struct Size {
    rows: u32,
    columns: u32,
    first: u32, // where the rows begin in a token's part of y
    stride: u32, // of the tokens in y
}

@group(0) @binding(4) var<storage, read_write> y: array<vec4<f32>>;
@group(0) @binding(5) var<uniform> size: Size;

override add: bool = false;

const WIDTH = 16u; // invocations in a workgroup

// Four bytes as the words that nibbles are multiplied with.
fn spread(bytes: u32) -> vec4<u32> {
    return bitcast<vec4<u32>>(unpack4xI8(bytes));
}

// Eight products of the nibbles of a word with a number, rows j and j + 4 in the halves of component j.
fn products(nibbles: vec4<u32>, number: u32) -> vec4<u32> {
    return nibbles * number;
}

fn nibbles(word: u32) -> vec4<u32> {
    return vec4<u32>(word, word >> 4u, word >> 8u, word >> 12u) & vec4<u32>(0x000f000fu);
}

@compute @workgroup_size(WIDTH)
fn q4_matvec(@builtin(global_invocation_id) global: vec3<u32>) {
    let row = global.x; // of texels: eight rows of weights
    if (row * 8u >= size.rows) {
        return;
    }
    let blocks = size.columns / 32u;
    var low: array<vec4<f32>, TOKENS>; // rows 0 to 3
    var high: array<vec4<f32>, TOKENS>; // rows 4 to 7
    for (var block = 0u; block < blocks; block++) {
        var dots_low: array<vec4<i32>, TOKENS>;
        var dots_high: array<vec4<i32>, TOKENS>;
        for (var half = 0u; half < 2u; half++) {
            var sums: array<vec4<u32>, TOKENS>;
            let place = block * 2u + half;
            for (var i = 0u; i < 4u; i++) {
                let texel = load_quants(place * 4u + i, row);
                let n0 = nibbles(texel.x);
                let n1 = nibbles(texel.y);
                let n2 = nibbles(texel.z);
                let n3 = nibbles(texel.w);
                for (var t = 0u; t < TOKENS; t++) {
                    let number = spread(x[t * blocks * 2u + place][i]);
                    sums[t] += n0 * number.x + n1 * number.y + n2 * number.z + n3 * number.w;
                }
            }
            for (var t = 0u; t < TOKENS; t++) {
                dots_low[t] += bitcast<vec4<i32>>(sums[t] << vec4<u32>(16u)) >> vec4<u32>(16u);
                dots_high[t] += bitcast<vec4<i32>>(sums[t] + vec4<u32>(0x8000u)) >> vec4<u32>(16u);
            }
        }
#if SCALE_TEXELS == 2
        let pairs = load_scales(block * 2u, row);
        let more = load_scales(block * 2u + 1u, row);
        let dm = array<vec2<f32>, 8>(
            unpack2x16float(pairs.x), unpack2x16float(pairs.y), unpack2x16float(pairs.z), unpack2x16float(pairs.w),
            unpack2x16float(more.x), unpack2x16float(more.y), unpack2x16float(more.z), unpack2x16float(more.w));
        let d_low = vec4<f32>(dm[0].x, dm[1].x, dm[2].x, dm[3].x);
        let m_low = vec4<f32>(dm[0].y, dm[1].y, dm[2].y, dm[3].y);
        let d_high = vec4<f32>(dm[4].x, dm[5].x, dm[6].x, dm[7].x);
        let m_high = vec4<f32>(dm[4].y, dm[5].y, dm[6].y, dm[7].y);
        for (var t = 0u; t < TOKENS; t++) {
            let s = x_scales[t * blocks + block];
            low[t] += vec4<f32>(dots_low[t]) * (d_low * s.x) + m_low * s.y;
            high[t] += vec4<f32>(dots_high[t]) * (d_high * s.x) + m_high * s.y;
        }
#else
        let pairs = load_scales(block, row);
        let d_low = vec4<f32>(unpack2x16float(pairs.x), unpack2x16float(pairs.y));
        let d_high = vec4<f32>(unpack2x16float(pairs.z), unpack2x16float(pairs.w));
        for (var t = 0u; t < TOKENS; t++) {
            let s = x_scales[t * blocks + block];
            let eight = vec4<i32>(8 * i32(s.z));
            low[t] += vec4<f32>(dots_low[t] - eight) * (d_low * s.x);
            high[t] += vec4<f32>(dots_high[t] - eight) * (d_high * s.x);
        }
#endif
    }
    for (var t = 0u; t < TOKENS; t++) {
        let place = (t * size.stride + size.first) / 4u + row * 2u;
        if (add) {
            y[place] += low[t];
            y[place + 1u] += high[t];
        } else {
            y[place] = low[t];
            y[place + 1u] = high[t];
        }
    }
}
