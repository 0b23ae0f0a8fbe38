"""Which `<` and `>` are brackets of a template list: the specification's "Template List Discovery", over tokens.

The decision comes before parsing and looks at nothing but the order of tokens, so it takes one linear pass.
"""

from __future__ import annotations

from pixel_core.wgsl.syntax import Token, TokenKind

_TRIVIA = (TokenKind.BLANKSPACE, TokenKind.COMMENT, TokenKind.INVALID)
# What cannot stand inside an expression, so that no template list goes on past it.
_LIST_BREAKERS = frozenset((";", "{", ":", "=", "+=", "-=", "*=", "/=", "%=", "&=", "|=", "^=", "<<="))
_GREATER_OPERATORS = (">>=", ">>", ">=", ">")


def mark_template_lists(tokens: list[Token]) -> list[Token]:
    """Mark the brackets of template lists and cut the runs of `>` and `=` that the lexer left whole.

    Args:
        tokens: From `lex`; the `<` that open template lists get the kind `TEMPLATE_START` in place.

    Returns:
        All tokens in order, trivia included.
    """
    marked: list[Token] = []
    append = marked.append
    identifier, keyword, punctuation = TokenKind.IDENTIFIER, TokenKind.KEYWORD, TokenKind.PUNCTUATION
    blankspace, comment, invalid = _TRIVIA
    # Candidates that are still open: the `<` and the nesting depth of round and square brackets around it.
    pending: list[tuple[Token, int]] = []
    depth = 0
    after_name = False
    for token in tokens:
        kind = token.kind
        if kind is blankspace or kind is comment or kind is invalid:
            append(token)
            continue
        if kind is identifier or kind is keyword:
            append(token)
            after_name = True
            continue
        if kind is punctuation:
            text = token.text
            if text == "<":
                if after_name:
                    pending.append((token, depth))
            elif text in "([":
                depth += 1
            elif text in ")]":
                while pending and pending[-1][1] >= depth:
                    pending.pop()
                depth = max(0, depth - 1)
            elif text in _LIST_BREAKERS:
                depth = 0
                pending.clear()
            elif text == "&&" or text == "||":
                while pending and pending[-1][1] >= depth:
                    pending.pop()
            elif text[0] == ">":
                after_name = False
                depth = _cut_greater(token, marked, pending, depth)
                continue
        append(token)
        after_name = False
    return marked


def _cut_greater(run: Token, marked: list[Token], pending: list[tuple[Token, int]], depth: int) -> int:
    """Cut a run such as `>>=` into ends of template lists and operators; gives the nesting depth after it."""
    text, start = run.text, run.start
    at = 0
    while at < len(text):
        if text[at] == ">" and pending and pending[-1][1] == depth:
            pending.pop()[0].kind = TokenKind.TEMPLATE_START
            kind, operator = TokenKind.TEMPLATE_END, ">"
        else:
            kind = TokenKind.PUNCTUATION
            if text[at] == ">":
                operator = next(operator for operator in _GREATER_OPERATORS if text.startswith(operator, at))
            else:
                operator = "==" if text.startswith("==", at) else "="
            if operator in (">>=", "="):
                depth = 0
                pending.clear()
        marked.append(Token(kind, operator, start + at, start + at + len(operator)))
        at += len(operator)
    return depth
