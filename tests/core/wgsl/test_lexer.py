"""Tokens: lossless, by kind, and what is wrong with them."""

from __future__ import annotations

from pathlib import Path

import pytest

from pixel_core.source import SourceText
from pixel_core.wgsl.lexer import lex
from pixel_core.wgsl.literals import read_number
from pixel_core.wgsl.syntax import TokenKind
from wgsl_testing import annotate, parse_text, split_cases, strip_notes

LETTERS = {
    TokenKind.IDENTIFIER: "i",
    TokenKind.KEYWORD: "k",
    TokenKind.NUMBER: "n",
    TokenKind.PUNCTUATION: "p",
    TokenKind.COMMENT: "c",
    TokenKind.INVALID: "?",
    TokenKind.TEMPLATE_START: "<",
    TokenKind.TEMPLATE_END: ">",
}


def kinds(text: str) -> str:
    """The tokens of a text but blankspace, each with the letter of its kind."""
    tokens = parse_text(text).tokens
    return " ".join(f"{LETTERS[token.kind]}:{token.text}" for token in tokens if token.kind in LETTERS)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("let x_1=2;", "k:let i:x_1 p:= n:2 p:;"),
        ("a+=b<<=c", "i:a p:+= i:b p:<<= i:c"),
        ("a>>=b", "i:a p:>>= i:b"),
        ("a>>b>=c", "i:a p:>> i:b p:>= i:c"),
        ("a->b--c&&d", "i:a p:-> i:b p:-- i:c p:&& i:d"),
        ("_ = x", "p:_ p:= i:x"),
        ("_a", "i:_a"),
        ("a/**/b/* x /* y */ z */c", "i:a c:/**/ i:b c:/* x /* y */ z */ i:c"),
        ("a//b\nc", "i:a c://b i:c"),
        ("a//b\u2028c", "i:a c://b i:c"),
        ("a//b\x85c", "i:a c://b i:c"),
        ("a\u200eb\u200fc", "i:a i:b i:c"),
        ("Δέλτα réflexion 朝焼け سلام", "i:Δέλτα i:réflexion i:朝焼け i:سلام"),
        ("a\u0301", "i:a\u0301"),
        ("1.5e-3f 0x1.8p-2h .5 1. 0xFFu", "n:1.5e-3f n:0x1.8p-2h n:.5 n:1. n:0xFFu"),
        ("a.0", "i:a n:.0"),
        ("1-2", "n:1 p:- n:2"),
        ("0x1e+5", "n:0x1e p:+ n:5"),
        ("a$$b", "i:a ?:$$ i:b"),
        ("€a", "?:€ i:a"),
        ("array<f32>", "i:array <:< i:f32 >:>"),
        ("a<b<c>>=d", "i:a <:< i:b <:< i:c >:> >:> p:= i:d"),
        ("a<b>==c", "i:a <:< i:b >:> p:== i:c"),
        ("a<b || c>d", "i:a p:< i:b p:|| i:c p:> i:d"),
        ("a<(b || c)>d", "i:a <:< p:( i:b p:|| i:c p:) >:> i:d"),
        ("a<b[c>d]", "i:a p:< i:b p:[ i:c p:> i:d p:]"),
        ("a<b=c>", "i:a p:< i:b p:= i:c p:>"),
        ("a<b;c>", "i:a p:< i:b p:; i:c p:>"),
        ("if<a>", "k:if <:< i:a >:>"),
        ("a<<b>", "i:a p:<< i:b p:>"),
        ("a<=b>", "i:a p:<= i:b p:>"),
        ("a<!b>", "i:a <:< p:! i:b >:>"),
        ("a<b!=c>", "i:a <:< i:b p:!= i:c >:>"),
        ("1<b>", "n:1 p:< i:b p:>"),
    ],
)
def test_kinds(text: str, expected: str) -> None:
    assert kinds(text) == expected


@pytest.mark.parametrize(
    "text", ["", "\0", "a\r\nb", "/* /* */", "// end", "\ud800", "\ufeffa", "'\"`$#?\\", "\x1c \x1f", "1e+ 0x .e5", "a\u0300\u0301b"]
)
def test_tokens_concatenate_to_the_text(text: str) -> None:
    tokens, _ = lex(SourceText(Path("test.wgsl"), text))
    assert "".join(token.text for token in tokens) == text
    assert [token.end for token in tokens[:-1]] == [token.start for token in tokens[1:]]


@pytest.mark.parametrize(
    ("text", "value", "suffix"),
    [
        ("0", 0, ""),
        ("0u", 0, "u"),
        ("4294967295u", 2**32 - 1, "u"),
        ("2147483647i", 2**31 - 1, "i"),
        ("9223372036854775807", 2**63 - 1, ""),
        ("0xfF", 255, ""),
        ("0x0000000000000000000000001u", 1, "u"),
        ("0f", 0.0, "f"),
        ("12h", 12.0, "h"),
        ("01.5", 1.5, ""),
        ("1e-400", 0.0, ""),
        ("3.4028234e38f", 3.4028234e38, "f"),
        ("65504.0h", 65504.0, "h"),
        ("0x.8p1", 1.0, ""),
        ("0x1p-149f", 2.0**-149, "f"),
        ("0x1p-1074", 5e-324, ""),
        ("0x1.fffffep127f", 3.4028234663852886e38, "f"),
        ("0x1.8f", 1.55859375, ""),
        ("0x0p99999999999999999999", 0.0, ""),
    ],
)
def test_numbers(text: str, value: float, suffix: str) -> None:
    number = read_number(text)
    assert (number.value, number.suffix, number.problem) == (value, suffix, None)
    assert type(number.value) is type(value)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("0x1p128f", "`0x1p128f` is too large for `f32`"),
        ("0x1p-150f", "`0x1p-150f` is not exactly representable in `f32`"),
        ("0x1p-99999999999999999999", "`0x1p-99999999999999999999` is not exactly representable in a 64-bit float"),
        ("0x1p99999999999999999999", "`0x1p99999999999999999999` is too large for a 64-bit float"),
        ("65520.0h", "`65520.0h` is too large for `f16`"),
        ("1.0p3", "`1.0p3` is not a number"),
        ("1u32", "`1u32` is not a number"),
        ("0x1.8h", "`0x1.8h` needs an exponent such as `p0` before its suffix `h`"),
        ("0x.p1", "`0x.p1` has no digits"),
        (
            "1" * 5000,
            "`1111111111111111111111111111111111111…` does not fit the 64 bits of an abstract integer (at most 9223372036854775807)",
        ),
    ],
)
def test_bad_numbers(text: str, problem: str) -> None:
    assert read_number(text).problem == problem


MISTAKES = r"""
const a = 012;
          ^^^ PX102 `012` has a leading zero
---
const a = 4294967296u;
          ^^^^^^^^^^^ PX102 `4294967296u` does not fit `u32` (at most 4294967295)
---
const a = 2147483648i;
          ^^^^^^^^^^^ PX102 `2147483648i` does not fit `i32` (at most 2147483647)
---
const a = 9223372036854775808;
          ^^^^^^^^^^^^^^^^^^^ PX102 `9223372036854775808` does not fit the 64 bits of an abstract integer (at most 9223372036854775807)
---
const a = 0x1p;
          ^^^^ PX102 `0x1p` lacks the digits of its exponent
---
const a = 0x;
          ^^ PX102 `0x` has no digits
---
const a = 1e;
          ^^ PX102 `1e` lacks the digits of its exponent
---
const a = 1.0e+;
          ^^^^^ PX102 `1.0e+` lacks the digits of its exponent
---
const a = 1.5u;
          ^^^^ PX102 `1.5u` mixes a fraction or exponent with the integer suffix `u`
---
const a = 1x;
          ^^ PX102 `1x` is not a number
---
const a = 1.2.3;
          ^^^^^ PX102 `1.2.3` is not a number
---
const a = 0x1.8f;
---
const a = 3.5e38f;
          ^^^^^^^ PX102 `3.5e38f` is too large for `f32`
---
enable f16; const a = 65536.0h;
                      ^^^^^^^^ PX102 `65536.0h` is too large for `f16`
---
const a = 1e309;
          ^^^^^ PX102 `1e309` is too large for a 64-bit float
---
const a = 0x1p1024;
          ^^^^^^^^ PX102 `0x1p1024` is too large for a 64-bit float
---
const a = 0x1.0000001p0f;
          ^^^^^^^^^^^^^^ PX102 `0x1.0000001p0f` is not exactly representable in `f32`
---
const a = 0xFFFFFFFFFu;
          ^^^^^^^^^^^^ PX102 `0xFFFFFFFFFu` does not fit `u32` (at most 4294967295)
---
const a = 08;
          ^^ PX102 `08` has a leading zero
---
let_ = .;
^^^^ PX105 expected a declaration (`fn`, `var`, `const`, `override`, `struct`, `alias`), found `let_`
---
const filter = 1;
      ^^^^^^ PX103 `filter` is a reserved word
---
fn f() { let target = 1; let x = target + target; }
             ^^^^^^ PX103 `target` is a reserved word
---
const _ = 1;
      ^ PX103 `_` cannot be the name of this `const`
---
const __a = 1;
      ^^^ PX103 `__a` starts with two underscores, which are reserved
---
fn if() { }
   ^^ PX103 `if` is a keyword and cannot be the name of this function
---
const a‍ = 1;
       ^ PX100 unexpected character (U+200D)
---
const a = "x";
          ^ PX100 unexpected character `"`
            ^ PX100 unexpected character `"`
---
const a = b € c;
            ^ PX100 unexpected character `€` (U+20AC)
"""


@pytest.mark.parametrize("expected", split_cases(MISTAKES))
def test_mistakes(expected: str) -> None:
    assert annotate(strip_notes(expected)) == expected


def test_a_null_character_is_told_once_and_in_comments_too() -> None:
    (finding,) = parse_text("// a\0\n/* \0 */ ;").findings
    assert (finding.message, finding.location.span and finding.location.span.start) == (
        "null character U+0000: WGSL text must not contain any",
        4,
    )


def test_a_binary_file_gives_a_bounded_number_of_findings() -> None:
    assert len(parse_text("$a" * 5000).findings) <= 101
