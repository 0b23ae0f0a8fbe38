//! A volume projected along its depth onto each layer of an array: the greatest density, weighted by the layer's mask.
//!
//! [project]
//! dims     = "D L H W"
//! textures = { volume = { size = "D H W", format = "r32float" }, masks = { size = "L H W", format = "r8unorm" }, views = { size = "L H W" } }
//! dispatch = "ceil(W / 8), ceil(H / 8), L"
//! expect   = { views = "max(volume[:, :, :, 0], axis=0)[None, :, :] * masks[:, :, :, 0]" }
//! cases    = ["D=3 L=2 H=8 W=8", "D=1 L=3 H=5 W=17", "D=9 L=1 H=16 W=4"]

@group(0) @binding(0) var volume: texture_3d<f32>;
@group(0) @binding(1) var masks: texture_2d_array<f32>;
@group(0) @binding(2) var views: texture_storage_2d_array<r32float, write>;

@compute @workgroup_size(8, 8)
fn project(@builtin(global_invocation_id) id: vec3<u32>) {
    if (any(id.xy >= textureDimensions(views))) {
        return;
    }
    var greatest = textureLoad(volume, vec3<u32>(id.xy, 0u), 0).x;
    for (var z = 1u; z < textureDimensions(volume).z; z++) {
        greatest = max(greatest, textureLoad(volume, vec3<u32>(id.xy, z), 0).x);
    }
    textureStore(views, id.xy, id.z, vec4<f32>(greatest * textureLoad(masks, id.xy, id.z, 0).x));
}
