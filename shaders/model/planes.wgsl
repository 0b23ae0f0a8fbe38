// A matrix of blocks of 32 weights, eight rows to a row of texels: its planes `quants` and `scales`, and what the product with it needs. Included by
// the kernels that multiply such matrices. SCALE_TEXELS is how many texels of scales a block of eight rows has; one where nothing is said.
#ifndef SCALE_TEXELS
#define SCALE_TEXELS 1
#endif

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

struct Size {
    rows: u32,
    columns: u32,
    first: u32, // where the rows begin in a token's part of y
    stride: u32, // of the tokens in y
    add: u32, // whether to add to what y holds
}

@group(0) @binding(4) var<storage, read_write> y: array<vec4<f32>>;
@group(0) @binding(5) var<uniform> size: Size;
