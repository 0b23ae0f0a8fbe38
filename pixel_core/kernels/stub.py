"""A first contract for a shader, as far as reflection can guess it; what the outputs must equal stays a `?` for the author."""

from __future__ import annotations

import json
import keyword
import re
from collections.abc import Iterable, Mapping, Sequence

from pixel_core.kernels.buffer_uses import element_struct, entry_bindings, holds_values, is_sampler, is_texture
from pixel_core.kernels.contract_keys import PLACEHOLDER
from pixel_core.kernels.functions import CONSTANTS
from pixel_core.kernels.plan_case import DEFAULT_FLOATS, DEFAULT_INTEGERS
from pixel_core.wgsl.layout import parts_of
from pixel_core.wgsl.reflect import Binding, EntryPoint, ShaderInterface
from pixel_core.wgsl.texel_formats import SPATIAL_AXES, view_dimension
from pixel_core.wgsl.types import Array, Matrix, Scalar, Struct, Type, Vector

_SIZES = """
m n k b h w d rows row cols col columns column width height depth size count length len num dim dims total elements items
batch channels heads tokens seq
"""
_SIZE_WORDS = frozenset(_SIZES.split())
_SAMPLER = '{ filter = "nearest", address = "clamp-to-edge" }'
_CASE_SIZES = ((64, 64, 64), (1, 1, 1), (65, 33, 20))


def contract_stub(interface: ShaderInterface) -> str:
    """A contract for every compute entry point.

    Dims are guessed from the integers in uniforms that sound like sizes, shapes and dispatches from the dims and the workgroup
    size. The guesses are for the author to check; the `?` must be replaced before anything is run.

    Returns:
        TOML without comment marks, ending with a line break; empty for a shader without compute entry points.
    """
    entries = [entry for entry in interface.entry_points if entry.stage == "compute"]
    return "\n".join(_Stub(interface, entry).text() for entry in entries)


class _Stub:
    def __init__(self, interface: ShaderInterface, entry: EntryPoint) -> None:
        self._interface = interface
        self._entry = entry
        bindings = entry_bindings(interface, entry)
        self._uniforms = [one for one in bindings if one.address_space == "uniform" and one.type is not None]
        self._textures = [one for one in bindings if is_texture(one)]
        self._samplers = [one for one in bindings if is_sampler(one)]
        self._buffers = [one for one in bindings if holds_values(one)]
        known = {one.name for one in (*self._buffers, *self._samplers)}
        self._others = [one for one in bindings if one.address_space != "uniform" and one.name not in known]
        self._dims: list[str] = []
        self._params = {one.name: self._parameter(one.name, one.type) for one in self._uniforms if one.type is not None}
        if not self._dims:
            self._dims = list(max(map(_texture_dims, self._textures), key=len, default=())) or ["n"]
        axes = max((self._size(one).split() for one in self._textures), key=len, default=[])
        if set(axes) == set(self._dims):
            self._dims = axes
        self._names = {one.name: _expression_name(one.name) for one in self._buffers}

    def text(self) -> str:
        """The contract's table."""
        entries = list(self._entries())
        width = max(len(key) for key, _, _ in entries)
        lines = [f"[{_key(self._entry.name)}]"]
        lines += [f"{key:<{width}} = {value}" + (f"   # {comment}" if comment else "") for key, value, comment in entries]
        lines += [f"# {one.name}: such resources cannot be checked yet" for one in self._others]
        return "\n".join(lines) + "\n"

    def _entries(self) -> Iterable[tuple[str, str, str]]:
        yield "dims", json.dumps(" ".join(self._dims), ensure_ascii=False), ""
        shapes = {name: _text(axes) for one in self._buffers for name, axes in self._shapes(one)}
        if self._textures:
            sizes = {self._names[one.name]: _table({"size": _text(self._size(one))}) for one in self._textures}
            yield "textures", _table(sizes), "axes from the outermost, counted in texels: check them"
        if self._samplers:
            yield "samplers", _table({one.name: _SAMPLER for one in self._samplers}), "what WebGPU takes where nothing is said"
        if shapes:
            yield "shapes", _table(shapes), "axes from the outermost, counted in scalars: check them"
        if self._params:
            yield "params", _table(self._params), ""
        missing = {one.name: "1" for one in self._interface.overrides if one.name in self._entry.overrides and not one.has_default}
        if missing:
            yield "overrides", _table(missing), ""
        renamed = {name: _text(other) for name, other in self._names.items() if other != name}
        if renamed:
            yield "bind", _table(renamed), ""
        inputs = {
            self._names[one.name]: _text(_default_input(one.type)) for one in self._buffers if one.access == "read" and not is_texture(one)
        }
        if inputs:
            yield "inputs", _table(inputs), ""
        yield "dispatch", _text(self._dispatch()), "workgroups in x, y, z: check them"
        outputs = [name for one in self._buffers if one.access != "read" for name in self._parts(one)]
        if outputs:
            comment = f"write what {' and '.join(outputs)} must equal"
            yield "expect", _table({name: _text(PLACEHOLDER) for name in outputs}), comment
        cases = [" ".join(f"{dim}={sizes[place % 3]}" for place, dim in enumerate(self._dims)) for sizes in _CASE_SIZES]
        yield "cases", f"[{', '.join(_text(case) for case in cases)}]", ""

    # ------------------------------------------------------------ uniforms and dims

    def _parameter(self, name: str, type_: Type) -> str:
        """A value for a uniform; integers that sound like sizes become dims."""
        if isinstance(type_, Struct):
            members = {one.name: self._parameter(one.name, one.type) for one in type_.fields if not one.name.startswith(("_", "pad"))}
            return _table(members)
        if isinstance(type_, Vector):
            names = [f"{name}_{axis}" for axis in "xyzw"[: type_.size]] if _is_integer(type_.component) and _sounds_like_size(name) else []
            return f"[{', '.join(self._dim(one) for one in names)}]" if names else f"[{', '.join([_one(type_.component)] * type_.size)}]"
        if isinstance(type_, Scalar):
            return self._dim(name) if _is_integer(type_) and _sounds_like_size(name) else _one(type_)
        if isinstance(type_, Matrix):
            return f"[{', '.join([_one(type_.component)] * (type_.columns * type_.rows))}]"
        if isinstance(type_, Array):
            return f"[{', '.join([self._parameter('', type_.element)] * min(type_.count or 1, 64))}]"
        return "0"

    def _dim(self, name: str) -> str:
        name = _expression_name(name)
        if name not in self._dims:
            self._dims.append(name)
        return _text(name)

    # ------------------------------------------------------------ textures

    def _size(self, binding: Binding) -> str:
        """Axes by the dims that begin with the same letter: `height width`."""
        wanted = _texture_dims(binding)
        by_letter = {dim[0].upper(): dim for dim in reversed(self._dims) if _sounds_like_size(dim)}
        return " ".join(by_letter.get(axis, axis) if axis in {*by_letter, *self._dims} else "1" for axis in wanted)

    # ------------------------------------------------------------ buffers

    def _shapes(self, binding: Binding) -> Iterable[tuple[str, str]]:
        """Shapes of what has no size in the shader."""
        type_ = binding.type
        name = self._names[binding.name]
        if isinstance(type_, Array) and type_.count is None:
            yield name, self._axes(binding, type_)
        elif isinstance(type_, Struct):
            for member in type_.fields:
                if isinstance(member.type, Array) and member.type.count is None:
                    yield f"{name}.{member.name}", self._axes(binding, member.type)

    def _axes(self, binding: Binding, type_: Array) -> str:
        axes = list(self._matrix_axes(binding) or self._dims)
        element = type_.element
        if isinstance(element, Vector):
            axes.append(str(element.size))
        elif isinstance(element, Matrix):
            axes += [str(element.columns), str(element.rows)]
        elif isinstance(element, Array):
            axes.append(str(element.count or 1))
        return " ".join(axes)

    def _matrix_axes(self, binding: Binding) -> Sequence[str] | None:
        """Two matrices in and one out, with three sizes called m, n, k, are a matrix product."""
        named = {dim.casefold(): dim for dim in self._dims}
        read = [one.name for one in self._buffers if one.access == "read"]
        if set(named) != {"m", "n", "k"} or len(read) != 2 or len(self._buffers) != 3:
            return None
        if binding.access != "read":
            return named["m"], named["n"]
        return (named["m"], named["k"]) if binding.name == read[0] else (named["k"], named["n"])

    def _parts(self, binding: Binding) -> list[str]:
        name = self._names[binding.name]
        struct = element_struct(binding.type)
        return [name] if struct is None else [f"{name}.{member.name}" for member in struct.fields]

    def _dispatch(self) -> str:
        size = self._entry.workgroup_size
        numbers = size if size is not None and not self._interface.overrides else None
        groups = [str(one) for one in numbers] if numbers else [f"workgroup_size.{axis}" for axis in "xyz"]
        if self._textures:
            # One invocation for each texel of what is written, or read: x runs along the innermost axis.
            seen = next((one for one in self._textures if one.access != "read"), self._textures[0])
            along = self._size(seen).split()[::-1]
            return ", ".join(f"ceil({axis} / {group})" for axis, group in zip(along, groups, strict=False))
        if len(self._dims) > 1 and size is not None and size[1] > 1:
            # x runs along the innermost axis of the output, y along the one outside of it.
            outer, inner = (self._matrix_dims() or self._dims)[:2]
            return f"ceil({inner} / {groups[0]}), ceil({outer} / {groups[1]})"
        if len(self._dims) == 2 and self._entry.workgroup_variables:
            return self._dims[0]
        return f"ceil({' * '.join(self._dims)} / {groups[0]})"

    def _matrix_dims(self) -> Sequence[str] | None:
        written = next((one for one in self._buffers if one.access != "read"), None)
        return self._matrix_axes(written) if written is not None else None


def _texture_dims(binding: Binding) -> tuple[str, ...]:
    """Names for the axes of a texture, outermost first: `H W`."""
    return tuple({"x": "W", "y": "H", "z": "D", "layer": "L"}[axis] for axis in SPATIAL_AXES[view_dimension(binding.type) or "2d"])


def _sounds_like_size(name: str) -> bool:
    words = re.findall(r"[a-z]+|[A-Z][a-z]*", name)
    return any(word.casefold() in _SIZE_WORDS for word in words)


def _is_integer(type_: Scalar) -> bool:
    return type_.name in {"u32", "i32"}


def _one(type_: Scalar) -> str:
    return "1" if _is_integer(type_) else "1.0"


def _default_input(type_: Type | None) -> str:
    scalars = [part.name for part in parts_of(type_) if isinstance(part, Scalar)] if type_ is not None else []
    components = [part.component.name for part in parts_of(type_) if isinstance(part, (Vector, Matrix))] if type_ is not None else []
    return DEFAULT_FLOATS if {"f32", "f16"} & {*scalars, *components} else DEFAULT_INTEGERS


def _expression_name(name: str) -> str:
    """A name that expressions can use: `in` becomes `in_`."""
    return f"{name}_" if keyword.iskeyword(name) or name in CONSTANTS else name


def _text(value: str) -> str:
    return json.dumps(value, ensure_ascii=False)


def _key(name: str) -> str:
    return name if re.fullmatch(r"[A-Za-z0-9_-]+", name) else _text(name)


def _table(items: Mapping[str, str]) -> str:
    return f"{{ {', '.join(f'{_key(name)} = {value}' for name, value in items.items())} }}" if items else "{}"
