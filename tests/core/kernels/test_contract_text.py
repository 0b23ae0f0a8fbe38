"""A contract as text: found, taken out, put over another text; and TOML that reads as it was."""

from __future__ import annotations

from pathlib import Path

import tomli
from hypothesis import given
from hypothesis import strategies as st

from pixel_core.kernels.contract_text import contract_text, graft_contract, without_contract
from pixel_core.kernels.toml_text import toml_text
from pixel_core.source import SourceText

BASE = """\
//! Adds.
//!
//! [add]
//! dims = "n"

fn add() {}
"""


def text_of(shader: str) -> str | None:
    return contract_text(SourceText(Path("k.wgsl"), shader))


def test_contract_of_a_shader() -> None:
    assert text_of(BASE) == '[add]\ndims = "n"'
    assert text_of(BASE.replace("\n", "\r\n").replace('"n"', '"n"  ')) == '[add]\ndims = "n"'
    assert text_of("fn add() {}") is None


def test_without_it_every_other_character_stays() -> None:
    plain = without_contract(SourceText(Path("k.wgsl"), BASE)).text
    assert plain == BASE.replace("//!", "// ")
    assert text_of(plain) is None


def check_graft(candidate: str, expected: str) -> None:
    assert graft_contract(BASE, candidate) == expected


def test_grafted_over_nothing() -> None:
    check_graft("fn add() { return; }\n", BASE.replace("{}", "{ return; }"))


def test_grafted_over_another() -> None:
    check_graft('//! [add]\n//! dims = "m"\nfn add() {}\n', BASE)
    check_graft(BASE, BASE)


def test_other_comments_stay() -> None:
    candidate = "// mine\n//! [add]\n/* too */\nfn add() {}\n//! later\n"
    check_graft(candidate, BASE.replace("fn add() {}\n", "// mine\n/* too */\nfn add() {}\n//! later\n"))


def test_base_without_a_contract_changes_nothing() -> None:
    assert graft_contract("fn f() {}", BASE) == BASE


VALUES = st.recursive(
    st.text() | st.integers(-(1 << 62), 1 << 62) | st.floats(allow_nan=False) | st.booleans(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.text(max_size=5), VALUES, max_size=4))
def test_toml_reads_as_it_was(document: dict[str, object]) -> None:
    readable = {key: value for key, value in document.items() if _has_utf8(key)}
    assert tomli.loads(toml_text(readable)) == readable


def _has_utf8(text: str) -> bool:
    return not any(0xD800 <= ord(character) < 0xE000 for character in text)
