from __future__ import annotations

from pixel_core.processes.launcher import child_environment, launch_module


def test_the_environment_holds_no_keys() -> None:
    given = {
        "PATH": "/bin",
        "HOME": "/h",
        "LC_ALL": "C",
        "LP_NUM_THREADS": "1",
        "MESA_SHADER_CACHE_DIR": "/c",
        "XDG_CACHE_HOME": "/x",
        "GEMINI_API_KEY": "secret",
        "XDG_SESSION_COOKIE": "secret",
        "MESA_TOKEN": "secret",
        "PYTHONPATH": "/evil",
        "LD_PRELOAD": "/evil.so",
        "AWS_PROFILE": "x",
    }
    assert sorted(child_environment(given)) == ["HOME", "LC_ALL", "LP_NUM_THREADS", "MESA_SHADER_CACHE_DIR", "PATH", "XDG_CACHE_HOME"]


def test_a_module_is_started_isolated() -> None:
    launch = launch_module("pixel_core.kernels.worker", "--more", memory_bytes=5)
    assert launch.command[1:] == ("-I", "-m", "pixel_core.kernels.worker", "--parent", "{parent}", "--memory-bytes", "5", "--more")
