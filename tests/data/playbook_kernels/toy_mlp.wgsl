struct Size { batch: u32 }

@group(0) @binding(0) var<uniform> size: Size;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read> w1: array<f32>;
@group(0) @binding(3) var<storage, read> b1: array<f32>;
@group(0) @binding(4) var<storage, read> w2: array<f32>;
@group(0) @binding(5) var<storage, read> b2: array<f32>;
@group(0) @binding(6) var<storage, read_write> y: array<f32>;

@compute @workgroup_size(64)
fn toy_mlp(@builtin(global_invocation_id) global: vec3<u32>) {
    let row = global.x;
    if (row >= size.batch) {
        return;
    }
    var hidden: array<f32, 16>;
    for (var j = 0u; j < 16u; j++) {
        var sum = b1[j];
        for (var i = 0u; i < 8u; i++) {
            sum += x[row * 8u + i] * w1[i * 16u + j];
        }
        hidden[j] = max(sum, 0.0);
    }
    for (var k = 0u; k < 8u; k++) {
        var sum = b2[k];
        for (var j = 0u; j < 16u; j++) {
            sum += hidden[j] * w2[j * 8u + k];
        }
        y[row * 8u + k] = sum;
    }
}
