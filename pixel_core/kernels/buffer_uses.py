"""Which shader variables stand for which buffers of a contract, over all its passes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import msgspec

from pixel_core.kernels.contract import KernelContract
from pixel_core.wgsl.layout import parts_of
from pixel_core.wgsl.reflect import Binding, EntryPoint, ShaderInterface
from pixel_core.wgsl.texel_formats import view_dimension
from pixel_core.wgsl.types import Array, Atomic, Resource, Scalar, Struct, Type


class BufferUse(msgspec.Struct, frozen=True, kw_only=True):
    """One buffer or texture of a contract.

    Attributes:
        name: The contract's name for it.
        variables: The shader variables that it is bound to; none for a key of `buffers` that only `indirect` names.
        type: Store type: the variables', or `array<scalar>` for a key of `buffers`; None when the shader's could not be worked out.
        is_written: Whether a variable may write it.
        is_declared: Whether it is a key of `buffers`, or one of `textures` that is written and that no variable is named after.
    """

    name: str
    variables: tuple[Binding, ...]
    type: Type | None
    is_written: bool
    is_declared: bool

    @property
    def is_atomic(self) -> bool:
        """Whether the shader adds to it atomically."""
        return self.type is not None and any(isinstance(part, Atomic) for part in parts_of(self.type))

    @property
    def is_texture(self) -> bool:
        """Whether the shader sees a texture."""
        return any(is_texture(one) for one in self.variables)

    @property
    def is_uniform(self) -> bool:
        """Whether the shader sees it as a uniform alone."""
        return bool(self.variables) and all(one.address_space == "uniform" for one in self.variables)

    @property
    def fields(self) -> tuple[str, ...]:
        """Names of the parts of a structure, or of an array of structures; empty for plain arrays."""
        struct = element_struct(self.type)
        return () if struct is None else tuple(leaf_paths(struct))


MAX_MEMBERS = 1_000
"""Members of a buffer's type, those of inner structures counted wherever they occur."""

MAX_NESTING = 15
"""Depth of a composite type (WGSL, section "Limits")."""


_BEHIND_ALL = (1 << 32, 0)


def is_unwieldy(type_: Type | None) -> bool:
    """Whether a type has too many members, or too many levels, to be treated member by member."""
    return _members(type_, 0, {}) > MAX_MEMBERS


def _members(type_: Type | None, depth: int, known: dict[int, int]) -> int:
    # Structures that contain two of another one double at each level, so each is counted once and multiplied.
    if depth > MAX_NESTING:
        return MAX_MEMBERS + 1
    if isinstance(type_, Array):
        return _members(type_.element, depth + 1, known)
    if not isinstance(type_, Struct):
        return 1
    if id(type_) not in known:
        known[id(type_)] = sum(_members(member.type, depth + 1, known) for member in type_.fields)
    return known[id(type_)]


def element_struct(type_: Type | None) -> Struct | None:
    """The structure that a type is, or is an array of."""
    if isinstance(type_, Array):
        type_ = type_.element
    return type_ if isinstance(type_, Struct) else None


def leaf_paths(struct: Struct) -> Iterator[str]:
    """Dotted names of the members that hold numbers, structures inside structures opened up."""
    for member in struct.fields:
        inner = element_struct(member.type)
        if inner is None:
            yield member.name
        else:
            yield from (f"{member.name}.{path}" for path in leaf_paths(inner))


def pass_entries(contract: KernelContract, interface: ShaderInterface) -> list[EntryPoint]:
    """The entry points that the contract runs, as far as the shader has them."""
    found = (interface.entry_point(step.entry) for step in contract.passes)
    return [entry for entry in found if entry is not None]


def entry_bindings(interface: ShaderInterface, entry: EntryPoint) -> list[Binding]:
    """The resource variables of an entry point in binding order."""
    return sorted(
        (binding for binding in interface.bindings if binding.name in entry.bindings), key=lambda binding: (binding.group, binding.binding)
    )


def is_texture(binding: Binding) -> bool:
    """Whether a variable is a texture that can be filled and compared."""
    return view_dimension(binding.type) is not None


def is_sampler(binding: Binding) -> bool:
    """Whether a variable is a sampler that can be made."""
    return isinstance(binding.type, Resource) and binding.type.name == "sampler"


def holds_values(binding: Binding) -> bool:
    """Whether a variable stands for a storage buffer or a texture."""
    return binding.address_space == "storage" or is_texture(binding)


def has_content(contract: KernelContract, binding: Binding) -> bool:
    """Whether a contract fills a variable as it fills buffers: one that holds values, or a uniform that `inputs` names."""
    return holds_values(binding) or (binding.address_space == "uniform" and binding.name in _filled(contract))


def _filled(contract: KernelContract) -> set[str]:
    tables = [contract.inputs, contract.sources, *(table for case in contract.cases for table in (case.inputs, case.sources))]
    return {name for table in tables for name in table}


def buffer_uses(contract: KernelContract, interface: ShaderInterface) -> Mapping[str, BufferUse]:
    """Every buffer and texture of the contract's passes, in binding order."""
    variables: dict[str, dict[str, Binding]] = {}
    for step in contract.passes:
        entry = interface.entry_point(step.entry)
        if entry is None:
            continue
        for binding in entry_bindings(interface, entry):
            if has_content(contract, binding):
                for name in step.bind.get(binding.name, (binding.name,)):
                    variables.setdefault(name, {})[binding.name] = binding
        if step.indirect is not None and step.indirect.buffer in contract.buffers:
            variables.setdefault(step.indirect.buffer, {})
    uses: dict[str, BufferUse] = {}
    for name in sorted(variables, key=lambda name: _first_place(list(variables[name].values()))):
        bound = tuple(variables[name].values())
        declared = contract.buffers.get(name)
        type_ = Array(Scalar(declared.scalar), None) if declared else _widest(bound)
        is_written = any(one.access != "read" for one in bound)
        is_passed_on = is_written and name in contract.textures and all(one.name != name for one in bound)
        uses[name] = BufferUse(
            name=name, variables=bound, type=type_, is_written=is_written, is_declared=declared is not None or is_passed_on
        )
    return uses


def _first_place(bindings: Sequence[Binding]) -> tuple[int, int]:
    return min(((one.group, one.binding) for one in bindings), default=_BEHIND_ALL)


def _widest(bindings: Sequence[Binding]) -> Type | None:
    """Of the types under which passes see one buffer: atomic before plain, else the first."""
    types = [one.type for one in bindings]
    if None in types:
        return None
    atomic = next((one for one in types if one is not None and any(isinstance(part, Atomic) for part in parts_of(one))), None)
    return atomic or types[0]
