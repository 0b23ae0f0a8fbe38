//! An image in another size by a linear filter, repeated at its edges along the rows and mirrored along the columns.
//!
//! [resize]
//! dims     = "height width rows columns"
//! textures = { image = { size = "height width" }, resized = { size = "rows columns" } }
//! samplers = { soft = { filter = "linear", address = "repeat mirror-repeat" } }
//! inputs   = { image = "uniform(-1, 1)" }
//! params   = { shift = [0.25, -0.5] }
//! dispatch = "ceil(columns / 8), ceil(rows / 8)"
//! expect   = { resized = "sample(image, soft, (arange(columns) + 0.5)[None, :] / columns + shift[0], (arange(rows) + 0.5)[:, None] / rows + shift[1])" }
//! cases    = ["height=8 width=12 rows=16 columns=24", "height=9 width=5 rows=4 columns=30", "height=1 width=3 rows=7 columns=8"]

@group(0) @binding(0) var<uniform> shift: vec2<f32>;
@group(0) @binding(1) var image: texture_2d<f32>;
@group(0) @binding(2) var soft: sampler;
@group(0) @binding(3) var resized: texture_storage_2d<rgba32float, write>;

fn read(source: texture_2d<f32>, filtered: sampler, place: vec2<f32>) -> vec4<f32> {
    return textureSampleLevel(source, filtered, place, 0.0);
}

@compute @workgroup_size(8, 8)
fn resize(@builtin(global_invocation_id) id: vec3<u32>) {
    let size = textureDimensions(resized);
    if (any(id.xy >= size)) {
        return;
    }
    let place = (vec2<f32>(id.xy) + 0.5) / vec2<f32>(size);
    textureStore(resized, id.xy, read(image, soft, place + shift));
}
