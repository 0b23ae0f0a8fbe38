from __future__ import annotations

from pixel_core.engines.base import BindingJob, BufferJob, DispatchJob, KernelJob, RunFailure
from pixel_core.engines.job_checks import check_job

LIMITS = {"max-storage-buffer-binding-size": 100, "max-uniform-buffer-binding-size": 16, "max-compute-workgroups-per-dimension": 10}


def check(
    message: str | None, *, size: int = 4, uniform: int = 4, workgroups: tuple[int, int, int] = (1, 1, 1), buffers: str = "a b"
) -> None:
    bindings = tuple(
        BindingJob(group=0, binding=number, buffer=name, writable=name.isupper()) for number, name in enumerate(buffers.split())
    )
    job = KernelJob(
        source="",
        buffers={"a": BufferJob(initial=bytes(size)), "u": BufferJob(initial=bytes(uniform), is_uniform=True)},
        dispatches=(DispatchJob(entry_point="main", constants={}, workgroups=workgroups, bindings=bindings),),
    )
    assert check_job(job, LIMITS) == (None if message is None else RunFailure(reason="validation", message=message))


def test_limits_are_held() -> None:
    check(None, size=100, uniform=16, workgroups=(10, 10, 10))
    check("`a` holds 104 bytes; this adapter binds storage buffers of at most 100", size=104)
    check("`u` holds 20 bytes; this adapter binds uniform buffers of at most 16", uniform=20)
    check("`main` is dispatched over 1,000,000 workgroups in z; the limit is 10 per dimension", workgroups=(1, 1, 1_000_000))


def test_a_buffer_is_writable_once() -> None:
    check(None, buffers="A B c c")
    check("`main` binds `A` twice as writable, at @group(0) @binding(0) and @group(0) @binding(2)", buffers="A B A")


def test_a_limit_that_is_not_known_is_not_held() -> None:
    job = KernelJob(source="", buffers={"a": BufferJob(initial=bytes(1000))}, dispatches=())
    assert check_job(job, {}) is None


def check_indirect(message: str | None, *, first: int, writable: bool = False) -> None:
    binding = BindingJob(group=0, binding=0, buffer="a", writable=writable)
    dispatch = DispatchJob(entry_point="main", constants={}, workgroups=(0, 0, 0), bindings=(binding,), indirect=("a", first))
    job = KernelJob(source="", buffers={"a": BufferJob(initial=bytes(16))}, dispatches=(dispatch,))
    assert check_job(job, LIMITS) == (None if message is None else RunFailure(reason="validation", message=message))


def test_workgroups_are_taken_from_inside_a_buffer_that_nobody_writes() -> None:
    check_indirect(None, first=1)
    check_indirect("the workgroups of `main` would stand outside of `a`", first=2)
    check_indirect("`main` may write `a`, which holds its own workgroups", first=0, writable=True)


def test_immediate_data_has_its_limit() -> None:
    dispatch = DispatchJob(entry_point="main", constants={}, workgroups=(1, 1, 1), bindings=(), immediates=bytes(132))
    refused = check_job(KernelJob(source="", buffers={}, dispatches=(dispatch,)), {"max-immediate-size": 128})
    assert refused == RunFailure(reason="validation", message="`main` has 132 bytes of immediate data; this adapter holds 128")
