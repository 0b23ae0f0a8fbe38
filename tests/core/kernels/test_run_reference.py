from __future__ import annotations

import asyncio
import hashlib
import os
import sys
import textwrap
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Union

import numpy as np
import pytest
from msgspec.structs import replace

from pixel_core.kernels.find_interpreter import find_interpreter
from pixel_core.kernels.run_reference import ReferenceCall, ReferenceFailure, ReferenceOutputs, ReferenceRunner
from pixel_core.kernels.workspace_files import resolve_inside
from pixel_core.processes.job_folder import JobFolder

GIB = 1 << 30


@pytest.fixture
def folder() -> Iterator[Path]:
    with JobFolder() as made:
        yield made.path


def write(workspace: Path, text: str, name: str = "ref.py") -> Path:
    file = workspace / name
    file.write_text(textwrap.dedent(text))
    return file


def call_of(workspace: Path, folder: Path, *, function: str = "f", file: str = "ref.py", optional: tuple[str, ...] = ()) -> ReferenceCall:
    np.save(folder / "a.npy", np.arange(6, dtype=np.float32).reshape(2, 3))
    np.save(folder / "pos.npy", np.ones((2, 4), np.float32))
    return ReferenceCall(
        file=workspace / file,
        function=function,
        workspace=workspace,
        folder=folder,
        arrays={"a": {"": "a.npy"}, "p": {"pos": "pos.npy"}},
        values={"M": 2, "N": 3},
        outputs={"c": (2, 3)},
        optional=optional,
    )


def run(
    *calls: ReferenceCall, timeout_s: float = 20, interpreter: Path = Path(sys.executable)
) -> list[Union[ReferenceOutputs, ReferenceFailure]]:
    """The answers to calls, one after the other, of one runner."""

    async def scenario() -> list[Union[ReferenceOutputs, ReferenceFailure]]:
        runner = ReferenceRunner(interpreter, memory_bytes=GIB)
        try:
            return [await runner.run(call, timeout_s=timeout_s) for call in calls]
        finally:
            await runner.close()

    return asyncio.run(scenario())


def check_results(workspace: Path, folder: Path, text: str, results: Mapping[str, tuple[Any, Any]]) -> None:
    """Each function returns this value and this scale."""
    write(workspace, text)

    async def scenario() -> None:
        runner = ReferenceRunner(Path(sys.executable))
        try:
            for function, (value, scale) in results.items():
                answer = await runner.run(call_of(workspace, folder, function=function), timeout_s=20)
                assert isinstance(answer, ReferenceOutputs), answer
                files = answer.outputs["c"]
                np.testing.assert_array_equal(np.load(folder / files.value), value, strict=True)
                assert (files.scale is None) == (scale is None)
                if files.scale is not None:
                    np.testing.assert_array_equal(np.load(folder / files.scale), scale, strict=True)
        finally:
            await runner.close()

    asyncio.run(scenario())


def check_failures(workspace: Path, folder: Path, text: str, failures: Mapping[str, tuple[str, str, str]], timeout_s: float = 20) -> None:
    """Each function fails with this kind, message and part of the detail; then `good` works."""
    write(workspace, text + "\n\ndef good(a):\n    return {'c': a}\n")
    *answers, success = run(*(call_of(workspace, folder, function=function) for function in (*failures, "good")), timeout_s=timeout_s)
    for answer, (function, (kind, message, detail)) in zip(answers, failures.items(), strict=True):
        assert isinstance(answer, ReferenceFailure), function
        assert (answer.kind, answer.message) == (kind, message)
        assert detail in answer.detail
    assert isinstance(success, ReferenceOutputs), success


A = np.arange(6).reshape(2, 3)


def test_a_function_takes_what_it_names(tmp_path: Path, folder: Path) -> None:
    text = """
        import os
        print('x' * 100_000)
        def dims(a, M): return {'c': a * M}
        def keyword(*, a, missing=3): return {'c': a + missing}
        def everything(**all):
            assert sorted(all) == ['M', 'N', 'a', 'p']
            return {'c': all['a']}
        def fields(a, p): return {'c': a + p['pos'].sum()}
        def scaled(a): return {'c': (a, abs(a))}
        def broadcast(a): return {'c': (a.tolist(), 2)}
        def printing(a):
            print('hello')
            os.write(1, b'native')
            assert os.read(0, 1) == b''
            return {'c': a}
    """
    results = {
        "dims": (np.float32(A * 2), None),
        "keyword": (np.float32(A + 3), None),
        "everything": (np.float32(A), None),
        "fields": (np.float32(A + 8), None),
        "scaled": (np.float32(A), np.float64(A)),
        "broadcast": (A.astype(float), np.full((2, 3), 2.0)),
        "printing": (np.float32(A), None),
    }
    check_results(tmp_path, folder, textwrap.dedent(text), results)


def test_it_imports_its_neighbours_but_never_ours(tmp_path: Path, folder: Path) -> None:
    write(tmp_path, "K = 5\n", "neighbour.py")
    write(tmp_path, "raise RuntimeError('mine')\n", "json.py")
    text = """
        import neighbour, numbers, codecs
        def f(a):
            assert 'pixel' not in numbers.__file__ + codecs.__file__
            return {'c': a * neighbour.K}
    """
    check_results(tmp_path, folder, textwrap.dedent(text), {"f": (np.float32(A * 5), None)})


def test_exceptions_name_the_users_line(tmp_path: Path, folder: Path) -> None:
    text = """
        import numpy as np, sys
        def inner(a): return a @ a
        def mismatch(a):
            return {'c': inner(a)}
        def deep(a): return deep(a)
        def interrupted(a): raise KeyboardInterrupt
        def leaves(): sys.exit(3)
        def greedy(): return {'c': np.zeros(1 << 33, np.uint8)}
        def asks(a, K): ...
    """
    matmul = (
        "it raised: ValueError: matmul: Input operand 1 has a mismatch in its core dimension 0, with gufunc signature "
        "(n?,k),(k,m?)->(n?,m?) (size 2 is different from 3) (ref.py:3)"
    )
    failures = {
        "mismatch": ("raised", matmul, 'ref.py", line 5, in mismatch\n'),
        "deep": ("raised", "it raised: RecursionError: maximum recursion depth exceeded (ref.py:6)", ""),
        "interrupted": ("raised", "it raised: KeyboardInterrupt (ref.py:7)", ""),
        "leaves": ("exited", "it called sys.exit(3) instead of returning", "line 8, in leaves"),
        "greedy": ("memory", "it needs more memory than it may have", "line 9, in greedy"),
        "asks": ("wrong_signature", "`asks` asks for `K`; it can have `M`, `N`, `a`, `p`", ""),
    }
    check_failures(tmp_path, folder, textwrap.dedent(text), failures)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("x = 1\n\ndef f(:\n", "importing `ref.py` failed: SyntaxError: invalid syntax (ref.py:3)"),
        ("x = 1\nimport no_such\n", "importing `ref.py` failed: ModuleNotFoundError: No module named 'no_such' (ref.py:2)"),
        ("import sys\nsys.exit('no')\n", "importing `ref.py` failed: SystemExit: no (ref.py:2)"),
        ("def g(): ...\nclass C: ...\n", "`ref.py` has no function `f`; it has `g`"),
        ("f = 3\n", "`ref.py` holds something that cannot be called as `f`; it has no functions"),
    ],
)
def test_a_file_that_cannot_be_imported(tmp_path: Path, folder: Path, text: str, message: str) -> None:
    write(tmp_path, text)
    (answer,) = run(call_of(tmp_path, folder))
    assert isinstance(answer, ReferenceFailure)
    assert (answer.kind, answer.message) == ("import", message)


def test_a_file_that_is_not_there(tmp_path: Path, folder: Path) -> None:
    (answer,) = run(call_of(tmp_path, folder))
    assert answer == ReferenceFailure(kind="no_file", message="`ref.py` does not exist", hint=f"it is looked for at {tmp_path}/ref.py")


def test_what_cannot_be_compared(tmp_path: Path, folder: Path) -> None:
    wrong = {
        "None": 'it returned nothing instead of a dict {"c": …}',
        "a": 'it returned a value of type ndarray instead of a dict {"c": …}',
        "{}": "it returned no `c`",
        "{'c': a, 'd': a}": "it returned 'd', which is no output; the outputs are `c`",
        "{'c': a.T}": "`c` has shape [3, 2], and the contract says [2, 3]",
        "{'c': a.reshape(-1)}": "`c` has shape [6], and the contract says [2, 3]",
        "{'c': a.astype(object)}": "`c` has dtype object; it must hold real numbers",
        "{'c': a * 1j}": "`c` has dtype complex64; it must hold real numbers",
        "{'c': 'text'}": "`c` has dtype <U4; it must hold real numbers",
        "{'c': (a, a, a)}": "it returned a tuple of 3 for `c`; (array, scale) has two",
        "{'c': (a, a.T)}": "the scale of `c` has shape [3, 2], which does not fit [2, 3]",
        "{'c': (a, 'x')}": "the scale of `c` has dtype <U1; it must hold real numbers",
        "{'c': [[1, 2], [3]]}": "`c` is no array: setting an array element with a sequence. The requested array has an inhomogeneous shape "
        "after 1 dimensions. The detected shape was (2,) + inhomogeneous part.",
    }
    text = "".join(f"def f{number}(a):\n    return {result}\n" for number, result in enumerate(wrong))
    check_failures(tmp_path, folder, text, {f"f{number}": ("wrong_result", message, "") for number, message in enumerate(wrong.values())})


def test_an_optional_output_may_be_left_out(tmp_path: Path, folder: Path) -> None:
    write(tmp_path, "def f():\n    return {}\n")
    (answer,) = run(call_of(tmp_path, folder, optional=("c",)))
    assert isinstance(answer, ReferenceOutputs)
    assert answer.outputs == {}


def test_a_reference_that_ends_or_holds_its_process(tmp_path: Path, folder: Path) -> None:
    text = """
        import os, signal
        def leaves():
            print('bye', flush=True)
            os._exit(3)
        def crashes(): os.kill(os.getpid(), signal.SIGSEGV)
        def hangs():
            while True: pass
    """
    failures = {
        "leaves": ("exited", "its process ended with exit code 3 instead of returning", "bye"),
        "crashes": ("exited", "its process was ended by signal 11 instead of returning", ""),
        "hangs": ("timeout", "it did not return within 2 s", ""),
    }
    check_failures(tmp_path, folder, textwrap.dedent(text), failures, timeout_s=2)


def test_an_interpreter_without_numpy(tmp_path: Path, folder: Path) -> None:
    write(tmp_path, "def f():\n    return {}\n")
    bare = tmp_path / "bare"
    # The interpreter itself, without the packages beside it.
    bare.write_text(f'#!/bin/sh\nexec "{sys.executable}" -S "$@"\n')
    bare.chmod(0o755)
    (answer,) = run(call_of(tmp_path, folder), interpreter=bare)
    assert isinstance(answer, ReferenceFailure)
    assert answer.kind == "no_numpy"
    assert answer.message.endswith("cannot import numpy: No module named 'numpy'")
    assert answer.hint == f"{bare} -m pip install numpy"


def test_an_interpreter_that_is_not_there(tmp_path: Path, folder: Path) -> None:
    write(tmp_path, "def f():\n    return {}\n")
    (answer,) = run(call_of(tmp_path, folder), interpreter=tmp_path / "no-python")
    assert isinstance(answer, ReferenceFailure)
    assert (answer.kind, answer.message) == ("no_interpreter", f"{tmp_path}/no-python cannot be started")


def test_a_file_outside_of_the_workspace_never_runs(tmp_path: Path, folder: Path) -> None:
    workspace, outside = tmp_path / "workspace", tmp_path / "outside"
    workspace.mkdir()
    outside.mkdir()
    write(outside, "raise SystemExit\n")
    (workspace / "link.py").symlink_to(outside / "ref.py")
    (workspace / "linked").symlink_to(outside)
    for name in ("link.py", "linked/ref.py", "../outside/ref.py", str(outside / "ref.py")):
        (answer,) = run(call_of(workspace, folder, file=name))
        assert isinstance(answer, ReferenceFailure)
        assert answer.kind == "outside_workspace"


def test_a_change_of_any_file_is_seen(tmp_path: Path, folder: Path) -> None:
    async def scenario() -> None:
        runner = ReferenceRunner(Path(sys.executable))
        call = call_of(tmp_path, folder)

        async def value() -> float:
            answer = await runner.run(call, timeout_s=20)
            assert isinstance(answer, ReferenceOutputs)
            assert sorted(answer.files) == [str(tmp_path / "neighbour.py"), str(tmp_path / "ref.py")]
            return float(np.load(folder / answer.outputs["c"].value)[0, 0])

        try:
            write(tmp_path, "K = 1\n", "neighbour.py")
            write(
                tmp_path,
                "import neighbour\ncalls = 0\ndef f(a):\n    global calls\n    calls += 1\n    return {'c': a * 0 + neighbour.K + calls}\n",
            )
            assert [await value(), await value()] == [2.0, 3.0]
            write(tmp_path, "K = 10\n", "neighbour.py")
            assert await value() == 11.0
        finally:
            await runner.close()

    asyncio.run(scenario())


def test_a_change_that_keeps_size_and_time_is_seen(tmp_path: Path, folder: Path) -> None:
    def write_at_noon(text: str, name: str) -> None:
        os.utime(write(tmp_path, text, name), (43200, 43200))

    async def scenario() -> None:
        runner = ReferenceRunner(Path(sys.executable))

        async def value() -> float:
            answer = await runner.run(call_of(tmp_path, folder), timeout_s=20)
            assert isinstance(answer, ReferenceOutputs)
            return float(np.load(folder / answer.outputs["c"].value)[0, 0])

        text = "import neighbour\ndef f(a):\n    return {'c': a * 0 + neighbour.K + 10}\n"
        try:
            write_at_noon("K = 1\n", "neighbour.py")
            write_at_noon(text, "ref.py")
            assert await value() == 11.0
            write_at_noon("K = 2\n", "neighbour.py")
            assert await value() == 12.0
            write_at_noon(text.replace("10", "20"), "ref.py")
            assert await value() == 22.0
        finally:
            await runner.close()

    asyncio.run(scenario())
    assert sorted(path.name for path in tmp_path.iterdir()) == ["neighbour.py", "ref.py"]


def test_references_of_different_files_do_not_wait_for_each_other(tmp_path: Path, folder: Path) -> None:
    text = """\
        import time
        from pathlib import Path
        def f(a):
            while not Path(__file__).with_name("go").exists():
                time.sleep(0.01)
            return {"c": a}
        """
    write(tmp_path, text)
    for number in range(6):
        write(tmp_path, "def f(a):\n    return {'c': a}\n", f"quick{number}.py")

    async def scenario() -> None:
        runner = ReferenceRunner(Path(sys.executable))
        try:
            slow = asyncio.ensure_future(runner.run(call_of(tmp_path, folder), timeout_s=60))
            # More of them than are kept: the one that is at work is not the one that is ended.
            for number in range(6):
                answer = await runner.run(call_of(tmp_path, folder, file=f"quick{number}.py"), timeout_s=60)
                assert isinstance(answer, ReferenceOutputs)
            assert not slow.done()
            (tmp_path / "go").touch()
            assert isinstance(await slow, ReferenceOutputs)
        finally:
            await runner.close()

    asyncio.run(scenario())


def test_what_is_hashed_is_what_ran(tmp_path: Path, folder: Path) -> None:
    text = "from pathlib import Path\ndef f(a):\n    Path(__file__).write_text('# another')\n    return {'c': a}\n"
    path = write(tmp_path, text)
    (answer,) = run(call_of(tmp_path, folder))
    assert isinstance(answer, ReferenceOutputs)
    assert answer.files == {str(path): hashlib.sha256(text.encode()).hexdigest()}


def test_resolve_inside(tmp_path: Path) -> None:
    def check(path: str, expected: str | None) -> None:
        assert resolve_inside(tmp_path / "w", tmp_path / path) == (None if expected is None else tmp_path / expected)

    (tmp_path / "w" / "sub").mkdir(parents=True)
    (tmp_path / "w" / "circle").symlink_to("circle")
    (tmp_path / "w" / "up").symlink_to(tmp_path)
    (tmp_path / "w" / "within").symlink_to("sub")
    check("w/a.py", "w/a.py")
    check("w/sub/../a.py", "w/a.py")
    check("w/within/a.py", "w/sub/a.py")
    check("w/up/a.py", None)
    check("w/../a.py", None)
    check("w2/a.py", None)
    check("w/a\0.py", None)


def test_find_interpreter(tmp_path: Path) -> None:
    def check(environment: Mapping[str, str], expected: Path | None, chosen: Path | None = None) -> None:
        assert find_interpreter(tmp_path / "w", chosen, environment) == expected

    def python(folder: str, name: str = "python") -> Path:
        file = tmp_path / folder / name
        file.parent.mkdir(parents=True)
        file.write_text("")
        file.chmod(0o755)
        return file

    check({"PATH": str(tmp_path / "nowhere")}, None)
    on_path = python("path", "python3")
    check({"PATH": str(tmp_path / "path")}, on_path)
    active = python("active/bin")
    check({"PATH": str(tmp_path / "path"), "VIRTUAL_ENV": str(tmp_path / "active")}, active)
    own = python("w/.venv/bin")
    check({"VIRTUAL_ENV": str(tmp_path / "active")}, own)
    check({}, Path("/any"), chosen=Path("/any"))
    check({}, Path.cwd() / "some/python", chosen=Path("some/python"))
    check({"PATH": str(tmp_path / "path")}, on_path, chosen=Path("python3"))


def test_uniforms_and_overrides_go_to_functions_that_name_them(tmp_path: Path, folder: Path) -> None:
    write(
        tmp_path,
        """
        def f(a, M, N, size, gelu=False):
            return {"c": a * size["scale"] + gelu}

        def g(**given):
            assert sorted(given) == ["M", "N", "a", "p"]
            return {"c": given["a"]}
        """,
    )
    calls = [replace(call_of(tmp_path, folder, function=name), settings={"size": {"scale": 2.5}, "gelu": True}) for name in "fg"]
    scaled = run(calls[0])[0]
    assert isinstance(scaled, ReferenceOutputs)
    assert np.array_equal(np.load(folder / scaled.outputs["c"].value), np.arange(6).reshape(2, 3) * 2.5 + 1)
    assert isinstance(run(calls[1])[0], ReferenceOutputs)
