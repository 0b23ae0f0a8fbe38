"""What can be said about the Visual Studio Code extension without an editor; tests/editors drives it in one."""

from __future__ import annotations

import json
import re
from pathlib import Path

from pixel_core import __version__
from pixel_server.settings import ENGINES, MAX_JOBS, SECTION, SETTING_NAMES, Settings, read_settings

EXTENSION = Path(__file__).parents[1] / "vscode-extension"
MANIFEST = json.loads((EXTENSION / "package.json").read_text(encoding="utf-8"))
README = (EXTENSION / "README.md").read_text(encoding="utf-8")


def test_it_has_the_version_of_the_server() -> None:
    lock = json.loads((EXTENSION / "package-lock.json").read_text(encoding="utf-8"))
    assert {MANIFEST["version"], lock["version"], lock["packages"][""]["version"]} == {__version__}


def test_no_folder_can_name_a_program() -> None:
    """Every setting that the server reads must be declared: of one that is not, the editor takes the folder's value."""
    settings = MANIFEST["contributes"]["configuration"]["properties"]
    scopes = {name: setting["scope"] for name, setting in settings.items()}
    read_by_server = {f"{SECTION}.{name}" for name in SETTING_NAMES}
    assert scopes == {**dict.fromkeys(("pixelLsp.serverCommand", *read_by_server), "machine"), "pixelLsp.trace.server": "window"}
    defaults, mistakes = read_settings({name: settings[f"{SECTION}.{name}"]["default"] for name in SETTING_NAMES}, Settings())
    assert (defaults, mistakes) == (Settings(), ())
    assert tuple(settings["pixelLsp.engine"]["enum"]) == ENGINES
    assert settings["pixelLsp.jobs"]["maximum"] == MAX_JOBS
    assert MANIFEST["capabilities"]["untrustedWorkspaces"]["supported"] == "limited"
    assert MANIFEST["capabilities"]["virtualWorkspaces"]["supported"] is False


def test_the_readme_names_every_setting_and_command() -> None:
    contributed = MANIFEST["contributes"]
    settings = list(contributed["configuration"]["properties"])
    commands = [f"{command['category']}: {command['title']}" for command in contributed["commands"]]
    assert re.findall(r"^\| `([^`]+)` \|", README, flags=re.MULTILINE) == [*settings, *commands]


def test_the_licence_is_that_of_the_project() -> None:
    assert (EXTENSION / "LICENSE").read_bytes() == (EXTENSION.parent / "LICENSE").read_bytes()


def test_the_grammar_has_its_language_and_its_patterns() -> None:
    (language,) = MANIFEST["contributes"]["languages"]
    (contributed,) = MANIFEST["contributes"]["grammars"]
    grammar = json.loads((EXTENSION / contributed["path"]).read_text(encoding="utf-8"))
    assert (language["id"], contributed["language"]) == ("wgsl", "wgsl")
    assert contributed["scopeName"] == grammar["scopeName"]
    included = set(re.findall(r'"include": "#([^"]+)"', (EXTENSION / contributed["path"]).read_text(encoding="utf-8")))
    assert included == set(grammar["repository"])
