"""Small kernels and references that sessions are made of."""

from __future__ import annotations

from pathlib import Path
from typing import Final

_KERNEL: Final = """//! [twice]
//! dims = "N"
//! shapes = { x = "N", y = "N" }
//! dispatch = "ceil(N / 64)"
//! TRUTH
//! cases = ["N=64", "N=65", "N=1"]
@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;
@compute @workgroup_size(64)
fn twice(@builtin(global_invocation_id) id: vec3<u32>) {
    if (id.x < arrayLength(&y)) { y[id.x] = 2.0 * x[id.x]; }
}
"""
RIGHT: Final = _KERNEL.replace("TRUTH", 'expect = { y = "2 * x" }')
WRONG: Final = RIGHT.replace("2.0 * x", "3.0 * x")
CODE: Final = RIGHT[RIGHT.index("@group") :]

REFERRING: Final = _KERNEL.replace("TRUTH", 'reference = "ref.py:twice"')
"""The same with a reference, which is one of the following."""

REFERENCE: Final = "def twice(x, N):\n    return {'y': 2 * x}\n"
SLEEPY: Final = "import time\ndef twice(x, N):\n    time.sleep(60)\n    return {'y': 2 * x}\n"
LEAVING: Final = "from pathlib import Path\nPath(__file__).with_name('was-here').touch()\n" + REFERENCE
COUNTING: Final = """from pathlib import Path
def twice(x, N):
    with Path(__file__).with_name("calls").open("a") as calls:
        print(N, file=calls)
    return {"y": 2 * x}
"""

SLOW: Final = """//! [slow]
//! dims = "N"
//! shapes = { y = "N" }
//! dispatch = "N / 64"
//! expect = { y = "ones((N,))" }
//! cases = ["N=1048576"]
//! budget = { seconds = 60 }
@group(0) @binding(0) var<storage, read_write> y: array<f32>;
@compute @workgroup_size(64)
fn slow(@builtin(global_invocation_id) id: vec3<u32>) {
    var sum = 0.0;
    for (var i = 0u; i < 60000u; i++) { sum = sin(sum + f32(i)); }
    y[id.x] = 1.0 + 0.0 * sum;
}
"""
"""It keeps a processor busy for longer than any test waits."""


def write(folder: Path, name: str, text: str) -> Path:
    """Write a file; returns its path."""
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path
