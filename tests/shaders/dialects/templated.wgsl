//! Sums of groups of values, unrolled by a template: the loop is gone before any compiler sees it.
//!
//! [group_sums]
//! prepare  = [{ template = { unroll = 8, type = "f32" } }]
//! dims     = "n"
//! shapes   = { x = "n 8", y = "n" }
//! dispatch = "ceil(n / 64)"
//! expect   = { y = "sum(x, axis=1)" }
//! cases    = ["n=64", "n=1", "n=100"]

@group(0) @binding(0) var<storage, read> x: array<{{ type }}>;
@group(0) @binding(1) var<storage, read_write> y: array<{{ type }}>;
{# größer als nötig 🎉 #}
@compute @workgroup_size(64)
fn group_sums(@builtin(global_invocation_id) id: vec3<u32>) {
    if (id.x >= arrayLength(&y)) {
        return;
    }
    var sum = {{ type }}();
    {%- for i in range(unroll) %}
    sum += x[id.x * {{ unroll }}u + {{ i }}u];
    {%- endfor %}
    y[id.x] = sum;
}
