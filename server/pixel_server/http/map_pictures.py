"""Tiles as PNG and figures of tensors, made in threads: few at a time, and none twice while it is remembered."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from typing import Final

from pixel_core.model_map.atlas import Atlas
from pixel_core.model_map.draw_tile import TileDrawer
from pixel_core.model_map.palette import encode_png
from pixel_core.model_map.summarise_tensor import TensorSummary, summarise_tensor

_CACHE_BYTES: Final = 64 << 20
_DRAWING: Final = 2

TileKey = tuple[int, int, int]
"""Level, column and row."""


class MapPictures:
    """What is shown of a model. For use in one event loop.

    Args:
        atlas: The model's map.
    """

    def __init__(self, atlas: Atlas) -> None:
        self._atlas = atlas
        self._drawer = TileDrawer(atlas)
        self._drawing = asyncio.Semaphore(_DRAWING)
        self._measuring = asyncio.Semaphore(1)
        self._tiles: OrderedDict[TileKey, bytes] = OrderedDict()
        self._tile_bytes = 0
        self._summaries: dict[int, TensorSummary | None] = {}
        self._is_closed = False

    async def tile(self, key: TileKey, is_wanted: Callable[[], Awaitable[bool]]) -> bytes | None:
        """A tile as PNG; None if nobody wants it any more when its turn comes.

        Raises:
            ModelFileError: The file is damaged there.
        """
        if key not in self._tiles:
            async with self._drawing:
                if key not in self._tiles:
                    if not await is_wanted():
                        return None
                    self._keep(key, await asyncio.to_thread(self._draw, key))
        self._tiles.move_to_end(key)
        return self._tiles[key]

    async def summary(self, number: int) -> TensorSummary | None:
        """Figures of a tensor by its id; None for types that cannot be computed.

        Raises:
            ModelFileError: The file is damaged there.
        """
        if number not in self._summaries:
            async with self._measuring:
                if number not in self._summaries:
                    tensor = self._atlas.places[number].tensor
                    found = await asyncio.to_thread(summarise_tensor, self._atlas.model, tensor, go_on=lambda: not self._is_closed)
                    self._summaries[number] = found
        return self._summaries[number]

    def close(self) -> None:
        """Let threads that are still at work come to an end."""
        self._is_closed = True

    def _draw(self, key: TileKey) -> bytes:
        return encode_png(self._drawer.draw(*key))

    def _keep(self, key: TileKey, picture: bytes) -> None:
        self._tiles[key] = picture
        self._tile_bytes += len(picture)
        while self._tile_bytes > _CACHE_BYTES:
            self._tile_bytes -= len(self._tiles.popitem(last=False)[1])
