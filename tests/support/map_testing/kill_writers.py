"""Writers that are killed: what was committed has to be there, and nothing else.

Run as a program, it is the writer: it changes files until somebody kills it, and says what it does before and after.
"""

from __future__ import annotations

import random
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

from pixel_core.pixels.compact_map import compact_map
from pixel_core.pixels.pixelfs import PixelFS
from pixel_core.pixels.verify_map import verify_map


def content_of(number: int) -> bytes:
    """What a file with this number holds."""
    chooser = random.Random(number)
    return chooser.randbytes(chooser.choice((0, 10, 5_000, 200_000)))


def write_for_ever(path: Path, seed: int) -> None:
    """Change a map, and say `begin` before and `end` after each change."""
    chooser = random.Random(seed)
    files = PixelFS.open(path, writable=True)
    while True:
        number = chooser.randrange(1 << 30)
        change = chooser.choice(("put", "put", "put", "remove", "snapshot", "compact"))
        name = f"file{chooser.randrange(8)}"
        _say(f"begin {change} {name} {number}")
        if change == "put":
            files.put(name, content_of(number))
        elif change == "remove" and files.files.get(name):
            files.remove(name)
        elif change == "snapshot" and len(files.store.snapshots()) < 5:
            files.writer.add_snapshot(f"s{number}")
        elif change == "compact":
            files.close()
            compact_map(path)
            files = PixelFS.open(path, writable=True)
        _say("end")


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def kill_writers(path: Path, chooser: random.Random, count: int) -> int:
    """Start writers, kill each after up to half a second, and look at what is there. Returns how many changes were made in all.

    Raises:
        AssertionError: Something that was committed is not there, or the map is damaged.
    """
    PixelFS.create(path, tile_side=32).close()
    model: dict[str, int] = {}
    changes = 0
    for seed in range(count):
        command = (sys.executable, "-m", "map_testing.kill_writers", str(path), str(chooser.randrange(1 << 30) + seed))
        folder = Path(__file__).parents[1]
        repository = folder.parents[1]
        writer = subprocess.Popen(command, stdout=subprocess.PIPE, cwd=folder, env={"PYTHONPATH": f"{repository}:{folder}"})
        assert writer.stdout is not None
        # Only from its first change on can anything go wrong.
        select.select([writer.stdout], [], [], 60)
        time.sleep(chooser.random() * 0.5)
        writer.send_signal(signal.SIGKILL)
        said = writer.stdout.read().decode().splitlines()
        assert writer.wait() == -signal.SIGKILL, "the writer ended by itself"
        writer.stdout.close()
        pending: list[str] | None = None
        for line in said:
            if line == "end" and pending:
                _apply(model, pending)
                pending = None
                changes += 1
            elif line.startswith("begin "):
                pending = line.split()[1:]
        _compare(path, model, pending)
    return changes


def _apply(model: dict[str, int], change: list[str]) -> None:
    kind, name, number = change
    if kind == "put":
        model[name] = int(number)
    elif kind == "remove":
        model.pop(name, None)


def _compare(path: Path, model: dict[str, int], pending: list[str] | None) -> None:
    """The map holds what was committed; a change that was begun has happened or not, as a whole."""
    assert verify_map(path).is_whole
    with PixelFS.open(path) as files:
        there = {entry.path: bytes(files.read(entry.path)) for entry in files.list()}
    if there != {name: content_of(number) for name, number in model.items()}:
        assert pending is not None, "what was committed is not there"
        _apply(model, pending)
        assert there == {name: content_of(number) for name, number in model.items()}, "half of a change is there"


if __name__ == "__main__":
    write_for_ever(Path(sys.argv[1]), int(sys.argv[2]))
