from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pixel_core.engines.base import BindingJob, BufferJob, DispatchJob, KernelJob
from pixel_core.engines.buffer_pool import Allocation, BufferPool
from pixel_core.engines.guards import GUARD, GUARD_BYTES, Region, storage_region, uniform_region, with_guards
from pixel_core.engines.read_back import Copy, Received, plan_copies, split_copies


@given(st.integers(0, 5_000_000))
def test_a_region_holds_content_and_bands(size: int) -> None:
    region = storage_region(size)
    assert region.offset == GUARD_BYTES == len(GUARD)
    assert size <= region.size <= max(size + 3, 16)
    assert region.size % 4 == 0
    assert region.guarded_size <= region.allocation
    uniform = uniform_region(size)
    assert (uniform.offset, uniform.size % 16) == (0, 0)
    assert size <= uniform.size <= uniform.allocation


def test_sizes_fall_into_classes() -> None:
    sizes = [storage_region(size).allocation for size in (0, 4, 500, 512, 516, 1_000_000, 1_048_576, 3_000_000)]
    assert sizes == [1024, 1024, 1024, 1024, 2048, 1 << 20, 2 << 20, 3 << 20]


def test_content_stands_between_bands() -> None:
    assert with_guards(b"abc", Region(256, 4, 1024)) == GUARD + b"abc\0" + GUARD
    assert len({GUARD[start : start + 4] for start in range(0, 256, 4)}) == 64


def test_the_pool_gives_the_same_buffers_in_the_same_order() -> None:
    made: list[int] = []
    destroyed: list[str] = []

    def create(size: int, is_uniform: bool) -> str:
        made.append(size)
        return f"{'u' if is_uniform else 's'}{len(made)}"

    pool = BufferPool(create, destroyed.append, capacity_bytes=4000)
    small, large = Region(256, 4, 1024), Region(256, 4000, 8192)
    first = [pool.take(small, is_uniform=False), pool.take(small, is_uniform=False), pool.take(small, is_uniform=True)]
    pool.give_back(first)
    assert [pool.take(one.region, is_uniform=one.is_uniform) for one in first] == first
    pool.give_back(first)
    pool.give_back([pool.take(large, is_uniform=False)])
    assert destroyed == ["s4"]
    pool.clear()
    assert sorted(destroyed) == ["s1", "s2", "s4", "u3"]
    assert pool.take(small, is_uniform=False).serial == 5


def test_what_comes_back() -> None:
    binding = BindingJob(group=0, binding=0, buffer="scratch", writable=True)
    job = KernelJob(
        source="",
        buffers={
            "input": BufferJob(initial=bytes(4)),
            "wanted": BufferJob(initial=bytes(6), read_back=True),
            "scratch": BufferJob(initial=bytes(8)),
            "uniform": BufferJob(initial=bytes(4), is_uniform=True, read_back=True),
        },
        dispatches=(DispatchJob(entry_point="main", constants={}, workgroups=(1, 1, 1), bindings=(binding,)),),
    )
    placed = {name: Allocation(name, storage_region(len(buffer.initial)), 0, False) for name, buffer in job.buffers.items()}
    copies = list(plan_copies([job, job], [placed, placed]))
    assert [(copy.job, copy.name, copy.size, copy.content_size, copy.is_wanted) for copy in copies] == [
        (0, "wanted", 520, 6, True),
        (0, "scratch", 520, 8, False),
        (1, "wanted", 520, 6, True),
        (1, "scratch", 520, 8, False),
    ]
    assert list(split_copies(copies)) == [copies]
    assert list(split_copies([])) == [[]]


def test_huge_ranges_come_back_in_portions() -> None:
    sizes = [200 << 20, 100 << 20, 100 << 20, 300 << 20, 4]
    copies = [Copy(0, str(number), None, size, size, True) for number, size in enumerate(sizes)]
    assert [[copy.name for copy in portion] for portion in split_copies(copies)] == [["0"], ["1", "2"], ["3"], ["4"]]


def test_a_changed_band_is_noticed() -> None:
    def check(data: bytes, broken: list[str]) -> None:
        received = Received()
        received.take(Copy(0, "a", None, len(data), 4, True), memoryview(data))
        assert received.broken_guards == broken
        assert received.contents == {"a": b"abcd"}

    good = GUARD + b"abcd" + GUARD
    check(good, [])
    for place in (0, 255, 260, len(good) - 1):
        check(good[:place] + bytes([good[place] ^ 1]) + good[place + 1 :], ["a"])
