"""The names that WGSL declares before the program does: types, functions, enumerants, attributes and built-in values.

Taken from the specification's sections "Predeclared Types and Type-Generators Summary", "Built-in Functions", "Enumeration
Types", "Attributes" and "Built-in Values", with the optional extensions and language features that browsers ship.
"""

from __future__ import annotations

SCALAR_TYPES = frozenset({"bool", "i32", "u32", "f32", "f16"})

_COMPONENT_SUFFIXES = {"i": "i32", "u": "u32", "f": "f32", "h": "f16"}

VECTOR_GENERATORS = {f"vec{size}": size for size in (2, 3, 4)}
"""`vecN` with its number of components."""

VECTOR_ALIASES = {f"vec{size}{suffix}": (size, scalar) for size in (2, 3, 4) for suffix, scalar in _COMPONENT_SUFFIXES.items()}
"""`vec3f` and the like: number of components and component type."""

MATRIX_GENERATORS = {f"mat{columns}x{rows}": (columns, rows) for columns in (2, 3, 4) for rows in (2, 3, 4)}
"""`matCxR` with its columns and rows."""

MATRIX_ALIASES = {
    f"{name}{suffix}": (columns, rows, _COMPONENT_SUFFIXES[suffix])
    for name, (columns, rows) in MATRIX_GENERATORS.items()
    for suffix in ("f", "h")
}
"""`mat4x4f` and the like: columns, rows and component type."""

SAMPLED_TEXTURES = frozenset(
    {"texture_1d", "texture_2d", "texture_2d_array", "texture_3d", "texture_cube", "texture_cube_array", "texture_multisampled_2d"}
)
"""Textures with one template argument, the sampled type."""

STORAGE_TEXTURES = frozenset({"texture_storage_1d", "texture_storage_2d", "texture_storage_2d_array", "texture_storage_3d"})
"""Textures with two template arguments: texel format and access mode."""

PLAIN_RESOURCES = frozenset(
    {
        "sampler",
        "sampler_comparison",
        "texture_depth_2d",
        "texture_depth_2d_array",
        "texture_depth_cube",
        "texture_depth_cube_array",
        "texture_depth_multisampled_2d",
        "texture_external",
    }
)
"""Samplers, depth and external textures: no template arguments."""

_EXTENSION_TYPES = frozenset(
    {
        "acceleration_structure",
        "binding_array",
        "buffer",
        "input_attachment",
        "ray_query",
        "subgroup_matrix_left",
        "subgroup_matrix_result",
        "subgroup_matrix_right",
        "texel_buffer",
    }
)

TYPES = frozenset(
    {
        *SCALAR_TYPES,
        *VECTOR_GENERATORS,
        *VECTOR_ALIASES,
        *MATRIX_GENERATORS,
        *MATRIX_ALIASES,
        *SAMPLED_TEXTURES,
        *STORAGE_TEXTURES,
        *PLAIN_RESOURCES,
        *_EXTENSION_TYPES,
        "array",
        "atomic",
        "ptr",
    }
)
"""Every predeclared type and type generator."""

ADDRESS_SPACES = frozenset({"function", "private", "workgroup", "uniform", "storage", "immediate", "push_constant"})
"""Address spaces that may be written. `push_constant` is what native implementations called `immediate`."""

ACCESS_MODES = frozenset({"read", "write", "read_write"})

_CHANNEL_FORMATS = {
    "r8": ("unorm", "snorm", "uint", "sint"),
    "rg8": ("unorm", "snorm", "uint", "sint"),
    "rgba8": ("unorm", "snorm", "uint", "sint"),
    "r16": ("unorm", "snorm", "uint", "sint", "float"),
    "rg16": ("unorm", "snorm", "uint", "sint", "float"),
    "rgba16": ("unorm", "snorm", "uint", "sint", "float"),
    "r32": ("uint", "sint", "float"),
    "rg32": ("uint", "sint", "float"),
    "rgba32": ("uint", "sint", "float"),
    "bgra8": ("unorm",),
    "rgb10a2": ("unorm", "uint"),
    "rg11b10": ("ufloat",),
    "r64": ("uint",),
}

TEXEL_FORMATS = frozenset(channels + kind for channels, kinds in _CHANNEL_FORMATS.items() for kind in kinds)

ENUMERANTS = ADDRESS_SPACES | ACCESS_MODES | TEXEL_FORMATS

ATOMIC_READS = frozenset({"atomicLoad"})
ATOMIC_WRITES = frozenset(
    {
        "atomicAdd",
        "atomicAnd",
        "atomicCompareExchangeWeak",
        "atomicExchange",
        "atomicMax",
        "atomicMin",
        "atomicOr",
        "atomicStore",
        "atomicStoreMax",
        "atomicStoreMin",
        "atomicSub",
        "atomicXor",
    }
)
"""Built-in functions that write through their first argument, a pointer to an atomic."""

BARRIERS = frozenset({"storageBarrier", "textureBarrier", "workgroupBarrier", "workgroupUniformLoad", "subgroupBarrier"})

MATH_FUNCTIONS = frozenset(
    [
        "abs",
        "acos",
        "acosh",
        "all",
        "any",
        "asin",
        "asinh",
        "atan",
        "atan2",
        "atanh",
        "bitcast",
        "ceil",
        "clamp",
        "cos",
        "cosh",
        "countLeadingZeros",
        "countOneBits",
        "countTrailingZeros",
        "cross",
        "degrees",
        "determinant",
        "distance",
        "dot",
        "dot4I8Packed",
        "dot4U8Packed",
        "exp",
        "exp2",
        "extractBits",
        "faceForward",
        "firstLeadingBit",
        "firstTrailingBit",
        "floor",
        "fma",
        "fract",
        "frexp",
        "insertBits",
        "inverseSqrt",
        "ldexp",
        "length",
        "log",
        "log2",
        "max",
        "min",
        "mix",
        "modf",
        "normalize",
        "pack2x16float",
        "pack2x16snorm",
        "pack2x16unorm",
        "pack4x8snorm",
        "pack4x8unorm",
        "pack4xI8",
        "pack4xI8Clamp",
        "pack4xU8",
        "pack4xU8Clamp",
        "pow",
        "quantizeToF16",
        "radians",
        "reflect",
        "refract",
        "reverseBits",
        "round",
        "saturate",
        "select",
        "sign",
        "sin",
        "sinh",
        "smoothstep",
        "sqrt",
        "step",
        "tan",
        "tanh",
        "transpose",
        "trunc",
        "unpack2x16float",
        "unpack2x16snorm",
        "unpack2x16unorm",
        "unpack4x8snorm",
        "unpack4x8unorm",
        "unpack4xI8",
        "unpack4xU8",
    ]
)
"""Built-in functions that may appear in a const-expression."""

_TEXTURE_FUNCTIONS = frozenset(
    [
        "textureAtomicAdd",
        "textureAtomicAnd",
        "textureAtomicMax",
        "textureAtomicMin",
        "textureAtomicOr",
        "textureAtomicXor",
        "textureDimensions",
        "textureGather",
        "textureGatherCompare",
        "textureLoad",
        "textureNumLayers",
        "textureNumLevels",
        "textureNumSamples",
        "textureSample",
        "textureSampleBaseClampToEdge",
        "textureSampleBias",
        "textureSampleCompare",
        "textureSampleCompareLevel",
        "textureSampleGrad",
        "textureSampleLevel",
        "textureStore",
    ]
)

TEXTURE_WRITES = frozenset(name for name in _TEXTURE_FUNCTIONS if name.startswith(("textureStore", "textureAtomic")))
"""Built-in functions that write to the texture that is their first argument."""

_DERIVATIVES = frozenset(
    {"dpdx", "dpdy", "fwidth"} | {f"{name}{kind}" for name in ("dpdx", "dpdy", "fwidth") for kind in ("Coarse", "Fine")}
)

SUBGROUP_FUNCTIONS = frozenset(
    [
        "quadBroadcast",
        "quadSwapDiagonal",
        "quadSwapX",
        "quadSwapY",
        "subgroupAdd",
        "subgroupAll",
        "subgroupAnd",
        "subgroupAny",
        "subgroupBallot",
        "subgroupBarrier",
        "subgroupBroadcast",
        "subgroupBroadcastFirst",
        "subgroupElect",
        "subgroupExclusiveAdd",
        "subgroupExclusiveMul",
        "subgroupInclusiveAdd",
        "subgroupInclusiveMul",
        "subgroupMax",
        "subgroupMin",
        "subgroupMul",
        "subgroupOr",
        "subgroupShuffle",
        "subgroupShuffleDown",
        "subgroupShuffleUp",
        "subgroupShuffleXor",
        "subgroupXor",
    ]
)
"""Built-in functions of `enable subgroups;`."""

_EXTENSION_FUNCTIONS = frozenset(
    [
        "bufferArrayView",
        "bufferLength",
        "bufferView",
        "inputAttachmentLoad",
        "print",
        "subgroupMatrixLoad",
        "subgroupMatrixMultiply",
        "subgroupMatrixMultiplyAccumulate",
        "subgroupMatrixScalarAdd",
        "subgroupMatrixScalarMultiply",
        "subgroupMatrixScalarSubtract",
        "subgroupMatrixStore",
        "getCommittedHitVertexPositions",
        "getCandidateHitVertexPositions",
        "rayQueryConfirmIntersection",
        "rayQueryGenerateIntersection",
        "rayQueryGetCandidateIntersection",
        "rayQueryGetCommittedIntersection",
        "rayQueryInitialize",
        "rayQueryProceed",
        "rayQueryTerminate",
    ]
)

FUNCTIONS = frozenset(
    {
        *MATH_FUNCTIONS,
        *ATOMIC_READS,
        *ATOMIC_WRITES,
        *BARRIERS,
        *SUBGROUP_FUNCTIONS,
        *_TEXTURE_FUNCTIONS,
        *_DERIVATIVES,
        *_EXTENSION_FUNCTIONS,
        "arrayLength",
    }
)
"""Every built-in function. Value constructors are called by the names of their types and are not repeated here."""

PREDECLARED = TYPES | FUNCTIONS | ENUMERANTS

F16_TYPES = frozenset({"f16"} | {name for name in VECTOR_ALIASES if name[-1] == "h"} | {name for name in MATRIX_ALIASES if name[-1] == "h"})
"""Types that need `enable f16;`."""

CONTEXT_DEPENDENT_ATTRIBUTES = frozenset({"builtin", "interpolate", "diagnostic"})
"""Attributes whose arguments are names of a context of their own, not uses of declarations."""

RENAMED = {
    "byte": "u32",
    "char": "u32",
    "double": "f32",
    "f64": "f32",
    "float": "f32",
    "half": "f16",
    "int": "i32",
    "size_t": "u32",
    "uint": "u32",
    "int32_t": "i32",
    "uint32_t": "u32",
    **{f"float{n}": f"vec{n}f" for n in (2, 3, 4)},
    **{f"int{n}": f"vec{n}i" for n in (2, 3, 4)},
    **{f"uint{n}": f"vec{n}u" for n in (2, 3, 4)},
    **{f"half{n}": f"vec{n}h" for n in (2, 3, 4)},
    **{f"ivec{n}": f"vec{n}i" for n in (2, 3, 4)},
    **{f"uvec{n}": f"vec{n}u" for n in (2, 3, 4)},
    **{f"mat{n}": f"mat{n}x{n}f" for n in (2, 3, 4)},
    "atomic_add": "atomicAdd",
    "barrier": "workgroupBarrier",
    "fabs": "abs",
    "fmax": "max",
    "fmin": "min",
    "frac": "fract",
    "lerp": "mix",
    "mad": "fma",
    "powf": "pow",
    "rsqrt": "inverseSqrt",
    "sqrtf": "sqrt",
    "expf": "exp",
    "sampler2D": "texture_2d",
    "__syncthreads": "workgroupBarrier",
    "threadgroup_barrier": "workgroupBarrier",
    "gl_GlobalInvocationID": "@builtin(global_invocation_id)",
    "gl_LocalInvocationID": "@builtin(local_invocation_id)",
    "gl_LocalInvocationIndex": "@builtin(local_invocation_index)",
    "gl_WorkGroupID": "@builtin(workgroup_id)",
    "gl_NumWorkGroups": "@builtin(num_workgroups)",
    "global_invocation_id": "@builtin(global_invocation_id)",
    "local_invocation_id": "@builtin(local_invocation_id)",
    "local_invocation_index": "@builtin(local_invocation_index)",
    "workgroup_id": "@builtin(workgroup_id)",
    "num_workgroups": "@builtin(num_workgroups)",
    "threadIdx": "@builtin(local_invocation_id)",
    "blockIdx": "@builtin(workgroup_id)",
}
"""What WGSL calls the things that other shading languages have, for the hint of an unknown name."""

BUILTIN_VALUE_TYPES: dict[str, str] = {
    "frag_depth": "f32",
    "front_facing": "bool",
    "global_invocation_id": "vec3<u32>",
    "global_invocation_index": "u32",
    "instance_index": "u32",
    "local_invocation_id": "vec3<u32>",
    "local_invocation_index": "u32",
    "num_subgroups": "u32",
    "num_workgroups": "vec3<u32>",
    "position": "vec4<f32>",
    "primitive_index": "u32",
    "sample_index": "u32",
    "sample_mask": "u32",
    "subgroup_id": "u32",
    "subgroup_invocation_id": "u32",
    "subgroup_size": "u32",
    "vertex_index": "u32",
    "workgroup_id": "vec3<u32>",
    "workgroup_index": "u32",
}
"""Types of the built-in values; `clip_distances` is an array of 1 to 8 `f32`."""
