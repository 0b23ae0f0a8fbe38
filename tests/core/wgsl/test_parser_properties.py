"""Whatever the text: no exception, no text lost, spans inside their parents, and the other functions still found."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.fuzz_parser import check_tree, measure_recovery, mutate, prefixes, read_sources
from wgsl_testing import parse_text

# A hundredth of the counts of bench/fuzz_parser.py.
SOURCES = 3
MUTATIONS = 200
DELETIONS = 100

FUNCTIONS = """
struct Particle {
    position: vec4<f32>,
    @size(16) velocity: vec3<f32>,
}
struct Size { count: u32, step: f32 }

@group(0) @binding(0) var<storage, read_write> particles: array<Particle>;
@group(0) @binding(1) var<uniform> size: Size;
var<workgroup> tile: array<vec4<f32>, 64>;
const softening: f32 = 1e-3;

fn force(from_here: vec4<f32>, to_there: vec4<f32>) -> vec3<f32> {
    let offset = to_there.xyz - from_here.xyz;
    let squared = dot(offset, offset) + softening;
    if (squared < 2.0 * softening) {
        return vec3<f32>(0.0);
    }
    return offset * (to_there.w / (squared * sqrt(squared)));
}

@compute @workgroup_size(64)
fn advance(@builtin(global_invocation_id) id: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    var sum = vec3<f32>();
    for (var start = 0u; start < size.count; start += 64u) {
        tile[lane] = particles[min(start + lane, size.count - 1u)].position;
        workgroupBarrier();
        for (var i = 0u; i < 64u; i++) {
            sum += force(particles[id.x].position, tile[i]);
        }
        workgroupBarrier();
    }
    switch (lane % 4u) {
        case 0u, 1u: { sum *= 1.0; }
        default: { sum = sum; }
    }
    particles[id.x].velocity += sum * size.step;
}

fn wrap(value: f32, limit: f32) -> f32 {
    var result = value;
    loop {
        if (result < limit) { break; }
        continuing { result -= limit; }
    }
    return select(result, 0.0, result != result);
}

@compute @workgroup_size(64)
fn move_all(@builtin(global_invocation_id) id: vec3<u32>) {
    if (id.x >= size.count) { return; }
    let velocity = particles[id.x].velocity;
    particles[id.x].position += vec4<f32>(velocity * size.step, 0.0);
    particles[id.x].position.x = wrap(particles[id.x].position.x, 1.0);
}
"""


@pytest.fixture(scope="module")
def sources() -> list[str]:
    """Some sources of the bench, and always the one above."""
    others = read_sources()
    return [FUNCTIONS, *random.Random(1).sample(others, min(300, len(others)))]


def test_the_text_is_valid() -> None:
    assert parse_text(FUNCTIONS).findings == []


def test_every_prefix_of_some_sources_parses(sources: list[str]) -> None:
    for text in sources[:SOURCES]:
        for prefix in prefixes(text):
            check_tree(prefix)


def test_mutations_parse(sources: list[str]) -> None:
    chance = random.Random(2)
    for _ in range(MUTATIONS):
        check_tree(mutate(chance.choice((FUNCTIONS, chance.choice(sources))), chance))


@given(st.text(alphabet=st.sampled_from('fn()<>{};:,=+-*/&|@ax1.\n\0_#"é\u200e\ufffd'), max_size=60))
@settings(max_examples=200, deadline=None)
def test_any_text_parses(text: str) -> None:
    check_tree(text)


@given(st.binary(max_size=80))
@settings(max_examples=100, deadline=None)
def test_any_bytes_parse(data: bytes) -> None:
    check_tree(data.decode("utf-8", errors="replace"))


@pytest.mark.parametrize("one_file", [True, False], ids=["one file", "many files"])
def test_other_functions_survive_one_deletion(one_file: bool, sources: list[str]) -> None:
    recovery = measure_recovery(sources[:1] if one_file else sources, DELETIONS, random.Random(3))
    breaks, others = sum(recovery.breaks.values()), sum(recovery.others.values())
    assert breaks == DELETIONS
    assert sum(recovery.found.values()) >= 0.97 * others
    assert sum(recovery.findings.values()) <= 1.1 * breaks
