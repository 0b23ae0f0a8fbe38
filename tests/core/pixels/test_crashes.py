"""A writer that is killed loses nothing that was committed. scripts/soak kills more of them."""

from __future__ import annotations

import random
from pathlib import Path

from map_testing.kill_writers import kill_writers


def test_killed_writers(tmp_path: Path) -> None:
    assert kill_writers(tmp_path / "files.map", random.Random(1), 3) > 0
