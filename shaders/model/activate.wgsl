// The activation of a gate: silu, or GELU in its tanh form, with an exponential that is at most 1.
#include "exact_exp.wgsl"

override gelu: bool = false;

// x / (1 + exp(-x))
fn silu(x: f32) -> f32 {
    let small = exact_exp(-abs(x));
    return x * (select(small, 1.0, x >= 0.0) / (1.0 + small));
}

fn activate(x: f32) -> f32 {
    if (gelu) {
        // 0.5 x (1 + tanh(u)) = x · sigmoid(2u), u = √(2/π) (x + 0.044715 x³).
        let twice = 1.5957691 * (x + 0.044715 * ((x * x) * x));
        let small = exact_exp(-abs(twice));
        return x * (select(small, 1.0, twice >= 0.0) / (1.0 + small));
    }
    return silu(x);
}
