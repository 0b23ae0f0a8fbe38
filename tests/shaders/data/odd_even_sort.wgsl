//! Sorts keys of a whole workgroup's length by odd-even transposition. The truth is a slower kernel below, and what any sorting keeps.
//!
//! [odd_even_sort]
//! dims       = "n"
//! where      = ["n >= 2", "n <= 128"]
//! shapes     = { keys = "n", order = "n" }
//! oracle     = { kernel = "odd_even_sort.wgsl:insert", dispatch = 1 }
//! invariants = ["all(diff(keys) >= 0)", "sum(keys) == sum(old.keys)", "all(old.keys[order] == keys)"]
//! inputs     = { keys = "integers(0, 50)" }
//! compare    = { order = "argsort(keys)" }
//! cases      = ["n=2", "n=64", "n=100"]
//! dispatch   = 1

@group(0) @binding(0) var<storage, read_write> keys: array<u32>;
@group(0) @binding(1) var<storage, read_write> order: array<u32>;

@compute @workgroup_size(64)
fn odd_even_sort(@builtin(local_invocation_index) lane: u32) {
    let n = arrayLength(&keys);
    for (var i = lane; i < n; i += 64u) {
        order[i] = i;
    }
    for (var round = 0u; round <= n; round++) {
        storageBarrier();
        let left = lane * 2u + round % 2u;
        // Equal keys change places too, so their order is another than that of the kernel below.
        if (left + 1u < n && round < n && keys[left] >= keys[left + 1u]) {
            let key = keys[left];
            keys[left] = keys[left + 1u];
            keys[left + 1u] = key;
            let place = order[left];
            order[left] = order[left + 1u];
            order[left + 1u] = place;
        }
    }
}

@compute @workgroup_size(1)
fn insert() {
    for (var i = 0u; i < arrayLength(&keys); i++) {
        let key = keys[i];
        var j = i;
        while (j > 0u && keys[j - 1u] > key) {
            keys[j] = keys[j - 1u];
            order[j] = order[j - 1u];
            j--;
        }
        keys[j] = key;
        order[j] = i;
    }
}
