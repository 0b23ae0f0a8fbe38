"""Lines of text whose words nobody here chose: the standard library of Python, its documentation in other languages, and Unicode."""

from __future__ import annotations

import random
import sysconfig
import unicodedata
from collections.abc import Iterator
from pathlib import Path

_PIECES = (
    *("  ", "\n", " ", "\t", "\r\n", "\u3000", "\u00a0", "\u200b"),
    *("a", "é", "漢字", "_", ".", " the", "'s", "'LL", "12", "٣", "½", "ⅷ"),
    *("👩‍👩‍👧", "🏳️‍🌈", "🇫🇷"),
)


def mixed_lines(count: int, seed: int = 1) -> list[str]:
    """A third code and prose of installed packages, a third random characters, a third pieces that tokenizers cut at."""
    choose = random.Random(seed)
    files = sorted(path for path in _texts() if path.stat().st_size < 200_000)
    lines: list[str] = []
    while len(lines) < count // 3:
        text = choose.choice(files).read_text("utf-8", errors="replace")
        lines += choose.sample(found := text.splitlines(keepends=True), min(40, len(found)))
    while len(lines) < 2 * count // 3:
        start = choose.randrange(0x20, 0x3_0000) if choose.random() < 0.7 else choose.randrange(0x20, 0x10_FF00)
        lines.append("".join(_character(choose, start) for _ in range(choose.randrange(1, 24))))
    while len(lines) < count:
        lines.append("".join(choose.choice(_PIECES) for _ in range(choose.randrange(1, 20))))
    return lines[:count]


def _texts() -> Iterator[Path]:
    for folder in (sysconfig.get_path("stdlib"), sysconfig.get_path("purelib")):
        for pattern in ("*.py", "*/*.py", "*/*.md", "*/*.txt", "*/*.rst", "*/METADATA"):
            yield from Path(folder).glob(pattern)


def _character(choose: random.Random, start: int) -> str:
    """Of the same block as the others of its line, for most lines."""
    code = min(start + choose.randrange(0, 96), 0x10_FFFF)
    return " " if unicodedata.category(chr(code)) == "Cs" else chr(code)
