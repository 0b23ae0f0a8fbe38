"""Results of cases by everything that they depend on, so that what did not change need not run again."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Mapping
from pathlib import Path

import msgspec

from pixel_core.kernels.file_hashes import FileHashes
from pixel_core.kernels.results import CaseResult

_KEPT_RESULTS = 2048
"""About 3 KiB each; two hundred kernels of ten cases."""

_OF_THE_MOMENT = frozenset(
    {
        "timeout",
        "worker_ended",
        "cancelled",
        "out_of_memory",
        "device_lost",
        "internal",
        "interpreter",
        "no_input",
        "no_reference",
        "unsupported",
    }
)
"""Kinds of fault that may be gone the next time although no file changed."""


class CaseRun(msgspec.Struct, frozen=True, kw_only=True):
    """One case that ran.

    Attributes:
        result: What it came to.
        files: Files that inputs and reference came from → their SHA-256, empty where one did not exist.
    """

    result: CaseResult
    files: Mapping[str, str]


class ResultCache:
    """The latest results, least recently used out first. The key holds all texts; the files that it read are looked at each time.

    Args:
        hashes: Of these files.
    """

    def __init__(self, hashes: FileHashes) -> None:
        self._runs: OrderedDict[str, CaseRun] = OrderedDict()
        self._hashes = hashes

    def find(self, key: str) -> CaseRun | None:
        """The run of that key, if another try would end likewise: every file it read still has the same content."""
        run = self.last(key)
        return None if run is None or _faults(run) & _OF_THE_MOMENT else run

    def last(self, key: str) -> CaseRun | None:
        """The run of that key, if every file it read still has the same content; another try may end otherwise."""
        run = self._runs.get(key)
        if run is None:
            return None
        if any(self._hashes.sha256(Path(path)) != sha256 for path, sha256 in run.files.items()):
            del self._runs[key]
            return None
        self._runs.move_to_end(key)
        return run

    def keep(self, key: str, run: CaseRun) -> None:
        """Keep a run, unless it was withdrawn."""
        if "cancelled" in _faults(run):
            return
        self._runs[key] = run
        self._runs.move_to_end(key)
        if len(self._runs) > _KEPT_RESULTS:
            self._runs.popitem(last=False)


def _faults(run: CaseRun) -> frozenset[str]:
    return frozenset(fault.kind for fault in run.result.faults)


def cache_key(*parts: str) -> str:
    """One key of several texts; no two different lists of texts share one."""
    digest = hashlib.sha256()
    for part in parts:
        data = part.encode("utf-8", "surrogatepass")
        digest.update(len(data).to_bytes(8, "little"))
        digest.update(data)
    return digest.hexdigest()
