//! Blends two images of 8 bits a channel, four channels in a word: one of normalised levels, one of whole numbers.
//!
//! [blend_pixels]
//! dims     = "n"
//! shapes   = { over = "n 4", alpha = "n 4", under = "n 4", grey = "n 4" }
//! codecs   = { over = "unorm8x4", alpha = "unorm8x4", under = "unorm8x4", grey = "u8x4" }
//! roles    = { under = "inout" }
//! inputs   = { under = "uniform(0, 1)", alpha = "uniform(0, 0.9)" }
//! define   = { blended = "under + (over - under) * alpha" }
//! expect   = { under = "blended", grey = "255 * repeat(blended[:, 0:1], 4, axis=1)" }
//! compare  = { under = "quantised", grey = "quantised" }
//! cases    = ["n=64", "n=100", "n=1000"]
//! dispatch = "ceil(n / 64)"

@group(0) @binding(0) var<storage, read> over: array<u32>;
@group(0) @binding(1) var<storage, read> alpha: array<u32>;
@group(0) @binding(2) var<storage, read_write> under: array<u32>;
@group(0) @binding(3) var<storage, read_write> grey: array<u32>;

@compute @workgroup_size(64)
fn blend_pixels(@builtin(global_invocation_id) id: vec3<u32>) {
    if (id.x >= arrayLength(&over)) {
        return;
    }
    let below = unpack4x8unorm(under[id.x]);
    let blended = mix(below, unpack4x8unorm(over[id.x]), unpack4x8unorm(alpha[id.x]));
    under[id.x] = pack4x8unorm(blended);
    grey[id.x] = u32(round(blended.x * 255.0)) * 0x01010101u;
}
