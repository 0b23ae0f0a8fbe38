from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from pixel_core.engines.base import Answer, KernelJob, KernelRun, RunFailure
from pixel_core.engines.canaries import cached_quirks, keep_quirks, run_canaries


def words(*values: int) -> bytes:
    return b"".join(value.to_bytes(4, "little") for value in values)


def check(loop: bytes | None, stale: bytes | None, quirks: tuple[str, ...]) -> None:
    def run(jobs: Sequence[KernelJob]) -> Answer:
        content = loop if "fn count" in jobs[0].source else stale
        if content is None:
            return RunFailure(reason="validation", message="")
        return (KernelRun(buffers={"words": content}, broken_guards=(), device_s=0.0),)

    assert run_canaries(run) == quirks


def test_each_canary_shows_its_quirk() -> None:
    check(words(100_000, 50_000, 100_000), words(0, 0), ())
    check(words(100_000, 32_768, 65_535), words(0, 0), ("loop_cap",))
    check(words(100_000, 50_000, 100_000), words(0, 3), ("workgroup_memory_not_zeroed",))
    check(None, None, ("loop_cap", "workgroup_memory_not_zeroed"))


def test_what_was_found_is_kept_per_adapter(tmp_path: Path) -> None:
    file = tmp_path / "new folder" / "adapters.json"
    assert cached_quirks(file, "a") is None
    keep_quirks(file, "a", ("loop_cap",))
    keep_quirks(file, "b", ())
    assert (cached_quirks(file, "a"), cached_quirks(file, "b"), cached_quirks(file, "c")) == (("loop_cap",), (), None)
    assert [path.name for path in file.parent.iterdir()] == ["adapters.json"]


def test_only_the_newest_adapters_are_kept(tmp_path: Path) -> None:
    file = tmp_path / "adapters.json"
    for number in range(40):
        keep_quirks(file, str(number), ())
    assert list(json.loads(file.read_text())["adapters"]) == [str(number) for number in range(8, 40)]


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", "{", '{"version":2,"adapters":{"a":[]}}', '{"version":1,"adapters":[]}', "[" * 100_000, "\xff"]
)
def test_a_damaged_file_means_that_nothing_is_known(tmp_path: Path, text: str) -> None:
    file = tmp_path / "adapters.json"
    file.write_text(text, encoding="latin-1")
    assert cached_quirks(file, "a") is None
    keep_quirks(file, "a", ("loop_cap",))
    assert cached_quirks(file, "a") == ("loop_cap",)


def test_a_file_that_cannot_be_written_does_not_matter(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    keep_quirks(tmp_path / "file" / "adapters.json", "a", ())
