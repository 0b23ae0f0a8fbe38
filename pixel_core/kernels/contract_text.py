"""The contract of a shader as text: read it, take it out, put another one in."""

from __future__ import annotations

from pathlib import Path

from pixel_core.findings import Span
from pixel_core.kernels.doc_block import find_doc_block
from pixel_core.source import SourceText
from pixel_core.wgsl.lexer import lex
from pixel_core.wgsl.syntax import Token, TokenKind

_MARK = "//!"
_NOWHERE = Path("shader.wgsl")


def contract_text(shader: SourceText) -> str | None:
    """The TOML in the `//!` lines of a shader, without blanks at the ends of its lines; None where there is none."""
    block = find_doc_block(shader, lex(shader)[0]).contract
    return None if block is None else same_contract_text(block.text)


def same_contract_text(text: str) -> str:
    """Equal for texts of contracts that differ in line ends and trailing blanks alone."""
    return "\n".join(line.rstrip() for line in text.splitlines()).strip("\n")


def head_comments(shader: SourceText) -> list[Span]:
    """Where the `//!` lines above the first code stand."""
    spans: list[Span] = []
    for token in lex(shader)[0]:
        if _is_doc(token):
            spans.append(Span(token.start, token.end))
        elif token.kind not in (TokenKind.BLANKSPACE, TokenKind.COMMENT):
            break
    return spans


def without_contract(shader: SourceText) -> SourceText:
    """The shader with plain comments in place of its `//!` lines; every other character stays where it is."""
    pieces = (_plain(token) for token in lex(shader)[0])
    return SourceText(shader.path, "".join(pieces))


def graft_contract(base: str, candidate: str) -> str:
    """The candidate with the `//!` lines of the base in place of its own; as it is when the base has none.

    For a generated text that left the contract out, or changed it.
    """
    head = _doc_lines(base)
    if not head:
        return candidate
    tokens = lex(SourceText(_NOWHERE, candidate))[0]
    kept: list[str] = []
    in_head = True
    skipping = False
    for token in tokens:
        if in_head and _is_doc(token):
            skipping = True
            continue
        if skipping and token.kind is TokenKind.BLANKSPACE:
            skipping = False
            # The line end of the comment that was left out.
            kept.append(_after_line_end(token.text))
            continue
        in_head = in_head and token.kind in (TokenKind.BLANKSPACE, TokenKind.COMMENT)
        kept.append(token.text)
    rest = "".join(kept).lstrip("\ufeff\r\n")
    ending = "\r\n" if "\r\n" in base else "\n"
    return ending.join(head) + ending * 2 + rest


def _plain(token: Token) -> str:
    return f"// {token.text[len(_MARK) :]}" if _is_doc(token) else token.text


def _is_doc(token: Token) -> bool:
    return token.kind is TokenKind.COMMENT and token.text.startswith(_MARK)


def _doc_lines(text: str) -> list[str]:
    """The `//!` lines above the first code."""
    lines: list[str] = []
    for token in lex(SourceText(_NOWHERE, text))[0]:
        if _is_doc(token):
            lines.append(token.text.rstrip())
        elif token.kind not in (TokenKind.BLANKSPACE, TokenKind.COMMENT):
            break
    return lines


def _after_line_end(text: str) -> str:
    for ending in ("\r\n", "\n", "\r"):
        if text.startswith(ending):
            return text[len(ending) :]
    return text
