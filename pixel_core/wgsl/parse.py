"""From text to a syntax tree."""

from __future__ import annotations

import gc
from collections.abc import Generator
from contextlib import contextmanager
from itertools import islice

from pixel_core.findings import Finding
from pixel_core.source import SourceText
from pixel_core.wgsl.cursor import MAX_FINDINGS
from pixel_core.wgsl.lexer import lex
from pixel_core.wgsl.parse_declarations import DeclarationParser
from pixel_core.wgsl.syntax import SyntaxTree
from pixel_core.wgsl.templates import mark_template_lists
from pixel_core.wgsl.validate_syntax import validate_syntax


def parse(source: SourceText) -> SyntaxTree:
    """Parse a WGSL file.

    Never raises and takes time linear in the length of the text, whatever the text is. A broken file gives a tree of what could
    be read, with one finding per break; names, types and constant values are not looked at.

    Args:
        source: The text; need not be WGSL.

    Returns:
        The tree. Its findings are in source order; none of severity ERROR means that the text is syntactically valid.
    """
    with _collector_paused():
        tokens, findings = lex(source)
        tokens = mark_template_lists(tokens)
        parser = DeclarationParser(source, tokens)
        directives, declarations = parser.translation_unit()
        findings += parser.findings
        tree = SyntaxTree(source=source, tokens=tokens, directives=directives, declarations=declarations, findings=findings)
        findings += islice(validate_syntax(tree), MAX_FINDINGS)
    findings.sort(key=_start)
    return tree


@contextmanager
def _collector_paused() -> Generator[None, None, None]:
    """Keep the cycle collector still: a tree has no cycles, and looking for some takes more time than the parsing of a long file."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def _start(finding: Finding) -> int:
    return finding.location.span.start if finding.location.span else 0
