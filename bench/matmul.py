"""How fast are the products in shaders/ beside a naive one, beside numpy, and beside what the adapter can do at most?

Five kernels of one contract, checked first, are timed in turns with the roofline's own kernels by `pixel-lsp bench`'s engine; numpy makes
the same product on one thread. On a software adapter seconds are CPU seconds, so the rates are those of one core; two idle cores would
reach twice as much by the wall.
"""

from __future__ import annotations

import argparse
import asyncio
from pathlib import Path

from msgspec.structs import replace

from pixel_core.kernels.load_shader import LoadedShader, load_shader, understand
from pixel_core.kernels.validate import Checker, CheckOptions
from pixel_core.source import SourceText
from pixel_core.speed.benchmark import Benchmark
from pixel_core.speed.choose_targets import choose_targets
from pixel_core.speed.measure import ONE_NUMPY_THREAD, measure
from pixel_server.draw_roofline import draw_roofline
from pixel_server.terminal.medium import Medium
from pixel_server.terminal.render_benchmark import render_benchmark

SHADERS = Path(__file__).parents[1] / "shaders"
SHIPPED = ("matmul", "matmul_registers", "matmul_unrolled", "matmul_subgroups")

NAIVE = """\
//! [naive]
//! dims     = "M N K"
//! shapes   = { a = "M K", b = "K N", c = "M N" }
//! params   = { size = { m = "M", n = "N", k = "K" } }
//! inputs   = { a = "normal(0, 1)", b = "normal(0, 1)" }
//! dispatch = "ceil(N / 16), ceil(M / 16)"
//! expect   = { c = "a @ b" }
//! flops    = "2 * M * N * K"
//! cases    = ["M=64 N=64 K=64", "M=1 N=1 K=1", "M=65 N=33 K=20"]

struct Size { m: u32, n: u32, k: u32 }

@group(0) @binding(0) var<uniform> size: Size;
@group(0) @binding(1) var<storage, read> a: array<f32>;
@group(0) @binding(2) var<storage, read> b: array<f32>;
@group(0) @binding(3) var<storage, read_write> c: array<f32>;

@compute @workgroup_size(16, 16)
fn naive(@builtin(global_invocation_id) id: vec3<u32>) {
    if ((id.x >= size.n) || (id.y >= size.m)) {
        return;
    }
    var sum = 0.0;
    for (var k = 0u; k < size.k; k++) {
        sum += a[id.y * size.k + k] * b[k * size.n + id.x];
    }
    c[id.y * size.n + id.x] = sum;
}
"""


async def measured(sizes: list[int], rounds: int) -> Benchmark:
    """All kernels at all sizes."""
    shaders: list[LoadedShader] = [understand(SourceText(Path("naive.wgsl"), NAIVE), None)]
    for name in SHIPPED:
        loaded = load_shader(SHADERS / f"{name}.wgsl")
        assert isinstance(loaded, LoadedShader), loaded
        shaders.append(loaded)
    targets, refusals = choose_targets(shaders, kernel=None, cases=[f"M={size} N={size} K={size}" for size in sizes])
    async with Checker(CheckOptions(environment=ONE_NUMPY_THREAD)) as checker:
        benchmark = await measure(checker, targets, rounds=rounds)
    return replace(benchmark, refusals=(*refusals, *benchmark.refusals))


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="Products of matrices beside numpy and the roofline.")
    parser.add_argument("--sizes", type=int, nargs="+", default=[256, 512, 1024])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--plot", type=Path)
    arguments = parser.parse_args()
    benchmark = asyncio.run(measured(arguments.sizes, arguments.rounds))
    print(render_benchmark(benchmark, (), Medium()).plain)
    if arguments.plot:
        draw_roofline(benchmark, arguments.plot)


if __name__ == "__main__":
    main()
