"""What must hold of the values after the last pass, whatever they are: `invariants` of a contract."""

from __future__ import annotations

from pixel_core.kernels.contract_fields import Reading, Toml
from pixel_core.kernels.contract_keys import CONTRACT_KEYS, MAX_INVARIANTS
from pixel_core.kernels.expressions import Expression
from pixel_core.kernels.toml_keys import TomlPath

OLD = "old."
"""Before the name of a buffer: its values before the first pass."""


def read_invariants(reading: Reading, path: TomlPath, value: Toml) -> tuple[Expression, ...]:
    """`invariants = ["all(diff(keys) >= 0)", "sum(keys) == sum(old.keys)"]`."""
    if value is None:
        return ()
    if not isinstance(value, list):
        reading.tell_type(path, value, CONTRACT_KEYS["invariants"])
        return ()
    if not value:
        reading.tell("PX308", path, "`invariants` is empty", f"write {CONTRACT_KEYS['invariants']}")
    if len(value) > MAX_INVARIANTS:
        reading.tell("PX309", path, f"{len(value):,} invariants; at most {MAX_INVARIANTS} are read")
        return ()
    read: list[Expression] = []
    for index, item in enumerate(value):
        if not isinstance(item, str):
            reading.tell_type((*path, index), item, CONTRACT_KEYS["invariants"])
            continue
        condition = reading.expression((*path, index), item)
        if condition is not None:
            read.append(condition)
    return tuple(read)
