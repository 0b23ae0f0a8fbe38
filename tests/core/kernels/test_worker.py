"""The real worker as a child process on a real adapter, and what hostile kernels do to it."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import textwrap
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Union

import pytest

from pixel_core.kernels.reference_files import ReferenceFiles
from pixel_core.kernels.results import CaseResult
from pixel_core.kernels.run_reference import ReferenceCall, ReferenceOutputs, ReferenceRunner
from pixel_core.kernels.worker_messages import CaseReply, CheckCase, DrawInputs, DrawReply, Hello, HelloReply, ShaderText
from pixel_core.processes.exits import ChildExit
from pixel_core.processes.job_folder import JobFolder
from pixel_core.processes.launcher import launch_module
from pixel_core.processes.supervisor import Supervisor

pytestmark = pytest.mark.device

GIB = 1 << 30
GREEDY = 'budget = { bytes = 2147483648 }\ndispatch = "1"'


class Child:
    """A worker and the loop it lives in, shared by the tests: a cold start costs more than most of them."""

    def __init__(self, memory_bytes: int, *, keep_spare: bool) -> None:
        self.loop = asyncio.new_event_loop()
        self.supervisor = Supervisor(launch_module("pixel_core.kernels.worker", memory_bytes=memory_bytes), keep_spare=keep_spare)

    def run(self, scenario: Callable[[Supervisor], Coroutine[object, object, None]]) -> None:
        self.loop.run_until_complete(scenario(self.supervisor))

    def close(self) -> None:
        self.loop.run_until_complete(self.supervisor.close())
        self.loop.close()


@pytest.fixture(scope="module")
def child() -> Iterator[Child]:
    made = Child(4 * GIB, keep_spare=True)
    yield made
    made.close()


@pytest.fixture
def poor_child() -> Iterator[Child]:
    made = Child(int(1.4 * GIB), keep_spare=False)
    yield made
    made.close()


def shader(body: str, *, contract: str = "", case: str = "n=4", out: str = "array<f32>", before: str = "") -> ShaderText:
    """`y = body(x)` for each of n elements, with a contract."""
    lines = [
        "[main]",
        'dims = "n"',
        'shapes = { x = "n", y = "n" }',
        'expect = { y = "2 * x" }',
        f'cases = ["{case}"]',
        "derive = false",
    ]
    given = textwrap.dedent(contract).strip().splitlines()
    keys = {line.split("=")[0].strip() for line in given}
    lines = [line for line in lines if line.split("=")[0].strip() not in keys] + given
    if "dispatch" not in keys:
        lines.append('dispatch = "n"')
    doc = "".join(f"//! {line}\n" for line in lines)
    text = (
        f"{doc}@group(0) @binding(0) var<storage, read> x: array<f32>;\n@group(0) @binding(1) var<storage, read_write> y: {out};\n{before}"
        f"@compute @workgroup_size(1)\nfn main(@builtin(global_invocation_id) id: vec3<u32>) {{\n    let i = id.x;\n{body}\n}}\n"
    )
    return ShaderText(path="kernel.wgsl", text=text, sidecar_path="", sidecar=None, contract="main", case=case, seed=0)


GOOD = shader("    y[i] = 2.0 * x[i];")


async def check(
    supervisor: Supervisor, text: ShaderText, timeout_s: float = 60, cancel: asyncio.Event | None = None
) -> Union[CaseResult, ChildExit]:
    reply = await supervisor.request(CheckCase(shader=text), CaseReply, timeout_s=timeout_s, cancel=cancel)
    return reply.result if isinstance(reply, CaseReply) else reply


async def check_fault(
    supervisor: Supervisor, text: ShaderText, status: str, kind: str, message: str, subject: str = "", line: int = 0
) -> None:
    result = await check(supervisor, text)
    assert isinstance(result, CaseResult), result
    assert [(fault.kind, fault.message, fault.subject, fault.line) for fault in result.faults] == [(kind, message, subject, line)], (
        result.faults
    )
    assert result.status == status


async def check_good(supervisor: Supervisor) -> None:
    result = await check(supervisor, GOOD)
    assert isinstance(result, CaseResult), result
    assert (result.status, result.faults) == ("passed", ())


# 65,535 · 1,000 workgroups: far more than ten seconds.
LONG = shader(
    "    y[0] = 2.0 * x[0];",
    contract='dispatch = "65535, 1000"\nbudget = { invocations = 4294967296 }',
)


def test_a_worker_says_what_it_runs_on(child: Child) -> None:
    async def scenario(supervisor: Supervisor) -> None:
        reply = await supervisor.request(Hello(), HelloReply, timeout_s=60)
        assert isinstance(reply, HelloReply)
        assert reply.adapter is not None
        assert sorted(reply.versions) == ["numpy", "pixel-lsp", "python", "wgpu", "wgpu-native"]
        assert reply.limits["max-compute-workgroups-per-dimension"] >= 65_535

    child.run(scenario)


def test_a_machine_without_an_adapter_is_told_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VK_ICD_FILENAMES", "/nonexistent")
    monkeypatch.setenv("VK_DRIVER_FILES", "/nonexistent")

    async def scenario(supervisor: Supervisor) -> None:
        reply = await supervisor.request(Hello(), HelloReply, timeout_s=60)
        assert isinstance(reply, HelloReply)
        assert reply.adapter is None
        assert reply.problem.startswith("no adapter to run kernels on")
        assert "mesa-vulkan-drivers" in reply.hint or sys.platform != "linux"

    alone = Child(4 * GIB, keep_spare=False)
    alone.run(scenario)
    alone.close()


def test_a_right_and_a_wrong_kernel(child: Child) -> None:
    async def scenario(supervisor: Supervisor) -> None:
        await check_good(supervisor)
        wrong = await check(supervisor, shader("    y[i] = 2.0 * x[i] + f32(i == 3u);"))
        assert isinstance(wrong, CaseResult)
        assert (wrong.status, wrong.faults) == ("failed", ())
        (output,) = wrong.outputs
        assert output.mismatch is not None
        assert (output.mismatch.wrong, output.mismatch.total, output.mismatch.first and output.mismatch.first.index) == (1, 4, (3,))
        await check_good(supervisor)

    child.run(scenario)


def test_what_naga_refuses(child: Child) -> None:
    async def scenario(supervisor: Supervisor) -> None:
        message = "the type of `z` is expected to be `i32`, but got `f32`"
        await check_fault(supervisor, shader("    let z: i32 = x[i];\n    y[i] = f32(z);"), "failed", "compile", message, line=13)
        recursive = shader("    y[i] = f(x[i]);", before="fn f(a: f32) -> f32 { return f(a); }\n")
        await check_fault(supervisor, recursive, "failed", "compile", "declaration of `f` is recursive", line=10)
        await check_good(supervisor)

    child.run(scenario)


def test_a_mistake_in_an_expression_that_only_values_show(child: Child) -> None:
    async def scenario(supervisor: Supervisor) -> None:
        result = await check(supervisor, shader("    y[i] = 2.0 * x[i];", contract='expect = { y = "x[:2]" }'))
        assert isinstance(result, CaseResult)
        assert [(fault.kind, fault.subject) for fault in result.faults] == [("expression", "expect.y")]

    child.run(scenario)


def test_what_two_runs_show(child: Child) -> None:
    async def scenario(supervisor: Supervisor) -> None:
        lucky = shader("    y[i] = select(2.0 * x[i], 0.0, y[i] > 1.0);", contract='roles = { y = "out" }')
        result = await check(supervisor, lucky)
        assert isinstance(result, CaseResult)
        assert [(fault.kind, fault.subject) for fault in result.faults] == [("depends_on_poison", "y")]
        assert result.faults[0].message.endswith(" after one filling and 0 after another (4 of 4 elements)")
        assert (result.status, [output.passed for output in result.outputs]) == ("failed", [True])
        unwritten = await check(supervisor, shader("    if (i != 2u) { y[i] = 2.0 * x[i]; }"))
        assert isinstance(unwritten, CaseResult)
        assert [pattern.kind for output in unwritten.outputs if output.mismatch for pattern in output.mismatch.patterns][:1] == [
            "unwritten"
        ]
        assert unwritten.faults == ()

    child.run(scenario)


def test_an_endless_loop_is_inconclusive_and_names_the_loop(child: Child) -> None:
    async def scenario(supervisor: Supervisor) -> None:
        reply = await supervisor.request(Hello(), HelloReply, timeout_s=60)
        assert isinstance(reply, HelloReply)
        if reply.adapter is None or "loop_cap" not in reply.adapter.quirks:
            pytest.skip("a GPU would be reset")
        endless = shader("    while (true) { y[i] += 1.0; }\n    y[i] = 3.0 * x[i];")
        await check_fault(supervisor, endless, "inconclusive", "loop_cap", "the adapter ended this loop", line=13)
        long_loop = shader("    var s = 0u;\n    for (var k = 0u; k < 100000u; k++) { s += k & 1u; }\n    y[i] = x[i] * f32(s) / 25000.0;")
        await check_fault(supervisor, long_loop, "inconclusive", "loop_cap", "the adapter ended this loop", line=14)
        await check_good(supervisor)

    child.run(scenario)


def test_what_is_too_large_is_refused_and_the_worker_lives(child: Child) -> None:
    async def scenario(supervisor: Supervisor) -> None:
        await check_good(supervisor)
        first = supervisor.process_id
        result = await check(supervisor, shader("    y[i] = 2.0 * x[i];", contract=GREEDY, case=f"n={1 << 28}"))
        assert isinstance(result, CaseResult)
        assert [(fault.kind, fault.subject) for fault in result.faults] == [("validation", "shapes.x")]
        memory = shader("    w[i] = x[i];\n    y[i] = 2.0 * w[i];", before="var<workgroup> w: array<f32, 1000000>;\n")
        result = await check(supervisor, memory)
        assert isinstance(result, CaseResult)
        assert [(fault.kind, fault.subject) for fault in result.faults] == [("pipeline", "main")]
        assert result.faults[0].message.startswith("`main` uses 4,000,000 bytes of workgroup memory, and this adapter has ")
        assert supervisor.process_id == first
        await check_good(supervisor)

    child.run(scenario)


def test_memory_that_the_limit_denies(poor_child: Child) -> None:
    async def scenario(supervisor: Supervisor) -> None:
        await check_good(supervisor)
        outcome = await check(supervisor, shader("    y[i] = 2.0 * x[i];", contract=GREEDY, case=f"n={1 << 25}"))
        if isinstance(outcome, ChildExit):
            assert outcome.reason == "memory", outcome
        else:
            # The device refuses it, or the expectation, which is computed beside.
            (fault,) = outcome.faults
            assert fault.kind == "out_of_memory" or "needs more memory" in fault.message, outcome
        await check_good(supervisor)

    poor_child.run(scenario)


def test_a_long_dispatch_can_be_cancelled_and_killed(child: Child) -> None:
    async def scenario(supervisor: Supervisor) -> None:
        await check_good(supervisor)
        cancel = asyncio.Event()
        asyncio.get_running_loop().call_later(0.5, cancel.set)
        await check_exit(supervisor, "cancelled", cancel=cancel)
        await check_good(supervisor)  # a child that still starts would answer the withdrawal in time
        await check_exit(supervisor, "timeout", timeout_s=0.5)
        running = asyncio.ensure_future(check_exit(supervisor, "killed"))
        await asyncio.sleep(0.5)
        assert supervisor.process_id is not None
        os.kill(supervisor.process_id, signal.SIGKILL)
        await running
        await check_good(supervisor)

    child.run(scenario)


async def check_exit(supervisor: Supervisor, reason: str, timeout_s: float = 60, cancel: asyncio.Event | None = None) -> None:
    outcome = await check(supervisor, LONG, timeout_s=timeout_s, cancel=cancel)
    assert isinstance(outcome, ChildExit)
    assert (outcome.reason, outcome.exit_code) == (reason, -signal.SIGKILL)


def test_a_request_for_what_is_not_there_is_an_internal_fault(child: Child) -> None:
    async def scenario(supervisor: Supervisor) -> None:
        async def check_internal(request: CheckCase, message: str) -> None:
            reply = await supervisor.request(request, CaseReply, timeout_s=60)
            assert isinstance(reply, CaseReply)
            assert [(fault.kind, fault.message) for fault in reply.result.faults] == [("internal", message)]

        nowhere = {"path": "", "sidecar_path": "", "sidecar": None, "contract": "main", "case": "x", "seed": 0}
        await check_internal(CheckCase(shader=ShaderText(text="", **nowhere)), "the worker finds no contract named `main` in the text")
        await check_internal(CheckCase(shader=ShaderText(text=GOOD.text, **nowhere)), "the worker plans no case named `x`")
        lost = CheckCase(shader=GOOD, folder="/nonexistent", references={"y": ReferenceFiles(value="a.npy")})
        await check_internal(lost, "FileNotFoundError: [Errno 2] No such file or directory: '/nonexistent/a.npy'")
        await check_good(supervisor)

    child.run(scenario)


def test_a_reference_takes_part(child: Child, tmp_path: Path) -> None:
    (tmp_path / "ref.py").write_text("def f(x, n):\n    assert x.shape == (n,)\n    return {'y': (2 * x.astype('f8'), abs(x))}\n")
    text = shader("    y[i] = 2.0 * x[i];", contract='expect = {}\nreference = "ref.py:f"')

    async def scenario(supervisor: Supervisor) -> None:
        runner = ReferenceRunner(Path(sys.executable))
        with JobFolder() as folder:
            drawn = await supervisor.request(DrawInputs(shader=text, folder=str(folder.path)), DrawReply, timeout_s=60)
            assert isinstance(drawn, DrawReply)
            assert (drawn.fault, drawn.arrays, drawn.outputs) == (None, {"x": {"": "input0_0.npy"}}, {"y": (4,)})
            call = ReferenceCall(
                file=tmp_path / "ref.py",
                function="f",
                workspace=tmp_path,
                folder=folder.path,
                arrays=drawn.arrays,
                values={"n": 4},
                outputs=drawn.outputs,
            )
            answer = await runner.run(call, timeout_s=60)
            await runner.close()
            assert isinstance(answer, ReferenceOutputs)
            request = CheckCase(shader=text, folder=str(folder.path), references=answer.outputs)
            reply = await supervisor.request(request, CaseReply, timeout_s=60)
            assert isinstance(reply, CaseReply)
            assert (reply.result.status, reply.result.faults) == ("passed", ())
            assert [output.output for output in reply.result.outputs] == ["y"]

    child.run(scenario)
