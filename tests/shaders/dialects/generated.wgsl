//! y = x / 2³ + 1, in a language that only its own program can expand.
//!
//! [halve]
//! prepare  = [{ command = ["python3", "expand_units.py"] }]
//! dims     = "n"
//! shapes   = { x = "n", y = "n" }
//! dispatch = "ceil(n / 64)"
//! expect   = { y = "x / 8 + 1" }
//! cases    = ["n=64", "n=1", "n=100"]

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;

@compute @workgroup_size($group)
fn halve(@builtin(global_invocation_id) id: vec3<u32>) {
    if (id.x >= arrayLength(&y)) {
        return;
    }
    var value = x[id.x];
    repeat 3: value *= $half;
    y[id.x] = value + 1.0; // für später
}
