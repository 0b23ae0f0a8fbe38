"""The compilers behind the worker's protocol: the request, and the child process that answers it."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from pixel_core.engines.compilers import CompilerVerdicts
from pixel_core.findings import Severity
from pixel_core.kernels.execute import CaseRunner
from pixel_core.kernels.load_shader import LoadedShader, understand
from pixel_core.source import SourceText


def load(text: str) -> LoadedShader:
    return understand(SourceText(Path("k.wgsl"), text), None)


def verdicts(*texts: str) -> list[CompilerVerdicts]:
    async def ask() -> list[CompilerVerdicts]:
        runner = CaseRunner(jobs=1, memory_bytes=4 << 30, interpreter=None, workspace=None, seed=0)
        try:
            answers = [await runner.compile(load(text)) for text in texts]
            return [answer for answer in answers if isinstance(answer, CompilerVerdicts)]
        finally:
            await runner.close()

    return asyncio.run(ask())


@pytest.mark.device
def test_both_compilers_answer_from_the_worker_and_it_lives_on() -> None:
    wrong = "/* 😀é */ fn f() { var a = 1u; a = 1.5f; }"
    start = wrong.index("1.5f")
    first, hostile, last = verdicts(wrong, "\0 fn f() {", "@compute @workgroup_size(1) fn main() {}")
    assert [(one.compiler, one.severity) for one in first.messages] == [("naga", Severity.ERROR), ("tint", Severity.ERROR)]
    assert first.absent == ()
    assert first.messages[0].labels[-1].start == start
    assert first.messages[1].message == "cannot assign 'f32' to 'u32'"
    assert hostile.refused_by == {"naga", "tint"}
    assert last == CompilerVerdicts()
