//! Keeps the positive elements in their order and squares them. How many there are is known to the device alone, so the second pass
//! takes its workgroups from a buffer.
//!
//! [compaction]
//! dims    = "n"
//! shapes  = { x = "n", squares = "n" }
//! buffers = { kept = "f32 n", arguments = "u32 4" }
//! inputs  = { x = "normal(0, 1)", squares = "zeros()" }
//! define  = { count = "sum(x > 0)", front = "take(x, argsort(x <= 0))" }
//! expect  = { squares = "where(arange(n) < count, front * front, 0)" }
//! cases   = ["n=1", "n=64", "n=1000"]
//! derive  = false
//!
//! [[compaction.passes]]
//! entry    = "keep"
//! dispatch = 1
//!
//! [[compaction.passes]]
//! entry    = "square"
//! indirect = "arguments 0"
//! bind     = { found = "arguments" }

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> kept: array<f32>;
@group(0) @binding(2) var<storage, read_write> arguments: array<u32, 4>;
@group(1) @binding(0) var<storage, read> found: array<u32, 4>;
@group(1) @binding(1) var<storage, read_write> squares: array<f32>;

@compute @workgroup_size(1)
fn keep() {
    var count = 0u;
    for (var i = 0u; i < arrayLength(&x); i++) {
        if (x[i] > 0.0) {
            kept[count] = x[i];
            count++;
        }
    }
    arguments = array<u32, 4>((count + 63u) / 64u, 1u, 1u, count);
}

@compute @workgroup_size(64)
fn square(@builtin(global_invocation_id) id: vec3<u32>) {
    if (id.x < found[3]) {
        squares[id.x] = kept[id.x] * kept[id.x];
    }
}
