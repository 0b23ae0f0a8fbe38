//! Gaussian blur of an image: along the rows into a second image, and from that along the columns.
//!
//! blurred[y, x] = Σ w[j] · w[i] · image[y + j, x + i], over i and j from -RADIUS to RADIUS, with
//! w[k] = exp(-k² / 2σ²) / Σ exp(-i² / 2σ²). Outside of the image its nearest texel counts, which the sampler sees to.
//! A linear sampler does half of the work: read between two texels, at the distance far / (near + far) from the nearer
//! one, it returns (near · first + far · second) / (near + far), the weighted sum of both at the price of one read. So
//! RADIUS is even, and each side of the texel takes RADIUS / 2 reads. All textures hold 16-bit floats: 32 bits cannot
//! be filtered on every device, and 8 bits are filtered in 8 bits, which shows in dark places.
//! Source: D. Rákos, "Efficient Gaussian blur with linear sampling", rastergrid.com (2010).
//!
//! [blur]
//! dims      = "height width"
//! where     = ["RADIUS % 2 == 0", "height <= 4096", "width <= 4096"]
//! let       = { taps = "2 * RADIUS + 1" }
//! textures  = { image = { size = "height width" }, between = { size = "height width" }, blurred = { size = "height width" } }
//! samplers  = { linear = { filter = "linear", address = "clamp-to-edge" } }
//! inputs    = { image = "uniform(0, 1)" }
//! expect    = { blurred = "sum(weight * sample(f16(along_rows), linear, x, y + k / height), axis=0)" }
//! cases     = [
//!   "height=16 width=16",
//!   "height=9 width=40",
//!   "height=33 width=20",
//!   { name = "dim ramp", dims = { height = 24, width = 50 }, inputs = { image = "zeros(height, 1, 4) + arange(width)[:, None] / (10 * width)" } },
//!   { name = "no filter", dims = { height = 12, width = 19 }, overrides = { RADIUS = 0 } },
//!   { name = "wide", dims = { height = 20, width = 31 }, overrides = { RADIUS = 10 }, params = { settings = { sigma = 4.0 } } },
//! ]
//!
//! [blur.define]                                       # k: the distance; x, y: centres of texels, 0 to 1 across the image
//! k          = "reshape(arange(taps) - RADIUS, taps, 1, 1)"
//! x          = "(arange(width) + 0.5)[None, :] / width"
//! y          = "(arange(height) + 0.5)[:, None] / height"
//! bell       = "exp(-k * k / (2 * settings.sigma * settings.sigma))"
//! weight     = "(bell / sum(bell))[:, :, :, None]"
//! along_rows = "sum(weight * sample(image, linear, x + k / width, y), axis=0)"
//!
//! [[blur.passes]]
//! entry    = "blur"
//! bind     = { source = "image", destination = "between" }
//! params   = { settings = { direction = [1, 0], sigma = 1.5 } }
//! dispatch = "ceil(width / 8), ceil(height / 8)"
//!
//! [[blur.passes]]
//! entry    = "blur"
//! bind     = { source = "between", destination = "blurred" }
//! params   = { settings = { direction = [0, 1], sigma = 1.5 } }
//! dispatch = "ceil(width / 8), ceil(height / 8)"

override RADIUS = 4i;

struct Settings {
    direction: vec2<f32>, // (1, 0) along the rows, (0, 1) along the columns
    sigma: f32,
}

@group(0) @binding(0) var<uniform> settings: Settings;
@group(0) @binding(1) var source: texture_2d<f32>;
@group(0) @binding(2) var linear: sampler;
@group(0) @binding(3) var destination: texture_storage_2d<rgba16float, write>;

fn bell(distance: i32) -> f32 {
    let scaled = f32(distance) / settings.sigma;
    return exp(-0.5 * scaled * scaled);
}

@compute @workgroup_size(8, 8)
fn blur(@builtin(global_invocation_id) id: vec3<u32>) {
    let size = textureDimensions(destination);
    if (any(id.xy >= size)) {
        return;
    }
    let centre = vec2<f32>(id.xy) + 0.5; // of the texel, where a sampler reads this texel alone
    let scale = 1.0 / vec2<f32>(size);

    var sum = bell(0) * textureSampleLevel(source, linear, centre * scale, 0.0);
    var total = bell(0);
    for (var k = 1; k < RADIUS; k += 2) {
        let near = bell(k);
        let far = bell(k + 1);
        let both = near + far;
        let offset = (f32(k) + far / both) * settings.direction;
        sum += both * textureSampleLevel(source, linear, (centre + offset) * scale, 0.0);
        sum += both * textureSampleLevel(source, linear, (centre - offset) * scale, 0.0);
        total += 2.0 * both;
    }
    textureStore(destination, id.xy, sum / total);
}
