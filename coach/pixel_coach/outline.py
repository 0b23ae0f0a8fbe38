"""What a source file declares, one short text a declaration: enough to call it, and nothing of how it works."""

from __future__ import annotations

import ast
from pathlib import Path, PurePosixPath
from typing import Final

import msgspec

from pixel_core.source import SourceText
from pixel_core.wgsl.parse import parse
from pixel_core.wgsl.syntax import AliasDeclaration, FunctionDeclaration, StructDeclaration, VariableDeclaration

_MAX_CHARACTERS: Final = 600


class Symbol(msgspec.Struct, frozen=True, kw_only=True):
    """One declaration: its name, and its text without a body."""

    name: str
    text: str


def outline(path: PurePosixPath, text: str) -> tuple[Symbol, ...]:
    """The module-scope declarations of a WGSL or Python file, in order; none for other files and for Python that does not parse."""
    suffix = path.suffix.lower()
    if suffix == ".wgsl":
        return _wgsl_outline(text)
    return _python_outline(text) if suffix == ".py" else ()


def _wgsl_outline(text: str) -> tuple[Symbol, ...]:
    symbols: list[Symbol] = []
    for declaration in parse(SourceText(Path("outline.wgsl"), text)).declarations:
        if not isinstance(declaration, (FunctionDeclaration, StructDeclaration, AliasDeclaration, VariableDeclaration)):
            continue
        body = declaration.body if isinstance(declaration, FunctionDeclaration) else None
        end = declaration.end if body is None else body.start
        symbols.append(Symbol(name=declaration.name.text, text=text[declaration.start : end].strip()[:_MAX_CHARACTERS]))
    return tuple(symbols)


def _python_outline(text: str) -> tuple[Symbol, ...]:
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return ()
    lines = text.splitlines()
    symbols: list[Symbol] = []
    for node in tree.body:
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            symbols.append(Symbol(name=node.name, text=_python_heading(node, lines)))
        elif isinstance(node, ast.ClassDef):
            methods = (child for child in node.body if isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef)))
            parts = (_python_heading(node, lines), *(_python_heading(method, lines) for method in methods))
            symbols.append(Symbol(name=node.name, text="\n".join(parts)[:_MAX_CHARACTERS]))
    return tuple(symbols)


def _python_heading(node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef, lines: list[str]) -> str:
    heading = "\n".join(lines[node.lineno - 1 : node.body[0].lineno - 1]) or lines[node.lineno - 1]
    described = ast.get_docstring(node)
    words = f"  # {described.splitlines()[0]}" if described else ""
    return heading.rstrip()[:_MAX_CHARACTERS] + words
