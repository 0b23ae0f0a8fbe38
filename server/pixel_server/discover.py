"""From the paths of the command line to the shaders they name.

A file is taken as named, whatever it is called. A folder is searched for `*.wgsl`, leaving out what its `.gitignore` and `.ignore` files
leave out, hidden folders, and the folders that hold other people's code. A glob that the shell did not expand is expanded here.
"""

from __future__ import annotations

import glob
import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import msgspec
from pathspec import GitIgnoreSpec

from pixel_core.findings import Finding, Location, Severity

SHADER_SUFFIX: Final = ".wgsl"
SIDECAR_SUFFIX: Final = ".contract.toml"
SKIPPED_FOLDERS: Final = frozenset({"node_modules", "venv", "__pycache__", "site-packages", "bower_components"})

_IGNORE_FILES: Final = (".gitignore", ".ignore")
"""The later one has the last word in its folder, as with ripgrep, which `.ignore` is from."""

# The patterns become regular expressions that try every length of every wildcard.
_MAX_WILDCARDS: Final = 8


class Discovery(msgspec.Struct, frozen=True, kw_only=True):
    """The shaders found, each once and in the order of the paths; and a finding for every path that names nothing."""

    shaders: tuple[Path, ...]
    findings: tuple[Finding, ...]


class _Ignore(msgspec.Struct, frozen=True):
    """An ignore file: its folder, and its patterns."""

    folder: Path
    patterns: GitIgnoreSpec

    def verdict(self, path: Path, *, is_folder: bool) -> bool | None:
        """Whether the path is ignored; None when no pattern speaks of it."""
        relative = path.relative_to(self.folder).as_posix()
        return self.patterns.check_file(relative + "/" if is_folder else relative).include


def discover(paths: Sequence[str]) -> Discovery:
    """Find the shaders that the paths name.

    Args:
        paths: Files, folders and globs, relative to the current folder or absolute. The shaders keep that form.
    """
    shaders: dict[Path, Path] = {}
    findings: list[Finding] = []
    for text in paths:
        known = len(findings)
        found = list(_shaders(text, findings))
        if not found and len(findings) == known:
            hint = "a folder is searched for `*.wgsl` files that `.gitignore` does not exclude"
            findings.append(_nothing(Path(text), f"no shader found in `{text}`", hint))
        for shader in found:
            shaders.setdefault(Path(os.path.abspath(shader)), shader)  # noqa: PTH100 - resolve() would follow links and change the name
    return Discovery(shaders=tuple(shaders.values()), findings=tuple(findings))


def sidecar_of(shader: Path) -> Path:
    """Where a shader's contract stands when it does not stand in the shader."""
    return shader.with_name(shader.stem + SIDECAR_SUFFIX)


def _shaders(text: str, findings: list[Finding]) -> Iterator[Path]:
    path = Path(text)
    if path.is_dir():
        yield from _walk(path, findings)
    elif path.exists():
        yield _shader_of(path)
    elif glob.has_magic(text):
        matches = (Path(match) for match in sorted(glob.glob(text, recursive=True)))  # noqa: PTH207 - Path.glob refuses absolute patterns
        yield from (match for match in matches if match.is_file() and match.suffix.lower() == SHADER_SUFFIX)
    else:
        findings.append(_nothing(path, f"`{text}` does not exist", "name a `.wgsl` file, a folder or a glob"))


def _shader_of(path: Path) -> Path:
    """The shader that a sidecar contract speaks of; any other file itself."""
    if path.name.endswith(SIDECAR_SUFFIX):
        shader = path.with_name(path.name[: -len(SIDECAR_SUFFIX)] + SHADER_SUFFIX)
        if shader.exists():
            return shader
    return path


def _walk(root: Path, findings: list[Finding]) -> Iterator[Path]:
    ignores: dict[Path, tuple[_Ignore, ...]] = {}

    def unreadable(error: OSError) -> None:
        folder = Path(os.fsdecode(error.filename)) if error.filename else root
        findings.append(_nothing(folder, f"the folder cannot be read: {error.strerror}", None))

    for name, folders, files in os.walk(root, onerror=unreadable):
        folder = Path(name)
        absolute = Path(os.path.abspath(folder))  # noqa: PTH100 - see above
        above = ignores[absolute.parent] if absolute.parent in ignores and folder != root else _ignores_above(absolute)
        rules = (*above, *_read_ignore(absolute))
        ignores[absolute] = rules
        folders[:] = sorted(
            child for child in folders if not _is_foreign(folder / child) and not _is_ignored(absolute / child, rules, is_folder=True)
        )
        for file in sorted(files):
            if Path(file).suffix.lower() == SHADER_SUFFIX and not _is_ignored(absolute / file, rules, is_folder=False):
                yield folder / file


def _is_foreign(folder: Path) -> bool:
    return folder.name.startswith(".") or folder.name in SKIPPED_FOLDERS or (folder / "pyvenv.cfg").exists()


def _is_ignored(path: Path, rules: Sequence[_Ignore], *, is_folder: bool) -> bool:
    """As git decides: the innermost ignore file that speaks of the path has the last word."""
    for rule in reversed(rules):
        verdict = rule.verdict(path, is_folder=is_folder)
        if verdict is not None:
            return verdict
    return False


def _ignores_above(folder: Path) -> tuple[_Ignore, ...]:
    """The ignore files between a folder and the root of its repository, outermost first; none outside a repository."""
    parents = list(folder.parents)
    for index, parent in enumerate([folder, *parents]):
        if (parent / ".git").exists():
            return tuple(ignore for above in reversed(parents[:index]) for ignore in _read_ignore(above))
    return ()


def _read_ignore(folder: Path) -> tuple[_Ignore, ...]:
    return tuple(ignore for name in _IGNORE_FILES if (ignore := _read_patterns(folder / name)) is not None)


def _read_patterns(file: Path) -> _Ignore | None:
    try:
        lines = file.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return None
    return _Ignore(file.parent, GitIgnoreSpec.from_lines(line for line in lines if _is_pattern(line)))


def _is_pattern(line: str) -> bool:
    """Whether pathspec can read the line: one that it cannot must not cost the others."""
    try:
        GitIgnoreSpec.from_lines([line])
    except (ValueError, re.error):
        return False
    return line.count("*") <= _MAX_WILDCARDS


def _nothing(path: Path, message: str, hint: str | None) -> Finding:
    return Finding(code="PX903", severity=Severity.ERROR, message=message, location=Location(path), hint=hint)
