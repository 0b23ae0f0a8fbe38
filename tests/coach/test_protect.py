"""Where the coach may write. tests/data/cheats/paths.toml holds the ways around it; here is what it says, and what it lets through."""

from __future__ import annotations

from pathlib import Path

import pytest

from pixel_coach.errors import RefusedPath
from pixel_coach.protect import check_target, is_test_path
from pixel_coach.tasks import Action


def check(workspace: Path, path: str, message: str, *, protected: tuple[str, ...] = (), action: Action | None = None) -> None:
    with pytest.raises(RefusedPath) as refusal:
        check_target(workspace, path, protected, action=action)
    assert refusal.value.message == message


def test_ordinary_files(tmp_path: Path) -> None:
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "a.py").write_text("")
    for path in ("src/a.py", "src/new/b.wgsl", "README.md", "grün/ß.py", "a b.txt", "tasks.py", "environment/x.py"):
        assert check_target(tmp_path, path, (), action=Action.WRITE_FILE) == tmp_path / path


def test_configuration(tmp_path: Path) -> None:
    check(tmp_path, ".github/workflows/ci.yml", ".github/workflows/ci.yml is protected: `.github` is configuration")
    check(tmp_path, "a/pyproject.toml", "a/pyproject.toml is protected: `pyproject.toml` is configuration")
    check(tmp_path, "a/PyProject.TOML", "a/PyProject.TOML is protected: `PyProject.TOML` is configuration")
    check(tmp_path, "keys/server.pem", "keys/server.pem is protected: `server.pem` is configuration")


def test_globs_of_the_settings(tmp_path: Path) -> None:
    protected = ("/docs", "*.lock", "src/**/generated")
    for path in ("docs/a.md", "Docs/a.md", "x/poetry.lock", "src/a/b/generated/c.py"):
        check(tmp_path, path, f"{path} is protected by your settings", protected=protected)
    assert check_target(tmp_path, "src/docs.py", protected) == tmp_path / "src" / "docs.py"


def test_forms_of_paths(tmp_path: Path) -> None:
    check(tmp_path, "", "a target is a path of 1 to 1,024 characters, not one of 0")
    check(tmp_path, "a" * 1_025, "a target is a path of 1 to 1,024 characters, not one of 1,025")
    check(tmp_path, "a//b.py", "a//b.py is refused: `` is no name of a file or folder")
    check(tmp_path, "a/../b.py", "a/../b.py is refused: `..` is no name of a file or folder")
    check(tmp_path, "a\nb.py", "a\\nb.py is refused: it has characters that cannot be seen")
    check(tmp_path, "a\u202eb.py", "a\\u202eb.py is refused: it has characters that cannot be seen")
    check(tmp_path, "a.py ", "a.py  is refused: `a.py ` means something else on Windows")
    check(tmp_path, "com1.txt", "com1.txt is refused: `com1.txt` means something else on Windows")
    wrong = "is refused: a target is relative to the workspace, with `/` between folders and no `:`"
    for path in ("/etc/passwd", "~/a.py", "c:a.py"):
        check(tmp_path, path, f"{path} {wrong}")


def test_links_and_other_things(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "a.py").write_text("")
    (tmp_path / "link").symlink_to("folder")
    check(tmp_path, "link/a.py", "link/a.py is refused: `link` is a link")
    check(tmp_path, "folder", "folder is not a regular file")
    check(tmp_path, "folder/a.py/b.py", "folder/a.py/b.py is refused: `a.py` is not a folder")
    check(tmp_path, "Folder/b.py", "Folder/b.py is refused: `Folder` differs from `folder` only in case or accents' form")


def test_workspace_may_itself_be_a_link(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    assert check_target(tmp_path / "link", "a.py", ()) == tmp_path / "real" / "a.py"


def test_tests_and_contracts_belong_to_their_actions(tmp_path: Path) -> None:
    check(tmp_path, "tests/a.py", "tests/a.py is a test, and this task is `edit_file`", action=Action.EDIT_FILE)
    check(tmp_path, "a.py", "a.py is no test: pytest looks for test_*.py", action=Action.WRITE_TESTS)
    message = "k.contract.toml is a contract, and this task is `optimise_kernel`"
    check(tmp_path, "k.contract.toml", message, action=Action.OPTIMISE_KERNEL)
    assert check_target(tmp_path, "k.contract.toml", (), action=Action.WRITE_CONTRACT)
    assert check_target(tmp_path, "tests/test_a.py", (), action=Action.WRITE_TESTS)


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("test_a.py", True),
        ("a_test.py", True),
        ("x/tests/data/a.txt", True),
        ("a.spec.ts", True),
        ("contest.py", False),
        ("latest.py", False),
    ],
)
def test_what_a_test_is(path: str, expected: bool) -> None:
    assert is_test_path(path) is expected
