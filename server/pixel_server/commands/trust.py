"""`pixel-lsp trust`: let the editor's server run what a folder holds, or no longer, and say which folders those are."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from pixel_core.errors import PixelError
from pixel_core.state_folder import state_folder
from pixel_server.exit_codes import FAILED_CODE, PASSED_CODE
from pixel_server.trust import TrustStore


def trust(folder: Path | None, *, remove: bool = False) -> int:
    """Trust a folder, trust it no longer, or list what is trusted. Returns the exit code: 1 when there was nothing to remove.

    Args:
        folder: The folder; None lists.
        remove: Take trust back.

    Raises:
        PixelError: There is no such folder, or the list cannot be written.
    """
    store = TrustStore(state_folder(os.environ))
    if folder is None:
        sys.stdout.write("".join(f"{one}\n" for one in store.folders()))
        return PASSED_CODE
    if remove:
        was_trusted = store.remove(folder)
        said = "is not trusted any more" if was_trusted else "was not in the list"
        above = " itself, but a folder above it is trusted" if store.trusts(folder) else ""
        sys.stdout.write(f"{folder.resolve()} {said}{above}\n")
        return PASSED_CODE if was_trusted else FAILED_CODE
    if not folder.is_dir():
        raise PixelError(f"{folder} is not a folder", hint="trust is given to folders, with all that lies below them")
    sys.stdout.write(f"kernels and references in {store.add(folder)} may run\n")
    return PASSED_CODE
