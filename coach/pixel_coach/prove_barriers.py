"""A race that luck can hide on every run: workgroup memory that invocations share without any barrier."""

from __future__ import annotations

from pixel_core.kernels.load_shader import LoadedShader
from pixel_core.wgsl.syntax import Call, Identifier, VariableDeclaration
from pixel_core.wgsl.walk import walk

_BARRIERS = frozenset({"workgroupBarrier", "workgroupUniformLoad"})


def find_missing_barrier(loaded: LoadedShader) -> str | None:
    """Why a shader's workgroup memory cannot be used safely; None when this simple look finds nothing.

    An adapter that runs a workgroup in lockstep gives right results without any barrier, so running shows nothing. A kernel in which
    each invocation keeps to its own element would be safe, and has no use for workgroup memory.
    """
    if any(isinstance(node, Call) and node.callee.name.text in _BARRIERS for node in walk(loaded.tree)):
        return None
    for entry in loaded.interface.entry_points:
        for name in sorted(entry.workgroup_variables):
            if entry.workgroup_size != (1, 1, 1) and not _is_atomic(loaded, name):
                return f"`{entry.name}` uses `{name}` in workgroup memory, and there is no `workgroupBarrier()`"
    return None


def _is_atomic(loaded: LoadedShader, name: str) -> bool:
    declared = (one for one in loaded.tree.declarations if isinstance(one, VariableDeclaration) and one.name.text == name)
    return any(isinstance(node, Identifier) and node.name.text == "atomic" for one in declared for node in walk(one))
