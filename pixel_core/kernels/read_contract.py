"""From one table of TOML to one contract."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from pixel_core.findings import Severity, Span
from pixel_core.kernels.check_calls import check_calls
from pixel_core.kernels.closest_name import closest_name
from pixel_core.kernels.contract import ROLES, Budget, KernelContract, PassGroup, Reference, ScratchBuffer, Step
from pixel_core.kernels.contract_fields import Reading, Toml, dotted
from pixel_core.kernels.contract_keys import (
    BUDGET_LIMITS,
    CONTRACT_KEYS,
    MAX_AXES,
    MAX_DIMS,
    MAX_ENTRIES,
    PLACEHOLDER,
)
from pixel_core.kernels.expressions import Expression
from pixel_core.kernels.functions import EXPECT, INPUT, SYMBOL
from pixel_core.kernels.read_cases import read_cases
from pixel_core.kernels.read_codecs import read_codecs
from pixel_core.kernels.read_compare import read_compare
from pixel_core.kernels.read_function import read_function
from pixel_core.kernels.read_inputs import read_inputs
from pixel_core.kernels.read_invariants import read_invariants
from pixel_core.kernels.read_oracle import read_oracle
from pixel_core.kernels.read_passes import read_parameters, read_passes
from pixel_core.kernels.read_prepare import WORKGROUP_SIZES, read_prepare
from pixel_core.kernels.read_textures import read_samplers, read_textures
from pixel_core.kernels.toml_keys import TomlPath

_SCALARS = ("f32", "f16", "i32", "u32")


def read_contract(reading: Reading, name: str, table: Mapping[str, Toml]) -> KernelContract | None:
    """Read one contract; None when it has an error, which `reading` then tells."""
    told = len(reading.findings)
    path: TomlPath = (name,)
    reading.check_keys(path, table, CONTRACT_KEYS)
    if len(table) > MAX_ENTRIES:
        return None
    dims = _dims(reading, (*path, "dims"), table.get("dims"))
    expect = _expect(reading, (*path, "expect"), table.get("expect"))
    reference = _reference(reading, (*path, "reference"), table.get("reference"))
    oracle = read_oracle(reading, (*path, "oracle"), table.get("oracle"))
    invariants = read_invariants(reading, (*path, "invariants"), table.get("invariants"))
    schedule = read_passes(reading, path, table)
    inputs, sources = read_inputs(reading, (*path, "inputs"), table.get("inputs"))
    codecs, python_codecs = read_codecs(reading, (*path, "codecs"), table.get("codecs"))
    answers_whole = reference is not None or oracle is not None
    if reference is not None and oracle is not None:
        reading.tell("PX303", reading.key_span((*path, "oracle")), "`oracle` stands beside `reference`", "keep one of them")
    if not expect and not invariants and not answers_whole and len(reading.findings) == told:
        hint = f"add {CONTRACT_KEYS['expect']}, or {CONTRACT_KEYS['reference']}"
        reading.tell("PX308", path, f"`{name}` does not say what its outputs must equal", hint)
    let = reading.named_expressions((*path, "let"), table.get("let"), CONTRACT_KEYS["let"])
    overrides = reading.named_expressions((*path, "overrides"), table.get("overrides"), CONTRACT_KEYS["overrides"])
    cases = read_cases(reading, (*path, "cases"), table.get("cases"), dims)
    sizes = {*dims, *let, *overrides, *(name for case in cases for name in case.overrides), *WORKGROUP_SIZES}
    prepare, macros = read_prepare(reading, (*path, "prepare"), table.get("prepare"), sizes)
    contract = KernelContract(
        name=name,
        dims=dims,
        where=_where(reading, (*path, "where"), table.get("where")),
        let=let,
        shapes=_shapes(reading, (*path, "shapes"), table.get("shapes")),
        params=read_parameters(reading, (*path, "params"), table.get("params")),
        overrides=overrides,
        inputs=inputs,
        sources=sources,
        roles=_choices(reading, (*path, "roles"), table.get("roles"), ROLES),
        codecs=codecs,
        python_codecs=python_codecs,
        slack=reading.named_expressions((*path, "slack"), table.get("slack"), CONTRACT_KEYS["slack"]),
        valid=dict(_valid(reading, (*path, "valid"), table.get("valid"))),
        textures=read_textures(reading, (*path, "textures"), table.get("textures")),
        samplers=read_samplers(reading, (*path, "samplers"), table.get("samplers")),
        buffers=_buffers(reading, (*path, "buffers"), table.get("buffers")),
        schedule=schedule,
        define=reading.named_expressions((*path, "define"), table.get("define"), CONTRACT_KEYS["define"]),
        expect=expect,
        reference=reference,
        oracle=oracle,
        invariants=invariants,
        compare=read_compare(reading, (*path, "compare"), table.get("compare"), None if answers_whole else expect),
        cases=cases,
        # Each text is compiled anew, so the sizes of those that depend on them are the user's to choose.
        derive=not macros and _derive(reading, (*path, "derive"), table.get("derive")),
        budget=_budget(reading, (*path, "budget"), table.get("budget")),
        flops=None if "flops" not in table else reading.expression((*path, "flops"), table["flops"], CONTRACT_KEYS["flops"]),
        prepare=prepare,
        macros=macros,
        span=reading.value_span(path),
        key_spans=_key_spans(reading, name),
        source=reading.text.source,
    )
    _check_names(reading, contract)
    _check_functions(reading, contract)
    failed = any(finding.severity is Severity.ERROR for finding in reading.findings[told:])
    return None if failed else contract


def _dims(reading: Reading, path: TomlPath, value: Toml) -> tuple[str, ...]:
    text = reading.string(path, value, CONTRACT_KEYS["dims"])
    dims: list[str] = []
    for part, span in reading.parts(path, text or "", " "):
        name = reading.identifier(path, part, "the name of a size", span)
        if name in dims:
            reading.tell("PX305", span, f"`{name}` occurs twice in `dims`")
        elif name is not None:
            dims.append(name)
    if len(dims) > MAX_DIMS:
        reading.tell("PX309", path, f"{len(dims)} dims; at most {MAX_DIMS} are read")
    return tuple(dims)


def _where(reading: Reading, path: TomlPath, value: Toml) -> tuple[Expression, ...]:
    if value is None:
        return ()
    if not isinstance(value, list) or len(value) > MAX_ENTRIES:
        reading.tell_type(path, value, CONTRACT_KEYS["where"])
        return ()
    conditions: list[Expression] = []
    for index, item in enumerate(value):
        if not isinstance(item, str):
            reading.tell_type((*path, index), item, CONTRACT_KEYS["where"])
            continue
        condition = reading.expression((*path, index), item)
        if condition is not None:
            conditions.append(condition)
    return tuple(conditions)


def _axes(reading: Reading, path: TomlPath, value: Toml) -> tuple[Expression, ...] | None:
    if isinstance(value, int) and not isinstance(value, bool):
        axis = reading.expression(path, value)
        return None if axis is None else (axis,)
    text = reading.string(path, value, 'axes, outermost first: "M K"')
    if text is None:
        return None
    parts = reading.parts(path, text, " ")
    if len(parts) > MAX_AXES:
        reading.tell("PX305", path, f"a shape of {len(parts):,} axes; at most {MAX_AXES} are read", "axes are separated by blanks")
        return None
    for part, span in parts:
        if part[0] in "/*+-%" or part[-1] in "/*+-%":
            joined = text.replace(" ", "")
            reading.tell(
                "PX306", span, f"`{part}` stands alone: axes are separated by blanks", f"write `{joined}` without blanks, or in parentheses"
            )
            return None
    return reading.expressions(path, text, " ")


def _shapes(reading: Reading, path: TomlPath, value: Toml) -> dict[str, tuple[Expression, ...]]:
    shapes: dict[str, tuple[Expression, ...]] = {}
    for buffer, at, item in reading.by_buffer(path, value, CONTRACT_KEYS["shapes"]):
        axes = _axes(reading, at, item)
        if axes is not None:
            shapes[buffer] = axes
    return shapes


def _buffers(reading: Reading, path: TomlPath, value: Toml) -> dict[str, ScratchBuffer]:
    buffers: dict[str, ScratchBuffer] = {}
    for name, item in reading.table(path, value, CONTRACT_KEYS["buffers"]).items():
        at = (*path, name)
        text = reading.string(at, item, 'a type and axes: "u32 n"')
        if text is None:
            continue
        parts = reading.parts(at, text, " ")
        if not parts or parts[0][0] not in _SCALARS:
            reading.tell(
                "PX305", parts[0][1] if parts else at, f"a buffer starts with its type: {', '.join(_SCALARS)}", f'write `{name} = "u32 n"`'
            )
            continue
        axes = [reading.parse(part, span) for part, span in parts[1 : MAX_AXES + 2]]
        if len(axes) > MAX_AXES:
            reading.tell("PX305", at, f"more than {MAX_AXES} axes")
            continue
        if None not in axes and reading.identifier(at, name, "the name of a buffer", reading.key_span(at)):
            shape = tuple(axis for axis in axes if axis is not None)
            buffers[name] = ScratchBuffer(scalar=parts[0][0], shape=shape, span=reading.value_span(at))
    return buffers


def _choices(reading: Reading, path: TomlPath, value: Toml, known: tuple[str, ...]) -> dict[str, str]:
    """A table from buffer to one of several words."""
    key = str(path[-1])
    chosen: dict[str, str] = {}
    for name, item in reading.table(path, value, CONTRACT_KEYS[key]).items():
        at = (*path, name)
        word = reading.string(at, item, f"one of {', '.join(known)}")
        if word in known:
            chosen[name] = word
        elif word is not None:
            close = closest_name(word, known)
            hint = f"did you mean `{close}`?" if close else f"one of {', '.join(known)}"
            reading.tell("PX305", reading.text_span(at), f"`{word}` is not one of the {key}", hint)
    return chosen


def _expect(reading: Reading, path: TomlPath, value: Toml) -> dict[str, Expression]:
    expect: dict[str, Expression] = {}
    for output, at, item in reading.by_buffer(path, value, CONTRACT_KEYS["expect"]):
        if item == PLACEHOLDER:
            reading.tell("PX312", at, f"write here what `{output}` must equal", 'an expression over the inputs, such as "a @ b"')
            continue
        expression = reading.expression(at, item, CONTRACT_KEYS["expect"])
        if expression is not None:
            expect[output] = expression
    return expect


def _valid(reading: Reading, path: TomlPath, value: Toml) -> Iterator[tuple[str, Expression]]:
    for output, at, item in reading.by_buffer(path, value, CONTRACT_KEYS["valid"]):
        expression = reading.expression(at, item, CONTRACT_KEYS["valid"])
        if expression is not None:
            yield output, expression


def _reference(reading: Reading, path: TomlPath, value: Toml) -> Reference | None:
    text = reading.string(path, value, CONTRACT_KEYS["reference"])
    if text is None:
        return None
    found = read_function(reading, path, text, CONTRACT_KEYS["reference"])
    return None if found is None else Reference(file=found[0], function=found[1], span=reading.value_span(path))


def _derive(reading: Reading, path: TomlPath, value: Toml) -> bool:
    if value is None or isinstance(value, bool):
        return value is not False
    reading.tell_type(path, value, CONTRACT_KEYS["derive"])
    return True


def _budget(reading: Reading, path: TomlPath, value: Toml) -> Budget:
    table = reading.table(path, value, CONTRACT_KEYS["budget"])
    reading.check_keys(path, table, list(Budget.__struct_fields__))
    chosen: dict[str, float] = {}
    for name, item in table.items():
        limit = BUDGET_LIMITS.get(name)
        if limit is None:
            continue
        if isinstance(item, bool) or not isinstance(item, int if name != "seconds" else (int, float)):
            reading.tell_type((*path, name), item, CONTRACT_KEYS["budget"])
        elif not 0 < item <= limit:
            reading.tell("PX305", (*path, name), f"`{name}` must be above 0 and at most {limit:,}")
        else:
            chosen[name] = item
    standard = Budget()
    return Budget(
        seconds=float(chosen.get("seconds", standard.seconds)),
        bytes=int(chosen.get("bytes", standard.bytes)),
        invocations=int(chosen.get("invocations", standard.invocations)),
    )


# ---------------------------------------------------------------- the contract as a whole


def _check_names(reading: Reading, contract: KernelContract) -> None:
    """One name, one meaning."""
    taken: dict[str, str] = dict.fromkeys(contract.dims, "dims")
    for key, names in (("let", contract.let), ("define", contract.define)):
        for name in names:
            at = (contract.name, key, name)
            span = reading.key_span(at)
            if reading.identifier(at, name, f"a name in `{key}`", span) is None:
                continue
            if name in taken:
                reading.tell("PX305", span, f"`{name}` is already a name in `{taken[name]}`", "give it another name")
            elif key == "define" and (name in contract.shapes or name in contract.textures):
                reading.tell("PX305", span, f"`{name}` is already the name of a buffer", "give it another name")
            taken[name] = key
    _check_counters(reading, contract, contract.schedule, taken)


def _check_counters(reading: Reading, contract: KernelContract, steps: Iterable[Step], taken: Mapping[str, str]) -> None:
    for step in steps:
        index = step.index
        if index is not None and index in taken:
            message = f"`{index}` is already a name in `{taken[index]}`"
            reading.tell("PX305", contract.key_spans.get(f"{step.key}.index", step.span), message, "give it another name")
        if isinstance(step, PassGroup):
            inner = taken if index is None else {**taken, index: "index"}
            _check_counters(reading, contract, step.passes, inner)


def _check_functions(reading: Reading, contract: KernelContract) -> None:
    groups: list[tuple[str, list[Expression]]] = [
        (SYMBOL, [*contract.where, *contract.let.values(), *contract.overrides.values()]),
        (SYMBOL, [axis for axes in contract.shapes.values() for axis in axes]),
        (SYMBOL, [axis for buffer in contract.buffers.values() for axis in buffer.shape]),
        (SYMBOL, contract.texture_expressions()),
        (SYMBOL, [*contract.slack.values(), *([contract.flops] if contract.flops else [])]),
        (SYMBOL, contract.parameter_expressions()),
        (INPUT, [*contract.inputs.values(), *(item for case in contract.cases for item in case.inputs.values())]),
        (EXPECT, [*contract.define.values(), *contract.expect.values(), *contract.valid.values(), *contract.invariants]),
        (EXPECT, [compare.of for compare in contract.compare.values() if compare.of is not None]),
    ]
    for context, expressions in groups:
        for expression in expressions:
            for problem in check_calls(expression, context):
                reading.tell("PX307", expression.locate(problem.span) or contract.span, problem.message, problem.hint)


def _key_spans(reading: Reading, name: str) -> dict[str, Span]:
    spans: dict[str, Span] = {}
    for path in reading.places:
        if len(path) > 1 and path[0] == name:
            key = dotted(path[1:])
            spans[key] = reading.value_span(path)
            spans[f"key@{key}"] = reading.key_span(path)
    return spans
