from __future__ import annotations

from pathlib import Path

import pytest

from pixel_core.engines.base import BindingJob, BufferJob, DispatchJob, KernelJob
from pixel_core.engines.device import open_device_engine
from pixel_core.engines.strip_enables import strip_enables
from pixel_core.source import SourceText
from pixel_core.wgsl.parse import parse


def check(text: str, expected: str) -> None:
    assert strip_enables(parse(SourceText(Path("k.wgsl"), text))) == expected
    assert len(text) == len(expected)


def test_the_directive_becomes_blanks() -> None:
    check("enable subgroups;\nfn f() {}", "                 \nfn f() {}")
    check("/* é */ enable\n subgroups ; fn f() {}", "/* é */       \n             fn f() {}")


def test_other_extensions_stay() -> None:
    check("enable f16;\nfn f() {}", "enable f16;\nfn f() {}")
    check("enable f16, subgroups;", "enable f16,          ;")
    check("enable subgroups, f16;", "enable            f16;")


def test_the_word_elsewhere_stays() -> None:
    check("// enable subgroups;\nfn subgroups() {}", "// enable subgroups;\nfn subgroups() {}")


@pytest.mark.device
@pytest.mark.parametrize("enable", ["enable subgroups;", "enable f16, subgroups;", "enable subgroups, f16;"])
def test_a_kernel_of_a_browser_runs(enable: str) -> None:
    source = f"""{enable}
        @group(0) @binding(0) var<storage, read_write> sums: array<u32>;
        var<workgroup> total: atomic<u32>;
        @compute @workgroup_size(64)
        fn main(@builtin(local_invocation_index) i: u32, @builtin(subgroup_invocation_id) lane: u32) {{
            let sum = subgroupAdd(sums[i]);
            if lane == 0u {{ atomicAdd(&total, sum); }}
            workgroupBarrier();
            sums[i] = atomicLoad(&total);
        }}"""
    data = b"".join(number.to_bytes(4, "little") for number in range(64))
    binding = BindingJob(group=0, binding=0, buffer="sums", writable=True)
    job = KernelJob(
        source=source,
        buffers={"sums": BufferJob(initial=data, read_back=True)},
        dispatches=(DispatchJob(entry_point="main", constants={}, workgroups=(1, 1, 1), bindings=(binding,)),),
    )
    answer = open_device_engine().run((job,))
    assert isinstance(answer, tuple), answer
    assert answer[0].buffers["sums"] == (2016).to_bytes(4, "little") * 64


@pytest.mark.device
def test_an_error_after_the_directive_keeps_its_place() -> None:
    source = "enable subgroups; /* 😀 */ const a: f32 = bar;"
    failure = open_device_engine().refusal(source)
    assert failure is not None
    assert (failure.line, failure.column) == (1, source.index("bar") + 1)
