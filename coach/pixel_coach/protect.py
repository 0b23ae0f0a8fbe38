"""Which files the coach may write: those of the workspace that are no link, no configuration, and not protected by name.

A path comes from a task, and a task may come from a file of a stranger; so nothing about it is taken on trust.
"""

from __future__ import annotations

import os
import re
import stat
import unicodedata
from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from typing import Final

from pathspec import GitIgnoreSpec

from pixel_coach.errors import RefusedPath
from pixel_coach.tasks import Action

MAX_PATH_CHARACTERS: Final = 1_024

_NAMES: Final = """
pixel.toml pyproject.toml setup.py setup.cfg tox.ini pytest.ini noxfile.py conftest.py sitecustomize.py usercustomize.py
manifest.in makefile gnumakefile justfile dockerfile containerfile jenkinsfile cvs _darcs package.json package-lock.json
azure-pipelines.yml appveyor.yml bitbucket-pipelines.yml cloudbuild.yaml docker-compose.yml compose.yaml
node_modules site-packages dist-packages __pycache__ venv
credentials.json secrets.toml secrets.json secrets.yaml secrets.yml id_rsa id_dsa id_ecdsa id_ed25519
"""
_CONFIGURATION: Final = frozenset(_NAMES.split())
"""Names that are never written, wherever they stand, besides every name that begins with a dot: these decide what runs, or hold secrets."""

_CONFIGURATION_ENDINGS: Final = (".pth", ".pem", ".key", ".p12", ".pfx", ".env")
_DEVICE: Final = re.compile(r"(?:con|prn|aux|nul|conin\$|conout\$|com[0-9¹²³]|lpt[0-9¹²³])(?:\..*)?")
_SHORT_NAME: Final = re.compile(r".*~[0-9]")
_TEST: Final = re.compile(r"(?:test_.*|.*_test|tests?)\.(?:py|js|ts|mjs|rs|toml|json)|.*\.(?:test|spec)\.[a-z]+")
_TEST_FOLDERS: Final = frozenset({"test", "tests", "__tests__"})
_CONTRACT_ENDING: Final = ".contract.toml"


def check_target(workspace: Path, path: str, protected: Sequence[str], *, action: Action | None = None) -> Path:
    """The file that a path of a task means, if the coach may write it.

    Args:
        workspace: Root of the workspace.
        path: POSIX path relative to it.
        protected: Globs as in a `.gitignore`, compared without regard to case.
        action: Tests are only written by `WRITE_TESTS`, and contracts beside a shader only by `WRITE_CONTRACT`; None asks neither.

    Returns:
        Its absolute path. The file, and folders above it, need not exist.

    Raises:
        RefusedPath: It may not be written; the message says why.
    """
    target = resolve_target(workspace, path)
    for part in path.split("/"):
        folded = _fold(part)
        if folded.startswith(".") or folded in _CONFIGURATION or folded.endswith(_CONFIGURATION_ENDINGS):
            raise RefusedPath(f"{path} is protected: `{part}` is configuration", hint="the coach never writes it; edit it by hand")
    if GitIgnoreSpec.from_lines([_fold(glob) for glob in protected]).match_file(_fold(path)):
        raise RefusedPath(f"{path} is protected by your settings", hint="see `protected` in the settings of the coach")
    if action is not None:
        _check_action(path, action)
    return target


def is_test_path(path: str) -> bool:
    """Whether a path is that of a test, by the habits of pytest and of JavaScript's runners."""
    *folders, name = _fold(path).split("/")
    return bool(_TEST_FOLDERS.intersection(folders)) or _TEST.fullmatch(name) is not None


def resolve_target(workspace: Path, path: str) -> Path:
    """The file that a path means, if it lies inside the workspace without any link on the way; see `check_target`.

    Raises:
        RefusedPath: It is no such path.
    """
    _check_form(path)
    current = Path(os.path.realpath(workspace))
    parts = PurePosixPath(path).parts
    for number, part in enumerate(parts):
        _check_case(current, part, path)
        current = current / part
        try:
            status = current.lstat()
        except FileNotFoundError:
            return current.joinpath(*parts[number + 1 :])
        except OSError as error:
            raise RefusedPath(f"{path} cannot be looked at: {error.strerror or error}") from None
        if stat.S_ISLNK(status.st_mode) or getattr(status, "st_reparse_tag", 0):
            raise RefusedPath(f"{path} is refused: `{part}` is a link", hint="name the file that it points to")
        is_last = number == len(parts) - 1
        if is_last and not stat.S_ISREG(status.st_mode):
            raise RefusedPath(f"{path} is not a regular file")
        if not is_last and not stat.S_ISDIR(status.st_mode):
            raise RefusedPath(f"{path} is refused: `{part}` is not a folder")
    return current


def _check_form(path: str) -> None:
    if not path or len(path) > MAX_PATH_CHARACTERS:
        raise RefusedPath(f"a target is a path of 1 to {MAX_PATH_CHARACTERS:,} characters, not one of {len(path):,}")
    shown = ascii(path)[1:-1]
    # Controls, and characters that some file systems ignore: `.g<U+200C>it` is `.git` on HFS+. Surrogates have no UTF-8.
    if any(unicodedata.category(character) in {"Cc", "Cf", "Cs", "Zl", "Zp"} for character in path):
        raise RefusedPath(f"{shown} is refused: it has characters that cannot be seen")
    if "\\" in path or ":" in path or path.startswith(("/", "~")):
        raise RefusedPath(f"{shown} is refused: a target is relative to the workspace, with `/` between folders and no `:`")
    for part in path.split("/"):
        if part in {"", ".", ".."}:
            raise RefusedPath(f"{shown} is refused: `{part}` is no name of a file or folder")
        if part != part.rstrip(". ") or _SHORT_NAME.fullmatch(part) or _DEVICE.fullmatch(_fold(part)) or any(c in '<>"|?*' for c in part):
            raise RefusedPath(f"{shown} is refused: `{part}` means something else on Windows")


def _check_case(folder: Path, part: str, path: str) -> None:
    """On a file system without regard to case, `Tests` would be `tests`; on others it would become so for the next person."""
    wanted = _fold(part)
    try:
        with os.scandir(folder) as entries:
            other = next((entry.name for entry in entries if entry.name != part and _fold(entry.name) == wanted), None)
    except OSError:
        return
    if other is not None:
        raise RefusedPath(f"{path} is refused: `{part}` differs from `{other}` only in case or accents' form", hint=f"write `{other}`")


def _check_action(path: str, action: Action) -> None:
    if _fold(path).endswith(_CONTRACT_ENDING) and action is not Action.WRITE_CONTRACT:
        raise RefusedPath(f"{path} is a contract, and this task is `{action.value}`", hint="a task of `write_contract` may write it")
    if is_test_path(path) and action is not Action.WRITE_TESTS:
        raise RefusedPath(f"{path} is a test, and this task is `{action.value}`", hint="a task of `write_tests` may write it")
    if action is Action.WRITE_TESTS and not is_test_path(path):
        raise RefusedPath(f"{path} is no test: pytest looks for test_*.py", hint="name the target test_….py, or put it under tests/")


def _fold(text: str) -> str:
    """Equal for names that some file system takes for the same."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
