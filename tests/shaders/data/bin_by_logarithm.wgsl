//! Counts numbers by the whole part of their logarithm. One that lies at the edge of a bin may fall into either, because `log2` of a
//! device is not exact: what may not happen is that one is lost, or that many are in the wrong bin.
//!
//! [bin_by_logarithm]
//! dims     = "n"
//! shapes   = { x = "n", bins = "16" }
//! inputs   = { x = "uniform(1, 60000)", bins = "zeros()" }
//! expect   = { bins = "bins + histogram(u32(floor(log2(x))), 16)" }
//! compare  = { bins = "histogram" }
//! cases    = ["n=64", "n=1000", "n=5000"]
//! dispatch = "ceil(n / 64)"

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> bins: array<atomic<u32>, 16>;

@compute @workgroup_size(64)
fn bin_by_logarithm(@builtin(global_invocation_id) id: vec3<u32>) {
    if (id.x < arrayLength(&x)) {
        atomicAdd(&bins[u32(floor(log2(x[id.x])))], 1u);
    }
}
