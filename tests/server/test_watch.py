from __future__ import annotations

import asyncio
import contextlib
import io
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

import pytest
from rich.console import Console

from pixel_core.findings import Finding, Location, Severity
from pixel_core.kernels.report import CheckReport
from pixel_core.kernels.validate import CheckOptions
from pixel_server import watch as module
from pixel_server.watch import affected, watch
from pixel_testing.reports import case, check_report, kernel

REFERENCE = """//! [k]
//! dims = "N"
//! dispatch = "N"
//! shapes = { y = "N" }
//! reference = "ref.py:f"
//! cases = ["N=4"]
@group(0) @binding(0) var<storage, read_write> y: array<f32>;
@compute @workgroup_size(1) fn k(@builtin(global_invocation_id) id: vec3<u32>) { y[id.x] = 1.0; }
"""


class ScriptedChecker:
    """Passes every shader and remembers what it was asked; a shader called `slow` never ends."""

    asked: list[tuple[str, ...]]
    cancelled: list[tuple[str, ...]]
    open_count: int

    def __init__(self, _: CheckOptions) -> None: ...

    async def __aenter__(self) -> ScriptedChecker:  # noqa: PYI034 - Self is newer than Python 3.10
        type(self).open_count += 1
        return self

    async def __aexit__(self, *_: object) -> None:
        type(self).open_count -= 1

    async def check(self, shaders: Sequence[Path], _: object) -> CheckReport:
        names = tuple(shader.name for shader in shaders)
        self.asked.append(names)
        try:
            if any(shader.read_text(encoding="utf-8") == "slow" for shader in shaders):
                await asyncio.Event().wait()
        except asyncio.CancelledError:
            self.cancelled.append(names)
            raise
        return check_report(*(kernel(shader.stem, "passed", [case("a")], shader=str(shader)) for shader in shaders))


@pytest.fixture(autouse=True)
def scripted(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    ScriptedChecker.asked, ScriptedChecker.cancelled, ScriptedChecker.open_count = [], [], 0
    monkeypatch.setattr(module, "Checker", ScriptedChecker)
    monkeypatch.setattr(module, "DEBOUNCE_S", 0.02)
    monkeypatch.chdir(tmp_path)


async def until(condition: Callable[[], bool]) -> None:
    async def poll() -> None:
        while not condition():
            await asyncio.sleep(0.005)

    await asyncio.wait_for(poll(), 20)


def check(paths: Sequence[str], steps: Callable[[io.StringIO], Awaitable[None]]) -> str:
    """Watch the paths, do the steps, end the watch. Returns what was shown."""
    shown = io.StringIO()

    async def run() -> None:
        task = asyncio.ensure_future(watch(paths, CheckOptions(), Console(file=shown, width=200)))
        await until(lambda: len(ScriptedChecker.asked) > 0)
        await steps(shown)
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
        assert ScriptedChecker.open_count == 0

    asyncio.run(run())
    return shown.getvalue()


def test_only_what_a_save_touches_is_checked_again() -> None:
    for name in ("a.wgsl", "b.wgsl"):
        Path(name).write_text("old", encoding="utf-8")

    async def steps(shown: io.StringIO) -> None:
        await until(lambda: shown.getvalue().count("watching") == 1)
        Path("b.wgsl").write_text("new", encoding="utf-8")
        await until(lambda: shown.getvalue().count("watching") == 2)

    shown = check(["."], steps)
    assert ScriptedChecker.asked == [("a.wgsl", "b.wgsl"), ("b.wgsl",)]
    assert shown.count("2 kernels passed") == 2


def test_a_new_file_and_an_atomic_save_are_seen() -> None:
    Path("a.wgsl").write_text("old", encoding="utf-8")

    async def steps(shown: io.StringIO) -> None:
        await until(lambda: shown.getvalue().count("watching") == 1)
        Path("b.tmp").write_text("new", encoding="utf-8")
        Path("b.tmp").rename("b.wgsl")
        await until(lambda: shown.getvalue().count("watching") == 2)

    assert check(["."], steps).endswith("2 kernels passed on llvmpipe (LLVM 15.0.6, 256 bits), Mesa 22.3.6\nwatching; Ctrl-C ends\n")
    assert ScriptedChecker.asked == [("a.wgsl",), ("b.wgsl",)]


def test_a_save_during_a_check_begins_it_anew() -> None:
    Path("a.wgsl").write_text("slow", encoding="utf-8")

    async def steps(shown: io.StringIO) -> None:
        Path("a.wgsl").write_text("fast", encoding="utf-8")
        await until(lambda: shown.getvalue().count("watching") == 1)

    check(["a.wgsl"], steps)
    assert ScriptedChecker.cancelled == [("a.wgsl",)]
    assert ScriptedChecker.asked == [("a.wgsl",), ("a.wgsl",)]


def test_what_is_no_shader_changes_nothing() -> None:
    Path("a.wgsl").write_text("old", encoding="utf-8")

    async def steps(shown: io.StringIO) -> None:
        await until(lambda: shown.getvalue().count("watching") == 1)
        Path("notes.txt").write_text("new", encoding="utf-8")
        await asyncio.sleep(0.2)
        Path("a.wgsl").write_text("new", encoding="utf-8")
        await until(lambda: len(ScriptedChecker.asked) == 2)

    assert check(["."], steps).count("watching") <= 2


def test_a_deleted_shader_is_forgotten() -> None:
    for name in ("a.wgsl", "b.wgsl"):
        Path(name).write_text("old", encoding="utf-8")

    async def steps(shown: io.StringIO) -> None:
        await until(lambda: shown.getvalue().count("watching") == 1)
        Path("b.wgsl").unlink()
        await until(lambda: shown.getvalue().count("watching") == 2)

    assert "\n1 kernel passed" in check(["."], steps).partition("watching")[2]


def test_nothing_to_watch() -> None:
    shown = io.StringIO()
    assert asyncio.run(watch(["nowhere/a.wgsl"], CheckOptions(), Console(file=shown, width=200))) == 2
    assert "`nowhere/a.wgsl` does not exist" in shown.getvalue()


def test_which_shaders_a_change_concerns() -> None:
    oracle = REFERENCE.replace('reference = "ref.py:f"', 'oracle = "naive/n.wgsl:k"')
    for name, text in (("a.wgsl", ""), ("b.wgsl", REFERENCE), ("c.wgsl", oracle)):
        Path(name).write_text(text, encoding="utf-8")
    shaders = (Path("a.wgsl"), Path("b.wgsl"), Path("c.wgsl"))

    def concerned(*changed: str) -> set[str]:
        return {shader.name for shader in affected(shaders, {Path.cwd() / name for name in changed})}

    assert concerned("a.wgsl") == {"a.wgsl"}
    assert concerned("b.contract.toml") == {"b.wgsl"}
    assert concerned("helpers/anything.py") == {"b.wgsl"}
    assert concerned("naive/n.wgsl") == concerned("naive/n.contract.toml") == {"c.wgsl"}
    assert concerned("a.txt", "d.wgsl") == set()
    made_of = '//! [m]\n//! prepare = [{ define = {} }]\n//! expect = { y = "x" }\n#include "part.inc"\n'
    Path("a.wgsl").write_text(made_of, encoding="utf-8")
    assert concerned("part.inc") == {"a.wgsl"}
    assert concerned("other.inc") == set()
    Path("a.wgsl").write_text(
        '//! [s]\n//! inputs = { x = "file data/x.bin", z = "gen.py:z" }\n//! dispatch = 1\n//! expect = { y = "x" }\n', encoding="utf-8"
    )
    assert concerned("data/x.bin") == {"a.wgsl"}
    assert concerned("imported.py") == {"a.wgsl", "b.wgsl"}


def test_merging_keeps_what_is_still_true() -> None:
    def about(path: str, code: str = "PX101") -> Finding:
        return Finding(code=code, severity=Severity.ERROR, message="m", location=Location(Path(path)))

    old = check_report(
        kernel("a", "failed", shader="a.wgsl"), kernel("b", "failed", shader="b.wgsl"), findings=[about("a.wgsl"), about("b.wgsl")]
    )
    new = check_report(kernel("b", "passed", shader="b.wgsl"))
    merged = module._merged(old, new, [Path("b.wgsl")], [Path("a.wgsl"), Path("b.wgsl")])
    assert [(each.contract, each.status) for each in merged.kernels] == [("a", "failed"), ("b", "passed")]
    assert [finding.location.path.name for finding in merged.findings] == ["a.wgsl"]
