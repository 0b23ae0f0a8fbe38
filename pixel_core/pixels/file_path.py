"""Names of files in a map, which have to be harmless in a folder of any system."""

from __future__ import annotations

import unicodedata
from typing import Final

from pixel_core.pixels.errors import PathRefused

MAX_BYTES: Final = 1024
MAX_PART_BYTES: Final = 255

_FORBIDDEN: Final = frozenset('\\:*?"<>|')


def check_path(path: str) -> str:
    """A path as it is stored: parts separated by `/`, relative, in Unicode's composed form (NFC).

    Args:
        path: As somebody wrote it.

    Raises:
        PathRefused: It is empty, absolute, too long, leads upwards, or holds what a system could take for something else.
    """
    path = unicodedata.normalize("NFC", path)
    reason = _reason(path)
    if reason:
        raise PathRefused(f"{_shown(path)} cannot be the name of a file in a map: {reason}", hint="a name is like `models/small.bin`")
    return path


def _reason(path: str) -> str:
    if not path:
        return "it is empty"
    if path.startswith("/"):
        return "it is absolute"
    if any(unicodedata.category(character) in {"Cc", "Cf", "Cs", "Zl", "Zp"} for character in path):
        return "it holds characters that cannot be seen"
    if len(path.encode()) > MAX_BYTES:
        return f"it is longer than {MAX_BYTES:,} bytes"
    for part in path.split("/"):
        if part in {"", ".", ".."}:
            return f"`{part}` is no part of a name"
        if len(part.encode()) > MAX_PART_BYTES:
            return f"a part of it is longer than {MAX_PART_BYTES} bytes"
        if _FORBIDDEN & set(part):
            return f"it holds `{min(_FORBIDDEN & set(part))}`"
        if part != part.strip() or part.endswith("."):
            return "a part of it begins or ends with a space, or ends with a dot"
    return ""


def _shown(path: str) -> str:
    return f"`{path[:100].encode('unicode_escape').decode()}`"
