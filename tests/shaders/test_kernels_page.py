"""docs/kernels.md names every kernel that ships, once, and no other."""

from __future__ import annotations

import re

from pixel_testing.check_command import REPOSITORY, SHADERS


def test_the_page_lists_the_shipped_kernels() -> None:
    page = (REPOSITORY / "docs" / "kernels.md").read_text(encoding="utf-8")
    listed = re.findall(r"^\| \[(\w+)\]\(\.\./shaders/(\w+)\.wgsl\) \|", page, flags=re.MULTILINE)
    assert all(name == file for name, file in listed)
    assert sorted(name for name, _ in listed) == sorted(path.stem for path in SHADERS.glob("*.wgsl"))
