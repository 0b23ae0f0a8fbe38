"""What a text is written to: how wide it is, which characters it can show, and from where paths are named."""

from __future__ import annotations

import os
import unicodedata
from pathlib import Path
from typing import Final

import msgspec
from rich.console import Console

PIPE_WIDTH: Final = 160
"""Cells of a source line shown where there is no terminal to measure."""


class Glyphs(msgspec.Struct, frozen=True, kw_only=True):
    """The signs that the terminal form draws with."""

    corner: str
    bar: str
    gap: str
    cut: str
    replacement: str
    passed: str
    partly: str
    failed: str
    inconclusive: str
    skipped: str


UNICODE = Glyphs(
    corner="┌─",
    bar="│",
    gap="┊",
    cut="…",
    replacement="\N{REPLACEMENT CHARACTER}",
    passed="✓",
    partly="≈",
    failed="✗",
    inconclusive="?",
    skipped="–",
)
ASCII = Glyphs(corner="-->", bar="|", gap=":", cut="~", replacement="?", passed="+", partly="~", failed="x", inconclusive="?", skipped="-")

_ASCII_SPELLINGS = str.maketrans(
    {"×": "x", "·": "*", "−": "-", "–": "-", "—": "-", "≤": "<=", "≥": ">=", "≠": "!=", "→": "->", "…": "...", "′": "'", "✓": "+", "✗": "x"}
)
_BIDIRECTIONAL_CONTROLS = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


class Medium(msgspec.Struct, frozen=True, kw_only=True):
    """Where a rendered text goes.

    Attributes:
        width: Cells in a line; source lines are cropped to it, sentences are left to the terminal to wrap.
        encoding: Of the stream.
        folder: Paths inside it are shown relative to it.
    """

    width: int = PIPE_WIDTH
    encoding: str = "utf-8"
    folder: Path | None = None

    @property
    def glyphs(self) -> Glyphs:
        """Unicode signs where the encoding has them all, else ASCII ones."""
        return UNICODE if self._encodes("┌─│┊…✓✗–×·−≤→") else ASCII

    def printable(self, text: str) -> str:
        """The text as it may be shown, line breaks kept.

        Files are hostile: escape sequences would drive the terminal, and bidirectional controls would show other code than runs.
        Each such character becomes one replacement sign.
        """
        replacement = self.glyphs.replacement
        shown = "".join(character if character in "\n\t" or is_harmless(character) else replacement for character in text)
        if self._encodes(shown):
            return shown
        spelled = shown.translate(_ASCII_SPELLINGS)
        return spelled.encode(self.encoding, "backslashreplace").decode(self.encoding)

    def cell(self, character: str) -> str:
        """One character of a source line as it may be shown: never longer than one character, so that columns stay in place."""
        return character if is_harmless(character) and self._encodes(character) else self.glyphs.replacement

    def path(self, path: Path) -> str:
        """A path as the user names it: relative inside `folder`, and printable."""
        if self.folder is not None and path.is_absolute() and path.is_relative_to(self.folder):
            path = path.relative_to(self.folder)
        return self.printable(os.fspath(path))

    def _encodes(self, text: str) -> bool:
        try:
            text.encode(self.encoding)
        except (UnicodeEncodeError, LookupError):
            return False
        return True


def is_harmless(character: str) -> bool:
    """Whether a terminal shows the character and does nothing else."""
    if character in _BIDIRECTIONAL_CONTROLS:
        return False
    return unicodedata.category(character) not in {"Cc", "Cs", "Zl", "Zp"}


def medium_of(console: Console, folder: Path | None = None) -> Medium:
    """The medium behind a rich console."""
    width = console.width if console.is_terminal else PIPE_WIDTH
    return Medium(width=max(width, 40), encoding=console.encoding, folder=folder)
