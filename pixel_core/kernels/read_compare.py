"""How outputs are judged: `compare` of a contract."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import cast

from msgspec.structs import replace

from pixel_core.kernels.closest_name import closest_name
from pixel_core.kernels.contract import COMPARE_MODES, Compare
from pixel_core.kernels.contract_fields import Reading, Toml
from pixel_core.kernels.contract_keys import COMPARE_KEYS, CONTRACT_KEYS
from pixel_core.kernels.expression_nodes import Expression, FunctionCall
from pixel_core.kernels.toml_keys import TomlPath


def read_compare(reading: Reading, path: TomlPath, value: Toml, outputs: Collection[str] | None) -> dict[str, Compare]:
    """Read `compare`.

    Args:
        reading: The document.
        path: Of `compare`.
        value: Its value, or None.
        outputs: Names it may use; None where only the reference knows them.
    """
    read: dict[str, Compare] = {}
    for output, at, item in _entries(reading, path, value):
        if outputs is not None and output not in outputs:
            hint = f"`expect` has {', '.join(f'`{name}`' for name in outputs) or 'none'}"
            reading.tell("PX321", reading.key_span(at), f"`{output}` is not an output of this contract", hint)
            continue
        compare = _read_one(reading, at, item)
        if compare is not None:
            read[output] = compare
    return read


def _entries(reading: Reading, path: TomlPath, value: Toml) -> Iterator[tuple[str, TomlPath, Toml]]:
    for name, item in reading.table(path, value, CONTRACT_KEYS["compare"]).items():
        # `compare.p.pos = "exact"` names a field; `compare.p = { mode = … }` is a table of settings.
        inner = cast("dict[str, Toml]", item) if isinstance(item, dict) else {}
        if inner and not any(key in COMPARE_KEYS for key in inner) and all(isinstance(one, (str, dict)) for one in inner.values()):
            for member, setting in inner.items():
                yield f"{name}.{member}", (*path, name, member), setting
        else:
            yield name, (*path, name), item


def _read_one(reading: Reading, path: TomlPath, value: Toml) -> Compare | None:
    if isinstance(value, str):
        mode, of = _mode(reading, path, value)
        return None if mode is None else Compare(mode=mode, of=of, ulp=1 if mode == "ulp" else 0, span=reading.value_span(path))
    if not isinstance(value, dict):
        reading.tell_type(path, value, CONTRACT_KEYS["compare"])
        return None
    table = cast("dict[str, Toml]", value)
    told = len(reading.findings)
    reading.check_keys(path, table, COMPARE_KEYS)
    stated = reading.string((*path, "mode"), table.get("mode"), COMPARE_KEYS["mode"])
    mode, of = _mode(reading, (*path, "mode"), stated) if stated is not None else (_implied_mode(table), None)
    rtol, atol, nmse = (_number(reading, (*path, key), table.get(key)) for key in ("rtol", "atol", "nmse"))
    ulp: Toml = table.get("ulp", 1 if mode == "ulp" else 0)
    if isinstance(ulp, bool) or not isinstance(ulp, int) or not 0 <= ulp <= 1 << 31:
        reading.tell("PX305", (*path, "ulp"), "`ulp` counts whole units in the last place", f"write {COMPARE_KEYS['ulp']}")
    moved, levels = (_count(reading, (*path, key), table.get(key)) for key in ("moved", "levels"))
    nan = reading.string((*path, "nan"), table.get("nan"), COMPARE_KEYS["nan"])
    if nan not in {None, "refuse", "equal"}:
        reading.tell("PX305", (*path, "nan"), f"`{nan}` is not a way to treat NaN", f"write {COMPARE_KEYS['nan']}")
    reason = reading.string((*path, "reason"), table.get("reason"), COMPARE_KEYS["reason"])
    if len(reading.findings) > told or mode is None:
        return None
    compare = Compare(
        mode=mode,
        rtol=rtol or 0.0,
        atol=atol or 0.0,
        ulp=ulp,
        nmse=nmse,
        nan=nan or "refuse",
        reason=reason,
        of=of,
        moved=moved,
        levels=levels,
        span=reading.value_span(path),
    )
    return compare if _check_settings(reading, path, table, compare) else None


def _check_settings(reading: Reading, path: TomlPath, table: Mapping[str, Toml], compare: Compare) -> bool:
    """Whether the settings belong to the mode, and a looser bound has its reason."""
    loosening = {"scaled": {"rtol", "atol", "nmse"}, "histogram": {"moved"}, "quantised": {"levels"}}.get(compare.mode, set[str]())
    own = {"ulp"} if compare.mode == "ulp" else loosening
    for key in ("rtol", "atol", "nmse", "ulp", "moved", "levels"):
        if key in table and key not in own:
            reading.tell("PX305", reading.key_span((*path, key)), f"`{key}` has no meaning in mode `{compare.mode}`")
            return False
    if loosening & set(table) and not (compare.reason or "").strip():
        hint = f"say why: {COMPARE_KEYS['reason']}"
        reading.tell("PX305", path, "a bound looser than the derived one needs its `reason`", hint)
        return False
    return True


def _implied_mode(table: Mapping[str, Toml]) -> str:
    """The mode that the settings belong to; `scaled` where they say nothing."""
    return next((mode for key, mode in (("ulp", "ulp"), ("moved", "histogram"), ("levels", "quantised")) if key in table), "scaled")


def _mode(reading: Reading, path: TomlPath, mode: str) -> tuple[str | None, Expression | None]:
    """The mode, and what `argsort(…)` sorts."""
    if mode in COMPARE_MODES and mode != "argsort":
        return mode, None
    if mode.partition("(")[0].strip() == "argsort":
        return _argsort(reading, path, mode)
    close = closest_name(mode, COMPARE_MODES)
    hint = f"did you mean `{close}`?" if close else f"one of {', '.join(COMPARE_MODES)}"
    reading.tell("PX305", path, f"`{mode}` is not a way to compare", hint)
    return None, None


def _argsort(reading: Reading, path: TomlPath, mode: str) -> tuple[str | None, Expression | None]:
    call = reading.expression(path, mode) if "(" in mode else None
    tree = None if call is None else call.tree
    if call is not None and isinstance(tree, FunctionCall) and len(tree.arguments) == 1 and not tree.keywords:
        return "argsort", replace(call, tree=tree.arguments[0])
    if call is not None or "(" not in mode:
        reading.tell("PX305", path, f"`{mode}` does not say what the indices sort", 'name it: "argsort(keys)"')
    return None, None


def _count(reading: Reading, path: TomlPath, value: Toml) -> int:
    if value is None:
        return 0
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= 1 << 31:
        reading.tell("PX305", path, f"`{path[-1]}` is a whole number from 0", f"write {COMPARE_KEYS[str(path[-1])]}")
        return 0
    return value


def _number(reading: Reading, path: TomlPath, value: Toml) -> float | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value < 1e308:
        reading.tell("PX305", path, f"`{path[-1]}` is a number from 0", f"write {COMPARE_KEYS[str(path[-1])]}")
        return None
    return float(value)
