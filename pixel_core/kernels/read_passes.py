"""The passes of a contract, and the parameters of uniforms."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

from pixel_core.kernels.contract import Indirect, Parameter, PassContract, PassGroup, Step, walk_steps
from pixel_core.kernels.contract_fields import Reading, Toml, dotted
from pixel_core.kernels.contract_keys import CONTRACT_KEYS, MAX_ENTRIES, MAX_PASS_DEPTH, MAX_PASSES, PASS_KEYS
from pixel_core.kernels.expressions import Expression, parse_expression
from pixel_core.kernels.toml_keys import TomlPath

_MAX_NESTING = 8
_GROUP_KEYS = ("passes", "repeat", "index")


def read_passes(reading: Reading, path: TomlPath, table: Mapping[str, Toml]) -> tuple[Step, ...]:
    """The `passes` of a contract's table; without them the table itself is the one pass."""
    if "passes" not in table:
        own = {key: table[key] for key in ("entry", "dispatch", "bind") if key in table}
        one = _read_pass(reading, path, own, str(path[0]), is_repeated=False)
        return () if one is None else (one,)
    for key in ("entry", "dispatch", "bind"):
        if key in table:
            reading.tell("PX303", reading.key_span((*path, key)), f"`{key}` stands beside `passes`", "write it in each pass")
    steps = _read_steps(reading, (*path, "passes"), table["passes"], is_repeated=False, depth=1)
    count = sum(1 for _ in walk_steps(steps))
    if count > MAX_PASSES:
        reading.tell("PX309", (*path, "passes"), f"{count:,} passes; at most {MAX_PASSES} are read", "use `repeat`")
        return ()
    return steps


def _read_steps(reading: Reading, path: TomlPath, passes: Toml, *, is_repeated: bool, depth: int) -> tuple[Step, ...]:
    if not isinstance(passes, list) or not passes:
        reading.tell_type(path, passes, CONTRACT_KEYS["passes"]) if passes != [] else reading.tell("PX308", path, "`passes` is empty")
        return ()
    if len(passes) > MAX_PASSES:
        reading.tell("PX309", path, f"{len(passes):,} passes; at most {MAX_PASSES} are read", "use `repeat`")
        return ()
    read: list[Step | None] = []
    for index, item in enumerate(passes):
        at = (*path, index)
        if not isinstance(item, dict):
            reading.tell_type(at, item, CONTRACT_KEYS["passes"])
            continue
        inner = cast("dict[str, Toml]", item)
        reading.check_keys(at, inner, PASS_KEYS)
        is_group = "passes" in inner
        read.append(_read_group(reading, at, inner, depth) if is_group else _read_pass(reading, at, inner, None, is_repeated=is_repeated))
    return tuple(step for step in read if step is not None)


def _read_group(reading: Reading, path: TomlPath, table: Mapping[str, Toml], depth: int) -> PassGroup | None:
    for key in table:
        if key in PASS_KEYS and key not in _GROUP_KEYS:
            reading.tell("PX303", reading.key_span((*path, key)), f"`{key}` stands beside `passes`", "write it in each pass")
    if depth > MAX_PASS_DEPTH:
        reading.tell("PX309", (*path, "passes"), f"passes are nested more than {MAX_PASS_DEPTH} deep")
        return None
    repeat, index = _repeat(reading, path, table)
    if "repeat" not in table:
        reading.tell("PX308", path, "these passes stand in a group, and it has no `repeat`", f"add {PASS_KEYS['repeat']}")
    passes = _read_steps(reading, (*path, "passes"), table["passes"], is_repeated=True, depth=depth + 1)
    if repeat is None or not passes:
        return None
    return PassGroup(passes=passes, repeat=repeat, index=index, key=dotted(path[1:]), span=reading.value_span(path))


def _repeat(reading: Reading, path: TomlPath, table: Mapping[str, Toml]) -> tuple[Expression | None, str | None]:
    """`repeat` and `index` of a pass or a group."""
    repeat: Expression | None = None
    if "repeat" in table:
        repeat = reading.expression((*path, "repeat"), table["repeat"], PASS_KEYS["repeat"])
    index = reading.string((*path, "index"), table.get("index"), PASS_KEYS["index"])
    if index is not None:
        index = reading.identifier((*path, "index"), index, "the name of a counter")
        if "repeat" not in table:
            reading.tell("PX308", (*path, "index"), "`index` counts repeats, and there is no `repeat`", f"add {PASS_KEYS['repeat']}")
    return repeat, index


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


def _read_pass(reading: Reading, path: TomlPath, table: Mapping[str, Toml], name: str | None, *, is_repeated: bool) -> PassContract | None:
    entry = reading.string((*path, "entry"), table.get("entry"), PASS_KEYS["entry"]) or name
    if entry is None and "entry" not in table:
        reading.tell("PX308", path, "this pass has no `entry`", f"add {PASS_KEYS['entry']}")
    dispatch = read_dispatch(reading, path, table)
    indirect = _indirect(reading, (*path, "indirect"), table["indirect"]) if "indirect" in table else None
    bind = _bind(reading, (*path, "bind"), table.get("bind"))
    params = read_parameters(reading, (*path, "params"), table.get("params"))
    overrides = reading.named_expressions((*path, "overrides"), table.get("overrides"), PASS_KEYS["overrides"])
    repeat, index = _repeat(reading, path, table)
    is_repeated = is_repeated or "repeat" in table
    for variable, names in bind.items():
        if len(names) > 1 and not is_repeated:
            message = f"`{variable}` has {len(names)} buffers that take turns, and nothing repeats this pass"
            reading.tell("PX308", (*path, "bind", variable), message, f"add {PASS_KEYS['repeat']}")
    if entry is None or dispatch is None:
        return None
    return PassContract(
        entry=entry,
        dispatch=dispatch,
        indirect=indirect,
        bind=bind,
        params=params,
        overrides=overrides,
        repeat=repeat,
        index=index,
        is_repeated=is_repeated,
        key=dotted(path[1:]),
        span=reading.value_span(path),
    )


def read_dispatch(reading: Reading, path: TomlPath, table: Mapping[str, Toml]) -> tuple[Expression, ...] | None:
    """`dispatch` of a contract, a pass or an oracle: one to three expressions; None when there is a mistake."""
    at = (*path, "dispatch")
    value: Toml = table.get("dispatch")
    if "indirect" in table:
        if value is not None:
            reading.tell("PX303", reading.key_span(at), "`dispatch` stands beside `indirect`", "keep one of them")
        return ()
    if value is None:
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


def _indirect(reading: Reading, path: TomlPath, value: Toml) -> Indirect | None:
    text = reading.string(path, value, PASS_KEYS["indirect"])
    if text is None:
        return None
    parts = reading.parts(path, text, " ")
    if len(parts) not in {1, 2}:
        reading.tell("PX305", path, f"`{text}` is not a buffer and a place in it", f"write {PASS_KEYS['indirect']}")
        return None
    name, span = parts[0]
    first = reading.parse(*parts[1]) if len(parts) == 2 else parse_expression("0", span)
    if first is None or reading.identifier(path, name, "the name of a buffer", span) is None:
        return None
    return Indirect(buffer=name, first=first, span=reading.value_span(path))


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
