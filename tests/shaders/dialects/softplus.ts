import { device } from "./device";

/** Größe einer Arbeitsgruppe – 🎉 */
export const GROUP = 64;

export const softplus = /* wgsl */ `
@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;

@compute @workgroup_size(${GROUP})
fn softplus(@builtin(global_invocation_id) id: vec3<u32>) {
    if (id.x < arrayLength(&y)) {
        y[id.x] = max(x[id.x], 0.0) + log(1.0 + exp(-abs(x[id.x])));
    }
}
`;

export const pipeline = device.createComputePipeline({ layout: "auto", compute: { module: device.createShaderModule({ code: softplus }) } });
