"""A workspace of many files, of the kinds that make tools slow, large or wrong."""

from __future__ import annotations

from pathlib import Path
from typing import Final

KERNEL: Final = """//! [fill]
//! dims = "N"
//! shapes = { y = "N" }
//! dispatch = "N"
//! expect = { y = "arange(N)" }
//! cases = ["N=4", "N=8"]
@group(0) @binding(0) var<storage, read_write> y: array<f32>;
@compute @workgroup_size(1) fn fill(@builtin(global_invocation_id) id: vec3<u32>) { y[id.x] = f32(id.x); }
"""
PLAIN: Final = "fn plain(x: f32) -> f32 { return x * 2.0; }\n"
WRONG: Final = "fn wrong() { let x = missing; }\n"
BIG_BYTES: Final = 20 << 20

_IN_A_FOLDER: Final = 50


def make_large_workspace(folder: Path, files: int) -> str:
    """Make the workspace.

    A fifth of the files are shaders to be found, one in twenty of those with a contract; a tenth each are shaders in `node_modules`, in a
    folder that `.gitignore` leaves out and in one that `.ignore` leaves out; the rest is neither. Beside them lie a shader of 20 MiB, a
    binary one, a link to the workspace itself and a folder that nobody may read (except root).

    Returns:
        What it holds, in a sentence.
    """
    fifth, tenth = files // 5, files // 10
    _spread(folder / "source", fifth, lambda number: (f"kernel_{number:05}.wgsl", KERNEL if number % 20 == 0 else PLAIN))
    _spread(folder / "node_modules" / "package", tenth, lambda number: (f"theirs_{number}.wgsl", WRONG))
    _spread(folder / "build", tenth, lambda number: (f"built_{number}.wgsl", WRONG))
    _spread(folder / "generated", tenth, lambda number: (f"generated_{number}.wgsl", WRONG))
    rest = files - fifth - 3 * tenth
    _spread(folder / "other", rest, lambda number: (f"other_{number}.{('py', 'md', 'txt')[number % 3]}", "x = 1\n"))
    (folder / ".gitignore").write_text("/build/\n", encoding="utf-8")
    (folder / ".ignore").write_text("generated/\n", encoding="utf-8")
    (folder / "big.wgsl").write_bytes((PLAIN * (BIG_BYTES // len(PLAIN) + 1))[:BIG_BYTES].encode())
    (folder / "binary.wgsl").write_bytes(bytes(range(256)) * 100)
    (folder / "source" / "loop").symlink_to(folder, target_is_directory=True)
    closed = folder / "closed"
    closed.mkdir()
    (closed / "secret.wgsl").write_text(WRONG, encoding="utf-8")
    closed.chmod(0)
    return f"{files:,} files: {fifth:,} shaders, {3 * tenth:,} ignored ones, {rest:,} others; and {BIG_BYTES >> 20} MiB in one"


def _spread(folder: Path, count: int, file_of: object) -> None:
    assert callable(file_of)
    for first in range(0, count, _IN_A_FOLDER):
        below = folder / f"part_{first // _IN_A_FOLDER:03}"
        below.mkdir(parents=True)
        for number in range(first, min(first + _IN_A_FOLDER, count)):
            name, text = file_of(number)
            (below / name).write_text(text, encoding="utf-8")
