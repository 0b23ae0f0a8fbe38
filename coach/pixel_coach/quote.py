"""Quoting texts in a prompt as data: behind markers that the text cannot contain, since they are drawn after it was written."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from importlib import resources
from typing import final


@final
class Quoter:
    """Quotes texts of one prompt behind one random marker.

    Args:
        texts: Everything that will be quoted; the marker occurs in none of them.
    """

    def __init__(self, texts: Iterable[str]) -> None:
        texts = tuple(texts)
        marker = secrets.token_hex(8)
        while any(marker in text for text in texts):
            marker = secrets.token_hex(8)
        self._marker = marker

    def quote(self, title: str, text: str) -> str:
        """A titled, fenced text. A title is one line."""
        return f"## {' '.join(title.split())}\nBEGIN {self._marker}\n{text.rstrip()}\nEND {self._marker}\n"


def read_prompt(name: str) -> str:
    """A text of `prompts/`, such as `generate`."""
    return (resources.files("pixel_coach") / "prompts" / f"{name}.md").read_text(encoding="utf-8")
