"""From text to a syntax tree."""

from __future__ import annotations

from pixel_core.findings import Finding
from pixel_core.source import SourceText
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
    tokens, lexical_findings = lex(source)
    tokens = mark_template_lists(tokens)
    parser = DeclarationParser(source, tokens)
    directives, declarations = parser.translation_unit()
    findings = lexical_findings + parser.findings
    tree = SyntaxTree(source=source, tokens=tokens, directives=directives, declarations=declarations, findings=findings)
    findings += validate_syntax(tree)
    findings.sort(key=_start)
    return tree


def _start(finding: Finding) -> int:
    return finding.location.span.start if finding.location.span else 0
