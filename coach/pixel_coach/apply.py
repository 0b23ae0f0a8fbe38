"""Writing a patch: the only place where a generated text becomes a file of the user's."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from pixel_coach.attempts import Patch
from pixel_coach.errors import RefusedPath, StaleBase
from pixel_coach.protect import check_target, resolve_target
from pixel_core.replace_file import replace_file

MAX_TEXT_BYTES: Final = 1 << 20
"""Largest file that a patch is made from, or makes."""


def read_base(workspace: Path, path: str) -> tuple[str | None, str | None]:
    """The text that a patch is made from, and the SHA-256 of its bytes; two Nones where there is no file yet.

    Line ends and a byte order mark stay as they are.

    Raises:
        RefusedPath: It lies outside of the workspace or behind a link, is too large, or is no UTF-8.
    """
    data = _read(resolve_target(workspace, path), path)
    if data is None:
        return None, None
    try:
        return data.decode("utf-8"), hashlib.sha256(data).hexdigest()
    except UnicodeDecodeError as error:
        raise RefusedPath(f"{path} is not UTF-8 text (byte {data[error.start]:#04x} at offset {error.start:,})") from None


def apply_patch(workspace: Path, patch: Patch, protected: Sequence[str]) -> Path:
    """Write the new text, if the file is still what the patch was made from. A file that has the new text already counts as written.

    Args:
        workspace: Root of the workspace.
        patch: What to write.
        protected: Globs of the settings; see `check_target`.

    Returns:
        The file. Folders above it are made; nobody ever sees half of the text.

    Raises:
        RefusedPath: The file may not be written.
        StaleBase: It has changed since.
        OSError: The disk is full, or the folder cannot be written to; the file is as it was.
    """
    target = check_target(workspace, patch.path, protected)
    data = encode_text(patch)
    current = _read(target, patch.path)
    if current == data:
        return target
    if _sha256(current) != patch.base_sha256:
        raise StaleBase(_how_it_changed(patch, current), hint="run the task again, or apply the text by hand")
    target.parent.mkdir(parents=True, exist_ok=True)
    # A link may have come into being meanwhile; the folders that were just made cannot be one.
    replace_file(resolve_target(workspace, patch.path), data)
    return target


def encode_text(patch: Patch) -> bytes:
    """The bytes of the new text.

    Raises:
        RefusedPath: It is too large, or has no UTF-8.
    """
    try:
        data = patch.new_text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise RefusedPath(f"the new text of {patch.path} has half a surrogate pair at offset {error.start:,}") from None
    if len(data) > MAX_TEXT_BYTES:
        raise RefusedPath(f"the new text of {patch.path} has {len(data):,} bytes; at most {MAX_TEXT_BYTES:,} are written")
    return data


def _read(target: Path, path: str) -> bytes | None:
    try:
        with target.open("rb") as file:
            data = file.read(MAX_TEXT_BYTES + 1)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise RefusedPath(f"{path} cannot be read: {error.strerror or error}") from None
    if len(data) > MAX_TEXT_BYTES:
        raise RefusedPath(f"{path} is larger than {MAX_TEXT_BYTES >> 20} MiB")
    return data


def _sha256(data: bytes | None) -> str | None:
    return None if data is None else hashlib.sha256(data).hexdigest()


def _how_it_changed(patch: Patch, current: bytes | None) -> str:
    if current is None:
        return f"{patch.path} is gone; the patch was made from a file that was there"
    if patch.base_sha256 is None:
        return f"{patch.path} exists; the patch was made when it did not"
    return f"{patch.path} changed since the patch was made from it"
