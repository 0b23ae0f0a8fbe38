from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from pixel_core.kernels.file_hashes import FileHashes
from pixel_core.kernels.result_cache import CaseRun, ResultCache, cache_key
from pixel_core.kernels.results import CaseResult, Fault


def run_with(*kinds: str, files: dict[str, str] | None = None) -> CaseRun:
    faults = tuple(Fault(kind=kind, message="") for kind in kinds)
    return CaseRun(result=CaseResult(name="n=1", status="failed", faults=faults), files=files or {})


@pytest.mark.parametrize(
    ("kinds", "is_found", "is_last"),
    [
        ((), True, True),
        (("expression",), True, True),
        (("worker_ended",), False, True),
        (("timeout",), False, True),
        (("cancelled",), False, False),
    ],
)
def test_what_may_end_otherwise_is_told_and_not_reused(kinds: tuple[str, ...], is_found: bool, is_last: bool) -> None:
    cache, run = ResultCache(FileHashes()), run_with(*kinds)
    cache.keep("key", run)
    assert (cache.find("key"), cache.last("key")) == (run if is_found else None, run if is_last else None)


def test_a_later_run_takes_the_place_of_an_earlier_one() -> None:
    cache = ResultCache(FileHashes())
    cache.keep("key", run_with())
    cache.keep("key", run_with("worker_ended"))
    assert cache.find("key") is None
    cache.keep("key", run_with("expression"))
    assert cache.find("key") == run_with("expression")


def test_a_file_that_changed_ends_what_rests_on_it(tmp_path: Path) -> None:
    path = tmp_path / "ref.py"
    path.write_text("1", encoding="utf-8")
    cache = ResultCache(FileHashes())
    run = run_with(files={str(path): hashlib.sha256(b"1").hexdigest()})
    cache.keep("key", run)
    assert cache.find("key") == run
    path.write_text("2", encoding="utf-8")
    assert cache.find("key") is None


def test_no_two_lists_of_texts_share_a_key() -> None:
    lists = [("a", "b"), ("ab", ""), ("ab",), ("", "ab"), ("b", "a"), (), ("",)]
    assert len({cache_key(*texts) for texts in lists}) == len(lists)
