"""The clock of a benchmark: runs of a job between one submission and its end, by the wall, by the CPU and by the device's timestamps."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, Final

from pixel_core.engines.base import TimedRuns
from pixel_core.engines.submissions import finish_with_fence, submit_and_wait, wait_for

TIMESTAMP_QUERY: Final = "timestamp-query"
"""The optional feature of WebGPU that times passes on the device."""

MAX_RUNS: Final = 1024
"""Timed in one call: a query set holds 4,096 timestamps at most (WebGPU), and a run needs two."""


def time_runs(
    device: Any,
    record: Callable[[Any], None],
    restore: Callable[[], None] | None,
    runs: int,
    timestamp_period_ns: float | None,
) -> TimedRuns:
    """Time several runs of one job whose buffers and textures are on the device.

    With nothing to restore, all runs are one submission, so that what a submission costs is shared by them. Else each is a submission of
    its own, before which the contents are written anew and have arrived.

    Args:
        device: wgpu's, which only `device` knows.
        record: Records one run into a compute pass.
        restore: Gives buffers and textures that a run changes and needs their contents anew; None where there are none.
        runs: At most `MAX_RUNS`.
        timestamp_period_ns: Of one tick; None without timestamps.
    """
    runs = max(1, min(runs, MAX_RUNS))
    wall_s = cpu_s = ticks = 0.0
    for count in [runs] if restore is None else [1] * runs:
        if restore is not None:
            restore()
        queries = None if timestamp_period_ns is None else device.create_query_set(type="timestamp", count=2 * count)
        encoder = device.create_command_encoder()
        for run in range(count):
            writes = {"query_set": queries, "beginning_of_pass_write_index": 2 * run, "end_of_pass_write_index": 2 * run + 1}
            compute = encoder.begin_compute_pass(timestamp_writes=None if queries is None else writes)
            record(compute)
            compute.end()
        commands, fence = finish_with_fence(device, encoder)
        # What was queued for writing would otherwise be copied by the submission that is timed.
        submit_and_wait(device, device.create_command_encoder())
        started, started_cpu = time.perf_counter(), time.process_time()
        wait_for(device, commands, fence)
        wall_s += time.perf_counter() - started
        cpu_s += time.process_time() - started_cpu
        if queries is not None:
            ticks += _spent_ticks(device, queries, count)
    # WebGPU allows timestamps to jump, as when the device was reset: then there is no time.
    device_s = None if timestamp_period_ns is None or ticks <= 0 else ticks * timestamp_period_ns * 1e-9 / runs
    return TimedRuns(runs=runs, wall_s=wall_s / runs, cpu_s=cpu_s / runs, device_s=device_s)


def _spent_ticks(device: Any, queries: Any, count: int) -> int:
    """Sum of end - beginning of each pass. WebGPU resolves a query to eight bytes, little-endian."""
    resolved = device.create_buffer(size=16 * count, usage="QUERY_RESOLVE | COPY_SRC")
    encoder = device.create_command_encoder()
    encoder.resolve_query_set(queries, 0, 2 * count, resolved, 0)
    device.queue.submit([encoder.finish()])
    values = memoryview(device.queue.read_buffer(resolved)).cast("B").cast("Q").tolist()
    resolved.destroy()
    return sum(values[1::2]) - sum(values[0::2])
