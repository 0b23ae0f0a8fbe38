//! y = a · x + y in a storage format and a width that macros choose, as inference engines generate it.
//!
//! [axpy]
//! prepare  = [{ define = { WIDTH = 4, USE_BIAS = true } }]
//! dims     = "n"
//! where    = ["n % 4 == 0"]
//! shapes   = { x = "n", bias = "n", y = "n" }
//! params   = { a = 1.5 }
//! dispatch = "ceil(n / 256)"
//! expect   = { y = "a * x + y + bias" }
//! cases    = ["n=4", "n=256", "n=1000"]
//!
//! [axpy_scalar]
//! entry    = "axpy"
//! prepare  = [{ define = { WIDTH = 1 } }]
//! dims     = "n"
//! shapes   = { x = "n", y = "n" }
//! params   = { a = 1.5 }
//! dispatch = "ceil(n / 64)"
//! expect   = { y = "a * x + y" }
//! cases    = ["n=1", "n=65", "n=1000"]

#if WIDTH == 4
#define VALUE vec4<f32>
#elif WIDTH == 1
#define VALUE f32
#else
#error WIDTH is 1 or 4
#endif
#define BUFFER(number, access) @group(0) @binding(number) var<storage, access>
#define ADD(target, value) target = target + (value)

@group(0) @binding(0) var<uniform> a: f32;
BUFFER(1, read) x: array<VALUE>;
BUFFER(2, read_write) y: array<VALUE>;
#ifdef USE_BIAS
BUFFER(3, read) bias: array<VALUE>;
#endif

@compute @workgroup_size(64)
fn axpy(@builtin(global_invocation_id) id: vec3<u32>) {
    if (id.x >= arrayLength(&y)) {
        return;
    }
    /* für jede 🎉 */ ADD(y[id.x], a * x[id.x]);
#ifdef USE_BIAS
    ADD(y[id.x], bias[id.x]);
#endif
}
