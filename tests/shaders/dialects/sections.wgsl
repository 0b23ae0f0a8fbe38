#define(HEADER)
This file holds several things: a table of variants for the program that reads it, functions to choose from, and the shader.
#end(HEADER)

#define(TABLE)
[{ "name": "plain", "values": { "KIND": "f32" }, "uses": ["STORE_PLAIN"] }, { "name": "negated", "uses": ["STORE_NEGATED"] }]
#end(TABLE)

#section(STORE_PLAIN)
fn keep(place: u32, value: {{KIND}}) {
    target_values[place] = value;
}
#endsection(STORE_PLAIN)

#section(STORE_NEGATED)
fn keep(place: u32, value: {{KIND}}) {
    target_values[place] = -value;
}
#endsection(STORE_NEGATED)

#define(SHADER)
struct View { offset: u32, row_stride: u32, columns: u32, rows: u32 }

@group(0) @binding(0) var<storage, read_write> source_values: array<{{KIND}}>;
@group(0) @binding(1) var<storage, read_write> target_values: array<{{KIND}}>;
@group(0) @binding(2) var<uniform> view: View;

SECTIONS

override width: u32;

@compute @workgroup_size(width)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    if (id.x >= view.columns * view.rows) {
        return;
    }
    let row = id.x / view.columns;
    keep(id.x, source_values[view.offset + row * view.row_stride + id.x % view.columns]);
}
#end(SHADER)
