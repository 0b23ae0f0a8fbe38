//! The most bytes that a kernel moves on an adapter: y = x, four vectors of four for each invocation.
//!
//! Neighbouring invocations touch neighbouring vectors in each of the four steps. The buffers are larger than what most processors
//! keep close to them. Every word is needed, so nothing can be dropped.
//!
//! [copy]
//! dims     = "n"
//! where    = ["n % 1024 == 0", "n <= 1024 * 65535"]
//! shapes   = { x = "n", y = "n" }
//! inputs   = { x = "arange()" }
//! dispatch = "n / 1024"
//! expect   = { y = "x" }
//! budget   = { seconds = 60, bytes = 536_870_912 }
//! cases    = ["n=8388608", "n=33554432"]
//! derive   = false

@group(0) @binding(0) var<storage, read> x: array<vec4<u32>>;
@group(0) @binding(1) var<storage, read_write> y: array<vec4<u32>>;

@compute @workgroup_size(64)
fn copy(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
    let stride = groups.x * 64u;
    y[id.x] = x[id.x];
    y[id.x + stride] = x[id.x + stride];
    y[id.x + 2u * stride] = x[id.x + 2u * stride];
    y[id.x + 3u * stride] = x[id.x + 3u * stride];
}
