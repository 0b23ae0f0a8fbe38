//! Three rounds of Jacobi's method for the stationary heat of a rod: every inner point becomes the mean of its neighbours, and the
//! ends are held at their temperatures. The two fields change places after each round.
//!
//! [jacobi]
//! dims    = "n"
//! where   = ["n >= 3"]
//! shapes  = { u = "n", v = "n" }
//! params  = { ends = [1, "3 / 2"] }
//! inputs  = { u = "normal(0, 1)" }
//! roles   = { u = "inout", v = "out" }
//! cases   = ["n=3", "n=64", "n=65", "n=130"]
//! derive  = false
//!
//! [jacobi.define]
//! one   = "concat(full(1, 1), (u[:n - 2] + u[2:]) / 2, full(1, 1.5))"
//! two   = "concat(full(1, 1), (one[:n - 2] + one[2:]) / 2, full(1, 1.5))"
//! three = "concat(full(1, 1), (two[:n - 2] + two[2:]) / 2, full(1, 1.5))"
//!
//! [jacobi.expect]
//! u = "two"
//! v = "three"
//!
//! [[jacobi.passes]]
//! repeat = 3
//! passes = [
//!   { entry = "smooth_rod", dispatch = "ceil(n / 64)", bind = { before = ["u", "v"], after = ["v", "u"] } },
//!   { entry = "hold_ends", dispatch = 1, bind = { after = ["v", "u"] } },
//! ]

@group(0) @binding(0) var<storage, read> before: array<f32>;
@group(0) @binding(1) var<storage, read_write> after: array<f32>;
@group(1) @binding(0) var<uniform> ends: vec2<f32>;

@compute @workgroup_size(64)
fn smooth_rod(@builtin(global_invocation_id) id: vec3<u32>) {
    if (id.x > 0u && id.x + 1u < arrayLength(&before)) {
        after[id.x] = (before[id.x - 1u] + before[id.x + 1u]) / 2.0;
    }
}

@compute @workgroup_size(1)
fn hold_ends() {
    after[0] = ends.x;
    after[arrayLength(&after) - 1u] = ends.y;
}
