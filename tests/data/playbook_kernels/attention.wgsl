struct Size { tokens: u32, width: u32 }

@group(0) @binding(0) var<uniform> size: Size;
@group(0) @binding(1) var<storage, read> q: array<f32>;
@group(0) @binding(2) var<storage, read> k: array<f32>;
@group(0) @binding(3) var<storage, read> v: array<f32>;
@group(0) @binding(4) var<storage, read_write> o: array<f32>;

fn score(row: u32, token: u32) -> f32 {
    var sum = 0.0;
    for (var i = 0u; i < size.width; i++) {
        sum += q[row * size.width + i] * k[token * size.width + i];
    }
    return sum / sqrt(f32(size.width));
}

@compute @workgroup_size(1)
fn attention(@builtin(workgroup_id) workgroup: vec3<u32>) {
    let row = workgroup.x;
    var greatest = score(row, 0u);
    for (var token = 1u; token < size.tokens; token++) {
        greatest = max(greatest, score(row, token));
    }
    var total = 0.0;
    var sums: array<f32, 128>;
    for (var token = 0u; token < size.tokens; token++) {
        let weight = exp(score(row, token) - greatest);
        total += weight;
        for (var i = 0u; i < size.width; i++) {
            sums[i] += weight * v[token * size.width + i];
        }
    }
    for (var i = 0u; i < size.width; i++) {
        o[row * size.width + i] = sums[i] / total;
    }
}
