//! Appends the odd elements to a list, in whatever order the invocations come: an atomic counter says where.
//! The elements are read four at a time, so the last vector may reach behind the input.
//!
//! [append]
//! dims    = "n"
//! shapes  = { x = "n", kept = "n", count = "1" }
//! slack   = { x = "4 - n % 4" }
//! params  = { n = "n" }
//! inputs  = { x = "integers(0, 1000)" }
//! define  = { odds = "sum(x % 2)" }
//! valid   = { kept = "count[0]" }
//! compare = { kept = "multiset" }
//! cases   = ["n=7", "n=64", "n=250", "n=1000"]
//! derive  = false
//! dispatch = "ceil(n / 256)"
//!
//! [append.expect]
//! kept  = "take(x, argsort(1 - x % 2))"
//! count = "count + odds"

@group(0) @binding(0) var<uniform> n: u32;
@group(0) @binding(1) var<storage, read> x: array<u32>;
@group(0) @binding(2) var<storage, read_write> kept: array<u32>;
@group(0) @binding(3) var<storage, read_write> count: array<atomic<u32>, 1>;

@compute @workgroup_size(64)
fn append(@builtin(global_invocation_id) id: vec3<u32>) {
    let start = id.x * 4u;
    if (start >= n) {
        return;
    }
    let four = vec4<u32>(x[start], x[start + 1u], x[start + 2u], x[start + 3u]);
    for (var i = 0u; i < min(4u, n - start); i++) {
        if (four[i] % 2u == 1u) {
            kept[atomicAdd(&count[0], 1u)] = four[i];
        }
    }
}
