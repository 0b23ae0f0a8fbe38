"""What the worker adds to a kernel: CPU time of a warm run beside a bare wgpu script with the same dispatches and read-backs.

    python bench/worker_overhead.py [--rounds 200]

Three columns for each case, the median of the CPU time of all threads of this process (wall time says little on a busy machine):

- bare: what one writes by hand with wgpu: pipeline, buffers and bind group made once; then for each of the two runs that a case has,
  write every buffer, dispatch, copy each storage buffer to a staging buffer of its own size, submit, map, read. The second run reads only
  what is written. Nothing is drawn, guarded or compared.
- engine: `DeviceEngine.run` with both runs of the case, guard bands included.
- worker: the whole request: text to contract to plan from caches, inputs and truth from caches, both runs, guards, inputs unchanged,
  repeatability, comparison. The comparison's share stands beside it.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import msgspec
import wgpu

from pixel_core.engines.base import KernelJob
from pixel_core.engines.device import open_device_engine
from pixel_core.kernels.answer_request import RequestAnswerer
from pixel_core.kernels.build_jobs import build_jobs
from pixel_core.kernels.open_engine import EngineOpening
from pixel_core.kernels.plan import plan_cases
from pixel_core.kernels.prepare_case import PreparedCases, prepare_case
from pixel_core.kernels.read_contracts import read_contracts
from pixel_core.kernels.worker_messages import CaseReply, CheckCase, ShaderText
from pixel_core.source import SourceText
from pixel_core.wgsl.check import check

SHADERS = Path(__file__).parents[1] / "shaders"
CASES = (("dot_product", "n=1025"), ("matmul", "M=17 N=48 K=100"), ("prefix_scan", "n=1000"), ("q4_0_matvec", "rows=5 columns=96"))


class BareScript:
    """One kernel by hand."""

    def __init__(self, device: wgpu.GPUDevice, jobs: tuple[KernelJob, ...]) -> None:
        self.device, self.jobs = device, jobs
        usage = wgpu.BufferUsage.COPY_DST
        storage = usage | wgpu.BufferUsage.COPY_SRC | wgpu.BufferUsage.STORAGE
        self.buffers = {
            name: device.create_buffer(size=len(job.initial), usage=usage | wgpu.BufferUsage.UNIFORM if job.is_uniform else storage)
            for name, job in jobs[0].buffers.items()
        }
        self.staging = {
            name: device.create_buffer(size=buffer.size, usage=usage | wgpu.BufferUsage.MAP_READ) for name, buffer in self.buffers.items()
        }
        module = device.create_shader_module(code=jobs[0].source)
        self.steps = []
        for dispatch in jobs[0].dispatches:
            compute = {"module": module, "entry_point": dispatch.entry_point, "constants": dict(dispatch.constants)}
            pipeline = device.create_compute_pipeline(layout="auto", compute=compute)
            entries = [{"binding": one.binding, "resource": {"buffer": self.buffers[one.buffer]}} for one in dispatch.bindings]
            group = device.create_bind_group(layout=pipeline.get_bind_group_layout(0), entries=entries)
            self.steps.append((pipeline, group, dispatch.workgroups))

    def run(self) -> list[memoryview]:
        """Both runs."""
        found = []
        for job in self.jobs:
            for name, buffer in job.buffers.items():
                self.device.queue.write_buffer(self.buffers[name], 0, buffer.initial)
            encoder = self.device.create_command_encoder()
            compute = encoder.begin_compute_pass()
            for pipeline, group, workgroups in self.steps:
                compute.set_pipeline(pipeline)
                compute.set_bind_group(0, group)
                compute.dispatch_workgroups(*workgroups)
            compute.end()
            wanted = [name for name, buffer in job.buffers.items() if buffer.read_back]
            for name in wanted:
                encoder.copy_buffer_to_buffer(self.buffers[name], 0, self.staging[name], 0, self.buffers[name].size)
            self.device.queue.submit([encoder.finish()])
            for name in wanted:
                self.staging[name].map_sync(wgpu.MapMode.READ)
                found.append(self.staging[name].read_mapped())
                self.staging[name].unmap()
        return found


def median_cpu(run: Callable[[], object], rounds: int) -> float:
    """Median CPU time of one call, in milliseconds, after two to warm up."""
    run()
    run()
    spent = []
    for _ in range(rounds):
        before = time.process_time()
        run()
        spent.append(time.process_time() - before)
    return statistics.median(spent) * 1e3


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="CPU time of a warm run in the worker beside a bare wgpu script.")
    parser.add_argument("--rounds", type=int, default=200)
    rounds = parser.parse_args().rounds
    engine = open_device_engine()
    device = wgpu.gpu.request_adapter_sync(power_preference="high-performance").request_device_sync()
    answerer = RequestAnswerer(EngineOpening())
    print(f"{engine.info.name}, {engine.info.driver}; CPU ms, median of {rounds}\n")
    print(f"{'case':40} {'bare':>7} {'engine':>7} {'worker':>7} {'compare':>8} {'engine/bare':>12} {'worker/bare':>12} {'no compare':>12}")
    for shader, name in CASES:
        path = SHADERS / f"{shader}.wgsl"
        source = SourceText(path, path.read_text(encoding="utf-8"))
        checked = check(source)
        contract = read_contracts(source, checked.tree, None).contracts[0]
        case = next(case for case in plan_cases(contract, checked.module, checked.interface).cases if case.name == name)
        prepared = prepare_case(contract, case, {}, PreparedCases(1))
        jobs = build_jobs(source.text, checked.interface, case, prepared.contents)
        text = ShaderText(path=str(path), text=source.text, sidecar_path="", sidecar=None, contract=contract.name, case=name, seed=0)
        request = msgspec.json.encode(CheckCase(shader=text))
        compares: list[float] = []

        def check_case(request: bytes = request, compares: list[float] = compares) -> None:
            reply = answerer.answer(request, lambda: False)
            assert isinstance(reply, CaseReply)
            assert reply.result.status == "passed"
            compares.append(reply.result.timing.compare_s * 1e3)

        bare = median_cpu(BareScript(device, jobs).run, rounds)
        alone = median_cpu(lambda jobs=jobs: engine.run(jobs), rounds)
        worker = median_cpu(check_case, rounds)
        compare = statistics.median(compares)
        ratios = f"{alone / bare:>12.2f} {worker / bare:>12.2f} {(worker - compare) / bare:>12.2f}"
        print(f"{shader + ' ' + name:40} {bare:>7.2f} {alone:>7.2f} {worker:>7.2f} {compare:>8.2f} {ratios}")


if __name__ == "__main__":
    main()
