//! Waves on water: the new height of each point in place of the one before the last, in a texture that is read and written.
//!
//! [ripple]
//! dims     = "H W"
//! textures = { current = { size = "H W" }, height = { size = "H W" } }
//! params   = { damping = 0.5 }
//! dispatch = "ceil(W / 8), ceil(H / 8)"
//! expect   = { height = "damping * (total / 2 - height)" }
//! cases    = ["H=8 W=8", "H=5 W=20", "H=33 W=7"]
//!
//! [ripple.define]                                     # zero outside, as textureLoad must not be relied on: the kernel asks
//! across = "pad(current, 1, 1, axis=1)"
//! down   = "pad(current, 1, 1, axis=0)"
//! total  = "across[:, :W] + across[:, 2:] + down[:H] + down[2:]"

@group(0) @binding(0) var<uniform> damping: f32;
@group(0) @binding(1) var current: texture_storage_2d<r32float, read>;
@group(0) @binding(2) var height: texture_storage_2d<r32float, read_write>;

fn at(place: vec2<i32>) -> f32 {
    let size = vec2<i32>(textureDimensions(current));
    return select(0.0, textureLoad(current, place).x, all(place >= vec2<i32>(0)) && all(place < size));
}

@compute @workgroup_size(8, 8)
fn ripple(@builtin(global_invocation_id) id: vec3<u32>) {
    let place = vec2<i32>(id.xy);
    if (any(id.xy >= textureDimensions(height))) {
        return;
    }
    let total = at(place - vec2<i32>(1, 0)) + at(place + vec2<i32>(1, 0)) + at(place - vec2<i32>(0, 1)) + at(place + vec2<i32>(0, 1));
    let before = textureLoad(height, place).x;
    textureStore(height, place, vec4<f32>(damping * (total / 2.0 - before)));
}
