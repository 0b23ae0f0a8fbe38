"""The kernel that knows the truth: `oracle` of a contract."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

from pixel_core.kernels.contract import Oracle
from pixel_core.kernels.contract_fields import Reading, Toml
from pixel_core.kernels.contract_keys import CONTRACT_KEYS, ORACLE_KEYS
from pixel_core.kernels.read_passes import read_dispatch, read_parameters
from pixel_core.kernels.toml_keys import TomlPath


def read_oracle(reading: Reading, path: TomlPath, value: Toml) -> Oracle | None:
    """`oracle = "naive.wgsl:matmul"`, or a table with its `kernel` and how it is started."""
    if value is None:
        return None
    if isinstance(value, str):
        return _oracle(reading, path, path, value, {})
    if not isinstance(value, dict):
        reading.tell_type(path, value, CONTRACT_KEYS["oracle"])
        return None
    table = cast("dict[str, Toml]", value)
    reading.check_keys(path, table, ORACLE_KEYS)
    if "kernel" not in table:
        reading.tell("PX308", path, "`oracle` names no `kernel`", f"add {ORACLE_KEYS['kernel']}")
        return None
    at = (*path, "kernel")
    text = reading.string(at, table["kernel"], ORACLE_KEYS["kernel"])
    return None if text is None else _oracle(reading, path, at, text, table)


def _oracle(reading: Reading, path: TomlPath, at: TomlPath, text: str, table: Mapping[str, Toml]) -> Oracle | None:
    file, colon, kernel = text.rpartition(":")
    if not colon or not file.endswith(".wgsl") or not kernel.isidentifier():
        reading.tell("PX305", at, f"`{text}` is not a shader and a kernel in it", f"write {CONTRACT_KEYS['oracle']}")
        return None
    dispatch = read_dispatch(reading, path, table) if "dispatch" in table else ()
    if dispatch is None:
        return None
    return Oracle(
        file=file,
        kernel=kernel,
        dispatch=dispatch,
        params=read_parameters(reading, (*path, "params"), table.get("params")),
        overrides=reading.named_expressions((*path, "overrides"), table.get("overrides"), ORACLE_KEYS["overrides"]),
        span=reading.value_span(path),
    )
