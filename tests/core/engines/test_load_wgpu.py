"""wgpu is loaded without parsing its header a second time, and loads all the same where that does not work. In a process each."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

LOAD = """
import sys
from pathlib import Path
import cffi
from pixel_core.engines import load_wgpu as module
before = cffi.FFI
{change}
module.load_wgpu(Path(sys.argv[1]))
assert cffi.FFI is before
from wgpu.backends.wgpu_native import ffi, lib
size = ffi.new("WGPUExtent3D *", {{"width": 3}})
assert (size.width, lib.WGPULogLevel_Error, ffi.sizeof("WGPUExtent3D")) == (3, 1, 12)
print(lib.wgpuGetVersion() > 0, "pycparser" in sys.modules)
"""


def check(folder: Path, expected: str, change: str = "") -> None:
    command = (sys.executable, "-I", "-W", "error", "-c", LOAD.format(change=change), str(folder))
    done = subprocess.run(command, capture_output=True, encoding="utf-8", timeout=120, check=False)
    assert (done.stdout, done.stderr) == (expected, "")


def test_the_header_is_parsed_once(tmp_path: Path) -> None:
    check(tmp_path, "True True\n")
    check(tmp_path, "True False\n")


@pytest.mark.parametrize(
    "change",
    [
        "module._header = lambda: 'int other;'",
        "module._header = lambda: 'struct {'",
        "import _cffi_backend\nmodule._cffi_backend = type(sys)('none')",
    ],
    ids=["another header", "no header", "another cffi"],
)
def test_what_is_unknown_is_loaded_as_always(tmp_path: Path, change: str) -> None:
    check(tmp_path, "True True\n", change)
