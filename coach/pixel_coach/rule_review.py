"""A review by rules of form, on this machine: it finds stubs, missing descriptions, texts that address the reviewer, and secrets.

It is called what it is (`reviewer` is `rules`, `is_model` is False) and never accepts: it knows forms and no meaning.
"""

from __future__ import annotations

import ast
import hashlib
import re
from collections.abc import Collection, Iterator
from pathlib import Path, PurePosixPath
from typing import Final

from pixel_coach.attempts import Review, ReviewFinding
from pixel_coach.score import score_rules
from pixel_coach.secrets_scan import find_secrets
from pixel_core.source import SourceText
from pixel_core.wgsl.parse import parse
from pixel_core.wgsl.syntax import FunctionDeclaration, SyntaxTree, TokenKind

MAX_FINDINGS: Final = 50

_STUB_WORDS: Final = re.compile(r"\b(?:TODO|FIXME|XXX|HACK|TBD)\b|\bunimplemented\b|\bnot (?:yet )?implemented\b", re.IGNORECASE)
_PLACEHOLDER: Final = re.compile(
    r"(?i)\b(?:your (?:code|logic|implementation) (?:goes )?here|placeholder|dummy (?:value|implementation)|lorem ipsum"
    r"|(?:simplified|stub|mock) (?:version|implementation)|in a real (?:implementation|application)|for now,? (?:just|we|return))\b"
)
# Whom it speaks to and what it wants of them, within one line; or an order that only a reader who obeys texts could follow.
_ADDRESSEE: Final = re.compile(
    r"(?i)\b(?:reviewers?|graders?|evaluators?|(?:large )?language models?|llms?|chatgpt|gpt|gemini|claude|ai (?:model|system|assistant)"
    r"|system prompt)\b"
)
_DEMAND: Final = re.compile(
    r"(?i)\b(?:please|you (?:are|should|must|will|can)|ignore|disregard|do not (?:report|mention|flag)|lgtm|approved|perfect"
    r"|(?:give|grant|award|rate|score|mark) (?:it|this|me|us|every|all|full|high)|(?:accept|approve|pass) (?:it|this|me)"
    r"|must (?:accept|approve|pass))\b"
)
_ORDER: Final = re.compile(
    r"(?i)\b(?:ignore|disregard|forget|override)\b[^\n]{0,40}\b(?:instructions|rules|prompts?|criteria)\b"
    r"|\b(?:score|scores|criteria|criterion|rating|verdict)\b[^\n]{0,30}(?:\b10\s?/\s?10\b|\bten out of ten\b)"
)
_HIDDEN: Final = re.compile(
    "[\u00ad\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb\U000e0000-\U000e007f]"
)


def rule_review(path: PurePosixPath, text: str, lines: Collection[int] | None = None) -> Review:
    """Review a text by the rules.

    Args:
        path: Of the file; its ending says which language it is.
        text: What is reviewed.
        lines: Only findings on these lines (from 1) count; None is all of them.
    """
    source = SourceText(Path(path.name), text)
    found = [*_anywhere(source), *_of_language(path.suffix.lower(), source)]
    chosen: dict[tuple[str, int], ReviewFinding] = {}
    for rule, line, message, severity in sorted(found, key=lambda entry: (entry[1], entry[0])):
        if lines is None or line in lines:
            finding = ReviewFinding(rule=rule, line=line, quote=source.line(line), message=message, severity=severity)
            chosen.setdefault((rule, line), finding)
    findings = tuple(chosen.values())[:MAX_FINDINGS]
    told = "; ".join(f"line {finding.line}: {finding.message}" for finding in findings[:10])
    return Review(
        reviewer="rules",
        is_model=False,
        score=score_rules(findings),
        criteria=(),
        findings=findings,
        feedback=f"local rules: {told}" if told else "local rules: nothing to remark; they see forms and no meaning",
        text_sha256=hashlib.sha256(text.encode("utf-8", "replace")).hexdigest(),
    )


def lines_to_reviewer(text: str) -> tuple[int, ...]:
    """Lines, from 1, whose words speak to whoever reviews the text."""
    return tuple(number for number, line in enumerate(text.splitlines(), start=1) if _speaks_to_reviewer(line))


_Found = tuple[str, int, str, str]


def _anywhere(source: SourceText) -> Iterator[_Found]:
    """What can be seen in a text of any language."""
    for number in range(1, len(source.line_starts) + 1):
        line = source.line(number)
        word = _STUB_WORDS.search(line)
        if word:
            yield "PX801", number, f"`{word[0]}` says that something is missing here", "error"
        elif placeholder := _PLACEHOLDER.search(line):
            yield "PX801", number, f"`{placeholder[0]}` stands for code that is not there", "error"
        if _speaks_to_reviewer(line):
            yield "PX813", number, "this line speaks to a reviewer; code is judged by what it does", "error"
        hidden = _HIDDEN.search(line[1:] if number == 1 else line)  # a byte order mark at the start is none
        if hidden:
            yield "PX815", number, f"the line holds U+{ord(hidden[0]):04X}, which is not shown", "error"
    for start, _ in find_secrets(source.text):
        yield "PX814", source.position(start)[0], "this looks like a secret", "error"


def _speaks_to_reviewer(line: str) -> bool:
    return _ORDER.search(line) is not None or (_DEMAND.search(line) is not None and _ADDRESSEE.search(line) is not None)


def _of_language(suffix: str, source: SourceText) -> Iterator[_Found]:
    if suffix == ".wgsl":
        yield from _in_wgsl(source)
    elif suffix == ".py":
        yield from _in_python(source.text)


def _in_wgsl(source: SourceText) -> Iterator[_Found]:
    tree = parse(source)
    described = _described_starts(tree)
    for declaration in tree.declarations:
        if not isinstance(declaration, FunctionDeclaration):
            continue
        line = source.position(declaration.name.start)[0]
        name = declaration.name.text
        if declaration.body is not None and not declaration.body.statements:
            yield "PX801", line, f"`{name}` has an empty body", "error"
        is_entry = any(attribute.name.text in ("compute", "vertex", "fragment") for attribute in declaration.attributes)
        if is_entry and declaration.start not in described:
            yield "PX809", line, f"no comment says what `{name}` computes", "warning"


def _described_starts(tree: SyntaxTree) -> frozenset[int]:
    """Where code starts that has a comment right above it; a comment at the head of the file describes all of it."""
    starts: set[int] = set()
    has_comment = False
    for token in tree.tokens:
        if token.kind is TokenKind.COMMENT:
            if not starts and not tree.source.text[: token.start].strip():
                return frozenset(declaration.start for declaration in tree.declarations)
            has_comment = True
        elif token.kind is not TokenKind.BLANKSPACE:
            if has_comment:
                starts.add(token.start)
            has_comment = False
    return frozenset(starts)


def _in_python(text: str) -> Iterator[_Found]:
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        line = error.lineno if isinstance(error, SyntaxError) and error.lineno else 1
        yield "PX802", line, "this is not Python", "error"
        return
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            yield from _in_definition(node)
        elif isinstance(node, ast.Raise) and "NotImplementedError" in ast.dump(node):
            yield "PX801", node.lineno, "`NotImplementedError` stands where code should", "error"
        elif isinstance(node, ast.Assert) and isinstance(node.test, ast.Constant) and node.test.value:
            yield "PX812", node.lineno, "this assertion cannot fail", "error"


def _in_definition(node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) -> Iterator[_Found]:
    described = ast.get_docstring(node, clean=False) is not None
    body = node.body[1:] if described else node.body
    if not isinstance(node, ast.ClassDef) and not _is_overload(node) and all(_is_nothing(statement) for statement in body):
        yield "PX801", node.lineno, f"`{node.name}` has an empty body", "error"
    if not described and not node.name.startswith(("_", "test_")) and node.col_offset == 0:
        yield "PX809", node.lineno, f"no docstring says what `{node.name}` does", "warning"


def _is_nothing(statement: ast.stmt) -> bool:
    is_dots = isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant) and statement.value.value is ...
    return is_dots or isinstance(statement, ast.Pass)


def _is_overload(node: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    return any(ast.unparse(decorator).rpartition(".")[2] in ("overload", "abstractmethod") for decorator in node.decorator_list)
