//! The index of the greatest logit, of equals the lowest, becomes the next token: many invocations look at every so many-th logit, one takes the best
//! of what they found and moves the state on. So a run of several tokens needs nobody but the device.
//!
//! [choose]
//! dims     = "n"
//! where    = ["n <= 65536 * 64"]
//! shapes   = { logits = "n", tokens = "1", chosen = "8" }
//! buffers  = { found = "u32 2048" }
//! params   = { vocabulary = "n" }
//! inputs   = { chosen = "zeros()", "state.token" = "zeros()" }
//! define   = { winner = "argmax(logits)" }
//! cases    = [
//!   { name = "n=49152", dims = { n = 49152 }, inputs = { "state.position" = "full(5)", "state.chosen" = "full(3)" } },
//!   { name = "n=1", dims = { n = 1 }, inputs = { "state.position" = "full(0)", "state.chosen" = "full(0)" } },
//!   { name = "n=1000", dims = { n = 1000 }, inputs = { "state.position" = "full(70)", "state.chosen" = "full(7)" } },
//!   { name = "n=64", dims = { n = 64 }, inputs = { "state.position" = "full(9)", "state.chosen" = "full(1)" } },
//! ]
//! derive   = false
//!
//! [choose.expect]
//! tokens           = "full(1, winner)"
//! chosen           = "where(arange(8) == state.chosen, winner, chosen)"
//! "state.position" = "state.position + 1"
//! "state.token"    = "winner"
//! "state.chosen"   = "state.chosen + 1"
//!
//! [[choose.passes]]
//! entry    = "find_best"
//! dispatch = 16
//! bind     = { best = "found" }
//!
//! [[choose.passes]]
//! entry    = "take_best"
//! dispatch = 1
//! bind     = { best = "found" }

const WIDTH = 64u; // invocations in a workgroup
const LOWEST = -3.4e38;

struct Best {
    value: f32,
    index: u32,
}

struct State {
    position: u32,
    token: u32, // chosen last
    chosen: u32, // how many
}

@group(0) @binding(0) var<storage, read> logits: array<f32>;
@group(0) @binding(1) var<storage, read_write> best: array<Best>;
@group(0) @binding(2) var<storage, read_write> state: State;
@group(0) @binding(3) var<storage, read_write> tokens: array<u32>;
@group(0) @binding(4) var<storage, read_write> chosen: array<u32>;
@group(0) @binding(5) var<uniform> vocabulary: u32;

// The greatest of every (WIDTH · workgroups)-th logit; of equals the first.
@compute @workgroup_size(WIDTH)
fn find_best(@builtin(global_invocation_id) global: vec3<u32>, @builtin(num_workgroups) workgroups: vec3<u32>) {
    var value = LOWEST;
    var index = 0xffffffffu;
    for (var i = global.x; i < vocabulary; i += WIDTH * workgroups.x) {
        let logit = logits[i];
        if (logit > value || index == 0xffffffffu) {
            value = logit;
            index = i;
        }
    }
    best[global.x] = Best(value, index);
}

// The greatest of those, which becomes the next token to feed.
@compute @workgroup_size(1)
fn take_best() {
    var found = best[0];
    for (var i = 1u; i < arrayLength(&best); i++) {
        let other = best[i];
        if (other.index != 0xffffffffu && (other.value > found.value || (other.value == found.value && other.index < found.index))) {
            found = other;
        }
    }
    tokens[0] = found.index;
    chosen[state.chosen] = found.index;
    state.token = found.index;
    state.chosen += 1u;
    state.position += 1u;
}
