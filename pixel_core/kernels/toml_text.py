"""A contract as TOML, from what a parser made of it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import cast

from pixel_core.kernels.contract_fields import Toml


def toml_text(document: Mapping[str, Toml]) -> str:
    """TOML that reads as the same document: one table a contract, everything below inline.

    Args:
        document: Name of a contract → its keys, as `tomli.loads` gives them. Dates, which no contract has, become strings.
    """
    lines: list[str] = []
    for name, value in document.items():
        if isinstance(value, dict):
            table = cast("Mapping[str, Toml]", value)
            lines += [f"[{_quoted(name)}]", *(f"{_quoted(key)} = {_inline(item)}" for key, item in table.items()), ""]
        else:
            lines.insert(0, f"{_quoted(name)} = {_inline(value)}")
    return "\n".join(lines)


def _inline(value: Toml) -> str:
    if isinstance(value, dict):
        table = cast("Mapping[str, Toml]", value)
        return "{ " + ", ".join(f"{_quoted(key)} = {_inline(item)}" for key, item in table.items()) + " }" if table else "{}"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(_inline(item) for item in cast("Sequence[Toml]", value)) + "]"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        # `repr` of a float is `1e-05`, `inf` or `nan`, which are TOML too.
        return repr(value)
    return _quoted(str(value))


def _quoted(text: str) -> str:
    # JSON's strings are TOML's basic strings, except that TOML wants DEL escaped.
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
