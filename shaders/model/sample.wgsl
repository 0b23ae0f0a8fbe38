//! The next token, drawn among the likeliest: repetition penalty, top-k, top-p, min-p, temperature, in this order, as `sampler.py` does it. So a run of
//! several drawn tokens needs nobody but the device.
//!
//! Recent tokens are made less likely; then each of 16 workgroups finds the `kept` greatest of its logits, of equals the lowest first; then one invocation
//! merges what they found, cuts it and draws. Random bits are those of a generator without a state: a function of the seed and of how many were drawn.
//! Weights are added up in one order and e^x is exact_exp.wgsl's: the same token on every device that rounds as IEEE 754 says, and on numpy.
//! Source: J. Salmon et al., "Parallel Random Numbers: As Easy as 1, 2, 3" (2011), Philox4x32-10; N. Keskar et al., "CTRL", arXiv 1909.05858, section 4.1.
//!
//! [sample]
//! prepare   = [{ define = {} }]
//! dims      = "n kept window"
//! where     = ["kept >= 1", "kept <= 64", "window <= 64"]
//! shapes    = { logits = "n", recent = "64", tokens = "1", chosen = "8" }
//! buffers   = { candidates = "u32 2048" }
//! reference = "reference.py:sample"
//! compare   = { logits = "exact" }
//! cases     = [
//!   { name = "defaults", dims = { n = 49152, kept = 40, window = 64 }, inputs = { "state.chosen" = "full(3)" } },
//!   { name = "hot", dims = { n = 5000, kept = 64, window = 0 }, inputs = { "state.chosen" = "full(0)" }, params = { settings = { inverse_temperature = 0.3, top_p = 1, min_p = 0 } } },
//!   { name = "few", dims = { n = 5, kept = 40, window = 3 }, inputs = { "state.chosen" = "full(7)", recent = "integers(0, 4)" } },
//!   { name = "greedy", dims = { n = 1000, kept = 1, window = 64 }, inputs = { "state.chosen" = "full(1)" }, params = { settings = { penalty = 1.5, inverse_penalty = 0.6666667 } } },
//!   { name = "equals", dims = { n = 3000, kept = 20, window = 64 }, inputs = { "state.chosen" = "full(2)", logits = "integers(0, 3)" }, params = { settings = { top_p = 0.5, drawn = 9 } } },
//!   { name = "late", dims = { n = 2000, kept = 64, window = 16 }, inputs = { "state.chosen" = "full(5)" }, params = { settings = { drawn = 4294967294, seed_high = 5 } } },
//! ]
//! derive    = false
//!
//! [sample.params.settings]
//! vocabulary          = "n"
//! kept                = "kept"
//! window              = "window"
//! oldest              = 1
//! drawn               = 0
//! seed_low            = 3735928559
//! seed_high           = 0
//! top_p               = 0.95
//! min_p               = 0.05
//! inverse_temperature = 1.25
//! penalty             = 1.1
//! inverse_penalty     = 0.9090909
//!
//! [sample.inputs]
//! logits           = "normal(0, 4)"
//! recent           = "where(integers(0, 4) == 0, 4294967295, integers(0, min(n, 40)))"
//! chosen           = "zeros()"
//! tokens           = "zeros()"
//! "state.position" = "full(n % 97)"
//! "state.token"    = "zeros()"
//!
//! [[sample.passes]]
//! entry    = "penalise"
//! dispatch = 1
//!
//! [[sample.passes]]
//! entry    = "find_likeliest"
//! dispatch = 16
//! bind     = { found = "candidates" }
//!
//! [[sample.passes]]
//! entry    = "draw"
//! dispatch = 1
//! bind     = { found = "candidates" }

#include "exact_exp.wgsl"

const WIDTH = 64u; // invocations in a workgroup
const GROUPS = 16u; // workgroups that look for the likeliest
const MOST = 64u; // tokens that are kept, and that are recent
const NONE = 0xffffffffu;

struct Found {
    value: f32,
    index: u32, // NONE where there is no more
}

struct State {
    position: u32,
    token: u32, // chosen last
    chosen: u32, // how many since the host looked
}

struct Settings {
    vocabulary: u32,
    kept: u32,
    window: u32, // tokens that are recent; 0 for no penalty
    oldest: u32, // of `recent`, when `chosen` is 0
    drawn: u32, // numbers drawn before, when `chosen` is 0
    seed_low: u32,
    seed_high: u32,
    top_p: f32,
    min_p: f32,
    inverse_temperature: f32,
    penalty: f32,
    inverse_penalty: f32,
}

@group(0) @binding(0) var<storage, read_write> logits: array<f32>;
@group(0) @binding(1) var<storage, read_write> recent: array<u32>; // a ring; NONE where there is none yet
@group(0) @binding(2) var<storage, read_write> found: array<Found>; // MOST for each workgroup
@group(0) @binding(3) var<storage, read_write> state: State;
@group(0) @binding(4) var<storage, read_write> tokens: array<u32>;
@group(0) @binding(5) var<storage, read_write> chosen: array<u32>;
@group(0) @binding(6) var<uniform> settings: Settings;

// Each recent token once, however often it came.
@compute @workgroup_size(WIDTH)
fn penalise(@builtin(local_invocation_index) lane: u32) {
    if (lane >= settings.window) {
        return;
    }
    let token = recent[lane];
    for (var i = 0u; i < lane; i++) {
        if (recent[i] == token) {
            return;
        }
    }
    if (token < settings.vocabulary) {
        let logit = logits[token];
        logits[token] = logit * select(settings.penalty, settings.inverse_penalty, logit > 0.0);
    }
}

fn is_before(a: Found, b: Found) -> bool {
    return a.index != NONE && (b.index == NONE || a.value > b.value || (a.value == b.value && a.index < b.index));
}

// The first in order of the logits from `start` on, every so many-th, that come after another one.
fn next_after(last: Found, start: u32) -> Found {
    var best = Found(0.0, NONE);
    for (var i = start; i < settings.vocabulary; i += GROUPS * WIDTH) {
        let one = Found(logits[i], i);
        if ((last.index == NONE || is_before(last, one)) && is_before(one, best)) {
            best = one;
        }
    }
    return best;
}

var<workgroup> best: array<Found, WIDTH>;

@compute @workgroup_size(WIDTH)
fn find_likeliest(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let start = workgroup.x * WIDTH + lane;
    var own = next_after(Found(0.0, NONE), start);
    for (var round = 0u; round < settings.kept; round++) {
        best[lane] = own;
        workgroupBarrier();
        var winner = best[0];
        for (var i = 1u; i < WIDTH; i++) {
            if (is_before(best[i], winner)) {
                winner = best[i];
            }
        }
        workgroupBarrier();
        if (lane == 0u) {
            found[workgroup.x * MOST + round] = winner;
        }
        if (own.index != NONE && own.index == winner.index) {
            own = next_after(own, start);
        }
    }
}

// The 64 bits of a product, low and high.
fn wide_product(a: u32, b: u32) -> vec2<u32> {
    let low = (a & 0xffffu) * (b & 0xffffu);
    let cross = (a >> 16u) * (b & 0xffffu) + (low >> 16u);
    let other = (a & 0xffffu) * (b >> 16u) + (cross & 0xffffu);
    return vec2<u32>(a * b, (a >> 16u) * (b >> 16u) + (cross >> 16u) + (other >> 16u));
}

// The first of the four words of Philox4x32-10.
fn philox(counter: u32, key_low: u32, key_high: u32) -> u32 {
    var words = vec4<u32>(counter, 0u, 0u, 0u);
    var key = vec2<u32>(key_low, key_high);
    for (var round = 0u; round < 10u; round++) {
        let a = wide_product(0xd2511f53u, words.x);
        let b = wide_product(0xcd9e8d57u, words.z);
        words = vec4<u32>(b.y ^ words.y ^ key.x, b.x, a.y ^ words.w ^ key.y, a.x);
        key += vec2<u32>(0x9e3779b9u, 0xbb67ae85u);
    }
    return words.x;
}

@compute @workgroup_size(1)
fn draw() {
    // What the workgroups found, in order.
    var heads = array<u32, GROUPS>();
    var likeliest = array<Found, MOST>();
    var count = 0u;
    for (var i = 0u; i < settings.kept; i++) {
        var first = Found(0.0, NONE);
        var source = 0u;
        for (var group = 0u; group < GROUPS; group++) {
            if (heads[group] < settings.kept) {
                let one = found[group * MOST + heads[group]];
                if (is_before(one, first)) {
                    first = one;
                    source = group;
                }
            }
        }
        if (first.index == NONE) {
            break;
        }
        heads[source]++;
        likeliest[count] = first;
        count++;
    }

    let top = likeliest[0].value;
    if (settings.top_p < 1.0) {
        var whole = 0.0;
        for (var i = 0u; i < count; i++) {
            whole += exact_exp(likeliest[i].value - top);
        }
        let wanted = settings.top_p * whole;
        var sum = 0.0;
        for (var i = 0u; i < count; i++) {
            sum += exact_exp(likeliest[i].value - top);
            if (sum >= wanted) {
                count = i + 1u;
            }
        }
    }
    while (count > 1u && exact_exp(likeliest[count - 1u].value - top) < settings.min_p) {
        count--;
    }
    var whole = 0.0;
    for (var i = 0u; i < count; i++) {
        whole += exact_exp((likeliest[i].value - top) * settings.inverse_temperature);
    }
    let bits = philox(settings.drawn + state.chosen, settings.seed_low, settings.seed_high);
    let place = (f32(bits >> 8u) * 5.9604645e-8) * whole; // 2^-24: below 1
    var sum = 0.0;
    var taken = 0u;
    for (var i = 0u; i < count; i++) {
        sum += exact_exp((likeliest[i].value - top) * settings.inverse_temperature);
        taken = i;
        if (sum > place) {
            break;
        }
    }

    var token = likeliest[taken].index;
    if (count == 0u) {
        token = NONE; // logits that are no numbers
    }
    tokens[0] = token;
    chosen[state.chosen] = token;
    if (settings.window > 0u) {
        recent[(settings.oldest + state.chosen) % settings.window] = token;
    }
    state.token = token;
    state.chosen += 1u;
    state.position += 1u;
}
