from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from pixel_server.discover import discover


@pytest.fixture(autouse=True)
def in_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def check(files: Mapping[str, str] | Sequence[str], paths: Sequence[str], expected: Sequence[str]) -> None:
    """Make the files (names, or names with content) and compare what the paths discover."""
    for name, content in dict.fromkeys(files, "").items() if not isinstance(files, Mapping) else files.items():
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_text(content, encoding="utf-8")
    found = discover(paths)
    assert [os.fspath(shader) for shader in found.shaders] == list(expected)
    assert found.findings == ()


def check_finding(paths: Sequence[str], expected: str) -> None:
    (finding,) = discover(paths).findings
    assert (finding.code, finding.message) == ("PX903", expected)


def test_a_folder_is_searched_in_order() -> None:
    check(["b.wgsl", "a.wgsl", "z/c.wgsl", "k/d.WGSL", "k/e.txt"], ["."], ["a.wgsl", "b.wgsl", "k/d.WGSL", "z/c.wgsl"])


def test_the_form_of_the_path_is_kept(tmp_path: Path) -> None:
    check(["k/a.wgsl"], ["k", str(tmp_path), "../" + tmp_path.name], ["k/a.wgsl"])
    check(["k/a.wgsl"], [str(tmp_path), "k"], [f"{tmp_path}/k/a.wgsl"])


def test_a_named_file_is_taken_whatever_it_is_called() -> None:
    check({"a.txt": "", ".gitignore": "a.txt", ".git/HEAD": ""}, ["a.txt"], ["a.txt"])


def test_a_sidecar_names_its_shader() -> None:
    check(["a.wgsl", "a.contract.toml"], ["a.contract.toml"], ["a.wgsl"])


def test_globs_are_expanded() -> None:
    check(["a.wgsl", "k/b.wgsl", "k/l/c.wgsl", "k/d.txt"], ["**/*"], ["a.wgsl", "k/b.wgsl", "k/l/c.wgsl"])
    check([], ["k/*.wgsl"], ["k/b.wgsl"])


def test_foreign_folders_are_left_out() -> None:
    check(
        ["node_modules/a.wgsl", ".venv/b.wgsl", "env/pyvenv.cfg", "env/c.wgsl", "venv/d.wgsl", ".cache/e.wgsl", "f.wgsl"], ["."], ["f.wgsl"]
    )


def test_a_foreign_folder_can_be_named() -> None:
    check(["node_modules/a.wgsl"], ["node_modules"], ["node_modules/a.wgsl"])


def test_gitignore_is_respected() -> None:
    files = {
        ".git/HEAD": "",
        ".gitignore": "build/\n*.gen.wgsl\n!keep.gen.wgsl\n/top.wgsl\n",
        "build/a.wgsl": "",
        "b.gen.wgsl": "",
        "keep.gen.wgsl": "",
        "top.wgsl": "",
        "k/top.wgsl": "",
        "k/.gitignore": "!b.gen.wgsl\n",
        "k/b.gen.wgsl": "",
    }
    check(files, ["."], ["keep.gen.wgsl", "k/b.gen.wgsl", "k/top.wgsl"])


def test_ignore_files_of_other_searchers_are_respected_and_have_the_last_word() -> None:
    files = {
        ".gitignore": "*.gen.wgsl\nbuild/\n",
        ".ignore": "!wanted.gen.wgsl\nheavy/\n",
        "build/a.wgsl": "",
        "heavy/b.wgsl": "",
        "other.gen.wgsl": "",
        "wanted.gen.wgsl": "",
        "yes.wgsl": "",
    }
    check(files, ["."], ["wanted.gen.wgsl", "yes.wgsl"])


def test_gitignore_above_the_folder_is_respected_up_to_the_repository() -> None:
    files = {".gitignore": "*.wgsl\n", "r/.git/HEAD": "", "r/.gitignore": "k/no.wgsl\n", "r/k/no.wgsl": "", "r/k/yes.wgsl": ""}
    check(files, ["r/k"], ["r/k/yes.wgsl"])


def test_lines_of_a_gitignore_that_are_no_patterns_do_not_matter() -> None:
    Path(".gitignore").write_bytes(b"\xff\xfe\x00\n[z-a]\n!\n" + b"*a" * 50 + b"*b\nb.wgsl\n")
    check(["a" * 200 + ".wgsl", "b.wgsl"], ["."], ["a" * 200 + ".wgsl"])


def test_links_between_folders_do_not_loop() -> None:
    Path("k").mkdir()
    Path("k/loop").symlink_to("..")
    check(["k/a.wgsl"], ["."], ["k/a.wgsl"])


def test_paths_that_name_nothing() -> None:
    check_finding(["nowhere.wgsl"], "`nowhere.wgsl` does not exist")
    check_finding(["."], "no shader found in `.`")
    check_finding(["k/*.wgsl"], "no shader found in `k/*.wgsl`")
    check_finding(["\0"], "`\0` does not exist")


def test_what_can_be_found_is_found() -> None:
    Path("a.wgsl").touch()
    found = discover(["nowhere", "a.wgsl", "*.nothing"])
    assert [os.fspath(shader) for shader in found.shaders] == ["a.wgsl"]
    assert [finding.message for finding in found.findings] == ["`nowhere` does not exist", "no shader found in `*.nothing`"]
