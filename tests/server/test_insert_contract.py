from __future__ import annotations

import pytest

from pixel_server.insert_contract import insert_contract

CONTRACT = '[scale]\n\ndims = "N"\n'


def check(shader: str, expected: str) -> None:
    assert insert_contract(shader, CONTRACT) == expected


def test_it_comes_before_the_code() -> None:
    check("fn f() {}\n", '//! [scale]\n//!\n//! dims = "N"\n\nfn f() {}\n')


def test_it_follows_the_prose() -> None:
    check("//! y = 2 x\n\nfn f() {}\n", '//! y = 2 x\n//!\n//! [scale]\n//!\n//! dims = "N"\n\nfn f() {}\n')


def test_other_comments_are_code() -> None:
    check("// Copyright\nfn f() {}", '//! [scale]\n//!\n//! dims = "N"\n\n// Copyright\nfn f() {}')


def test_an_empty_file() -> None:
    check("", '//! [scale]\n//!\n//! dims = "N"\n')


def test_prose_without_a_final_line_break() -> None:
    check("//! prose", '//! prose\n//!\n//! [scale]\n//!\n//! dims = "N"\n')


def test_only_line_breaks_of_wgsl_end_a_line() -> None:
    check("//! a\x1cb\nfn f() {}\n", '//! a\x1cb\n//!\n//! [scale]\n//!\n//! dims = "N"\n\nfn f() {}\n')


def test_line_endings_are_kept() -> None:
    check("//! p\r\nfn f() {}\r\n", '//! p\r\n//!\r\n//! [scale]\r\n//!\r\n//! dims = "N"\r\n\r\nfn f() {}\r\n')


@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_a_byte_order_mark_stays_in_front(mark: str) -> None:
    check(f"{mark}fn f() {{}}", f'{mark}//! [scale]\n//!\n//! dims = "N"\n\nfn f() {{}}')
