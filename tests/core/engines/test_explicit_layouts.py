"""Layouts of bind groups as data."""

from __future__ import annotations

from pixel_core.engines.base import BindingJob, BufferJob, DispatchJob, KernelJob
from pixel_core.engines.explicit_layouts import explicit_layouts


def layouts(*bindings: BindingJob) -> list[list[tuple[object, object]]]:
    dispatch = DispatchJob(entry_point="main", constants={}, workgroups=(1, 1, 1), bindings=bindings)
    buffers = {"a": BufferJob(initial=bytes(4)), "u": BufferJob(initial=bytes(4), is_uniform=True)}
    job = KernelJob(source="", buffers=buffers, dispatches=(dispatch,))
    return [[(entry["binding"], entry["buffer"]) for entry in group] for group in explicit_layouts(job, dispatch, 4)]


def test_kinds_of_buffers_and_gaps_between_groups() -> None:
    found = layouts(
        BindingJob(group=0, binding=1, buffer="a"),
        BindingJob(group=0, binding=3, buffer="a", writable=True),
        BindingJob(group=2, binding=0, buffer="u"),
    )
    assert found == [[(1, {"type": "read-only-storage"}), (3, {"type": "storage"})], [], [(0, {"type": "uniform"})]]


def test_without_bindings_there_are_no_groups() -> None:
    assert layouts() == []
