//! Two-dimensional convolution of an image of several channels with several filters, with stride, zero padding and
//! bias.
//!
//! y[f, r, c] = bias[f] + Σ x[channel, r · stride + i - padding, c · stride + j - padding] · w[f, channel, i, j],
//! over the channels and the filter's i and j; what lies outside of the image is zero. As everywhere in deep learning
//! the filter is not mirrored. One invocation for each element of y, 8 × 8 of them in a workgroup for one filter:
//! neighbours read overlapping windows of the image, and all of them the same weight at the same time.
//! Source: V. Dumoulin, F. Visin, "A guide to convolution arithmetic for deep learning", arXiv 1603.07285 (2016),
//! section 2; conv2d.wgsl, github.com/ggml-org/llama.cpp, ggml/src/ggml-webgpu/wgsl-shaders (the same layout and
//! direct sum).
//!
//! [conv2d]
//! dims     = "channels filters height width kernel stride padding"
//! where    = ["stride >= 1", "kernel <= height + 2 * padding", "kernel <= width + 2 * padding", "filters <= 65535"]
//! inputs   = { x = "normal(0, 1)", w = "normal(0, 1)", bias = "normal(0, 1)" }
//! dispatch = "ceil(columns / 8), ceil(rows / 8), filters"
//! expect   = { y = "reshape(filters_flat @ windows + bias[:, None], filters, rows, columns)" }
//! flops    = "2 * filters * rows * columns * channels * kernel * kernel"
//! derive   = false                                    # seven dims: the cases below are chosen by hand
//! cases    = [
//!   "channels=1 filters=1 height=1 width=1 kernel=1 stride=1 padding=0",
//!   "channels=3 filters=4 height=16 width=16 kernel=3 stride=1 padding=1",
//!   "channels=2 filters=3 height=9 width=20 kernel=3 stride=2 padding=1",
//!   "channels=3 filters=2 height=17 width=8 kernel=5 stride=1 padding=0",
//!   "channels=2 filters=2 height=11 width=13 kernel=2 stride=2 padding=0",
//!   "channels=1 filters=2 height=7 width=10 kernel=7 stride=3 padding=6",
//! ]
//!
//! [conv2d.let]
//! rows    = "floor((height + 2 * padding - kernel) / stride) + 1"
//! columns = "floor((width + 2 * padding - kernel) / stride) + 1"
//!
//! [conv2d.shapes]
//! x    = "channels height width"
//! w    = "filters channels kernel kernel"
//! bias = "filters"
//! y    = "filters rows columns"
//!
//! [conv2d.params.size]
//! channels = "channels"
//! height   = "height"
//! width    = "width"
//! kernel   = "kernel"
//! stride   = "stride"
//! padding  = "padding"
//! rows     = "rows"
//! columns  = "columns"
//!
//! [conv2d.define]                                     # windows: a row for each weight, a column for each element of y
//! padded       = "pad(pad(x, padding, padding, axis=1), padding, padding, axis=2)"
//! lines        = "gather(padded, stride * arange(rows)[None, :] + arange(kernel)[:, None], axis=1)"
//! patches      = "gather(lines, stride * arange(columns)[None, :] + arange(kernel)[:, None], axis=3)"
//! windows      = "reshape(transpose(patches, [0, 1, 3, 2, 4]), channels * kernel * kernel, rows * columns)"
//! filters_flat = "reshape(w, filters, channels * kernel * kernel)"

const TILE = 8u;

struct Size {
    channels: u32,
    height: u32,
    width: u32,
    kernel: u32,
    stride: u32,
    padding: u32,
    rows: u32,
    columns: u32,
}

@group(0) @binding(0) var<uniform> size: Size;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read> w: array<f32>;
@group(0) @binding(3) var<storage, read> bias: array<f32>;
@group(0) @binding(4) var<storage, read_write> y: array<f32>;

@compute @workgroup_size(TILE, TILE)
fn conv2d(@builtin(global_invocation_id) global: vec3<u32>) {
    let column = global.x;
    let row = global.y;
    let filter_index = global.z;
    if ((row >= size.rows) || (column >= size.columns)) {
        return;
    }

    var sum = bias[filter_index];
    for (var channel = 0u; channel < size.channels; channel++) {
        let w_start = (filter_index * size.channels + channel) * size.kernel * size.kernel;
        for (var i = 0u; i < size.kernel; i++) {
            // Above or left of the image, the unsigned difference wraps to a large number, which is outside as well.
            let x_row = row * size.stride + i - size.padding;
            for (var j = 0u; j < size.kernel; j++) {
                let x_column = column * size.stride + j - size.padding;
                if ((x_row < size.height) && (x_column < size.width)) {
                    let x_value = x[(channel * size.height + x_row) * size.width + x_column];
                    sum += x_value * w[w_start + i * size.kernel + j];
                }
            }
        }
    }
    y[(filter_index * size.rows + row) * size.columns + column] = sum;
}
