"""What a check of a map's file finds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

HEADER: Final = "header"
SLOT: Final = "slot"
COMMIT: Final = "commit"
TILE: Final = "tile"
UNUSED: Final = "unused"


@dataclass(frozen=True, slots=True, kw_only=True)
class TileUse:
    """Where a stored tile is used.

    Attributes:
        code: Its Morton code.
        snapshot: In the state of this snapshot; None for the newest one.
    """

    code: int
    snapshot: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Damage:
    """One thing that is not what was written.

    Attributes:
        kind: `HEADER` or `SLOT`: of the pages in front. `COMMIT`: of the newest state or a snapshot. `TILE`: of one of these.
            `UNUSED`: of what no state needs any more.
        what: What is wrong, as half a sentence.
        offset: Of the damaged record or page.
        length: Of it.
        uses: Of a `TILE`: where it is used.
        lost: Of a `COMMIT`: the names of the states that cannot be read; None stands for the newest one.
        correction: What to write where to have again what was written; empty when that is not known.
    """

    kind: str
    what: str
    offset: int
    length: int
    uses: tuple[TileUse, ...] = ()
    lost: tuple[str | None, ...] = ()
    correction: tuple[tuple[int, bytes], ...] = ()
