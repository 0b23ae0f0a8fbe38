struct Size { m: u32, n: u32, k: u32 }

@group(0) @binding(0) var<uniform> size: Size;
@group(0) @binding(1) var<storage, read> a: array<u32>;
@group(0) @binding(2) var<storage, read> b: array<u32>;
@group(0) @binding(3) var<storage, read_write> c: array<f32>;

fn a_at(index: u32) -> f32 {
    return unpack2x16float(a[index / 2u])[index % 2u];
}

fn b_at(index: u32) -> f32 {
    return unpack2x16float(b[index / 2u])[index % 2u];
}

@compute @workgroup_size(16, 16)
fn matmul_f16(@builtin(global_invocation_id) global: vec3<u32>) {
    let row = global.y;
    let column = global.x;
    if (row >= size.m || column >= size.n) {
        return;
    }
    var sum = 0.0;
    for (var i = 0u; i < size.k; i++) {
        sum += a_at(row * size.k + i) * b_at(i * size.n + column);
    }
    c[row * size.n + column] = sum;
}
