"""Which names a file in a map may have."""

from __future__ import annotations

import pytest

from pixel_core.pixels.errors import PathRefused
from pixel_core.pixels.file_path import check_path


@pytest.mark.parametrize("path", ["a", "a/b.bin", "models/größe 2.txt", ".hidden", "a..b", "x" * 255, "日本/語"])
def test_names(path: str) -> None:
    assert check_path(path) == path


def test_one_spelling() -> None:
    assert check_path("u\u0308") == "ü"


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("", "it is empty"),
        ("/etc/passwd", "it is absolute"),
        ("../x", "`..` is no part of a name"),
        ("a/../../x", "`..` is no part of a name"),
        ("a//b", "`` is no part of a name"),
        ("a/", "`` is no part of a name"),
        (".", "`.` is no part of a name"),
        ("a\\..\\b", "it holds `\\`"),
        ("C:x", "it holds `:`"),
        ("a\0b", "it holds characters that cannot be seen"),
        ("a\x1b[2J", "it holds characters that cannot be seen"),
        ("a\u202eb", "it holds characters that cannot be seen"),
        ("a\udcff", "it holds characters that cannot be seen"),
        ("a /b", "a part of it begins or ends with a space, or ends with a dot"),
        ("a.", "a part of it begins or ends with a space, or ends with a dot"),
        ("x" * 256, "a part of it is longer than 255 bytes"),
        ("/".join(["x" * 200] * 6), "it is longer than 1,024 bytes"),
    ],
)
def test_refused_names(path: str, reason: str) -> None:
    with pytest.raises(PathRefused) as refused:
        check_path(path)
    assert refused.value.message.endswith(f"cannot be the name of a file in a map: {reason}")
    assert refused.value.message.isprintable()
