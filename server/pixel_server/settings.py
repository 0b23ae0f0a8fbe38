"""What the editor's user set: read from `initializationOptions` and `workspace/didChangeConfiguration`, never from workspace files."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

import msgspec
from msgspec.structs import replace

from pixel_core.kernels.validate import CheckOptions

SECTION: Final = "pixelLsp"
ENGINES: Final = ("auto", "device", "interpreter", "both")
MAX_JOBS: Final = 64

_OF_CLIENTS: Final = frozenset({"serverCommand", "trace", "trusted"})
"""Keys that stand in the same section and are not ours to read."""


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """The settings in force.

    Attributes:
        engine: What executes kernels, as `--engine`.
        python: The interpreter for references, as `--python`; None looks for one.
        jobs: Kernel workers at most, as `--jobs`.
        seed: Added to every case's seed, as `--seed`.
    """

    engine: str = "auto"
    python: Path | None = None
    jobs: int = 1
    seed: int = 0

    def options(self, *, trusted: bool) -> CheckOptions:
        """What a checker is asked under these settings."""
        return CheckOptions(engine=self.engine, interpreter=self.python, jobs=self.jobs, seed=self.seed, trusted=trusted)


def read_settings(given: object, defaults: Settings) -> tuple[Settings, tuple[str, ...]]:
    """Read an object of settings; a mistake keeps the default and is told.

    Args:
        given: The object, or one that holds it under `pixelLsp`; null for none.
        defaults: What holds where nothing is said.

    Returns:
        The settings, and a sentence for every mistake.
    """
    if isinstance(given, Mapping) and SECTION in given:
        given = given[SECTION]
    if given is None:
        return defaults, ()
    if not isinstance(given, Mapping):
        return defaults, (f"`{SECTION}` must be an object of settings",)
    settings = defaults
    mistakes: list[str] = []
    for key, value in given.items():
        if key in _OF_CLIENTS or value is None:
            continue
        reader = _READERS.get(key)
        if reader is None:
            mistakes.append(f"there is no setting `{SECTION}.{key}`; there are {', '.join(f'`{name}`' for name in _READERS)}")
            continue
        try:
            settings = replace(settings, **{key: reader(value)})
        except ValueError as problem:
            mistakes.append(f"`{SECTION}.{key}` {problem}")
    return settings, tuple(mistakes)


def _engine(value: object) -> str:
    if value not in ENGINES:
        raise ValueError(f"must be one of {', '.join(f'`{engine}`' for engine in ENGINES)}")
    return str(value)


def _python(value: object) -> Path | None:
    if not isinstance(value, str):
        raise ValueError("must be the path of a Python interpreter")
    if not value:
        return None
    path = Path(value).expanduser()
    if not path.is_absolute():
        raise ValueError("must be an absolute path: a relative one would be looked for in whatever folder is open")
    return path


def _jobs(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= MAX_JOBS:
        raise ValueError(f"must be a whole number from 1 to {MAX_JOBS}")
    return value


def _seed(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise ValueError("must be a whole number")
    return value


_READERS: Final[Mapping[str, Callable[[object], Any]]] = {"engine": _engine, "python": _python, "jobs": _jobs, "seed": _seed}

SETTING_NAMES: Final = tuple(_READERS)
"""Every setting, as it is called below `SECTION`."""
