"""What in a contract's `textures` and `samplers` does not fit the shader, whatever the sizes of a case."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from pixel_core.findings import Finding, Label
from pixel_core.kernels.buffer_uses import BufferUse, entry_bindings, is_sampler, is_texture, pass_entries
from pixel_core.kernels.closest_name import closest_name
from pixel_core.kernels.contract import KernelContract
from pixel_core.kernels.plan_problem import at_key
from pixel_core.kernels.plan_textures import choose_format, filtered_textures
from pixel_core.source import SourceText
from pixel_core.wgsl.analyse import Module
from pixel_core.wgsl.reflect import Binding, ShaderInterface
from pixel_core.wgsl.sampling import Pair, sampled_pairs
from pixel_core.wgsl.texel_formats import READ_WRITE_FORMATS, STORAGE_FORMATS, TexelFormat, storage_format, view_dimension
from pixel_core.wgsl.types import Resource


def check_textures(
    contract: KernelContract, module: Module, interface: ShaderInterface, uses: Mapping[str, BufferUse]
) -> tuple[Mapping[str, TexelFormat], list[Finding]]:
    """The texel format of every texture, and what is wrong with them.

    Args:
        contract: Of the shader.
        module: The shader.
        interface: Its interface.
        uses: Every buffer and texture of the contract's passes.
    """
    entries = pass_entries(contract, interface)
    pairs = {pair for entry in entries for pair in sampled_pairs(module.names, entry.function)}
    bindings = {one.name: one for entry in entries for one in entry_bindings(interface, entry)}
    check = _Check(contract, module.tree.source, uses, bindings, pairs)
    findings = [*check.names(), *check.kinds()]
    formats: dict[str, TexelFormat] = {}
    for use in () if findings else uses.values():
        if use.is_texture:
            findings.extend(check.texture(use))
            chosen = choose_format(contract, use, check.filtered)
            if chosen is not None:
                formats[use.name] = chosen
    if not findings:
        findings.extend(check.filters(formats))
    return formats, findings


class _Check:
    def __init__(
        self,
        contract: KernelContract,
        shader: SourceText,
        uses: Mapping[str, BufferUse],
        bindings: Mapping[str, Binding],
        pairs: Collection[Pair],
    ) -> None:
        self.filtered = filtered_textures(pairs, contract.samplers)
        self._contract = contract
        self._shader = shader
        self._uses = uses
        self._bindings = bindings
        self._pairs = pairs

    def names(self) -> Iterator[Finding]:
        """Keys that are no textures or samplers, and textures in tables that are about buffers."""
        textures = [name for name, use in self._uses.items() if use.is_texture]
        samplers = [name for name, binding in self._bindings.items() if is_sampler(binding)]
        for key, stated, known in (("textures", self._contract.textures, textures), ("samplers", self._contract.samplers, samplers)):
            for name in stated:
                if name not in known:
                    yield self._no_such(key, name, known)
        for key, names in (("shapes", self._contract.shapes), ("codecs", self._contract.codecs), ("slack", self._contract.slack)):
            for name in names:
                if name.partition(".")[0] in textures:
                    what = {"shapes": "shape", "codecs": "codec", "slack": "slack"}[key]
                    hint = f'give its size instead: textures = {{ {name} = {{ size = "H W" }} }}' if key == "shapes" else None
                    yield at_key(self._contract, "PX321", f"key@{key}.{name}", f"`{name}` is a texture and has no {what}", hint)

    def _no_such(self, key: str, name: str, known: Collection[str]) -> Finding:
        one = key[:-1]
        if name in self._uses or name in self._bindings:
            space = self._bindings[name].address_space if name in self._bindings else "storage"
            what = {"storage": "a buffer", "uniform": "a uniform", "immediate": "`var<immediate>`"}.get(
                space, "a sampler" if key == "textures" else "a texture"
            )
            message = f"`{name}` is {what}, not a {one}"
            hint = "its axes stand in `shapes`" if space == "storage" else None
            return at_key(self._contract, "PX321", f"key@{key}.{name}", message, hint)
        close = closest_name(name, known)
        hint = f"did you mean `{close}`?" if close else f"{key}: {', '.join(known) or 'none'}"
        return at_key(self._contract, "PX321", f"key@{key}.{name}", f"`{name}` is not a {one} of this contract's entry points", hint)

    def kinds(self) -> Iterator[Finding]:
        """One name for a texture and a buffer, or for textures with other axes or components."""
        for use in self._uses.values():
            if not use.is_texture:
                continue
            first = use.variables[0]
            for other in use.variables[1:]:
                if is_texture(first) != is_texture(other) or view_dimension(first.type) != view_dimension(other.type):
                    message = f"`{use.name}` is bound to `{first.name}` and to `{other.name}`, whose types do not go together"
                    hint = "textures that passes share have the same number of axes"
                    yield at_key(self._contract, "PX321", self._bind_key(use.name), message, hint, *self._labels(first, other))

    def texture(self, use: BufferUse) -> Iterator[Finding]:
        """Formats that contradict each other, or that WebGPU does not offer."""
        stated = self._contract.textures.get(use.name)
        key = f"textures.{use.name}.format"
        declared = {one.name: name for one in use.variables for name in [storage_format(one.type)] if name is not None}
        for name, texel_format in declared.items():
            binding = self._bindings[name]
            if texel_format not in STORAGE_FORMATS:
                message = f"not every WebGPU device has storage textures of the format {texel_format}, and they cannot be checked yet"
                yield at_key(
                    self._contract, "PX334", key, message, f"use one of {', '.join(sorted(STORAGE_FORMATS))}", *self._labels(binding)
                )
            elif binding.access == "read_write" and texel_format not in READ_WRITE_FORMATS:
                message = f"`{name}` is read and written as {texel_format}, which not every WebGPU device can do"
                hint = f"`read_write` goes with {', '.join(sorted(READ_WRITE_FORMATS))}; or read one texture and write another"
                yield at_key(self._contract, "PX334", key, message, hint, *self._labels(binding))
            elif binding.access not in {"read", "write", "read_write"}:
                message = f"`{name}` has the access mode {binding.access}, which is not supported yet"
                yield at_key(self._contract, "PX304", "", message, None, *self._labels(binding))
        formats = list(dict.fromkeys(declared.values()))
        if len(formats) > 1:
            message = f"`{use.name}` is declared as {formats[0]} and as {formats[1]}"
            yield at_key(self._contract, "PX334", self._bind_key(use.name), message, "one texture has one format")
        elif formats and stated is not None and stated.format not in {None, formats[0]}:
            message = f"`{use.name}` is {formats[0]} in the shader, and {stated.format} here"
            binding = self._bindings[next(iter(declared))]
            yield at_key(
                self._contract, "PX334", key, message, "leave `format` out: storage textures declare theirs", *self._labels(binding)
            )
        if stated is not None and stated.mips is not None and declared:
            message = f"`{use.name}` is a storage texture, of which a shader sees one level"
            yield at_key(self._contract, "PX334", f"textures.{use.name}.mips", message, "leave `mips` out")
        yield from self._components(use)

    def _components(self, use: BufferUse) -> Iterator[Finding]:
        """Sampled types that the format does not give."""
        texel_format = choose_format(self._contract, use, self.filtered)
        for binding in use.variables if texel_format is not None else ():
            sampled = binding.type.arguments[0] if isinstance(binding.type, Resource) and storage_format(binding.type) is None else None
            if sampled is not None and texel_format is not None and sampled != texel_format.scalar:
                message = f"`{binding.name}` reads {sampled}, and a texel of {texel_format.name} is {texel_format.scalar}"
                key = f"textures.{use.name}.format"
                yield at_key(self._contract, "PX334", key, message, f"declare it as <{texel_format.scalar}>, or choose another format",
                             *self._labels(binding))  # fmt: skip

    def filters(self, formats: Mapping[str, TexelFormat]) -> Iterator[Finding]:
        """Linear filters on formats that need not be filterable."""
        linear = {name for name, sampler in self._contract.samplers.items() if sampler.filter == "linear"}
        for use in self._uses.values():
            texel_format = formats.get(use.name)
            variables = {one.name for one in use.variables}
            sampler = next((sampler for texture, sampler in sorted(self._pairs) if texture in variables and sampler in linear), None)
            if texel_format is not None and not texel_format.is_filterable and sampler is not None:
                message = f"`{sampler}` filters `{use.name}`, and not every WebGPU device can filter {texel_format.name}"
                hint = "use rgba16float or rgba8unorm, or a nearest filter"
                key = f"textures.{use.name}.format"
                if key not in self._contract.key_spans:
                    key = f"samplers.{sampler}"
                yield at_key(self._contract, "PX334", key, message, hint, *self._labels(*use.variables[:1]))

    def _bind_key(self, name: str) -> str:
        return next((step.key_of("bind") for step in self._contract.passes if any(name in held for held in step.bind.values())), "bind")

    def _labels(self, *bindings: Binding) -> tuple[Label, ...]:
        return tuple(Label(self._shader.location(one.span), "declared here") for one in bindings)
