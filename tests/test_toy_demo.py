"""scripts/toy_demo: the toy on a device, from pixels on a map, bit for bit what the CPU computes."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

DEMO = Path(__file__).parents[1] / "scripts" / "toy_demo.py"

SAYS = """
A dot product of pixels, from files of a PixelFS
  1² + 2² + … + 100²: CPU 338,350, device 338,350

The toy on an InfiniteMap, each tensor at its place
  blk.0.ffn_up.weight   2 × 16 texels at (0, 0)
  blk.0.ffn_up.bias     4 × 1  texels at (16, 0)
  blk.0.ffn_down.weight 4 × 8  texels at (32, 0)
  blk.0.ffn_down.bias   2 × 1  texels at (48, 0)
  all 585 inputs, 4,680 scores: CPU and device agree bit for bit

What it writes after `and the`
  CPU:    and the pixels think.
  device: and the pixels think.
"""


def demo(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run((sys.executable, DEMO, *arguments), capture_output=True, encoding="utf-8", timeout=120, check=False)


@pytest.mark.device
def test_the_demo_agrees_with_itself() -> None:
    done = demo("and the")
    device, _, rest = done.stdout.partition("\n")
    assert re.fullmatch(r"device: \S.*", device)
    assert (done.returncode, rest) == (0, SAYS)


def test_an_unknown_word_ends_it() -> None:
    done = demo("the cats")
    assert (done.returncode, done.stdout, done.stderr) == (2, "", "toy_demo: the toy does not know the word `cats`\n")
