//! A kernel that is right and takes a minute on a software adapter: its worker is killed while it runs.
//!
//! y is x after 60,000 steps of a random number generator; a step is a linear function, and so are all of them together.
//! Source of the generator: W. Press and others, "Numerical Recipes", third edition, section 7.1 ("quick and dirty").
//!
//! [slow]
//! dims     = "n"
//! shapes   = { x = "n", y = "n" }
//! dispatch = "ceil(n / 64)"
//! expect   = { y = "995111297 * x + 1710028768" }
//! cases    = ["n=1000000"]
//! derive   = false
//! budget   = { seconds = 60 }

@group(0) @binding(0) var<storage, read> x: array<u32>;
@group(0) @binding(1) var<storage, read_write> y: array<u32>;

@compute @workgroup_size(64)
fn slow(@builtin(global_invocation_id) global: vec3<u32>) {
    if (global.x < arrayLength(&x)) {
        var state = x[global.x];
        for (var i = 0u; i < 60000u; i++) {
            state = 1664525u * state + 1013904223u;
        }
        y[global.x] = state;
    }
}
