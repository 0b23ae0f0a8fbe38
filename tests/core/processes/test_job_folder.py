from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from pixel_core.processes.job_folder import JobFolder


def test_a_folder_is_private_and_goes_away() -> None:
    with JobFolder() as folder:
        assert folder.path.stat().st_mode & 0o777 == 0o700
        (folder.subfolder() / "array.npy").write_bytes(b"x")
    assert not folder.path.exists()


def test_what_a_killed_process_left_is_removed() -> None:
    code = "from pixel_core.processes.job_folder import JobFolder; import os; print(JobFolder().path, flush=True); os._exit(0)"
    left = Path(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip())
    assert left.exists()
    with JobFolder() as folder:
        assert not left.exists()
        assert folder.path.name.startswith(f"pixel-lsp-{os.getpid()}-")
