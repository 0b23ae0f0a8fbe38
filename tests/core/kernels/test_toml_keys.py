"""Positions of TOML keys and values, checked against what tomli reads."""

from __future__ import annotations

from typing import Any

import pytest
import tomli
from hypothesis import given
from hypothesis import strategies as st

from pixel_core.findings import Span
from pixel_core.kernels.toml_keys import MAX_PLACES, TomlPath, scan_keys

DOCUMENT = '''\
# prose
title = "é \\" x" # after

[matmul]
dims = 'M N'
shapes = { a = "M K", "p.q" = [1, 2,], c.d = """
two
lines""" }
cases = [
  "M=1",   # one
  { dims = { M = 1_000 }, seed = -3 },
]

[[matmul.passes]]
entry = "one"
[[matmul.passes]]
entry = "two"
bind.src = ["a", "b"]
'''


@pytest.mark.parametrize(
    ("path", "key", "value", "text"),
    [
        (("title",), "title", '"é \\" x"', 'é \\" x'),
        (("matmul",), "matmul", "[matmul]", None),
        (("matmul", "dims"), "dims", "'M N'", "M N"),
        (("matmul", "shapes", "a"), "a", '"M K"', "M K"),
        (("matmul", "shapes", "p.q", 1), "2", "2", None),
        (("matmul", "shapes", "c", "d"), "d", '"""\ntwo\nlines"""', "two\nlines"),
        (("matmul", "cases", 0), '"M=1"', '"M=1"', "M=1"),
        (("matmul", "cases", 1, "dims", "M"), "M", "1_000", None),
        (("matmul", "cases", 1, "seed"), "seed", "-3", None),
        (("matmul", "passes"), "passes", "[[matmul.passes]]", None),
        (("matmul", "passes", 1, "entry"), "entry", '"two"', "two"),
        (("matmul", "passes", 1, "bind", "src", 1), '"b"', '"b"', "b"),
    ],
)
def test_places(path: TomlPath, key: str, value: str, text: str | None) -> None:
    place = scan_keys(DOCUMENT)[path]
    assert cut(DOCUMENT, place.key) == key
    assert cut(DOCUMENT, place.value) == value
    assert (None if place.text is None else cut(DOCUMENT, place.text)) == text


def cut(document: str, span: Span) -> str:
    return document[span.start : span.end]


def check_agrees(document: str) -> None:
    """Every path that tomli sees has a place, every place a path, and the text at the place is that value."""
    data = tomli.loads(document)
    places = scan_keys(document)
    assert set(places) == set(paths_of(data))
    for path, place in places.items():
        value = value_at(data, path)
        if not isinstance(value, (dict, list)):
            assert tomli.loads(f"k = {cut(document, place.value)}") == {"k": value}
        last = path[-1]
        if isinstance(last, str):
            assert tomli.loads(f"{cut(document, place.key)} = 1") == {last: 1}


def paths_of(data: Any, prefix: TomlPath = ()) -> list[TomlPath]:
    items = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    found: list[TomlPath] = []
    for name, value in items:
        found += [(*prefix, name), *paths_of(value, (*prefix, name))]
    return found


def value_at(data: Any, path: TomlPath) -> Any:
    for part in path:
        data = data[part]
    return data


def test_agrees_on_the_example() -> None:
    check_agrees(DOCUMENT)


GAPS = st.sampled_from(["", " ", "\t", "\n", " # note ] } \" '\n", "\n\n  "])
BLANKS = st.sampled_from(["", " ", "  \t"])
STRINGS = st.sampled_from(
    [
        '"a b"',
        "'x\\'",
        '""',
        '"]}#,\\" \\u00e9 \\x41 \\e"',
        "'''multi\n'line'''",
        '"""a "" b"""""',
        '"""\n\\\n  c # no comment"""',
        "''''quoted''''",
        '"ü=1"',
    ]
)
ATOMS = st.sampled_from(["1", "-0x0", "0xFF", "1_000.5e-3", "true", "inf", "1979-05-27 07:32:00", "07:32", "+nan"]).filter(
    lambda t: t not in {"-0x0", "+nan"}
)
KEYS = st.sampled_from(["a", "b-c", "1", '"q.r"', "'s t'", '"\\u0041"', "_x"])


@st.composite
def toml_values(draw: st.DrawFn, depth: int = 0) -> str:
    kind = draw(st.sampled_from(["string", "atom", "array", "table"] if depth < 3 else ["string", "atom"]))
    if kind == "string":
        return draw(STRINGS)
    if kind == "atom":
        return draw(ATOMS)
    if kind == "array":
        items = [draw(GAPS) + draw(toml_values(depth + 1)) + draw(GAPS) for _ in range(draw(st.integers(0, 3)))]
        trailing = "," if items and draw(st.booleans()) else ""
        return "[" + ",".join(items) + trailing + draw(GAPS) + "]"
    keys = draw(st.lists(KEYS, max_size=3, unique=True))
    dot = draw(st.sampled_from(["", ".inner", " . 'in ner'"]))
    items = [f"{draw(GAPS)}{key}{dot}{draw(BLANKS)}={draw(BLANKS)}{draw(toml_values(depth + 1))}{draw(GAPS)}" for key in keys]
    return "{" + ",".join(items) + draw(GAPS) + "}"


@st.composite
def toml_documents(draw: st.DrawFn) -> str:
    lines: list[str] = []
    for name in draw(st.lists(st.sampled_from(["one", "two", '"th.ree"']), unique=True)):
        lines.append(draw(GAPS))
        header = draw(st.sampled_from([f"[{name}]", f"[[{name}]]", f"[[ {name} . deep ]]"]))
        for _ in range(draw(st.integers(1, 2)) if header.startswith("[[") else 1):
            lines.append(draw(BLANKS) + header + draw(BLANKS) + "# comment")
            lines.extend(
                f"{draw(BLANKS)}{key}{draw(BLANKS)}={draw(BLANKS)}{draw(toml_values())}{draw(BLANKS)}"
                for key in draw(st.lists(KEYS, max_size=3, unique=True))
            )
    return "\n".join(lines)


@given(toml_documents())
def test_agrees_with_tomli(document: str) -> None:
    try:
        tomli.loads(document)
    except tomli.TOMLDecodeError:
        # Keys that mean the same by different spellings, such as A and "\u0041"; few, since most documents are valid.
        return
    check_agrees(document)


@given(st.text(alphabet='ab=[]{}.,\'"#\n \\"', max_size=80))
def test_ends_on_any_text(document: str) -> None:
    for place in scan_keys(document).values():
        assert 0 <= place.value.start <= place.value.end <= len(document)


def test_passes_over_great_depth() -> None:
    document = "a = " + "[" * 300 + "1, ']' # ]\n" + "]" * 300 + "\nb = 2"
    places = scan_keys(document)
    assert cut(document, places["b",].value) == "2"
    assert len(places) == 17


def test_long_lines_end() -> None:
    document = 'a = "' + "x" * 500_000 + '"\nb = [' + "1," * 250_000 + "]\nc = 1"
    places = scan_keys(document)
    assert len(places) == MAX_PLACES
    assert cut(document, places["a",].value) == document[4:500_006]
