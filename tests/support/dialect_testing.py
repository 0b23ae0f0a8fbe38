"""Random files for the macro preprocessor, and a preprocessor that we did not write."""

from __future__ import annotations

import subprocess
from pathlib import Path

from hypothesis import strategies

from pixel_core.dialects.expanded_text import ExpandedText
from pixel_core.dialects.files import Files
from pixel_core.dialects.lex_macros import TRIVIA, Token, lex_macros
from pixel_core.dialects.preprocess import preprocess
from pixel_core.dialects.problems import Problems
from pixel_core.source import SourceText

PATH = Path("/project/kernel.wgsl")

OPERATORS = ("+", "-", "*", "|", "&", "^", "==", "!=", "<", ">", "<=", ">=", "&&", "||", "<<", ">>")


class Expansion:
    """A text and what the preprocessor makes of it; other files by name."""

    def __init__(self, text: str, **others: str) -> None:
        self.texts = {PATH: SourceText(PATH, text)}
        for name, other in others.items():
            path = PATH.with_name(f"{name}.wgsl")
            self.texts[path] = SourceText(path, other)
        self.files = Files(read=lambda path: self.texts.get(path, "does not exist"))
        self.problems = Problems()
        self.source = self.texts[PATH]
        self.result = preprocess(ExpandedText.of(self.source), PATH, {}, self.files, self.problems)

    @property
    def messages(self) -> list[str]:
        return [one.message for one in self.problems.findings]

    def shown(self) -> list[tuple[int, int, str]]:
        """Of every finding its line, its column and the text that it stands at."""
        shown: list[tuple[int, int, str]] = []
        for one in self.problems.findings:
            span = one.location.span
            assert span is not None
            text = self.texts[one.location.path]
            shown.append((*text.position(span.start), text.text[span.start : span.end]))
        return shown

    def tokens(self) -> list[Token]:
        return significant(self.result.text)


def significant(text: str) -> list[Token]:
    """The tokens of a text without blanks and comments."""
    return [token for token in lex_macros(ExpandedText.of(SourceText(PATH, text))) if token.kind not in TRIVIA]


def peer_tokens(text: str) -> list[str]:
    """What GNU's C preprocessor makes of a text; `scripts/setup` installs it."""
    command = ["cpp", "-P", "-undef", "-nostdinc", "-std=c99", "-w", "-"]
    done = subprocess.run(command, input=text.encode(), capture_output=True, check=True)
    return [token.text for token in significant(done.stdout.decode())]


class _Writer:
    """Draws a file line by line. Every number in it is unique, so that its place says where it was written."""

    def __init__(self, draw: strategies.DrawFn) -> None:
        self.draw = draw
        self.next_number = 1000
        self.objects: list[str] = []
        self.functions: dict[str, int] = {}
        self.lines: list[str] = []
        self.depth = 0

    def chance(self, of: int) -> bool:
        return self.draw(strategies.integers(0, of - 1)) == 0

    def number(self) -> str:
        self.next_number += 1
        return f"{self.next_number}{self.draw(strategies.sampled_from(['', 'u', 'f', '.5', 'e-2']))}"

    def word(self) -> str:
        return self.draw(strategies.sampled_from(["a", "b", "size", "vec4", "x1"]))

    def tokens(self, parameters: tuple[str, ...] = (), depth: int = 0) -> str:
        pieces: list[str] = []
        for _ in range(self.draw(strategies.integers(0 if depth else 1, 4))):
            kind = self.draw(strategies.integers(0, 9))
            if kind <= 2:
                pieces.append(self.number())
            elif kind == 3 and parameters:
                pieces.append(self.draw(strategies.sampled_from(parameters)))
            elif kind <= 5 and self.objects:
                pieces.append(self.draw(strategies.sampled_from(self.objects)))
            elif kind == 6 and self.functions and depth < 3:
                name = self.draw(strategies.sampled_from(sorted(self.functions)))
                arguments = [self.tokens(parameters, depth + 1) for _ in range(self.functions[name])]
                blank = self.draw(strategies.sampled_from(["", " ", "/* ( */"]))
                pieces.append(f"{name}{blank}({', '.join(arguments)})")
            elif kind == 7:
                pieces.append(f"({self.tokens(parameters, depth + 1)})")
            else:
                pieces.append(self.draw(strategies.sampled_from(["+", "-", "*", "<", ">", "=", "&", ".", "/* é */", self.word()])))
        return self.draw(strategies.sampled_from([" ", "  ", " "])).join(pieces)

    def define(self) -> None:
        # A name keeps its number of parameters: bodies that were written before call it with so many.
        name = self.draw(strategies.sampled_from("ABCDEF"))
        self.lines.append(f"#undef {name}")
        if name in "DEF":
            count = self.functions.get(name, self.draw(strategies.integers(0, 3)))
            parameters = ("p", "q", "r")[:count]
            # Its own name may occur in it: that must not be expanded again.
            self.functions[name] = count
            body = self.tokens(parameters)
            if count and self.chance(4):
                body += f" x1 ## {parameters[0]}" if self.chance(2) else " x1 ## y ## _z"
            self.lines.append(f"#define {name}({', '.join(parameters)}) {body}".replace("x1 ## p", "x1 ## y"))
        else:
            self.objects.append(name)
            self.lines.append(f"  # define {name} {self.tokens()} // {name}")

    def condition(self) -> str:
        pieces = [self.operand()]
        for _ in range(self.draw(strategies.integers(0, 3))):
            pieces.append(self.draw(strategies.sampled_from(OPERATORS)))
            pieces.append(self.operand())
        return " ".join(pieces)

    def operand(self) -> str:
        kind = self.draw(strategies.integers(0, 5))
        if kind == 0:
            return f"defined {self.draw(strategies.sampled_from('ABCDEFGH'))}"
        if kind == 1:
            return f"!defined({self.draw(strategies.sampled_from('ABCDEFGH'))})"
        if kind == 2:
            return f"({self.condition()})" if self.chance(3) else "UNKNOWN"
        small = self.draw(strategies.integers(0, 12))
        return self.draw(strategies.sampled_from(["", "-", "~", "!"])) + self.draw(
            strategies.sampled_from([f"{small}", f"{small}u", hex(small)])
        )

    def line(self) -> None:
        kind = self.draw(strategies.integers(0, 9))
        if kind <= 2:
            self.define()
        elif kind == 3 and self.depth < 3:
            self.depth += 1
            form = self.draw(strategies.integers(0, 2))
            name = self.draw(strategies.sampled_from("ABCDEFGH"))
            self.lines.append([f"#if {self.condition()}", f"#ifdef {name}", f"#ifndef {name}"][form])
            # What is defined in a branch may or may not be afterwards: only text stands in branches.
            for _ in range(self.draw(strategies.integers(0, 2))):
                self.lines.append(self.tokens())
            if self.chance(2):
                self.lines.append(f"#elif {self.condition()}")
                self.lines.append(self.tokens())
            if self.chance(2):
                self.lines.append("#else // otherwise")
                self.lines.append(self.tokens())
            self.lines.append("#endif")
            self.depth -= 1
        else:
            self.lines.append(self.tokens())


@strategies.composite
def macro_files(draw: strategies.DrawFn) -> str:
    """A file of macros, conditions and uses whose meaning the C standard fixes."""
    writer = _Writer(draw)
    for _ in range(draw(strategies.integers(1, 14))):
        writer.line()
    return "\n".join(writer.lines) + "\n"
