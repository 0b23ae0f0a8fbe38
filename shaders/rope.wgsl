//! Rotary position embedding: turns pairs of elements of each head by an angle that grows with the token's position.
//!
//! Pair i of a head of even width w is turned by position · base^(-2i / w): the first pairs turn fast, the last
//! slowly, and the product of a turned query with a turned key depends on the difference of their positions alone.
//! Two conventions are in use for which elements make a pair, and weights trained for one are wrong in the other:
//! neighbours 2i and 2i + 1 (llama.cpp's "normal"), or i and i + w / 2 (NeoX and most Hugging Face models), chosen by
//! `neox`. One invocation for each pair. WGSL promises nothing about sin and cos outside of [-π, π], so whole turns
//! are removed first.
//! Source: J. Su et al., "RoFormer: Enhanced Transformer with Rotary Position Embedding", arXiv 2104.09864, equation
//! 34; the pairs as in `ggml_compute_forward_rope`, ops.cpp, github.com/ggml-org/ggml (modes NORMAL and NEOX).
//!
//! [rope]
//! dims     = "tokens heads width"
//! where    = ["width % 2 == 0", "heads <= 65535", "tokens <= 65535"]  # the limit of a dispatch in each direction
//! shapes   = { x = "tokens heads width", positions = "tokens", y = "tokens heads width" }
//! params   = { size = { heads = "heads", width = "width", base = 10000 } }
//! inputs   = { x = "normal(0, 1)", positions = "integers(0, 500)" }
//! dispatch = "ceil(width / 2 / 32), heads, tokens"
//! expect   = { y = "concat(turned_a, turned_b, axis=2) if neox else reshape(neighbours, tokens, heads, width)" }
//! cases    = [
//!   "tokens=3 heads=4 width=64",
//!   "tokens=1 heads=1 width=2",
//!   "tokens=5 heads=3 width=66",
//!   { name = "position 0", dims = { tokens = 2, heads = 2, width = 16 }, inputs = { positions = "zeros()" } },
//!   { name = "NeoX", dims = { tokens = 3, heads = 4, width = 64 }, overrides = { neox = true } },
//!   { name = "NeoX, odd half", dims = { tokens = 4, heads = 3, width = 70 }, overrides = { neox = true } },
//! ]
//!
//! [rope.define]
//! a          = "x[:, :, :width // 2] if neox else x[:, :, 0::2]"
//! b          = "x[:, :, width // 2:] if neox else x[:, :, 1::2]"
//! angle      = "f32(positions)[:, None, None] * pow(size.base, -2 * f32(arange(width // 2)) / width)"
//! turned_a   = "a * cos(angle) - b * sin(angle)"
//! turned_b   = "a * sin(angle) + b * cos(angle)"
//! neighbours = "stack(turned_a, turned_b, axis=3)"

const WIDTH = 32u; // invocations in a workgroup
const TURN = 6.283185307179586;

override neox: bool = false;

struct Size {
    heads: u32,
    width: u32,
    base: f32,
}

@group(0) @binding(0) var<uniform> size: Size;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read> positions: array<u32>;
@group(0) @binding(3) var<storage, read_write> y: array<f32>;

@compute @workgroup_size(WIDTH)
fn rope(@builtin(global_invocation_id) global: vec3<u32>) {
    let pair = global.x;
    let head = global.y;
    let token = global.z;
    if (pair >= size.width / 2u) {
        return;
    }

    let frequency = pow(size.base, -2.0 * f32(pair) / f32(size.width));
    let angle = f32(positions[token]) * frequency;
    let reduced = angle - TURN * round(angle / TURN);
    let cosine = cos(reduced);
    let sine = sin(reduced);

    let start = (token * size.heads + head) * size.width;
    var first = start + 2u * pair;
    var second = first + 1u;
    if (neox) {
        first = start + pair;
        second = first + size.width / 2u;
    }
    let a = x[first];
    let b = x[second];
    y[first] = a * cosine - b * sine;
    y[second] = a * sine + b * cosine;
}
