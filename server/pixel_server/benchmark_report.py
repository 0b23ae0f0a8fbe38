"""The JSON form of a benchmark, as `docs/bench.schema.json` describes it. Times are seconds of one run; lines count from 1."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from typing import Final

from pixel_core.speed.benchmark import Benchmark, Measurement, Roofline
from pixel_core.speed.compare_with_baseline import Comparison
from pixel_core.speed.spread import Spread, spread_of
from pixel_server.json_report import Json, finding_json

VERSION: Final = 1


def benchmark_report(benchmark: Benchmark, comparisons: Sequence[Comparison]) -> str:
    """The whole benchmark as JSON text of one object, indented, with a final line break.

    Args:
        benchmark: What was measured.
        comparisons: One for each measurement, or none without a baseline.
    """
    paired = zip(benchmark.measurements, comparisons or [None] * len(benchmark.measurements), strict=True)
    adapter = benchmark.adapter
    value: Json = {
        "version": VERSION,
        "adapter": {"name": adapter.name, "backend": adapter.backend, "driver": adapter.driver, "is_software": adapter.is_software},
        "clock": benchmark.clock,
        "roofline": None if benchmark.roofline is None else _roofline(benchmark.roofline),
        "measurements": [_measurement(one, comparison) for one, comparison in paired],
        "refusals": [
            {
                "shader": os.fspath(one.shader),
                "contract": one.contract,
                "case": one.case,
                "reason": one.reason,
                "is_failure": one.is_failure,
            }
            for one in benchmark.refusals
        ],
        "findings": [finding_json(finding, benchmark.sources) for finding in benchmark.findings],
    }
    # Paths that are no Unicode hold lone surrogates; escaped, they survive any encoding of the stream.
    return json.dumps(value, indent=2, ensure_ascii=True, allow_nan=False) + "\n"


def _roofline(roofline: Roofline) -> Json:
    return {"flops_per_s": _spread(roofline.peak), "bytes_per_s": _spread(roofline.bandwidth)}


def _measurement(one: Measurement, comparison: Comparison | None) -> Json:
    return {
        "shader": os.fspath(one.shader),
        "contract": one.contract,
        "case": one.case,
        "shader_sha256": one.shader_sha256,
        "flops": one.work.flops,
        "bytes": one.work.size_bytes,
        "intensity": one.work.intensity,
        "runs": one.runs,
        "rounds": len(one.seconds),
        "seconds": _spread(one.time),
        "flops_per_s": one.flops_per_s,
        "bytes_per_s": one.bytes_per_s,
        "share": _spread(spread_of(one.share)),
        "numpy_seconds": _spread(spread_of(one.numpy_s)) if one.numpy_s else None,
        "baseline": None if comparison is None else {"verdict": comparison.verdict, "ratio": comparison.ratio},
    }


def _spread(spread: Spread) -> Json:
    return {"low": spread.low, "median": spread.median, "high": spread.high}
