from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path

import pytest

from pixel_core.kernels.worker_messages import HelloReply
from pixel_core.processes.exits import ChildExit
from pixel_core.processes.supervisor import Supervisor
from pixel_server import diagnose as module
from pixel_server.commands.doctor import doctor, render_diagnosis
from pixel_server.diagnose import Diagnosis, describe_worker
from pixel_server.terminal.medium import Medium
from pixel_testing.reports import LLVMPIPE


def references(interpreter: Path) -> Diagnosis:
    return asyncio.run(module._references(interpreter, Path.cwd()))


@pytest.mark.device
def test_a_machine_that_can_check(capsys: pytest.CaptureFixture[str]) -> None:
    assert doctor(Path(sys.executable), as_json=True) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["can_check"] is True
    assert {each["subject"]: each["state"] for each in answer["diagnoses"] if each["subject"] != "adapter"} == {
        "program": "ok",
        "dependencies": "ok",
        "second compiler": "ok",
        "interpreter for references": "ok",
    }


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        (
            HelloReply(versions={}, problem="no adapter was found", hint="sudo apt-get install mesa-vulkan-drivers"),
            "\n✗ adapter\n    no adapter was found\n    to do: sudo apt-get install mesa-vulkan-drivers\n",
        ),
        (
            ChildExit(reason="crashed", exit_code=-11, stderr_tail="one\nSegmentation fault\n"),
            "\n✗ adapter\n    the kernel worker did not start: crashed\n    one\n    Segmentation fault\n    to do: ",
        ),
    ],
)
def test_a_machine_that_cannot_check(
    reply: HelloReply | ChildExit, expected: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    async def request(*_: object, **__: object) -> HelloReply | ChildExit:
        return reply

    monkeypatch.setattr(Supervisor, "request", request)
    assert doctor(Path(sys.executable)) == 1
    printed = capsys.readouterr().out
    assert expected in printed
    assert printed.endswith("\nkernels cannot be checked here\n")


def test_a_dependency_that_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_DEPENDENCIES", ("rich", "no-such-package"))
    found = module._dependencies()
    assert (found.state, found.facts[1]) == ("problem", "no-such-package is missing")
    assert found.remedy == f"{sys.executable} -m pip install no-such-package"


def test_a_machine_without_tint_gets_advice(monkeypatch: pytest.MonkeyPatch) -> None:
    assert module._tint().state == "ok"
    monkeypatch.setattr(module, "tint_version", lambda: None)
    found = module._tint()
    assert (found.state, found.remedy) == ("advice", 'pip install "pixel-lsp[tint]"')


def test_an_adapter_that_breaks_promises() -> None:
    reply = HelloReply(versions={"wgpu": "0.30.0"}, adapter=LLVMPIPE, limits={"max-compute-invocations-per-workgroup": 1024, "other": 1})
    assert render_diagnosis(describe_worker(reply), Medium()).plain.splitlines() == [
        "! adapter",
        "    llvmpipe (LLVM 15.0.6, 256 bits), Vulkan, Mesa 22.3.6",
        "    wgpu 0.30.0",
        "    features: none",
        "    limits: invocations per workgroup 1,024",
        "    it ends loops after 65,535 iterations: cases that hit this are inconclusive, never wrong",
        "    it is a software adapter: it shows whether a kernel is right, not whether it is fast",
    ]


@pytest.mark.parametrize(
    ("script", "fact", "remedy"),
    [
        ("echo nonsense", "{python} does not answer as a Python does", "name another with --python"),
        ("exit 3", "{python} does not answer as a Python does", "name another with --python"),
        ("""echo '{"python": "3.9.1", "numpy": null}'""", "Python 3.9.1, {python}", "{python} -m pip install numpy"),
        ("""echo '{"python": "3.9.1", "numpy": "2.0"}'""", "Python 3.9.1 with numpy 2.0, {python}", None),
    ],
)
def test_an_interpreter_for_references(script: str, fact: str, remedy: str | None, tmp_path: Path) -> None:
    python = tmp_path / "python"
    python.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    python.chmod(0o755)
    found = references(python)
    assert found.facts[0] == fact.format(python=python)
    assert found.remedy == (remedy.format(python=python) if remedy else None)


def test_an_interpreter_that_is_not_there(tmp_path: Path) -> None:
    assert references(tmp_path / "python").facts == (f"{tmp_path / 'python'} cannot be started: No such file or directory",)


def test_an_interpreter_that_never_answers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_INTERPRETER_TIMEOUT_S", 0.2)
    python = tmp_path / "python"
    python.write_text("#!/bin/sh\nexec sleep 60\n", encoding="utf-8")
    python.chmod(0o755)
    assert references(python).facts == (f"{python} does not answer as a Python does",)
