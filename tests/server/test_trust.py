from __future__ import annotations

import json
from pathlib import Path

import pytest

from pixel_core.errors import PixelError
from pixel_core.state_folder import state_folder
from pixel_server.cli import main
from pixel_server.trust import Trust, TrustStore


@pytest.fixture
def store(tmp_path: Path) -> TrustStore:
    return TrustStore(tmp_path / "state")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "project" / "inner").mkdir(parents=True)
    return tmp_path / "project"


def test_the_state_folder_follows_the_specification() -> None:
    assert state_folder({"XDG_STATE_HOME": "/state"}) == Path("/state/pixel-lsp")
    assert state_folder({"XDG_STATE_HOME": "relative"}) == state_folder({}) == Path.home() / ".local" / "state" / "pixel-lsp"


def test_a_folder_is_trusted_with_what_lies_below(store: TrustStore, project: Path) -> None:
    assert not store.trusts(project)
    assert not store.path.exists()
    store.add(project)
    assert store.trusts(project)
    assert store.trusts(project / "inner" / "k.wgsl")
    assert not store.trusts(project.parent)
    assert not store.trusts(project.with_name("project-2"))


def test_links_are_followed_both_ways(store: TrustStore, project: Path, tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(project)
    assert store.add(link) == project.resolve()
    assert store.trusts(project)
    (project / "out").symlink_to(tmp_path)
    assert not store.trusts(project / "out")


def test_trust_is_taken_back(store: TrustStore, project: Path) -> None:
    store.add(project)
    assert not store.remove(project / "inner")
    assert store.remove(project)
    assert store.folders() == ()


@pytest.mark.parametrize("text", ["", "{", "[]", '{"trusted": 1}', '{"trusted": [1, "relative", null]}', "[" * 100_000])
def test_a_file_that_cannot_be_understood_trusts_nothing(text: str, store: TrustStore, project: Path) -> None:
    store.path.parent.mkdir()
    store.path.write_text(text, encoding="utf-8")
    assert store.folders() == ()
    assert not store.trusts(project)
    store.add(project)
    assert json.loads(store.path.read_text(encoding="utf-8")) == {"version": 1, "trusted": [str(project.resolve())]}


def test_a_state_folder_that_cannot_be_made_is_told(tmp_path: Path, project: Path) -> None:
    (tmp_path / "state").touch()
    with pytest.raises(PixelError, match=r"trusted\.json cannot be written"):
        TrustStore(tmp_path / "state").add(project)


def test_the_editor_decides_where_it_can(store: TrustStore, project: Path) -> None:
    store.add(project)
    assert not Trust(store, editor=False).allows(project)
    assert Trust(store, editor=True).allows(project.parent)
    assert not Trust(store, editor=False).begin_question(project)


def test_the_user_of_a_silent_editor_is_asked_once(store: TrustStore, project: Path) -> None:
    trust = Trust(store)
    assert [trust.begin_question(project), trust.begin_question(project)] == [True, False]
    assert not trust.allows(project)
    store.add(project)
    assert trust.allows(project)


def test_the_command(project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))

    def check(arguments: list[str], code: int, printed: str) -> None:
        assert main(["trust", *arguments]) == code
        assert capsys.readouterr().out == printed

    check(["--list"], 0, "")
    check([str(project)], 0, f"kernels and references in {project} may run\n")
    check(["--list"], 0, f"{project}\n")
    check([str(project / "inner"), "--remove"], 1, f"{project / 'inner'} was not in the list itself, but a folder above it is trusted\n")
    check([str(project), "--remove"], 0, f"{project} is not trusted any more\n")
    check(["--list"], 0, "")


def test_a_file_is_not_trusted_by_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    assert main(["trust", str(tmp_path / "nothing")]) == 2
    assert capsys.readouterr().err.startswith(f"pixel-lsp: {tmp_path / 'nothing'} is not a folder\n")
