from __future__ import annotations

import pytest

from pixel_core.kernels.load_shader import understand
from pixel_core.source import SourceText
from pixel_core.speed.benchmark import Roofline, Work, bound_bytes
from pixel_core.speed.choose_targets import choose_targets
from pixel_core.speed.spread import Spread, spread_of
from speed_testing import SHADER, a_measurement


def test_quartiles_are_those_of_the_data_with_their_extremes() -> None:
    assert spread_of([5.0, 1.0, 2.0, 4.0, 3.0]) == Spread(low=2.0, median=3.0, high=4.0)
    assert spread_of([7.0]) == Spread(low=7.0, median=7.0, high=7.0)
    with pytest.raises(ValueError, match="no values"):
        spread_of([])


def test_the_roofline_is_the_lower_of_two_lines() -> None:
    roofline = Roofline(flops_per_s=(100.0, 100.0), bytes_per_s=(10.0, 10.0))
    assert roofline.attainable(5) == 50
    assert roofline.attainable(10) == roofline.attainable(1000) == 100


def test_the_least_time_is_the_longer_one_with_the_rates_of_each_round() -> None:
    roofline = Roofline(flops_per_s=(100.0, 50.0), bytes_per_s=(10.0, 20.0))
    assert roofline.least_seconds(Work(flops=1000, size_bytes=50)) == (10, 20)
    assert roofline.least_seconds(Work(flops=100, size_bytes=50)) == (5, 2.5)
    assert roofline.least_seconds(Work(flops=None, size_bytes=50)) == (5, 2.5)


def test_rates_are_work_over_the_median() -> None:
    measurement = a_measurement((0.1, 0.3, 0.2), work=Work(flops=4e9, size_bytes=2_000_000))
    assert measurement.flops_per_s == 2e10
    assert measurement.bytes_per_s == 1e7
    assert measurement.work.intensity == 2000
    assert a_measurement(work=Work(flops=None, size_bytes=8)).flops_per_s is None
    assert Work(flops=1, size_bytes=0).intensity is None


def test_buffers_that_are_read_and_written_count_twice_and_slack_not_at_all() -> None:
    text = """\
//! [step]
//! dims = "n"
//! shapes = { x = "n", y = "n", tmp = "n", hits = "1" }
//! roles = { tmp = "scratch" }
//! slack = { x = 3 }
//! inputs = { y = "normal(0, 1)" }
//! dispatch = "1"
//! expect = { y = "x + y", hits = "zeros(1)" }
//! cases = ["n=10"]
//! derive = false
@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;
@group(0) @binding(2) var<storage, read_write> tmp: array<f32>;
@group(0) @binding(3) var<storage, read_write> hits: array<u32>;
@compute @workgroup_size(1)
fn step() {
    for (var i = 0u; i < arrayLength(&y); i++) {
        tmp[i] = x[i];
        y[i] += tmp[i];
    }
    hits[0] = 0u;
}
"""
    (target,), refusals = choose_targets((understand(SourceText(SHADER, text), None),), kernel=None, cases=("n=10",))
    assert refusals == ()
    assert {buffer.name: buffer.role for buffer in target.case.buffers} == {"x": "in", "y": "inout", "tmp": "scratch", "hits": "out"}
    assert bound_bytes(target.case) == 40 + 2 * 40 + 2 * 40 + 4
