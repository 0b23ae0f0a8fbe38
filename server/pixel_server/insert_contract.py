"""A contract's text into a shader's text, where `read_contracts` will look for it."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from pixel_core.source import SourceText

DOC_MARK: Final = "//!"


def insert_contract(shader: str, contract: str) -> str:
    r"""Put a contract into the head of a shader.

    Prose comes first: where the file begins with `//!` lines the contract follows them, else it comes before everything.

    Args:
        shader: The shader's text; its line endings are kept and used. A byte order mark stays in front.
        contract: TOML, lines ended by `\n`.
    """
    ending = "\r\n" if "\r\n" in shader else "\n"
    mark = "\ufeff" if shader.startswith("\ufeff") else ""
    body = SourceText(Path(), shader[len(mark) :])
    lines = [body.text[start:end] for start, end in zip(body.line_starts, (*body.line_starts[1:], None), strict=True)]
    prose = 0
    while prose < len(lines) and lines[prose].startswith(DOC_MARK):
        prose += 1
    head = [line if line.endswith(("\n", "\r")) else line + ending for line in lines[:prose]]
    if head:
        head.append(DOC_MARK + ending)
    block = [f"{DOC_MARK} {line}".rstrip() + ending for line in contract.rstrip("\n").split("\n")]
    rest = [line for line in lines[prose:] if line]
    gap = [ending] if rest and rest[0].strip() else []
    return mark + "".join([*head, *block, *gap, *rest])
