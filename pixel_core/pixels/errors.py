"""What callers of `pixel_core.pixels` must handle.

PixelError
└── MapError            a map cannot be used as was asked
    ├── MapBusy         somebody else writes it
    ├── MapDamaged      what it holds is not what was written, or was never written by us
    │   └── TileDamaged one tile; the others can be read
    ├── CodecMissing    a tile needs a library that is not installed
    ├── PathRefused     a name that no file may have
    └── NoSuchPath      there is no such file
"""

from __future__ import annotations

from pathlib import Path

from pixel_core.errors import PixelError


class MapError(PixelError):
    """A map cannot be used as was asked."""


class MapBusy(MapError):  # noqa: N818 -- a state, not an error of ours
    """Somebody else writes the map."""


class MapDamaged(MapError):  # noqa: N818
    """What a map holds is not what was written, or was never written by us.

    Args:
        what: What is wrong, as half a sentence.
        path: Of the map's file, where it is known.
    """

    def __init__(self, what: str, *, path: Path | None = None) -> None:
        where = f"the map `{path}`" if path else "the map"
        super().__init__(f"{where} is damaged: {what}", hint=f"see what is lost: pixel-lsp fs verify {path or 'MAP'}")
        self.what = what
        self.is_named = path is not None


class TileDamaged(MapDamaged):
    """One tile cannot be read.

    Args:
        what: What is wrong, as half a sentence.
        code: Morton code of the tile.
        path: Of the map's file, where it is known.
    """

    def __init__(self, what: str, *, code: int, path: Path | None = None) -> None:
        super().__init__(what, path=path)
        self.code = code


class CodecMissing(MapError):  # noqa: N818
    """A tile is compressed, and what decompresses it is not installed."""


class PathRefused(MapError):  # noqa: N818
    """A name that no file in a map may have."""


class NoSuchPath(MapError):  # noqa: N818
    """There is no file of this name."""
