//! Adds the brightness histogram of an image to 256 bins; the image is RGBA with 8 bits a channel, red lowest.
//!
//! Each workgroup counts a tile of 16 × 16 pixels in 256 bins of its own, in workgroup memory, and then adds these to
//! the bins in storage: one invocation for each bin. So storage sees one atomic addition for each bin of a tile that
//! is not empty instead of one for each pixel, and neighbouring pixels of like brightness do not queue for it.
//! Brightness is (77 R + 150 G + 29 B) / 256, the weights of ITU-R BT.601 in 256ths.
//! Source: V. Podlozhnyuk, "Histogram calculation in CUDA", NVIDIA 2007 (private histograms, then a merge).
//!
//! [histogram]
//! dims     = "width height"
//! shapes   = { pixels = "height width", bins = "256" }
//! params   = { size = { width = "width", height = "height" } }
//! inputs   = { pixels = "integers(0, 2**32)", bins = "integers(0, 1000)" }
//! roles    = { bins = "accumulate" }
//! dispatch = "ceil(width / 16), ceil(height / 16)"
//! define   = { luma = "(77 * (pixels & 255) + 150 * (pixels >> 8 & 255) + 29 * (pixels >> 16 & 255)) >> 8" }
//! expect   = { bins = "bins + bincount(luma, 256)" }
//! cases    = ["width=64 height=32", "width=1 height=1", "width=17 height=33", "width=100 height=7"]

const TILE = 16u;
const BINS = 256u; // as many as a tile has pixels

struct Size {
    width: u32,
    height: u32,
}

@group(0) @binding(0) var<uniform> size: Size;
@group(0) @binding(1) var<storage, read> pixels: array<u32>;
@group(0) @binding(2) var<storage, read_write> bins: array<atomic<u32>>;

var<workgroup> tile_bins: array<atomic<u32>, BINS>;

fn brightness(pixel: u32) -> u32 {
    let red = pixel & 255u;
    let green = (pixel >> 8u) & 255u;
    let blue = (pixel >> 16u) & 255u;
    return (77u * red + 150u * green + 29u * blue) >> 8u;
}

@compute @workgroup_size(TILE, TILE)
fn histogram(
    @builtin(global_invocation_id) global: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    atomicStore(&tile_bins[lane], 0u);
    workgroupBarrier(); // all bins of the tile are empty

    if ((global.x < size.width) && (global.y < size.height)) {
        let pixel = pixels[global.y * size.width + global.x];
        atomicAdd(&tile_bins[brightness(pixel)], 1u);
    }
    workgroupBarrier(); // all pixels of the tile are counted

    let count = atomicLoad(&tile_bins[lane]);
    if (count > 0u) {
        atomicAdd(&bins[lane], count);
    }
}
