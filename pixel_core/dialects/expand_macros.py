"""Macro expansion, as C does it: arguments first, then the body, then the result again, and no macro inside itself.

The algorithm is Dave Prosser's, from which the words of the C standard were made (https://www.spinellis.gr/blog/20060626/): every token
carries the names that it must not be expanded as. Steps, characters and depth are bounded.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pixel_core.dialects.build_text import Use
from pixel_core.dialects.expanded_text import ExpandedText
from pixel_core.dialects.lex_macros import TRIVIA, Kind, Token, lex_macros
from pixel_core.dialects.macros import PASTE, Macro
from pixel_core.dialects.problems import MAX_CHARACTERS, Problems, TooMuch, place
from pixel_core.findings import Location
from pixel_core.source import SourceText

MAX_TOKENS = 100_000
"""Tokens that macros may bring into one file, those that are expanded again included."""

MAX_DEPTH = 100
"""Calls of macros in arguments of calls."""

MAX_LOOKED_AT = 2_000_000
"""Tokens that are looked at for the ends of calls; calls in calls are looked at more than once."""

Arguments = dict[str, list[Token]]


class MacroExpander:
    """Expands tokens under the macros of the moment.

    Args:
        macros: By name; may change between calls.
        problems: Where mistakes are told.
    """

    def __init__(self, macros: Mapping[str, Macro], problems: Problems) -> None:
        self._macros = macros
        self._problems = problems
        self._tokens = 0
        self._characters = 0
        self._looked_at = 0
        self._unclosed: set[str] = set()

    def expand(self, tokens: Sequence[Token], depth: int = 0) -> list[Token]:
        """The tokens with every macro replaced.

        Raises:
            TooMuch: A bound was reached.
        """
        macros = self._macros
        done: list[Token] = []
        pending = list(reversed(tokens))
        while pending:
            token = pending.pop()
            macro = macros.get(token.text) if token.kind is Kind.WORD else None
            if macro is None or token.text in token.hidden:
                done.append(token)
                continue
            if macro.parameters is None:
                use = token.use or Use(_place(token), token.text)
                self._push(pending, token, self._substituted(macro, {}, use, token.hidden | {token.text}, depth))
                continue
            call = self._call(pending, token)
            if call is None:
                done.append(token)
                continue
            if depth >= MAX_DEPTH:
                raise TooMuch(_place(token), f"calls of macros stand inside each other more than {MAX_DEPTH} deep")
            arguments = self._arguments(macro, token, call)
            closing = call[-1]
            del pending[len(pending) - len(call) :]
            if arguments is None:
                done.append(token)
                pending.extend(reversed(call))
                continue
            use = token.use or Use(_range(token, closing), token.text)
            hidden = (token.hidden & closing.hidden) | {token.text}
            self._push(pending, token, self._substituted(macro, arguments, use, hidden, depth))
        return done

    def _push(self, pending: list[Token], token: Token, result: list[Token]) -> None:
        self._tokens += len(result) + 1
        self._characters += sum(len(one.text) for one in result)
        if self._tokens > MAX_TOKENS or self._characters > MAX_CHARACTERS:
            what = f"{MAX_TOKENS:,} tokens" if self._tokens > MAX_TOKENS else f"{MAX_CHARACTERS:,} characters"
            raise TooMuch(_seen_place(token), f"macros make more than {what} of this file")
        pending.extend(reversed(result))

    def _call(self, pending: Sequence[Token], name: Token) -> list[Token] | None:
        """The tokens of a call that comes next, from what stands before its parenthesis to its end; None where there is no call."""
        found: list[Token] = []
        depth = 0
        for index in range(len(pending) - 1, -1, -1):
            token = pending[index]
            found.append(token)
            if token.text == "(":
                depth += 1
            elif token.text == ")":
                depth -= 1
                if depth == 0:
                    break
            if depth <= 0 and token.kind not in TRIVIA:
                return None
        self._looked_at += len(found)
        if self._looked_at > MAX_LOOKED_AT:
            raise TooMuch(_seen_place(name), f"more than {MAX_LOOKED_AT:,} tokens were looked at for the ends of calls of macros")
        if depth > 0 and name.text not in self._unclosed:
            self._unclosed.add(name.text)
            self._problems.tell("PX340", _seen_place(name), f"the arguments of `{name.text}` are never closed")
        return found if found and depth == 0 and found[-1].text == ")" else None

    def _arguments(self, macro: Macro, token: Token, call: Sequence[Token]) -> Arguments | None:
        """What each parameter stands for; None, with a finding, when their number is wrong."""
        parameters = macro.parameters or ()
        parts: list[list[Token]] = [[]]
        depth = 0
        for one in call[call.index(_opening(call)) + 1 : -1]:
            depth += (one.text == "(") - (one.text == ")")
            takes_rest = macro.is_variadic and len(parts) >= len(parameters)
            if one.text == "," and depth == 0 and not takes_rest:
                parts.append([])
            else:
                parts[-1].append(one)
        values = [_argument(part) for part in parts]
        if not parameters and len(values) == 1 and not values[0]:
            return {}
        if macro.is_variadic and len(values) == len(parameters) - 1:
            values.append([])
        if len(values) != len(parameters):
            message = f"`{token.text}` takes {_count(len(parameters))}, and {len(values)} {'is' if len(values) == 1 else 'are'} given"
            self._problems.tell("PX340", _seen_place(token), message)
            return None
        return dict(zip(parameters, values, strict=True))

    def _substituted(self, macro: Macro, arguments: Arguments, use: Use, hidden: frozenset[str], depth: int) -> list[Token]:
        expanded: Arguments = {}
        result: list[Token] = []
        body = macro.body
        index = 0
        while index < len(body):
            token = body[index]
            following = _next(body, index)
            if following is not None and body[following].text == PASTE:
                pasted, index = self._paste(body, index, arguments, use)
                result.extend(_hide(pasted, hidden))
                continue
            index += 1
            if token.text in arguments and token.kind is Kind.WORD:
                if token.text not in expanded:
                    expanded[token.text] = self.expand(arguments[token.text], depth + 1)
                result.extend(_hide(expanded[token.text], hidden))
            else:
                result.append(_from_body(token, use, hidden))
        return result

    def _paste(self, body: Sequence[Token], index: int, arguments: Arguments, use: Use) -> tuple[list[Token], int]:
        """A chain `a ## b ## c`, and the index behind it."""
        tokens = _operand(body[index], arguments, use)
        index += 1
        while (mark := _here_or_next(body, index)) is not None and body[mark].text == PASTE:
            operand = _next(body, mark)
            assert operand is not None
            right = _operand(body[operand], arguments, use)
            if tokens and right:
                tokens[-1:] = [*self._joined(tokens[-1], body[mark], right[0], use), *right[1:]]
            else:
                tokens = tokens or right
            index = operand + 1
        return tokens, index

    def _joined(self, left: Token, mark: Token, right: Token, use: Use) -> list[Token]:
        text = left.text + right.text
        cut = lex_macros(ExpandedText.of(SourceText(use.location.path, text)))
        if len(cut) != 1 or cut[0].kind in TRIVIA:
            self._problems.tell("PX340", use.location, f"`##` makes no token of `{left.text}` and `{right.text}`")
            return [left, right]
        return [Token(cut[0].kind, text, mark.home, mark.start, mark.end, left.hidden & right.hidden, use, is_exact=False)]


def _opening(call: Sequence[Token]) -> Token:
    return next(token for token in call if token.text == "(")


def _argument(tokens: Sequence[Token]) -> list[Token]:
    """An argument: comments and line ends in it are blanks, and its ends have none."""
    start, end = 0, len(tokens)
    while start < end and tokens[start].kind in TRIVIA:
        start += 1
    while end > start and tokens[end - 1].kind in TRIVIA:
        end -= 1
    return [_as_argument(token) for token in tokens[start:end]]


def _as_argument(token: Token) -> Token:
    if token.kind in TRIVIA:
        return Token(Kind.BLANK, " ", token.home, token.start, token.end, token.hidden, token.use, is_argument=True, is_exact=False)
    return Token(token.kind, token.text, token.home, token.start, token.end, token.hidden, token.use, True, token.is_exact)


def _operand(token: Token, arguments: Arguments, use: Use) -> list[Token]:
    if token.kind is Kind.WORD and token.text in arguments:
        return list(arguments[token.text])
    return [_from_body(token, use)]


def _from_body(token: Token, use: Use, hidden: frozenset[str] = frozenset()) -> Token:
    if token.kind in TRIVIA:
        return Token(Kind.BLANK, " ", token.home, token.start, token.end, hidden, use, is_exact=False)
    return Token(token.kind, token.text, token.home, token.start, token.end, hidden, use, is_exact=token.is_exact)


def _hide(tokens: Sequence[Token], hidden: frozenset[str]) -> list[Token]:
    unions: dict[frozenset[str], frozenset[str]] = {}
    result: list[Token] = []
    for one in tokens:
        # Most tokens of a body share one set.
        union = unions.get(one.hidden)
        if union is None:
            union = unions[one.hidden] = one.hidden | hidden
        result.append(Token(one.kind, one.text, one.home, one.start, one.end, union, one.use, one.is_argument, one.is_exact))
    return result


def _next(body: Sequence[Token], index: int) -> int | None:
    return _here_or_next(body, index + 1)


def _here_or_next(body: Sequence[Token], index: int) -> int | None:
    return next((number for number in range(index, len(body)) if body[number].kind not in TRIVIA), None)


def _place(token: Token) -> Location:
    return place(token.home, token.start, token.end)


def _range(first: Token, last: Token) -> Location:
    """From one token to another, where both stand in the same text."""
    if first.home is last.home and last.use is None and last.end > first.start:
        return place(first.home, first.start, last.end)
    return _place(first)


def _seen_place(token: Token) -> Location:
    return token.use.location if token.use else _place(token)


def _count(number: int) -> str:
    return "1 argument" if number == 1 else f"{number} arguments"
