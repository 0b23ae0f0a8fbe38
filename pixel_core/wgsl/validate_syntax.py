"""What the grammar allows and the specification still forbids, as far as it shows without knowing what any name means."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator

from pixel_core.findings import Finding, Severity
from pixel_core.source import SourceText
from pixel_core.wgsl import extensions as ext
from pixel_core.wgsl.syntax import (
    Attribute,
    DiagnosticDirective,
    Directive,
    EnableDirective,
    FunctionDeclaration,
    Name,
    RequiresDirective,
    StructDeclaration,
    SyntaxTree,
    VariableDeclaration,
)
from pixel_core.wgsl.syntax_findings import syntax_finding
from pixel_core.wgsl.validate_attributes import validate_attributes, validate_entry_point
from pixel_core.wgsl.validate_statements import validate_body
from pixel_core.wgsl.validate_variables import validate_module_variable

_BREAKS = frozenset(("PX104", "PX105", "PX106", "PX107"))


def validate_syntax(tree: SyntaxTree) -> Iterator[Finding]:
    """Check directives, attributes, variables and statements.

    Args:
        tree: With the findings of the parser; the declarations that it found broken are passed over.
    """
    source = tree.source
    yield from _validate_directives(source, tree.directives)
    breaks = sorted(finding.location.span.start for finding in tree.findings if finding.location.span and finding.code in _BREAKS)
    for declaration in tree.declarations:
        if bisect_right(breaks, declaration.end) > bisect_left(breaks, declaration.start):
            # What is wrong in a broken declaration is most likely a consequence of the break.
            continue
        if isinstance(declaration, FunctionDeclaration):
            yield from _validate_function(source, declaration)
        elif isinstance(declaration, StructDeclaration):
            for member in declaration.members:
                if member.attributes:
                    yield from validate_attributes(source, member.attributes, ext.MEMBER)
        elif isinstance(declaration, VariableDeclaration):
            yield from validate_module_variable(source, declaration)


def _validate_function(source: SourceText, function: FunctionDeclaration) -> Iterator[Finding]:
    groups: list[tuple[list[Attribute], str]] = [(function.attributes, ext.FUNCTION), (function.return_attributes, ext.RETURN_TYPE)]
    groups += [(parameter.attributes, ext.PARAMETER) for parameter in function.parameters]
    for attributes, place in groups:
        if attributes:
            yield from validate_attributes(source, attributes, place)
    yield from validate_entry_point(source, function)
    if function.body is not None:
        yield from validate_body(source, function)


def _validate_directives(source: SourceText, directives: list[Directive]) -> Iterator[Finding]:
    filters: dict[str, Name] = {}
    for directive in directives:
        if isinstance(directive, EnableDirective):
            for name in directive.names:
                yield from _validate_extension(source, name)
        elif isinstance(directive, RequiresDirective):
            for name in directive.names:
                if name.text and name.text not in ext.LANGUAGE_FEATURES:
                    yield syntax_finding(source, "PX117", f"there is no language feature `{name.text}`", name.span)
        elif isinstance(directive, DiagnosticDirective):
            yield from _validate_filter(source, directive, filters)


def _validate_extension(source: SourceText, name: Name) -> Iterator[Finding]:
    text = name.text
    if not text or text in ext.ENABLE_EXTENSIONS:
        return
    if text in ext.VENDOR_EXTENSIONS or text.startswith(ext.VENDOR_PREFIXES):
        yield syntax_finding(
            source, "PX116", f"`{text}` is an extension of one implementation; others refuse it", name.span, severity=Severity.WARNING
        )
    elif text in ext.LANGUAGE_FEATURES:
        hint = f"write `requires {text};`"
        yield syntax_finding(source, "PX116", f"`{text}` is a language feature, not an extension", name.span, hint=hint)
    else:
        known = ", ".join(f"`{extension}`" for extension in sorted(ext.ENABLE_EXTENSIONS))
        yield syntax_finding(source, "PX116", f"there is no extension `{text}`", name.span, hint=f"known are {known}")


def _validate_filter(source: SourceText, directive: DiagnosticDirective, filters: dict[str, Name]) -> Iterator[Finding]:
    severity = directive.severity
    if severity.text and severity.text not in ext.SEVERITIES:
        hint = "use `error`, `warning`, `info` or `off`"
        yield syntax_finding(source, "PX118", f"there is no severity `{severity.text}`", severity.span, hint=hint)
    elif directive.rule and directive.rule not in ext.DIAGNOSTIC_RULES and "." not in directive.rule:
        message = f"there is no diagnostic rule `{directive.rule}`; this filter does nothing"
        yield syntax_finding(source, "PX118", message, directive.span, severity=Severity.WARNING)
    first = filters.setdefault(directive.rule, severity)
    if first.text != severity.text:
        message = f"`{directive.rule}` was set to `{first.text}` before"
        yield syntax_finding(source, "PX118", message, severity.span, labels=((first.span, "here"),), hint="remove one of them")
