//! Fast Fourier transform, radix 2, in Stockham's order: no bit reversal, and each step reads one buffer and writes the other
//! (C. Van Loan, Computational frameworks for the fast Fourier transform, 1992, section 1.7).
//!
//! [fft]
//! dims    = "n"
//! where   = ["is_power_of_two(n)", "n >= 4", "log2(n) % 2 == 0"]
//! shapes  = { data = "n 2" }
//! buffers = { other = "f32 n 2" }
//! inputs  = { data = "normal(0, 1)" }
//! define  = { turns = "2 * pi * ((outer(arange(n), arange(n)) % n) / n)", re = "data[:, 0]", im = "data[:, 1]" }
//! expect  = { data = "stack(cos(turns) @ re + sin(turns) @ im, cos(turns) @ im - sin(turns) @ re, axis=1)" }
//! cases   = ["n=4", "n=16", "n=64", "n=256"]
//! derive  = false
//!
//! [[fft.passes]]
//! entry    = "butterflies"
//! repeat   = "log2(n)"
//! index    = "i"
//! dispatch = "ceil(n / 2 / 64)"
//! params   = { span = "2 ** i" }
//! bind     = { from_data = ["data", "other"], to_data = ["other", "data"] }

@group(0) @binding(0) var<uniform> span: u32;
@group(0) @binding(1) var<storage, read> from_data: array<vec2<f32>>;
@group(0) @binding(2) var<storage, read_write> to_data: array<vec2<f32>>;

@compute @workgroup_size(64)
fn butterflies(@builtin(global_invocation_id) id: vec3<u32>) {
    let half = arrayLength(&from_data) / 2u;
    if (id.x >= half) {
        return;
    }
    let place = id.x % span;
    let angle = -3.14159265358979 * f32(place) / f32(span);
    let turn = vec2<f32>(cos(angle), sin(angle));
    let a = from_data[id.x];
    let b = from_data[id.x + half];
    let turned = vec2<f32>(b.x * turn.x - b.y * turn.y, b.x * turn.y + b.y * turn.x);
    let start = (id.x - place) * 2u + place;
    to_data[start] = a + turned;
    to_data[start + span] = a - turned;
}
