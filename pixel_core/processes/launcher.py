"""How a child is started: its command line, its environment, its working folder."""

from __future__ import annotations

import os
import site
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

import msgspec

_PASSED_ON = frozenset({
    "PATH", "HOME", "LANG", "LANGUAGE", "TZ", "TMPDIR", "TEMP", "TMP", "USER", "LOGNAME", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH",
    "SYSTEMROOT", "WINDIR", "SYSTEMDRIVE", "USERPROFILE", "APPDATA", "LOCALAPPDATA", "PROGRAMDATA", "PATHEXT", "COMSPEC",
    "VK_ICD_FILENAMES", "VK_DRIVER_FILES", "VK_ADD_DRIVER_FILES", "VK_LAYER_PATH", "VK_ADD_LAYER_PATH", "VK_INSTANCE_LAYERS",
    "DRI_PRIME", "CUDA_VISIBLE_DEVICES", "OMP_NUM_THREADS", "RUST_BACKTRACE",
})  # fmt: skip
_PASSED_ON_PREFIXES = ("LC_", "XDG_", "VK_LOADER_", "MESA_", "LIBGL_", "LP_", "GALLIUM_", "OPENBLAS_", "MKL_", "WGPU_", "COVERAGE_PROCESS_")
_NEVER_IN_A_NAME = ("KEY", "TOKEN", "SECRET", "PASSW", "CREDENTIAL", "COOKIE")


class Launch(msgspec.Struct, frozen=True, kw_only=True):
    """A child that can be started any number of times.

    Attributes:
        command: Program and arguments; `{parent}` in an argument becomes the parent's process id.
        environment: Everything the child sees.
        folder: Its working folder.
    """

    command: tuple[str, ...]
    environment: Mapping[str, str] = msgspec.field(default_factory=lambda: child_environment(os.environ))
    folder: Path = msgspec.field(default_factory=lambda: Path(tempfile.gettempdir()))


def launch_module(module: str, *arguments: str, memory_bytes: int = 0) -> Launch:
    """Start a module of this package in this interpreter, isolated from the working folder and the user's `PYTHON*` variables.

    Args:
        module: Its import name; it must call `processes.child.start_child` first.
        arguments: Further arguments.
        memory_bytes: Cap of its address space; 0 for none.
    """
    command = (*module_command(module), "--parent", "{parent}", "--memory-bytes", str(memory_bytes), *arguments)
    return Launch(command=command)


def child_environment(variables: Mapping[str, str]) -> dict[str, str]:
    """The few variables that a driver, a library or a temporary folder needs. Keys and tokens of the user stay behind."""
    return {name: value for name, value in variables.items() if _is_passed_on(name.upper())}


def _is_passed_on(name: str) -> bool:
    if any(word in name for word in _NEVER_IN_A_NAME):
        return False
    return name in _PASSED_ON or name.startswith(_PASSED_ON_PREFIXES)


def module_command(module: str) -> tuple[str, ...]:
    """The command that runs a module of this package in this interpreter, isolated as `launch_module` says."""
    # -I also hides the user's site folder, and with it this very package where it was installed with `pip install --user`. Leaving -I
    # away would put the working folder before it, and whatever `numpy.py` lies there; so the folder is added last, by us.
    package = Path(__file__).resolve()
    user_site = site.getusersitepackages()
    if site.ENABLE_USER_SITE and package.is_relative_to(Path(user_site).resolve()):
        return (sys.executable, "-I", "-c", _WITH_USER_SITE, user_site, module)
    return (sys.executable, "-I", "-m", module)


_WITH_USER_SITE = (
    "import runpy, site, sys; del sys.argv[0]; site.addsitedir(sys.argv.pop(0)); "
    "runpy.run_module(sys.argv[0], run_name='__main__', alter_sys=True)"
)
