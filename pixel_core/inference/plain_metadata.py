"""The metadata of a model's file as plain numbers, texts, truth values and sequences of those, decoded when asked for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from numpy import ndarray

from pixel_core.weights.metadata import MetadataValue


class PlainMetadata(Mapping[str, object]):
    """Key-values without their types.

    Args:
        metadata: As a file has them.
    """

    def __init__(self, metadata: Mapping[str, MetadataValue]) -> None:
        self._metadata = metadata

    def __getitem__(self, key: str) -> object:
        value = self._metadata[key].value
        return value.tolist() if isinstance(value, ndarray) else value

    def __iter__(self) -> Iterator[str]:
        return iter(self._metadata)

    def __len__(self) -> int:
        return len(self._metadata)
