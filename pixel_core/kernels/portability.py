"""Where the compilers of the browsers are known to differ: what one takes and the other refuses, and what no browser takes. Pure.

Every difference was seen on naga 29 (wgpu-native 29.0.1.1) and on Tint (Chrome 133), and tests compare both with what is said here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from types import MappingProxyType

from pixel_core.findings import Finding, Fix, Severity, Span
from pixel_core.kernels.atomic_accesses import find_plain_atomics
from pixel_core.kernels.load_shader import LoadedShader
from pixel_core.rules import RULES
from pixel_core.wgsl.attributes import attribute_of
from pixel_core.wgsl.syntax import (
    AliasDeclaration,
    Block,
    Call,
    EnableDirective,
    Expression,
    For,
    FunctionDeclaration,
    Identifier,
    If,
    Loop,
    RequiresDirective,
    Statement,
    Switch,
    VariableDeclaration,
    While,
)
from pixel_core.wgsl.walk import walk

PORTABILITY_REFUSALS: Mapping[str, str] = MappingProxyType(
    {"PX211": "naga", "PX212": "naga", "PX213": "naga", "PX216": "naga", "PX217": "naga", "PX218": "tint"}
)
"""Which compiler refuses what a rule reports; absent where both take it and only a browser's limits do not."""

_POINTERS_NAGA_REFUSES = frozenset({"storage", "workgroup", "uniform"})
_FEATURES_NAGA_REFUSES = frozenset({"unrestricted_pointer_parameters"})

_WORKGROUP_BYTES = 16_384
_INVOCATIONS = 256
_SIZE_LIMITS = (256, 256, 64)
"""Default limits of WebGPU: maxComputeWorkgroupStorageSize, …InvocationsPerWorkgroup, …WorkgroupSizeX, Y, Z."""

_NOT_CONSTANT_IN_NAGA = frozenset(
    {
        *("determinant", "extractBits", "faceForward", "frexp", "insertBits", "ldexp", "mix", "modf", "quantizeToF16", "reflect"),
        *("refract", "smoothstep", "transpose", "bitcast", "unpack4xI8", "unpack4xU8", "pack4x8snorm", "pack4x8unorm", "pack4xI8"),
        *("pack4xU8", "pack4xI8Clamp", "pack4xU8Clamp", "pack2x16snorm", "pack2x16unorm", "pack2x16float", "unpack4x8snorm"),
        *("unpack4x8unorm", "unpack2x16snorm", "unpack2x16unorm", "unpack2x16float"),
    }
)
_EVALUATED_ANYWAY = frozenset({"mix", "smoothstep"})
"""Those that naga evaluates, and fails to, wherever their arguments are constant."""

_MAX_ALIASES = 16


def portability_findings(loaded: LoadedShader) -> list[Finding]:
    """Every known difference that a shader runs into, PX21x, by position."""
    findings = [finding for look in _LOOKS for finding in look(loaded)]
    return sorted(findings, key=lambda one: (one.location.span.start if one.location.span else 0, one.code))


def _finding(loaded: LoadedShader, code: str, span: Span, message: str, *, hint: str | None = None, fix: Fix | None = None) -> Finding:
    return Finding(code=code, severity=RULES[code].severity, message=message, location=loaded.wgsl.location(span), hint=hint, fix=fix)


def _enables(loaded: LoadedShader) -> Iterator[Finding]:
    for directive in loaded.tree.directives:
        if isinstance(directive, EnableDirective):
            for name in directive.names:
                if name.text == "subgroups":
                    message = "browsers need `enable subgroups;` and naga, which knows subgroups without it, refuses it"
                    hint = "keep it for browsers and leave it out for wgpu; pixel-lsp leaves it out when it compiles with naga"
                    yield _finding(loaded, "PX210", name.span, message, hint=hint)


def _pointer_parameters(loaded: LoadedShader) -> Iterator[Finding]:
    for function in _functions(loaded):
        for parameter in function.parameters:
            space = _pointer_space(parameter.type, loaded)
            if space in _POINTERS_NAGA_REFUSES:
                message = f"naga refuses `{parameter.name.text}`: a parameter cannot be a pointer into `{space}` memory there"
                hint = "use the variable itself inside of the function, or pass a value, or an index"
                yield _finding(loaded, "PX211", parameter.type.span, message, hint=hint)


def _pointer_space(type_: Expression, loaded: LoadedShader) -> str | None:
    for _ in range(_MAX_ALIASES):
        declared = loaded.names.declared(type_)
        if not isinstance(declared, AliasDeclaration):
            break
        type_ = declared.type
    if isinstance(type_, Identifier) and loaded.names.predeclared(type_) == "ptr" and type_.template_arguments:
        return loaded.names.predeclared(type_.template_arguments[0])
    return None


def _requirements(loaded: LoadedShader) -> Iterator[Finding]:
    for directive in loaded.tree.directives:
        if not isinstance(directive, RequiresDirective):
            continue
        for name in directive.names:
            if name.text in _FEATURES_NAGA_REFUSES:
                kept = ", ".join(other.text for other in directive.names if other is not name)
                new_text = f"requires {kept};" if kept else ""
                fix = Fix(f"remove `{name.text}`", directive.span, new_text)
                message = f"naga refuses `requires {name.text};`"
                yield _finding(loaded, "PX212", name.span, message, hint="the directive only documents: features work without it", fix=fix)


def _statement_diagnostics(loaded: LoadedShader) -> Iterator[Finding]:
    for function in _functions(loaded):
        for node in walk(function):
            if not isinstance(node, (Block, If, Switch, Loop, For, While)) or node is function.body:
                continue
            attributes = [*node.attributes, *(node.body_attributes if isinstance(node, Switch) else ())]
            for attribute in attributes:
                if attribute.name.text == "diagnostic":
                    fix = Fix("remove the attribute", attribute.span, "")
                    hint = "write it at the function, or as a directive `diagnostic(…);` at the top"
                    yield _finding(loaded, "PX213", attribute.span, "naga refuses `@diagnostic` on a statement", hint=hint, fix=fix)


def _workgroup_memory(loaded: LoadedShader) -> Iterator[Finding]:
    for entry in loaded.interface.entry_points:
        size = entry.workgroup_bytes
        if size is not None and size > _WORKGROUP_BYTES:
            message = f"`{entry.name}` uses {size:,} bytes of workgroup memory; browsers promise {_WORKGROUP_BYTES:,}"
            hint = "make the arrays smaller, or ask for `maxComputeWorkgroupStorageSize` when the device is requested"
            yield _finding(loaded, "PX214", entry.span, message, hint=hint)


def _workgroup_size(loaded: LoadedShader) -> Iterator[Finding]:
    for entry in loaded.interface.entry_points:
        attribute = attribute_of(entry.function.attributes, "workgroup_size")
        if entry.workgroup_size is None or attribute is None:
            continue
        x, y, z = entry.workgroup_size
        over = [f"{size:,} in {axis}" for axis, size, most in zip("xyz", (x, y, z), _SIZE_LIMITS, strict=True) if size > most]
        if x * y * z > _INVOCATIONS:
            message = f"`{entry.name}` has {x * y * z:,} invocations in a workgroup; browsers promise {_INVOCATIONS}"
        elif over:
            message = f"the workgroup of `{entry.name}` has {over[0]}; browsers promise 256 in x and y, and 64 in z"
        else:
            continue
        hint = "make the workgroup smaller, or ask for `maxComputeInvocationsPerWorkgroup` when the device is requested"
        yield _finding(loaded, "PX215", attribute.span, message, hint=hint)


def _constant_calls(loaded: LoadedShader) -> Iterator[Finding]:
    module_scope = set(loaded.tree.declarations)
    needed = _needed_constants(loaded)
    for node in walk(loaded.tree):
        if not isinstance(node, VariableDeclaration) or node.keyword != "const" or node.initializer is None:
            continue
        calls = [one for one in walk(node.initializer) if isinstance(one, Call)]
        names = [loaded.names.predeclared(call.callee) for call in calls]
        refused = [(call, name) for call, name in zip(calls, names, strict=True) if name in _NOT_CONSTANT_IN_NAGA]
        if not refused:
            continue
        fix = None
        if node not in module_scope and node not in needed and not any(name in _EVALUATED_ANYWAY for _, name in refused):
            fix = Fix("make it a `let`", Span(node.start, node.start + len("const")), "let")
        call, name = refused[0]
        hint = "a `let` computes it at run time" if fix else "compute the value on the host, or in a function with `let`"
        yield _finding(loaded, "PX216", call.callee.span, f"naga cannot evaluate `{name}` in a `const`", hint=hint, fix=fix)


def _needed_constants(loaded: LoadedShader) -> set[object]:
    """The `const`s that others, types, attributes or `case`s use: their values must be known at compile time."""
    needed: set[object] = set()
    for node in walk(loaded.tree):
        places: list[Expression] = []
        if isinstance(node, VariableDeclaration) and node.keyword in ("const", "override") and node.initializer is not None:
            places = [node.initializer]
        elif isinstance(node, Identifier) and node.template_arguments:
            places = node.template_arguments
        elif isinstance(node, Switch):
            places = [selector for clause in node.clauses for selector in clause.selectors if selector is not None]
        needed.update(loaded.names.declared(inner) for place in places for inner in walk(place) if isinstance(inner, Identifier))
    return needed


def _returning_loops(loaded: LoadedShader) -> Iterator[Finding]:
    errors = [one.location.span.start for one in loaded.findings if one.severity is Severity.ERROR and one.location.span]
    for function in _functions(loaded):
        if function.return_type is None or function.body is None or any(function.start <= error < function.end for error in errors):
            continue
        last = _last_statement(function.body)
        if isinstance(last, Loop) or (isinstance(last, For) and last.condition is None):
            type_ = loaded.wgsl.text[function.return_type.start : function.return_type.end]
            place = function.body.end - 1
            message = f"naga refuses `{function.name.text}`: it does not see that the loop at its end never ends without a `return`"
            fix = Fix("add a `return` that is never reached", Span(place, place), f"return {type_}(); ")
            span = Span(last.start, last.start + len("loop" if isinstance(last, Loop) else "for"))
            yield _finding(loaded, "PX217", span, message, hint="add a `return` after the loop", fix=fix)


def _last_statement(block: Block) -> Statement | None:
    last = block.statements[-1] if block.statements else None
    while isinstance(last, Block):
        last = last.statements[-1] if last.statements else None
    return last


def _plain_atomics(loaded: LoadedShader) -> Iterator[Finding]:
    for access in find_plain_atomics(loaded):
        verb = "written" if access.writes else "read"
        message = f"browsers refuse this: `{access.subject}` is atomic and {verb} as if it were not"
        fix = Fix(f"use `{access.function}`", access.span, access.replacement) if access.replacement else None
        yield _finding(loaded, "PX218", access.span, message, hint=f"use `{access.function}(&{access.subject}…)`", fix=fix)


def _functions(loaded: LoadedShader) -> Sequence[FunctionDeclaration]:
    return [declaration for declaration in loaded.tree.declarations if isinstance(declaration, FunctionDeclaration)]


_LOOKS: tuple[Callable[[LoadedShader], Iterator[Finding]], ...] = (
    _enables,
    _pointer_parameters,
    _requirements,
    _statement_diagnostics,
    _workgroup_memory,
    _workgroup_size,
    _constant_calls,
    _returning_loops,
    _plain_atomics,
)
