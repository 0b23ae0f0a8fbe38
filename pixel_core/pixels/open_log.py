"""Making and opening a map's file: what is refused, who may write, and sentences that name the file."""

from __future__ import annotations

import stat
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from pixel_core.pixels.commits import Changes, Commit, encode_commit
from pixel_core.pixels.errors import MapBusy, MapDamaged, MapError
from pixel_core.pixels.log_file import LogFile, sync_folder
from pixel_core.pixels.map_header import LOG_OFFSET, PAGE, TILE_SIDES, MapHeader, Slot
from pixel_core.pixels.read_log import State, newest_slot, read_header, read_state
from pixel_core.pixels.records import commit_record


@contextmanager
def naming(path: Path) -> Generator[None]:
    """What goes wrong inside is told of this file.

    Raises:
        MapError: Instead of an `OSError`, and of a `MapError` that does not name the file yet.
    """
    try:
        yield
    except MapDamaged as problem:
        if problem.is_named:
            raise
        raise MapDamaged(problem.what, path=path) from None
    except FileExistsError:
        raise MapError(f"there is already a file `{path}`") from None
    except FileNotFoundError:
        raise MapError(f"there is no map `{path}`", hint=f"make one: pixel-lsp fs init {path}") from None
    except OSError as problem:
        raise MapError(f"the map `{path}` cannot be used: {problem.strerror or problem}") from None


def create_log(path: Path, tile_side: int) -> None:
    """Make a file with an empty map.

    Raises:
        MapError: There is a file already, it cannot be written, or tiles cannot be of this size.
    """
    if tile_side not in TILE_SIDES:
        raise MapError(f"a tile cannot be {tile_side:,} texels wide", hint=f"take one of {', '.join(map(str, TILE_SIDES))}")
    content = encode_commit(Commit(base=0, time=now(), tile_side=tile_side, changes=Changes()))
    record = commit_record(content, 0)
    slot = Slot(sequence=0, offset=LOG_OFFSET, end=LOG_OFFSET + record.size, digest=record.digest)
    pages = [page.ljust(PAGE, b"\0") for page in (MapHeader(tile_side=tile_side).pack(), slot.pack(), slot.pack())]
    with naming(path):
        path.open("xb").close()
        file = LogFile(path, writable=True)
        try:
            file.write(0, b"".join((*pages, record.pack(), content)).ljust(slot.end, b"\0"))
            file.sync()
        except BaseException:
            path.unlink()
            raise
        finally:
            file.close()
        sync_folder(path.parent)


def open_log(path: Path, *, writable: bool) -> tuple[LogFile, MapHeader, State]:
    """Open a map's file at its newest commit.

    Raises:
        MapBusy: Somebody else writes it.
        MapError: There is no map, or it cannot be opened.
        MapDamaged: The header, the slots or a commit are damaged.
    """
    with naming(path):
        file = lock_log(path) if writable else _open(path)
        try:
            header = read_header(file)
            state = read_state(file, newest_slot(file))
            if writable and file.size() > state.slot.end:
                # What a writer left that was killed. Nobody maps it.
                file.truncate(state.slot.end)
        except BaseException:
            file.close()
            raise
    return file, header, state


def lock_log(path: Path) -> LogFile:
    """Open a map's file as its only writer, whatever it holds.

    Raises:
        MapBusy: Somebody else writes it.
        MapError: It is no regular file.
        OSError: It cannot be opened.
    """
    while True:
        file = _open(path, writable=True)
        if not file.lock():
            file.close()
            raise MapBusy(f"the map `{path}` is being written by somebody else", hint="wait until that has ended")
        if file.is_file_at(path):
            return file
        # Compacted between opening and locking: another file has the name now.
        file.close()


def now() -> int:
    """Milliseconds since 1970."""
    return time.time_ns() // 1_000_000


def _open(path: Path, *, writable: bool = False) -> LogFile:
    if not stat.S_ISREG(path.stat().st_mode):
        raise MapError(f"`{path}` is no map: it is no regular file")
    return LogFile(path, writable=writable)
