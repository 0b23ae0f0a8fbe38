//! Brightness of an image, and where it is above a threshold: a sampled texture in, two storage textures out.
//!
//! [threshold]
//! dims     = "H W"
//! textures = { image = { size = "H W", format = "rgba8unorm" }, grey = { size = "H W" }, above = { size = "H W" } }
//! params   = { limit = 0.5 }
//! dispatch = "ceil(W / 8), ceil(H / 8)"
//! define   = { brightness = "0.2126 * image[:, :, 0] + 0.7152 * image[:, :, 1] + 0.0722 * image[:, :, 2]" }
//! cases    = ["H=16 W=16", "H=5 W=70", "H=33 W=7"]
//!
//! [threshold.expect]
//! grey  = "stack(brightness, brightness, brightness, image[:, :, 3], axis=2)"
//! above = "u32(brightness > limit)"

@group(0) @binding(0) var<uniform> limit: f32;
@group(0) @binding(1) var image: texture_2d<f32>;
@group(0) @binding(2) var grey: texture_storage_2d<rgba8unorm, write>;
@group(0) @binding(3) var above: texture_storage_2d<r32uint, write>;

@compute @workgroup_size(8, 8)
fn threshold(@builtin(global_invocation_id) id: vec3<u32>) {
    if (any(id.xy >= textureDimensions(image))) {
        return;
    }
    let texel = textureLoad(image, id.xy, 0);
    let brightness = dot(texel.rgb, vec3<f32>(0.2126, 0.7152, 0.0722));
    textureStore(grey, id.xy, vec4<f32>(brightness, brightness, brightness, texel.a));
    textureStore(above, id.xy, vec4<u32>(u32(brightness > limit)));
}
