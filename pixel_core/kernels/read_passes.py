"""The passes of a contract, and the parameters of uniforms."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

from pixel_core.kernels.contract import Parameter, PassContract
from pixel_core.kernels.contract_fields import Reading, Toml
from pixel_core.kernels.contract_keys import CONTRACT_KEYS, LATER_PASS_KEYS, MAX_ENTRIES, MAX_PASSES, PASS_KEYS
from pixel_core.kernels.expressions import Expression
from pixel_core.kernels.toml_keys import TomlPath

_MAX_NESTING = 8


def read_passes(reading: Reading, path: TomlPath, table: Mapping[str, Toml]) -> tuple[PassContract, ...]:
    """The `passes` of a contract's table; without them the table itself is the one pass."""
    if "passes" not in table:
        one = _read_pass(reading, path, {key: table[key] for key in ("entry", "dispatch", "bind") if key in table}, str(path[0]))
        return () if one is None else (one,)
    for key in ("entry", "dispatch", "bind"):
        if key in table:
            reading.tell("PX303", reading.key_span((*path, key)), f"`{key}` stands beside `passes`", "write it in each pass")
    passes: Toml = table["passes"]
    at = (*path, "passes")
    if not isinstance(passes, list) or not passes:
        reading.tell_type(at, passes, CONTRACT_KEYS["passes"]) if passes != [] else reading.tell("PX308", at, "`passes` is empty")
        return ()
    if len(passes) > MAX_PASSES:
        reading.tell("PX309", at, f"{len(passes):,} passes; at most {MAX_PASSES} are read", "use `repeat`")
        return ()
    read: list[PassContract] = []
    for index, item in enumerate(passes):
        if not isinstance(item, dict):
            reading.tell_type((*at, index), item, CONTRACT_KEYS["passes"])
            continue
        inner = cast("dict[str, Toml]", item)
        reading.check_keys((*at, index), inner, PASS_KEYS, LATER_PASS_KEYS)
        one = _read_pass(reading, (*at, index), inner, None)
        if one is not None:
            read.append(one)
    return tuple(read)


def read_parameters(reading: Reading, path: TomlPath, value: Toml) -> dict[str, Parameter]:
    """`params` of a contract, a pass or a case."""
    parameters: dict[str, Parameter] = {}
    for name, item in reading.table(path, value, CONTRACT_KEYS["params"]).items():
        parameter = _parameter(reading, (*path, name), item)
        if parameter is not None:
            parameters[name] = parameter
    return parameters


def _parameter(reading: Reading, path: TomlPath, value: Toml) -> Parameter | None:
    if isinstance(value, (list, dict)) and len(path) > _MAX_NESTING:
        reading.tell("PX305", path, "parameters are nested too deeply")
        return None
    if isinstance(value, dict):
        fields = {
            name: _parameter(reading, (*path, name), item) for name, item in reading.table(path, value, CONTRACT_KEYS["params"]).items()
        }
        return {name: item for name, item in fields.items() if item is not None}
    if isinstance(value, list):
        if len(value) > MAX_ENTRIES:
            reading.tell("PX309", path, f"{len(value):,} values; at most {MAX_ENTRIES} are read")
            return None
        items = [_parameter(reading, (*path, index), item) for index, item in enumerate(value)]
        return tuple(item for item in items if item is not None)
    return reading.expression(path, value)


def _read_pass(reading: Reading, path: TomlPath, table: Mapping[str, Toml], name: str | None) -> PassContract | None:
    entry = reading.string((*path, "entry"), table.get("entry"), PASS_KEYS["entry"]) or name
    if entry is None and "entry" not in table:
        reading.tell("PX308", path, "this pass has no `entry`", f"add {PASS_KEYS['entry']}")
    dispatch = _dispatch(reading, path, table)
    bind = _bind(reading, (*path, "bind"), table.get("bind"))
    params = read_parameters(reading, (*path, "params"), table.get("params"))
    overrides = reading.named_expressions((*path, "overrides"), table.get("overrides"), PASS_KEYS["overrides"])
    repeat: Expression | None = None
    if "repeat" in table:
        repeat = reading.expression((*path, "repeat"), table["repeat"], PASS_KEYS["repeat"])
    index = reading.string((*path, "index"), table.get("index"), PASS_KEYS["index"])
    if index is not None:
        index = reading.identifier((*path, "index"), index, "the name of a counter")
        if "repeat" not in table:
            reading.tell("PX308", (*path, "index"), "`index` counts repeats, and there is no `repeat`", f"add {PASS_KEYS['repeat']}")
    if entry is None or dispatch is None:
        return None
    return PassContract(
        entry=entry,
        dispatch=dispatch,
        bind=bind,
        params=params,
        overrides=overrides,
        repeat=repeat,
        index=index,
        span=reading.value_span(path),
    )


def _dispatch(reading: Reading, path: TomlPath, table: Mapping[str, Toml]) -> tuple[Expression, ...] | None:
    at = (*path, "dispatch")
    value: Toml = table.get("dispatch")
    if value is None:
        if "indirect" not in table:
            what = "this pass" if len(path) > 1 else f"`{'.'.join(map(str, path))}`"
            reading.tell("PX308", path, f"{what} has no `dispatch`", f"add {CONTRACT_KEYS['dispatch']}")
        return None
    if isinstance(value, str):
        axes = reading.expressions(at, value, ",")
    elif isinstance(value, list) and value:
        read = [reading.expression((*at, index), item, CONTRACT_KEYS["dispatch"]) for index, item in enumerate(value)]
        axes = None if None in read else tuple(item for item in read if item is not None)
    else:
        one = reading.expression(at, value, CONTRACT_KEYS["dispatch"])
        axes = None if one is None else (one,)
    if axes is not None and len(axes) > 3:
        reading.tell("PX305", at, f"a dispatch has one to three dimensions; here are {len(axes)}", f"write {CONTRACT_KEYS['dispatch']}")
        return None
    return axes


def _bind(reading: Reading, path: TomlPath, value: Toml) -> dict[str, tuple[str, ...]]:
    bind: dict[str, tuple[str, ...]] = {}
    for variable, item in reading.table(path, value, PASS_KEYS["bind"]).items():
        at = (*path, variable)
        names = cast("list[Toml]", item) if isinstance(item, list) else [item]
        if not names or len(names) > MAX_ENTRIES or not all(isinstance(name, str) for name in names):
            reading.tell_type(at, item, PASS_KEYS["bind"])
            continue
        if all(reading.identifier(at, name, "the name of a buffer") for name in names):
            bind[variable] = tuple(names)
    return bind
