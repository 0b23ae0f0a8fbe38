//! The most multiplications and additions in f32 that an adapter does: y = the sum of three numbers after 4,096 steps each.
//!
//! Each invocation holds three vectors of four, so twelve chains that do not wait for each other, and nearly no memory is touched. The
//! work cannot be dropped: factor and term come from a buffer, so that nobody knows before the run that the factor is 1, and f32 sums
//! may not be joined, since that would round otherwise. With these numbers no step rounds, fused or not, so the result is exact.
//!
//! [multiply_add]
//! dims     = "n"
//! where    = ["n % 64 == 0", "n <= 64 * 65535"]
//! shapes   = { x = "n 4", step_by = "2", y = "n 4" }
//! inputs   = { x = "integers(0, 100)", step_by = "concat(ones(1), full(1, 0.25))" }
//! dispatch = "n / 64"
//! expect   = { y = "3 * x + 3 + 3 * 4096 * 0.25" }
//! flops    = "n * 3 * 4 * 4096 * 2"
//! budget   = { seconds = 60 }
//! cases    = ["n=8192", "n=131072", "n=1048576"]
//! derive   = false

@group(0) @binding(0) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read> step_by: array<f32, 2>;
@group(0) @binding(2) var<storage, read_write> y: array<vec4<f32>>;

fn four_steps(value: vec4<f32>, factor: vec4<f32>, term: vec4<f32>) -> vec4<f32> {
    return fma(fma(fma(fma(value, factor, term), factor, term), factor, term), factor, term);
}

@compute @workgroup_size(64)
fn multiply_add(@builtin(global_invocation_id) id: vec3<u32>) {
    let factor = vec4<f32>(step_by[0]);
    let term = vec4<f32>(step_by[1]);
    var first = x[id.x];
    var second = first + 1.0;
    var third = first + 2.0;
    for (var i = 0u; i < 256u; i++) {
        first = four_steps(first, factor, term);
        second = four_steps(second, factor, term);
        third = four_steps(third, factor, term);
        first = four_steps(first, factor, term);
        second = four_steps(second, factor, term);
        third = four_steps(third, factor, term);
        first = four_steps(first, factor, term);
        second = four_steps(second, factor, term);
        third = four_steps(third, factor, term);
        first = four_steps(first, factor, term);
        second = four_steps(second, factor, term);
        third = four_steps(third, factor, term);
    }
    y[id.x] = first + second + third;
}
