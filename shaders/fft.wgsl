//! Fast Fourier transform of each row, radix 2, in Stockham's order: no bit reversal, each pass reads one buffer and writes the other.
//! After log2(n) passes the result stands where the data stood; when that is an odd number, one pass more copies it there.
//!
//! The host gives the roots of unity exp(-2πi k/n) for k < n/2, which are exact to half a unit in the last place; `cos` on a
//! device is not. With their conjugates the same kernel computes the inverse, up to the factor 1/n.
//! Source: C. Van Loan, "Computational Frameworks for the Fast Fourier Transform", SIAM (1992), section 1.7.
//!
//! [fft]
//! dims    = "rows n"
//! where   = ["is_power_of_two(n)", "n >= 2", "rows <= 65535"]
//! let     = { rounds = "log2(n)", odd = "log2(n) % 2" }
//! shapes  = { data = "rows n 2", roots = "n/2 2" }
//! buffers = { other = "f32 rows n 2" }
//! roles   = { roots = "table" }
//! inputs  = { roots = "stack(cos(2 * pi * arange(n / 2) / n), -sin(2 * pi * arange(n / 2) / n), axis=1)", data = "normal(0, 1)" }
//! params  = { size = { n = "n" } }
//! cases   = [
//!   "rows=3 n=2",
//!   "rows=2 n=4",
//!   "rows=5 n=128",
//!   "rows=2 n=256",
//!   { name = "inverse", dims = { rows = 3, n = 64 }, inputs = { roots = "stack(cos(pi * arange(32) / 32), sin(pi * arange(32) / 32), axis=1)" } },
//! ]
//!
//! [fft.define]
//! all_roots = "concat(roots, -roots)"                 # the second half circle
//! turns     = "outer(arange(n), arange(n)) % n"
//! real      = "take(all_roots[:, 0], turns)"
//! imaginary = "take(all_roots[:, 1], turns)"
//! re        = "data[:, :, 0] @ real - data[:, :, 1] @ imaginary"
//! im        = "data[:, :, 0] @ imaginary + data[:, :, 1] @ real"
//!
//! [fft.expect]
//! data = "stack(re, im, axis=2)"
//!
//! [[fft.passes]]
//! entry    = "butterflies"
//! repeat   = "odd"                                    # once or never
//! dispatch = "ceil(n / 128), rows"
//! params   = { size = { span = 1 } }
//! bind     = { from_data = "data", to_data = "other" }
//!
//! [[fft.passes]]
//! entry    = "copy"
//! repeat   = "odd"
//! dispatch = "ceil(rows * n / 64)"
//! params   = { size = { span = 1 } }
//! bind     = { from_data = "other", to_data = "data" }
//!
//! [[fft.passes]]
//! entry    = "butterflies"
//! repeat   = "rounds - odd"
//! index    = "i"
//! dispatch = "ceil(n / 128), rows"
//! params   = { size = { span = "2 ** (i + odd)" } }
//! bind     = { from_data = ["data", "other"], to_data = ["other", "data"] }

const WIDTH = 64u; // invocations in a workgroup

struct Size {
    n: u32,    // elements of a row
    span: u32, // length of the transforms that are joined in pairs
}

@group(0) @binding(0) var<uniform> size: Size;
@group(0) @binding(1) var<storage, read> roots: array<vec2<f32>>;     // [n / 2]
@group(0) @binding(2) var<storage, read> from_data: array<vec2<f32>>; // [rows, n], real and imaginary part
@group(0) @binding(3) var<storage, read_write> to_data: array<vec2<f32>>;

fn multiply(a: vec2<f32>, b: vec2<f32>) -> vec2<f32> {
    return vec2<f32>(a.x * b.x - a.y * b.y, a.x * b.y + a.y * b.x);
}

// One invocation for each pair of elements of a row.
@compute @workgroup_size(WIDTH)
fn butterflies(@builtin(global_invocation_id) id: vec3<u32>) {
    let half = size.n / 2u;
    if (id.x >= half) {
        return;
    }
    let row = id.y * size.n;
    let place = id.x % size.span; // in the transforms that are joined
    let even = from_data[row + id.x];
    let odd = multiply(from_data[row + id.x + half], roots[place * (half / size.span)]);
    let start = row + (id.x - place) * 2u + place;
    to_data[start] = even + odd;
    to_data[start + size.span] = even - odd;
}

@compute @workgroup_size(WIDTH)
fn copy(@builtin(global_invocation_id) id: vec3<u32>) {
    if (id.x < arrayLength(&to_data)) {
        to_data[id.x] = from_data[id.x];
    }
}
