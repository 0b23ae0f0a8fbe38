from __future__ import annotations

import site
import subprocess
from pathlib import Path

import pytest

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


def test_an_installation_for_one_user_is_isolated_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = Path(__file__).resolve().parents[3]
    user_site = tmp_path / "user-site"
    user_site.mkdir()
    (user_site / "pixel.pth").write_text(str(package))
    work = tmp_path / "work"
    work.mkdir()
    (work / "json.py").write_text("open('ran', 'w')")
    (user_site / "said.py").write_text("import json, sys\nprint(sys.argv[1:], json.__name__, __name__)")
    monkeypatch.setattr(site, "ENABLE_USER_SITE", True)
    monkeypatch.setattr(site, "getusersitepackages", lambda: str(user_site))
    monkeypatch.setattr("pixel_core.processes.launcher.__file__", str(user_site / "launcher.py"))

    launch = launch_module("said", "--more")

    said = subprocess.run(launch.command, cwd=work, env=dict(launch.environment), capture_output=True, text=True, check=True, timeout=60)
    assert said.stdout == "['--parent', '{parent}', '--memory-bytes', '0', '--more'] json __main__\n"
    assert not (work / "ran").exists()
