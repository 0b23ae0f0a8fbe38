"""Takes single values from the metadata of a model, each of a kind and within bounds."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TypeVar

from pixel_core.errors import ModelUnusable

_Element = TypeVar("_Element", bound="int | float | str | bool")


class MetadataReader:
    """Metadata under a prefix (`llama.`); what is missing, of another kind or out of bounds is one sentence.

    Args:
        metadata: Plain numbers, texts, truth values and sequences of those, by key.
        prefix: What each key begins with.
    """

    def __init__(self, metadata: Mapping[str, object], prefix: str = "") -> None:
        self._metadata = metadata
        self.prefix = prefix

    def of(self, architecture: str) -> MetadataReader:
        """The keys of an architecture."""
        return MetadataReader(self._metadata, f"{architecture}.")

    def integer(self, key: str, *, high: int, low: int = 1, default: int | None = None) -> int:
        """A whole number; a sequence of equal ones, as some files have for each layer, counts as that number.

        Raises:
            ModelUnusable: It is missing without a default, is none, differs from layer to layer, or lies out of bounds.
        """
        name = f"{self.prefix}{key}"
        value = self._metadata.get(name, default)
        if isinstance(value, Sequence) and not isinstance(value, str) and len(value) > 0:
            if any(each != value[0] for each in value):
                raise ModelUnusable(f"`{name}` differs from layer to layer, which is not supported")
            value = value[0]
        if value is None:
            raise ModelUnusable(f"the metadata has no `{name}`")
        if isinstance(value, bool) or not isinstance(value, int):
            raise ModelUnusable(f"`{name}` is not a whole number")
        if not low <= value <= high:
            raise ModelUnusable(f"`{name}` = {value:,} is not between {low:,} and {high:,}")
        return value

    def number(self, key: str, *, low: float, high: float, default: float | None = None) -> float:
        """A finite number.

        Raises:
            ModelUnusable: It is missing without a default, is none, or lies out of bounds.
        """
        name = f"{self.prefix}{key}"
        value = self._metadata.get(name, default)
        if value is None:
            raise ModelUnusable(f"the metadata has no `{name}`")
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise ModelUnusable(f"`{name}` is not a number")
        if not (math.isfinite(value) and low <= value <= high):
            raise ModelUnusable(f"`{name}` = {value:g} is not between {low:g} and {high:g}")
        return float(value)

    def text(self, key: str) -> str:
        """A text.

        Raises:
            ModelUnusable: It is missing or is none.
        """
        value = self.optional_text(key)
        if value is None:
            raise ModelUnusable(f"the metadata has no `{self.prefix}{key}`")
        return value

    def optional_text(self, key: str) -> str | None:
        """A text; None where there is none.

        Raises:
            ModelUnusable: It is something else.
        """
        value = self._metadata.get(f"{self.prefix}{key}")
        if value is not None and not isinstance(value, str):
            raise ModelUnusable(f"`{self.prefix}{key}` is not a text")
        return value

    def general(self, key: str) -> str:
        """A text outside of the prefix that serves people alone; empty where there is none."""
        value = self._metadata.get(key)
        return value if isinstance(value, str) else ""

    def truth(self, key: str, *, default: bool) -> bool:
        """A truth value.

        Raises:
            ModelUnusable: It is something else.
        """
        value = self._metadata.get(f"{self.prefix}{key}", default)
        if not isinstance(value, bool):
            raise ModelUnusable(f"`{self.prefix}{key}` is neither true nor false")
        return value

    def sequence(self, key: str, kind: type[_Element], *, longest: int) -> tuple[_Element, ...] | None:
        """A sequence of one kind of values; None where there is none.

        Raises:
            ModelUnusable: It is something else, or too long.
        """
        name = f"{self.prefix}{key}"
        value = self._metadata.get(name)
        if value is None:
            return None
        if isinstance(value, str) or not isinstance(value, Sequence) or len(value) > longest:
            raise ModelUnusable(f"`{name}` is not a sequence of at most {longest:,} values")
        if not all(isinstance(each, kind) for each in value):
            raise ModelUnusable(f"`{name}` holds values of another kind than `{kind.__name__}`")
        return tuple(value)
