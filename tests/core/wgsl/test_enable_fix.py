from __future__ import annotations

import pytest

from pixel_testing.marked_wgsl import check_text

HALF = "fn f() { let x = 1.0h; }\n"
TYPE = "fn f(x: f16) {}\n"
SUBGROUPS = "@compute @workgroup_size(32) fn main() { _ = subgroupAdd(1u); }\n"


@pytest.mark.parametrize(("code", "extension"), [(HALF, "f16"), (TYPE, "f16"), (SUBGROUPS, "subgroups")])
@pytest.mark.parametrize(
    ("head", "fixed"),
    [
        ("", "enable EXTENSION;\n"),
        ("//! [main]\n//! dims = 'N'\n\n", "//! [main]\n//! dims = 'N'\n\nenable EXTENSION;\n"),
        ("// é\nenable primitive_index;\n", "// é\nenable primitive_index;\nenable EXTENSION;\n"),
    ],
)
def test_the_directive_stands_below_the_contract(head: str, fixed: str, code: str, extension: str) -> None:
    text = head + code
    (fix,) = [one.fix for one in check_text(text).findings if one.fix is not None]
    applied = text[: fix.span.start] + fix.new_text + text[fix.span.end :]
    assert applied == fixed.replace("EXTENSION", extension) + code
    assert fix.title == f"insert `enable {extension};`"
    assert [one.fix for one in check_text(applied).findings if one.fix is not None] == []
