// 1 / √x by Newton's iteration, from additions and products alone: division and square root would do on a CPU, but compilers
// may put another instruction in place of the two. For positive x.
fn exact_rsqrt(x: f32) -> f32 {
    var y = bitcast<f32>(0x5f3759dfu - (bitcast<u32>(x) >> 1u));
    for (var i = 0u; i < 4u; i++) {
        y = y * (1.5 - (0.5 * x * y) * y);
    }
    return y;
}
