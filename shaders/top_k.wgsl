//! The k greatest elements of each row with their indices, greatest first; of equal ones, the one of lesser index
//! first. One workgroup for each row, for small k.
//!
//! The rule orders the elements strictly, equal ones too. So round r can find place r as the best of all elements
//! that come after the one of round r - 1, without marking or moving any: each invocation walks over the row, and a
//! tree in workgroup memory finds the best of theirs, as in argmax.wgsl. That reads the row k times; beyond some
//! dozens a sort is faster. No element may be NaN.
//! Source: selection in rounds, D. Knuth, "The Art of Computer Programming" volume 3, section 5.2.3; for logits
//! `ggml_top_k`, ggml.h, github.com/ggml-org/ggml (there without an order among the k).
//!
//! [top_k]
//! dims     = "rows columns k"
//! where    = ["rows <= 65535", "k <= columns", "k <= 64"]
//! shapes   = { x = "rows columns", values = "rows k", indices = "rows k" }
//! params   = { size = { columns = "columns", k = "k" } }
//! inputs   = { x = "normal(0, 1)" }
//! dispatch = "rows"
//! expect   = { values = "-sort(-x)[:, :k]", indices = "argsort(-x)[:, :k]" }  # stable: equal elements keep their order
//! compare  = { values = "exact" }                     # nothing is computed: every bit stays
//! cases    = [
//!   "rows=4 columns=128 k=8",
//!   "rows=3 columns=1 k=1",
//!   "rows=6 columns=40 k=40",
//!   "rows=5 columns=1000 k=20",
//!   { name = "equal elements", dims = { rows = 5, columns = 300, k = 10 }, inputs = { x = "integers(0, 60)" } },
//! ]

const WIDTH = 128u; // invocations in a workgroup, a power of two
const NOTHING = 0xffffffffu; // the index of no element

struct Size {
    columns: u32,
    k: u32,
}

struct Candidate {
    value: f32,
    index: u32,
}

@group(0) @binding(0) var<uniform> size: Size;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> values: array<f32>;
@group(0) @binding(3) var<storage, read_write> indices: array<u32>;

var<workgroup> candidates: array<Candidate, WIDTH>;

// Whether `a` comes before `b`: any element comes before nothing.
fn precedes(a: Candidate, b: Candidate) -> bool {
    if ((a.index == NOTHING) || (b.index == NOTHING)) {
        return a.index < b.index;
    }
    return (a.value > b.value) || ((a.value == b.value) && (a.index < b.index));
}

@compute @workgroup_size(WIDTH)
fn top_k(
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let start = workgroup.x * size.columns;

    var last = Candidate(0.0, NOTHING); // the element found in the round before
    for (var place = 0u; place < size.k; place++) {
        var best = Candidate(0.0, NOTHING);
        for (var j = lane; j < size.columns; j += WIDTH) {
            let candidate = Candidate(x[start + j], j);
            if (((place == 0u) || precedes(last, candidate)) && precedes(candidate, best)) {
                best = candidate;
            }
        }

        candidates[lane] = best;
        for (var live = WIDTH / 2u; live > 0u; live /= 2u) {
            workgroupBarrier();
            if ((lane < live) && precedes(candidates[lane + live], candidates[lane])) {
                candidates[lane] = candidates[lane + live];
            }
        }
        last = workgroupUniformLoad(&candidates[0]); // has a barrier before and after the load

        if (lane == 0u) {
            values[workgroup.x * size.k + place] = last.value;
            indices[workgroup.x * size.k + place] = last.index;
        }
    }
}
