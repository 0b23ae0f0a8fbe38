"""A mapping that forgets what was not used for the longest time."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")


class BoundedCache(Generic[Key, Value]):
    """Keeps values up to a total weight.

    Args:
        capacity: Greatest total weight; a single value beyond it is not kept.
        weigh: Weight of a value, such as its bytes; 1 each unless given.
    """

    def __init__(self, capacity: int, weigh: Callable[[Value], int] = lambda _: 1) -> None:
        self._capacity = capacity
        self._weigh = weigh
        self._values: OrderedDict[Key, tuple[Value, int]] = OrderedDict()
        self._weight = 0

    def get_or_make(self, key: Key, make: Callable[[], Value]) -> Value:
        """The value of a key, made when it is not there. What `make` raises is passed on and nothing is kept."""
        if key in self._values:
            self._values.move_to_end(key)
            return self._values[key][0]
        value = make()
        weight = self._weigh(value)
        if weight <= self._capacity:
            self._values[key] = (value, weight)
            self._weight += weight
            while self._weight > self._capacity:
                _, (_, forgotten) = self._values.popitem(last=False)
                self._weight -= forgotten
        return value

    def clear(self) -> None:
        """Forget everything."""
        self._values.clear()
        self._weight = 0

    def __len__(self) -> int:
        return len(self._values)
