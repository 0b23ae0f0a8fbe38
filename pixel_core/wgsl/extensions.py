"""Names that directives, attributes and built-in values may have (WGSL specification, as of 2026)."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import msgspec

ENABLE_EXTENSIONS: frozenset[str] = frozenset(
    ("f16", "clip_distances", "dual_source_blending", "subgroups", "primitive_index", "subgroup_size_control")
)
"""What `enable` may name."""

VENDOR_EXTENSIONS: frozenset[str] = frozenset(("draw_index", "per_vertex", "ray_query", "mesh_shading"))
VENDOR_PREFIXES: tuple[str, ...] = ("chromium_", "wgpu_", "naga_")
"""Extensions of one implementation, by name and by prefix."""

LANGUAGE_FEATURES: frozenset[str] = frozenset(
    (
        "readonly_and_readwrite_storage_textures",
        "packed_4x8_integer_dot_product",
        "unrestricted_pointer_parameters",
        "pointer_composite_access",
        "uniform_buffer_standard_layout",
        "subgroup_id",
        "subgroup_uniformity",
        "texture_and_sampler_let",
        "texture_formats_tier1",
        "texture_formats_tier2",
        "linear_indexing",
        "fragment_depth",
        "immediate_address_space",
        "immediate_data",
        "swizzle_assignment",
        "buffer_view",
        "sized_binding_array",
        "filtering_parameters",
        "multisample_array",
    )
)
"""What `requires` may name."""

SEVERITIES: frozenset[str] = frozenset(("error", "warning", "info", "off"))
"""Severities of a diagnostic filter."""

DIAGNOSTIC_RULES: frozenset[str] = frozenset(("derivative_uniformity", "subgroup_uniformity"))
"""Diagnostic rules of the specification; rules of an implementation have a dot in their name."""

STAGES: frozenset[str] = frozenset(("vertex", "fragment", "compute"))
"""Attributes that make a function an entry point."""


class AttributeForm(msgspec.Struct, frozen=True):
    """Where an attribute may stand and how many arguments it takes; `most` = 0 means no parentheses at all."""

    places: frozenset[str]
    least: int
    most: int


FUNCTION = "a function"
PARAMETER = "a parameter"
RETURN_TYPE = "a return type"
MEMBER = "a structure member"
MODULE_VARIABLE = "a module-scope `var`"
MODULE_CONSTANT = "a module-scope `const`"
OVERRIDE = "an `override`"
STATEMENT = "a statement"
"""The places where attributes can be written."""

_INTERFACE = frozenset((PARAMETER, RETURN_TYPE, MEMBER))

ATTRIBUTES: Mapping[str, AttributeForm] = MappingProxyType(
    {
        "align": AttributeForm(frozenset((MEMBER,)), 1, 1),
        "binding": AttributeForm(frozenset((MODULE_VARIABLE,)), 1, 1),
        "blend_src": AttributeForm(frozenset((MEMBER, RETURN_TYPE)), 1, 1),
        "builtin": AttributeForm(_INTERFACE, 1, 2),
        "compute": AttributeForm(frozenset((FUNCTION,)), 0, 0),
        "diagnostic": AttributeForm(frozenset((FUNCTION, STATEMENT)), 2, 2),
        "fragment": AttributeForm(frozenset((FUNCTION,)), 0, 0),
        "group": AttributeForm(frozenset((MODULE_VARIABLE,)), 1, 1),
        "id": AttributeForm(frozenset((OVERRIDE,)), 1, 1),
        "interpolate": AttributeForm(_INTERFACE, 1, 2),
        "invariant": AttributeForm(_INTERFACE, 0, 0),
        "location": AttributeForm(_INTERFACE, 1, 1),
        "must_use": AttributeForm(frozenset((FUNCTION,)), 0, 0),
        "size": AttributeForm(frozenset((MEMBER,)), 1, 1),
        "subgroup_size": AttributeForm(frozenset((FUNCTION,)), 1, 1),
        "vertex": AttributeForm(frozenset((FUNCTION,)), 0, 0),
        "workgroup_size": AttributeForm(frozenset((FUNCTION,)), 1, 3),
    }
)
"""Every attribute a shader may write."""

INTERPOLATION_TYPES: frozenset[str] = frozenset(("perspective", "linear", "flat"))
INTERPOLATION_SAMPLING: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "perspective": frozenset(("center", "centroid", "sample")),
        "linear": frozenset(("center", "centroid", "sample")),
        "flat": frozenset(("first", "either")),
    }
)
"""Arguments of `@interpolate`: the types, and the sampling each of them allows."""

BUILTIN_VALUES: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "clip_distances": frozenset(("vertex output",)),
        "frag_depth": frozenset(("fragment output",)),
        "front_facing": frozenset(("fragment input",)),
        "global_invocation_id": frozenset(("compute input",)),
        "global_invocation_index": frozenset(("compute input",)),
        "instance_index": frozenset(("vertex input",)),
        "local_invocation_id": frozenset(("compute input",)),
        "local_invocation_index": frozenset(("compute input",)),
        "num_subgroups": frozenset(("compute input",)),
        "num_workgroups": frozenset(("compute input",)),
        "position": frozenset(("vertex output", "fragment input")),
        "primitive_index": frozenset(("fragment input",)),
        "sample_index": frozenset(("fragment input",)),
        "sample_mask": frozenset(("fragment input", "fragment output")),
        "subgroup_id": frozenset(("compute input",)),
        "subgroup_invocation_id": frozenset(("compute input", "fragment input")),
        "subgroup_size": frozenset(("compute input", "fragment input")),
        "vertex_index": frozenset(("vertex input",)),
        "workgroup_id": frozenset(("compute input",)),
        "workgroup_index": frozenset(("compute input",)),
    }
)
"""Built-in values, with the stages and directions where they may be used."""
