"""The cases of a contract as written: `"M=64 N=64"`, or tables."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import cast

from pixel_core.findings import Span
from pixel_core.kernels.closest_name import closest_name
from pixel_core.kernels.contract import CaseContract
from pixel_core.kernels.contract_fields import Reading, Toml
from pixel_core.kernels.contract_keys import CASE_KEYS, CONTRACT_KEYS, MAX_CASES
from pixel_core.kernels.read_inputs import read_inputs
from pixel_core.kernels.read_passes import read_parameters
from pixel_core.kernels.toml_keys import TomlPath

MAX_DIM = 1 << 31

_ASSIGNMENT = re.compile(r"(?P<name>[^=\s]+)=(?P<value>[+-]?[0-9_]+)")


def read_cases(reading: Reading, path: TomlPath, value: Toml, dims: tuple[str, ...]) -> tuple[CaseContract, ...]:
    """Read `cases`; an absent key gives none, and cases are derived."""
    if value is None:
        return ()
    if not isinstance(value, list):
        reading.tell_type(path, value, CONTRACT_KEYS["cases"])
        return ()
    items = cast("list[Toml]", value)
    if not items:
        reading.tell("PX310", path, "`cases` is empty", "list at least one, or leave the key out: then all are derived")
    if len(items) > MAX_CASES:
        reading.tell("PX309", path, f"{len(items):,} cases; at most {MAX_CASES} are read")
        return ()
    cases: list[CaseContract] = []
    names: dict[str, int] = {}
    for index, item in enumerate(items):
        at = (*path, index)
        case = _read_case(reading, at, item, dims)
        if case is None:
            continue
        if case.name in names:
            first = reading.text.source.position(cases[names[case.name]].span.start)[0]
            reading.tell("PX310", at, f"the case `{case.name}` is already there, on line {first}", "give it another `name`")
            continue
        names[case.name] = len(cases)
        cases.append(case)
    return tuple(cases)


def case_name(sizes: Mapping[str, int]) -> str:
    """`M=65 N=33 K=20`; for a contract without dims, `default`."""
    return " ".join(f"{dim}={size}" for dim, size in sizes.items()) or "default"


def _read_case(reading: Reading, path: TomlPath, value: Toml, dims: tuple[str, ...]) -> CaseContract | None:
    if isinstance(value, str):
        sizes = _sizes_of_text(reading, path, value, dims)
        if sizes is None:
            return None
        return CaseContract(
            name=" ".join(value.split()) or "default",
            dims=sizes,
            overrides={},
            inputs={},
            params={},
            seed=None,
            span=reading.value_span(path),
        )
    if not isinstance(value, dict):
        reading.tell_type(path, value, CONTRACT_KEYS["cases"])
        return None
    table = cast("dict[str, Toml]", value)
    reading.check_keys(path, table, CASE_KEYS)
    sizes = _sizes_of_table(reading, (*path, "dims"), table.get("dims"), dims)
    overrides = reading.named_expressions((*path, "overrides"), table.get("overrides"), CASE_KEYS["overrides"])
    inputs, sources = read_inputs(reading, (*path, "inputs"), table.get("inputs"))
    params = read_parameters(reading, (*path, "params"), table.get("params"))
    name = reading.string((*path, "name"), table.get("name"), CASE_KEYS["name"])
    seed: Toml = table.get("seed")
    if seed is not None and (isinstance(seed, bool) or not isinstance(seed, int)):
        reading.tell_type((*path, "seed"), seed, CASE_KEYS["seed"])
        seed = None
    if sizes is None:
        return None
    parts = [*([case_name(sizes)] if sizes else []), *(f"{key}={item.text}" for key, item in overrides.items())]
    parts += [f"seed={seed}"] if seed is not None else []
    return CaseContract(
        name=" ".join((name or "").split()) or " ".join(parts) or "default",
        dims=sizes,
        overrides=overrides,
        inputs=inputs,
        sources=sources,
        params=params,
        seed=seed,
        span=reading.value_span(path),
    )


def _sizes_of_text(reading: Reading, path: TomlPath, text: str, dims: tuple[str, ...]) -> dict[str, int] | None:
    sizes: dict[str, int] = {}
    good = True
    for part, span in reading.parts(path, text, " "):
        match = _ASSIGNMENT.fullmatch(part)
        number = _whole(match["value"]) if match else None
        if match is None or number is None:
            hint = "leave the comma out" if part.endswith(",") else f'write `"{" ".join(f"{dim}=64" for dim in dims or ("n",))}"`'
            reading.tell("PX310", span, f"`{part}` is not a size: a name, `=` and a whole number", hint)
            good = False
            continue
        good &= _take(reading, span, sizes, (match["name"], number), dims)
    return _complete(reading, path, sizes, dims) if good else None


def _sizes_of_table(reading: Reading, path: TomlPath, value: Toml, dims: tuple[str, ...]) -> dict[str, int] | None:
    sizes: dict[str, int] = {}
    good = True
    for name, item in reading.table(path, value, CASE_KEYS["dims"]).items():
        if isinstance(item, bool) or not isinstance(item, int):
            reading.tell_type((*path, name), item, CASE_KEYS["dims"])
            good = False
            continue
        good &= _take(reading, reading.value_span((*path, name)), sizes, (name, item), dims)
    return _complete(reading, path[:-1], sizes, dims) if good else None


def _take(reading: Reading, span: Span, sizes: dict[str, int], size: tuple[str, int], dims: tuple[str, ...]) -> bool:
    name, number = size
    if name not in dims:
        close = closest_name(name, dims)
        hint = (
            f"did you mean `{close}`?"
            if close
            else f"dims: {' '.join(dims) or 'none'}; overrides go into a table: {{ overrides = {{ … }} }}"
        )
        reading.tell("PX310", span, f"`{name}` is not one of the dims", hint)
    elif name in sizes:
        reading.tell("PX310", span, f"`{name}` is given twice")
    elif not 0 <= number <= MAX_DIM:
        reading.tell("PX310", span, f"`{name}` is {number:,}; sizes go from 0 to {MAX_DIM:,}")
    else:
        sizes[name] = number
        return True
    return False


def _complete(reading: Reading, path: TomlPath, sizes: dict[str, int], dims: tuple[str, ...]) -> dict[str, int] | None:
    missing = [dim for dim in dims if dim not in sizes]
    if missing:
        reading.tell("PX310", path, f"the case gives no {' and no '.join(f'`{dim}`' for dim in missing)}", "a case gives every dim")
        return None
    return {dim: sizes[dim] for dim in dims}


def _whole(text: str) -> int | None:
    try:
        return int(text) if len(text) <= 40 else None
    except ValueError:
        return None
