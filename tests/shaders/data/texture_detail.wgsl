//! What the third level of an image lacks: each texel less that of the level it became part of, read by textureLoad.
//!
//! [detail]
//! dims     = "H W"
//! where    = ["H % 4 == 0", "W % 4 == 0"]
//! textures = { image = { size = "H W", format = "rgba16float", mips = 3 }, difference = { size = "H W" } }
//! dispatch = "ceil(W / 8), ceil(H / 8)"
//! define   = { coarse = "repeat(repeat(image.mip2, 4, axis=0), 4, axis=1)" }
//! expect   = { difference = "image - coarse" }
//! cases    = ["H=16 W=16", "H=4 W=72", "H=36 W=8"]

@group(0) @binding(0) var image: texture_2d<f32>;
@group(0) @binding(1) var difference: texture_storage_2d<rgba32float, write>;

@compute @workgroup_size(8, 8)
fn detail(@builtin(global_invocation_id) id: vec3<u32>) {
    if (any(id.xy >= textureDimensions(difference))) {
        return;
    }
    let level = textureNumLevels(image) - 1;
    let coarse = textureLoad(image, id.xy >> vec2<u32>(level), level);
    textureStore(difference, id.xy, textureLoad(image, id.xy, 0) - coarse);
}
