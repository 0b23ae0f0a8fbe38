from __future__ import annotations

import pytest

from pixel_core.engines.bounded_cache import BoundedCache


def test_what_was_not_used_for_the_longest_time_is_forgotten() -> None:
    cache: BoundedCache[str, int] = BoundedCache(2)
    made: list[str] = []

    def make(key: str) -> int:
        made.append(key)
        return len(made)

    for key in ("a", "b", "a", "c", "a", "b"):
        cache.get_or_make(key, lambda key=key: make(key))
    assert made == ["a", "b", "c", "b"]
    assert len(cache) == 2


def test_weights_count() -> None:
    cache: BoundedCache[str, bytes] = BoundedCache(10, len)
    for key, size in (("a", 4), ("b", 4), ("c", 4), ("huge", 11)):
        assert len(cache.get_or_make(key, lambda size=size: bytes(size))) == size
    assert len(cache) == 2
    cache.clear()
    assert len(cache) == 0
    cache.get_or_make("d", lambda: bytes(10))
    assert len(cache) == 1


def test_what_fails_is_not_kept() -> None:
    cache: BoundedCache[str, int] = BoundedCache(1)

    def fail() -> int:
        raise KeyError("x")

    with pytest.raises(KeyError, match="x"):
        cache.get_or_make("a", fail)
    assert cache.get_or_make("a", lambda: 1) == 1
