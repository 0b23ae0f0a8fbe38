"""What a warm check costs beside a bare wgpu script that makes the same dispatches and read-backs.

    python bench/bare_wgpu.py [--rounds 100]

Two kernels, with all their cases, given and derived: one that does almost nothing, so that all is overhead, and shaders/matmul.wgsl. The
bare script is the floor: pipeline, buffers and bind groups are made once; a round writes every buffer, dispatches, and reads every storage
buffer back, twice for each case, because the check runs each case twice (with two different fillings of the outputs). It draws nothing,
keeps no guard bands, has no reference and compares nothing.

The check is the whole of `Checker.check` with a warm worker: read and parse the shader, plan, draw inputs, run, compute the reference,
compare, explain. Figures are CPU time of all threads and processes concerned, which repeats on a busy machine where wall time does not.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import wgpu
from numpy.typing import NDArray

from pixel_core.kernels.report import CaseReport, ValidationReport
from pixel_core.kernels.validate import Checker, CheckOptions

ROOT = Path(__file__).parents[1]
RUNS_OF_A_CASE = 2
TURNS = 10

Dims = Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class BareKernel:
    """A kernel as the bare script knows it.

    Attributes:
        shader: Its file.
        entry: Its entry point.
        contents: Dims → what each binding 0, 1, … holds before a run.
        workgroups: Dims → along x and y.
        uniforms: Bindings that are uniforms.
    """

    shader: Path
    entry: str
    contents: Callable[[Dims], Sequence[NDArray[Any]]]
    workgroups: Callable[[Dims], tuple[int, int]]
    uniforms: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class BareCase:
    """One case as the bare script holds it.

    Attributes:
        contents: What is written before each run, by binding.
        buffers: In the same order.
        storage: Those that are read back.
        bind_group: Of all of them.
        workgroups: Along x and y.
    """

    contents: Sequence[NDArray[Any]]
    buffers: Sequence[wgpu.GPUBuffer]
    storage: Sequence[wgpu.GPUBuffer]
    bind_group: wgpu.GPUBindGroup
    workgroups: tuple[int, int]


def double_contents(dims: Dims) -> Sequence[NDArray[Any]]:
    """X and y."""
    return draw(dims["n"]), np.full(dims["n"], np.nan, np.float32)


def matmul_contents(dims: Dims) -> Sequence[NDArray[Any]]:
    """The sizes, A, B and C."""
    m, n, k = dims["M"], dims["N"], dims["K"]
    return np.array([m, n, k], np.uint32), draw(m * k), draw(k * n), np.full(m * n, np.nan, np.float32)


def draw(count: int) -> NDArray[np.float32]:
    """Standard normal values."""
    return np.random.default_rng(0).standard_normal(count).astype(np.float32)


KERNELS = (
    BareKernel(
        shader=ROOT / "tests" / "data" / "hostile" / "good.wgsl",
        entry="double",
        contents=double_contents,
        workgroups=lambda dims: (-(-dims["n"] // 64), 1),
    ),
    BareKernel(
        shader=ROOT / "shaders" / "matmul.wgsl",
        entry="matmul",
        contents=matmul_contents,
        workgroups=lambda dims: (-(-dims["N"] // 16), -(-dims["M"] // 16)),
        uniforms=(0,),
    ),
)


def make_case(device: wgpu.GPUDevice, pipeline: wgpu.GPUComputePipeline, kernel: BareKernel, name: str) -> BareCase:
    """The case of that name, such as `M=65 N=33 K=20`."""
    dims = {symbol: int(value) for symbol, value in (part.split("=") for part in name.split())}
    contents = kernel.contents(dims)
    usage = wgpu.BufferUsage.COPY_DST | wgpu.BufferUsage.COPY_SRC
    kinds = [wgpu.BufferUsage.UNIFORM if binding in kernel.uniforms else wgpu.BufferUsage.STORAGE for binding in range(len(contents))]
    buffers = [device.create_buffer(size=content.nbytes, usage=usage | kind) for content, kind in zip(contents, kinds, strict=True)]
    entries = [{"binding": binding, "resource": {"buffer": buffer}} for binding, buffer in enumerate(buffers)]
    return BareCase(
        contents=contents,
        buffers=buffers,
        storage=[buffer for binding, buffer in enumerate(buffers) if binding not in kernel.uniforms],
        bind_group=device.create_bind_group(layout=pipeline.get_bind_group_layout(0), entries=entries),
        workgroups=kernel.workgroups(dims),
    )


def run_case(device: wgpu.GPUDevice, pipeline: wgpu.GPUComputePipeline, case: BareCase) -> list[Any]:
    """Write every buffer, dispatch, read every storage buffer."""
    for content, buffer in zip(case.contents, case.buffers, strict=True):
        device.queue.write_buffer(buffer, 0, content)
    encoder = device.create_command_encoder()
    compute = encoder.begin_compute_pass()
    compute.set_pipeline(pipeline)
    compute.set_bind_group(0, case.bind_group)
    compute.dispatch_workgroups(*case.workgroups)
    compute.end()
    device.queue.submit([encoder.finish()])
    return [device.queue.read_buffer(buffer) for buffer in case.storage]


def make_bare_round(kernel: BareKernel, names: Sequence[str]) -> Callable[[], None]:
    """A function that runs every case once as the check does: twice."""
    device = wgpu.gpu.request_adapter_sync(power_preference="high-performance").request_device_sync()
    module = device.create_shader_module(code=kernel.shader.read_text(encoding="utf-8"))
    pipeline = device.create_compute_pipeline(layout="auto", compute={"module": module, "entry_point": kernel.entry})
    cases = [make_case(device, pipeline, kernel, name) for name in names]

    def run_all() -> None:
        for case in cases:
            for _ in range(RUNS_OF_A_CASE):
                run_case(device, pipeline, case)

    return run_all


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """CPU seconds of one round, means.

    Attributes:
        report: Of the last check.
        bare_s: Of the bare script.
        check_s: Of a warm check, in our process and its children.
        compare_s: The part of it that computes the reference and compares.
    """

    report: ValidationReport
    bare_s: float
    check_s: float
    compare_s: float


async def measure(kernel: BareKernel, rounds: int) -> Figures:
    """Measure the two by turns, so that whatever else the machine does falls on both."""
    async with Checker(CheckOptions(reuse_results=False)) as checker:
        await checker.check([kernel.shader])
        (report,) = (await checker.check([kernel.shader])).kernels
        bare_round = make_bare_round(kernel, [case.name for case in report.cases])
        bare_round()
        await _spare_is_ready()
        bare_s = check_s = compare_s = 0.0
        per_turn = -(-rounds // TURNS)
        for _ in range(TURNS):
            before = time.process_time()
            for _ in range(per_turn):
                bare_round()
            bare_s += time.process_time() - before
            before = cpu_of_family()
            for _ in range(per_turn):
                (report,) = (await checker.check([kernel.shader])).kernels
                compare_s += sum(_comparison(case) for case in report.cases)
            check_s += cpu_of_family() - before
        done = per_turn * TURNS
        return Figures(report=report, bare_s=bare_s / done, check_s=check_s / done, compare_s=compare_s / done)


def _comparison(case: CaseReport) -> float:
    return case.timing.reference_s + case.timing.compare_s


async def _spare_is_ready() -> None:
    """Wait until no process of ours does anything: the spare worker, which starts in the background, is no part of a warm check."""
    before, now = 0.0, cpu_of_family()
    while now - before > 0.05:
        await asyncio.sleep(1)
        before, now = now, cpu_of_family()


def cpu_of_family() -> float:
    """CPU seconds of this process and its living descendants so far."""
    ticks = os.sysconf("SC_CLK_TCK")
    total = 0.0
    for process in descendants(os.getpid()):
        # The name of the program stands in parentheses and may hold spaces; utime and stime are the 12th and 13th field after it.
        fields = Path(f"/proc/{process}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
        total += (int(fields[11]) + int(fields[12])) / ticks
    return total


def descendants(process: int) -> Iterator[int]:
    """A process and everything below it."""
    yield process
    for task in Path(f"/proc/{process}/task").iterdir():
        for child in (task / "children").read_text(encoding="utf-8").split():
            yield from descendants(int(child))


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="CPU time of a warm check beside that of a bare wgpu script.")
    parser.add_argument("--rounds", type=int, default=100)
    rounds = parser.parse_args().rounds
    if not sys.platform.startswith("linux"):
        sys.exit("this bench reads the CPU time of child processes from /proc, which only Linux has")

    for kernel in KERNELS:
        figures = asyncio.run(measure(kernel, rounds))
        report, bare_s, check_s, compare_s = figures.report, figures.bare_s, figures.check_s, figures.compare_s
        assert report.status == "passed", report.findings
        rest_s = check_s - compare_s
        print(f"{kernel.shader.name}, {len(report.cases)} cases, {rounds} rounds, {report.adapter.name if report.adapter else ''}")
        print(f"  bare wgpu script          {1e3 * bare_s:8.2f} ms CPU")
        print(f"  warm check                {1e3 * check_s:8.2f} ms CPU   ratio {check_s / bare_s:.2f}")
        print(f"    reference, comparison   {1e3 * compare_s:8.2f} ms CPU")
        print(f"    the rest                {1e3 * rest_s:8.2f} ms CPU   ratio {rest_s / bare_s:.2f}")


if __name__ == "__main__":
    main()
