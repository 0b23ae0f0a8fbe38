"""Which workspace a file belongs to, and files that a contract names: they must lie inside it, whatever symbolic links say."""

from __future__ import annotations

from pathlib import Path

_SIGNS = (".git", "pixel.toml", "pyproject.toml", ".hg")


def resolve_inside(root: Path, path: Path) -> Path | None:
    """The real path of a file, if it lies inside a folder.

    Args:
        root: The workspace.
        path: Absolute, or relative to the current folder; it need not exist.

    Returns:
        The path with every symbolic link followed; None when that leads outside of the root, in a circle, or is no path at all.
    """
    try:
        real_root = root.resolve()
        real = path.resolve()
    except (OSError, RuntimeError, ValueError):
        # A circle of links is a RuntimeError before Python 3.13; a null character is a ValueError.
        return None
    return real if real.is_relative_to(real_root) else None


def project_root(folder: Path) -> Path:
    """The nearest folder upward that holds a version-control folder or a project file; the folder itself when none does."""
    resolved = folder.resolve()
    for candidate in (resolved, *resolved.parents):
        if any((candidate / sign).exists() for sign in _SIGNS):
            return candidate
    return resolved
