//! Adds floats where an index says. WGSL has no atomics of floats, so their bits are exchanged until nobody came in between.
//!
//! [scatter_floats]
//! dims     = "n bins"
//! shapes   = { values = "n", bin = "n", sums = "bins" }
//! codecs   = { sums = "f32" }
//! inputs   = { bin = "integers(0, bins)", sums = "normal(0, 1)" }
//! dispatch = "ceil(n / 64)"
//! expect   = { sums = "sums + transpose(one_hot(bin, bins)) @ values" }
//! cases    = ["n=64 bins=5", "n=1000 bins=33", "n=200 bins=200"]

@group(0) @binding(0) var<storage, read> values: array<f32>;
@group(0) @binding(1) var<storage, read> bin: array<u32>;
@group(0) @binding(2) var<storage, read_write> sums: array<atomic<u32>>;

@compute @workgroup_size(64)
fn scatter_floats(@builtin(global_invocation_id) id: vec3<u32>) {
    if (id.x >= arrayLength(&values)) {
        return;
    }
    var old = atomicLoad(&sums[bin[id.x]]);
    loop {
        let sum = bitcast<u32>(bitcast<f32>(old) + values[id.x]);
        let exchange = atomicCompareExchangeWeak(&sums[bin[id.x]], old, sum);
        if (exchange.exchanged) {
            break;
        }
        old = exchange.old_value;
    }
}
