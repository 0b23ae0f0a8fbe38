"""Every example of docs/library.md runs, in order, as one program in a process of its own."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[1] / "docs" / "library.md"


@pytest.mark.device
def test_every_example_of_the_page_runs(tmp_path: Path) -> None:
    examples = re.findall(r"^```python\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    assert len(examples) == 5
    program = tmp_path / "examples.py"
    program.write_text("\n".join(examples), encoding="utf-8")
    done = subprocess.run([sys.executable, program], cwd=tmp_path, capture_output=True, encoding="utf-8", timeout=300, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
