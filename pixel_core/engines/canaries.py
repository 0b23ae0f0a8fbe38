"""Two small kernels that show whether an adapter keeps WGSL's promises, run once per adapter and driver."""

from __future__ import annotations

import contextlib
import json
import os
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import cast

from pixel_core.engines.base import Answer, BindingJob, BufferJob, DispatchJob, KernelJob

LOOP_CAP = "loop_cap"
WORKGROUP_MEMORY_NOT_ZEROED = "workgroup_memory_not_zeroed"

_ITERATIONS = 100_000
"""Above the 65,535 after which llvmpipe ends every loop of an invocation."""

_WORKGROUPS = 16
_VERSION = 1
_KEPT_ADAPTERS = 32

_LOOP_SOURCE = """
@group(0) @binding(0) var<storage, read_write> counts: array<u32>;

@compute @workgroup_size(1)
fn count() {
    var i = 0u;
    while (i < counts[0]) {
        i += 1u;
        counts[1] += i & 1u;
    }
    counts[2] = i;
}
"""

_ZERO_SOURCE = """
@group(0) @binding(0) var<storage, read_write> stale: array<u32>;
var<workgroup> words: array<u32, 256>;

@compute @workgroup_size(64)
fn spoil(@builtin(local_invocation_index) i: u32, @builtin(workgroup_id) group: vec3<u32>) {
    var found = 0u;
    for (var k = i; k < 256u; k += 64u) {
        found += u32(words[k] != 0u);
        words[k] = 0xDEADBEEFu + stale[0];
    }
    workgroupBarrier();
    stale[1u + group.x * 64u + i] = found + u32(words[255u - i] == 0u);
}
"""


def run_canaries(run: Callable[[Sequence[KernelJob]], Answer]) -> tuple[str, ...]:
    """The promises that an adapter breaks. A canary that cannot run at all counts as broken: the counter-measures cost little."""
    quirks: list[str] = []
    if _words(run, _job(_LOOP_SOURCE, "count", 1, _pack([_ITERATIONS, 0, 0])))[1:3] != [_ITERATIONS // 2, _ITERATIONS]:
        quirks.append(LOOP_CAP)
    stale = _words(run, _job(_ZERO_SOURCE, "spoil", _WORKGROUPS, bytes(4 * (1 + 64 * _WORKGROUPS))))
    if not stale or any(stale):
        quirks.append(WORKGROUP_MEMORY_NOT_ZEROED)
    return tuple(quirks)


def cached_quirks(file: Path, adapter: str) -> tuple[str, ...] | None:
    """What an earlier process found out about an adapter; None when nothing is known.

    Args:
        file: The cache file; missing or damaged means that nothing is known.
        adapter: Adapter, driver and versions in one text.
    """
    found = _read(file).get(adapter)
    if not isinstance(found, list):
        return None
    known = (LOOP_CAP, WORKGROUP_MEMORY_NOT_ZEROED)
    return tuple(quirk for quirk in known if quirk in cast("list[object]", found))


def keep_quirks(file: Path, adapter: str, quirks: tuple[str, ...]) -> None:
    """Write what was found out, atomically. A folder that cannot be written costs the next process a few milliseconds, no more."""
    adapters = _read(file)
    adapters.pop(adapter, None)
    adapters[adapter] = list(quirks)
    kept = dict(list(adapters.items())[-_KEPT_ADAPTERS:])
    with contextlib.suppress(OSError):
        file.parent.mkdir(parents=True, exist_ok=True)
        descriptor, temporary = tempfile.mkstemp(dir=file.parent, prefix=file.name)
        with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
            json.dump({"version": _VERSION, "adapters": kept}, stream, indent=1)
        Path(temporary).replace(file)


def _read(file: Path) -> dict[str, object]:
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    if not isinstance(content, dict) or content.get("version") != _VERSION or not isinstance(content.get("adapters"), dict):
        return {}
    return cast("dict[str, object]", content["adapters"])


def _job(source: str, entry_point: str, workgroups: int, initial: bytes) -> KernelJob:
    binding = BindingJob(group=0, binding=0, buffer="words", writable=True)
    dispatch = DispatchJob(entry_point=entry_point, constants={}, workgroups=(workgroups, 1, 1), bindings=(binding,))
    return KernelJob(source=source, buffers={"words": BufferJob(initial=initial, read_back=True)}, dispatches=(dispatch,))


def _words(run: Callable[[Sequence[KernelJob]], Answer], job: KernelJob) -> list[int]:
    answer = run((job,))
    if not isinstance(answer, tuple):
        return []
    data = answer[0].buffers["words"]
    return [int.from_bytes(data[start : start + 4], "little") for start in range(0, len(data), 4)]


def _pack(words: list[int]) -> bytes:
    return b"".join(word.to_bytes(4, "little") for word in words)
