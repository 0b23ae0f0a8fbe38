"""Files that a contract names: they must lie inside the workspace, whatever their path and its symbolic links say."""

from __future__ import annotations

from pathlib import Path


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
