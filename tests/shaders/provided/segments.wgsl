//! The mean of each segment of a list; where segments begin, a function says.
//!
//! [segments]
//! dims      = "count most"
//! shapes    = { start = "count+1", x = "count*most", mean = "count" }
//! dispatch  = "ceil(count / 64)"
//! reference = "segments.py:means"
//! inputs    = { start = "segments.py:start" }
//! cases     = ["count=64 most=3", "count=1 most=5", "count=100 most=9"]

@group(0) @binding(0) var<storage, read> start: array<u32>;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> mean: array<f32>;

@compute @workgroup_size(64)
fn segments(@builtin(global_invocation_id) id: vec3<u32>) {
    if (id.x >= arrayLength(&mean)) {
        return;
    }
    var sum = 0.0;
    for (var i = start[id.x]; i < start[id.x + 1u]; i++) {
        sum += x[i];
    }
    mean[id.x] = sum / f32(start[id.x + 1u] - start[id.x]);
}
