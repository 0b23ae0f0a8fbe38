"""Whether a contract speaks of what its shader has: entry points, buffers, fields, uniforms, overrides, names in expressions."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from math import lcm

from pixel_core.findings import Finding, Label
from pixel_core.kernels.buffer_uses import (
    MAX_MEMBERS,
    BufferUse,
    buffer_uses,
    entry_bindings,
    has_content,
    is_sampler,
    is_texture,
    is_unwieldy,
    pass_entries,
)
from pixel_core.kernels.check_calls import check_names
from pixel_core.kernels.closest_name import closest_name
from pixel_core.kernels.contract import KernelContract, PassContract, walk_steps
from pixel_core.kernels.expressions import Expression
from pixel_core.kernels.plan_problem import at_expression, at_key, at_span
from pixel_core.kernels.read_invariants import OLD
from pixel_core.source import SourceText
from pixel_core.wgsl.layout import parts_of
from pixel_core.wgsl.reflect import Binding, ShaderInterface
from pixel_core.wgsl.types import Resource, Scalar, Struct, Type

_UNSUPPORTED = {
    "texture_cube": "cube textures",
    "texture_cube_array": "cube textures",
    "texture_multisampled_2d": "multisampled textures",
    "texture_external": "external textures",
    "sampler_comparison": "comparison samplers",
}
_PARAMETER_SPACES = ("uniform", "immediate")

MAX_LEVELS = 16
"""Levels of a texture of 32,768 texels, more than any device has."""

MAX_TURNS = 1024
"""Turns of a cycling `bind` that are looked at for aliases."""


def check_contract(contract: KernelContract, interface: ShaderInterface, shader: SourceText) -> list[Finding]:
    """Everything in a contract that does not fit its shader, whatever the sizes of a case."""
    check = _Check(contract, interface, shader)
    findings = check.entries() or check.types() or check.misspelt()
    if findings:
        # Nothing more can be known about buffers; further findings would only repeat these.
        return findings
    return [*check.bindings(), *check.names_of_buffers(), *check.names_of_uniforms(), *check.overrides(), *check.expressions()]


class _Check:
    def __init__(self, contract: KernelContract, interface: ShaderInterface, shader: SourceText) -> None:
        self._contract = contract
        self._interface = interface
        self._shader = shader
        self._uses: Mapping[str, BufferUse] = buffer_uses(contract, interface)
        bindings = [binding for entry in pass_entries(contract, interface) for binding in entry_bindings(interface, entry)]
        self._bindings: dict[str, Binding] = {binding.name: binding for binding in bindings}

    def entries(self) -> list[Finding]:
        """Entry points that are not there."""
        findings: list[Finding] = []
        compute = [entry.name for entry in self._interface.entry_points if entry.stage == "compute"]
        for step in self._contract.passes:
            entry = self._interface.entry_point(step.entry)
            if entry is not None and entry.stage == "compute":
                continue
            key = next((key for key in (step.key_of("entry"), "entry") if key in self._contract.key_spans), "")
            hint = self._guess(step.entry, compute, "compute entry points") if key else None
            if key == "" and compute:
                hint = f'say which entry point it runs: entry = "{compute[0]}"'
            message = f"the shader has no entry point `{step.entry}`" if entry is None else f"`{step.entry}` is a {entry.stage} shader"
            findings.append(at_key(self._contract, "PX320", key, message, hint or "the shader has no compute entry point"))
        return findings

    def types(self) -> list[Finding]:
        """Types with more members than can be treated one by one."""
        findings: list[Finding] = []
        for binding in self._bindings.values():
            if is_unwieldy(binding.type):
                label = Label(self._shader.location(binding.span), "declared here")
                message = f"`{binding.name}` has more than {MAX_MEMBERS:,} members, or structures too deep inside each other"
                findings.append(at_span(self._contract, "PX304", self._contract.span, message, None, label))
        return findings

    def bindings(self) -> list[Finding]:
        """Resources of a kind that cannot be bound yet, and `bind` of what an entry point does not use."""
        findings: list[Finding] = []
        for binding in self._bindings.values():
            unsupported = _unsupported(binding)
            if unsupported is not None:
                label = Label(self._shader.location(binding.span), "declared here")
                message = f"`{binding.name}`: {unsupported} are not supported yet"
                findings.append(at_span(self._contract, "PX304", self._contract.span, message, None, label))
        for step in self._contract.passes:
            entry = self._interface.entry_point(step.entry)
            names = [one.name for one in entry_bindings(self._interface, entry) if has_content(self._contract, one)] if entry else []
            for variable in step.bind:
                if variable not in names:
                    message = f"`{step.entry}` uses no storage variable or texture `{variable}`"
                    hint = self._guess(variable, names, "it uses")
                    findings.append(at_key(self._contract, "PX321", f"key@{step.key_of('bind')}.{variable}", message, hint))
            findings.extend([*self._aliases(step), *self._indirect(step)])
        for name in self._contract.buffers:
            if name not in self._uses:
                message = f"no pass binds the buffer `{name}`"
                hint = f'bind it to a variable: bind = {{ variable = "{name}" }}'
                findings.append(at_key(self._contract, "PX321", f"key@buffers.{name}", message, hint))
        return findings

    def misspelt(self) -> list[Finding]:
        """Buffers that `bind` alone names, and that are nearly called like another one. A new name stands in other tables too."""
        contract = self._contract
        tables: tuple[Collection[str], ...] = (contract.shapes, contract.expect, contract.inputs, contract.sources, contract.roles)
        known = {name.partition(".")[0] for table in tables for name in table}
        known |= {*contract.buffers, *contract.textures, *self._bindings}
        findings: list[Finding] = []
        for step in contract.passes:
            for variable, names in step.bind.items():
                wrong = next((name for name in names if name not in known), None)
                close = None if wrong is None else closest_name(wrong, known)
                if close is not None:
                    key = f"{step.key_of('bind')}.{variable}"
                    findings.append(
                        at_key(contract, "PX321", key, f"`{wrong}` is not a buffer of this contract", f"did you mean `{close}`?")
                    )
        return findings

    def _aliases(self, step: PassContract) -> list[Finding]:
        """One buffer behind two variables of a dispatch, one of which writes: WebGPU forbids it."""
        entry = self._interface.entry_point(step.entry)
        storage = [one for one in entry_bindings(self._interface, entry) if has_content(self._contract, one)] if entry else []
        turns = min(lcm(*(len(names) for names in step.bind.values())), MAX_TURNS)
        for turn in range(turns if step.is_repeated else 1):
            holders: dict[str, Binding] = {}
            for binding in storage:
                names = step.bind.get(binding.name, (binding.name,))
                other = holders.setdefault(names[turn % len(names)], binding)
                if other is not binding and {binding.access, other.access} != {"read"}:
                    buffer = names[turn % len(names)]
                    message = f"`{other.name}` and `{binding.name}` are both bound to `{buffer}`, and one of them writes it"
                    hint = "WebGPU allows that for no dispatch; give one of them another buffer"
                    return [at_key(self._contract, "PX330", step.key_of("bind"), message, hint)]
        return []

    def _indirect(self, step: PassContract) -> list[Finding]:
        """Workgroup counts that stand in no buffer of words, or in one that the same pass may write."""
        if step.indirect is None:
            return []
        name, key = step.indirect.buffer, step.key_of("indirect")
        use = self._uses.get(name)
        if use is None:
            hint = self._guess(name, self._uses, "buffers")
            return [at_key(self._contract, "PX321", key, f"`{name}` is not a buffer of this contract", hint)]
        if use.is_texture:
            return [at_key(self._contract, "PX321", key, f"`{name}` is a texture; workgroup counts stand in a buffer")]
        scalars = {part.name for part in parts_of(use.type) if isinstance(part, Scalar)} if use.type is not None else set[str]()
        if scalars and scalars != {"u32"}:
            message = f"`{name}` holds {', '.join(sorted(scalars))}, and workgroups are counted in u32"
            return [at_key(self._contract, "PX323", key, message)]
        entry = self._interface.entry_point(step.entry)
        for binding in entry_bindings(self._interface, entry) if entry else []:
            if binding.access != "read" and name in step.bind.get(binding.name, (binding.name,)) and binding.address_space == "storage":
                message = f"`{name}` holds the workgroups of this pass, and `{binding.name}` may write it meanwhile"
                return [at_key(self._contract, "PX330", key, message, "WebGPU allows that for no dispatch; write it in an earlier pass")]
        return []

    def names_of_buffers(self) -> list[Finding]:
        """Keys of tables by buffer that are no buffers or fields."""
        contract = self._contract
        tables: list[tuple[str, Collection[str]]] = [
            ("shapes", contract.shapes),
            ("inputs", contract.inputs),
            ("inputs", contract.sources),
            ("roles", contract.roles),
            ("codecs", contract.codecs),
            ("expect", contract.expect),
            ("compare", contract.compare),
            ("slack", contract.slack),
            ("valid", contract.valid),
        ]
        for number, case in enumerate(contract.cases):
            tables += [(f"cases[{number}].inputs", case.inputs), (f"cases[{number}].inputs", case.sources)]
        findings = [finding for key, names in tables for name in names for finding in self._check_buffer(key, name)]
        for name in contract.valid:
            if not findings and name not in contract.expect and not contract.answers_whole:
                message = f"`{name}` has no truth, so no part of it is compared"
                hint = f"`expect` has {', '.join(f'`{one}`' for one in contract.expect) or 'none'}"
                findings.append(at_key(contract, "PX321", f"key@valid.{name}", message, hint))
        return findings

    def _check_buffer(self, key: str, name: str) -> list[Finding]:
        buffer, _, field = name.partition(".")
        place = f"key@{key}.{name}"
        use = self._uses.get(buffer)
        if use is None:
            space = self._bindings[buffer].address_space if buffer in self._bindings else None
            message = f"`{buffer}` is not a buffer of this contract's entry points"
            if space in _PARAMETER_SPACES:
                what = "a uniform" if space == "uniform" else "`var<immediate>`"
                return [at_key(self._contract, "PX321", place, message, f"it is {what}: give its value in `params`")]
            if buffer in self._bindings:
                return [at_key(self._contract, "PX321", place, message, "it is a sampler: its settings stand in `samplers`")]
            if self._interface.binding(buffer) is not None:
                return [at_key(self._contract, "PX321", place, message, "the shader declares it, but no entry point that runs uses it")]
            return [at_key(self._contract, "PX321", place, message, self._guess(buffer, self._uses, "buffers"))]
        if field and use.is_texture and key.endswith("inputs"):
            levels = self._levels(buffer)
            hint = "its levels: mip1, mip2, …" if levels else f"give it levels: textures = {{ {buffer} = {{ mips = 2 }} }}"
            message = f"`{buffer}` has no level `{field}`"
            return [] if field in levels else [at_key(self._contract, "PX321", place, message, hint)]
        if field and field not in use.fields and not (key == "shapes" and any(one.startswith(f"{field}.") for one in use.fields)):
            message = f"`{buffer}` has no field `{field}`"
            return [at_key(self._contract, "PX321", place, message, self._guess(field, use.fields, "its fields"))]
        if not field and use.fields and (key in {"expect", "compare", "valid"}):
            message = f"`{buffer}` is a structure; its fields are compared one by one"
            return [at_key(self._contract, "PX321", place, message, f'write "{buffer}.{use.fields[0]}"')]
        return []

    def names_of_uniforms(self) -> list[Finding]:
        """`params` that are no uniform of the entry points."""
        uniforms = [name for name, binding in self._bindings.items() if binding.address_space in _PARAMETER_SPACES]
        contract = self._contract
        tables: list[tuple[str, Collection[str]]] = [("params", contract.params)]
        tables += [(step.key_of("params"), step.params) for step in contract.passes if step.key]
        tables += [(f"cases[{number}].params", case.params) for number, case in enumerate(contract.cases)]
        findings: list[Finding] = []
        for key, names in tables:
            for name in names:
                if name not in uniforms:
                    message = f"`{name}` is not a uniform of this contract's entry points"
                    hint = self._guess(name, uniforms, "uniforms")
                    findings.append(at_key(contract, "PX321", f"key@{key}.{name}", message, hint))
        return findings

    def overrides(self) -> list[Finding]:
        """Overrides that the shader does not declare."""
        known = [one.name for one in self._interface.overrides]
        contract = self._contract
        tables: list[tuple[str, Collection[str]]] = [("overrides", contract.overrides)]
        tables += [(step.key_of("overrides"), step.overrides) for step in contract.passes if step.key]
        tables += [(f"cases[{number}].overrides", case.overrides) for number, case in enumerate(contract.cases)]
        findings: list[Finding] = []
        for key, names in tables:
            for name in names:
                if name not in known:
                    hint = self._guess(name, known, "overrides of the shader")
                    findings.append(at_key(contract, "PX321", f"key@{key}.{name}", f"the shader has no override `{name}`", hint))
        return findings

    # ------------------------------------------------------------ names in expressions

    def expressions(self) -> list[Finding]:
        """Names that mean nothing where they stand."""
        contract = self._contract
        symbols = dict.fromkeys([*contract.dims, *contract.let, *(one.name for one in self._interface.overrides)])
        sizes = [f"workgroup_size.{axis}" for axis in "xyz"]
        symbols.update(dict.fromkeys([*self._interface.constants, *sizes]))
        groups: list[tuple[list[Expression], Collection[str]]] = [
            ([*contract.where, *contract.let.values(), *contract.overrides.values()], symbols),
            ([axis for axes in contract.shapes.values() for axis in axes], symbols),
            ([axis for buffer in contract.buffers.values() for axis in buffer.shape], symbols),
            (contract.texture_expressions(), symbols),
            ([*contract.slack.values(), *([contract.flops] if contract.flops else [])], symbols),
        ]
        counters = [step.index for step in walk_steps(contract.schedule) if step.index is not None]
        groups.append((contract.parameter_expressions(), [*symbols, *counters]))
        arrays = [*self._uses, *(f"{name}.{field}" for name, use in self._uses.items() for field in use.fields)]
        arrays += [f"{name}.{level}" for name in contract.textures for level in self._levels(name)]
        values = [*symbols, *arrays, *self._uniform_names()]
        drawn = [*contract.inputs.values(), *(item for case in contract.cases for item in case.inputs.values())]
        groups.append((drawn, [*values, "zeros", "ones", "arange", "normal", "uniform", "special"]))
        samplers = [name for name, binding in self._bindings.items() if is_sampler(binding)]
        truths = [*contract.define.values(), *contract.expect.values(), *contract.valid.values()]
        groups.append((truths, [*contract.define, *values, *samplers]))
        sorted_by = [compare.of for compare in contract.compare.values() if compare.of is not None]
        groups.append((sorted_by, [*contract.define, *values]))
        before = [f"{OLD}{name}" for name in arrays]
        groups.append(([*contract.invariants], [*contract.define, *values, *before, *samplers]))
        return [
            *self._empty_invariants(),
            *(
                at_expression(contract, "PX307", expression, problem)
                for expressions, known in groups
                for expression in expressions
                for problem in check_names(expression, known)
            ),
        ]

    def _levels(self, texture: str) -> list[str]:
        """Names of the smaller levels that a texture may have."""
        stated = self._contract.textures.get(texture)
        return [f"mip{level}" for level in range(1, MAX_LEVELS)] if stated is not None and stated.mips is not None else []

    def _empty_invariants(self) -> list[Finding]:
        """Invariants that no kernel could break: they name nothing that this one writes."""
        written = [name for name, use in self._uses.items() if use.is_written]
        findings: list[Finding] = []
        for number, invariant in enumerate(self._contract.invariants):
            if not any(use.name.partition(".")[0] in written for use in invariant.used_names()):
                message = f"`{invariant.text.strip()}` says nothing about what the kernel writes"
                hint = f"name one of {', '.join(f'`{name}`' for name in written)}" if written else None
                findings.append(at_key(self._contract, "PX305", f"invariants[{number}]", message, hint))
        return findings

    def _uniform_names(self) -> list[str]:
        names: list[str] = []
        for name, binding in self._bindings.items():
            if binding.address_space in _PARAMETER_SPACES:
                names.extend(_leaves(name, binding.type))
        return names

    def _guess(self, name: str, known: Collection[str], what: str) -> str:
        close = closest_name(name, known)
        return f"did you mean `{close}`?" if close else f"{what}: {', '.join(known) or 'none'}"


def _unsupported(binding: Binding) -> str | None:
    """What a variable is that can be neither filled nor made; None for all others."""
    if binding.address_space != "handle" or is_texture(binding) or is_sampler(binding):
        return None
    name = binding.type.name if isinstance(binding.type, Resource) else ""
    return _UNSUPPORTED.get(name, "depth textures" if name.startswith("texture_depth") else "such resources")


def _leaves(name: str, type_: Type | None) -> list[str]:
    if isinstance(type_, Struct):
        return [leaf for member in type_.fields for leaf in _leaves(f"{name}.{member.name}", member.type)]
    return [name]
