// e to the power x, by additions and products alone, so that a CPU can repeat it bit for bit; x is held between -87 and 88.
// x = k · ln 2 + r with a whole k and |r| <= ln 2 / 2 (ln 2 in two parts, the first with trailing zeros, so that k times it is
// exact), e^r by its Taylor polynomial of degree 6: relative error below 2e-7.
// Source: W. Cody, W. Waite, "Software Manual for the Elementary Functions" (1980), chapter 6.
fn exact_exp(x: f32) -> f32 {
    let held = clamp(x, -87.0, 88.0);
    let k = round(held * 1.44269504);
    let r = (held - k * 0.693359375) - k * -2.12194440e-4;
    var p = 1.3888889e-3;
    p = p * r + 8.3333338e-3;
    p = p * r + 4.1666668e-2;
    p = p * r + 0.16666667;
    p = p * r + 0.5;
    p = p * r + 1.0;
    p = p * r + 1.0;
    return p * bitcast<f32>(u32(i32(k) + 127) << 23u);
}
