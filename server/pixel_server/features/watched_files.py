"""Files that verdicts rest on, watched by the editor where it can, else by the server."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from lsprotocol import types

if TYPE_CHECKING:
    from watchdog.observers.api import ObservedWatch

GLOBS: Final = ("**/*.wgsl", "**/*.contract.toml", "**/*.py", "**/*.{npy,bin,raw}", "**/*.{inc,h,glsl,tmpl,jinja,j2,js,mjs,ts,rs}")
"""The last two are what inputs come from, and what shaders are made of by `prepare`; of other names a change is seen when the shader is
looked at again."""

SETTLE_S: Final = 0.1
"""Editors touch a file several times in one save. What is touched all the time, such as a log, holds up nothing longer than this."""

_CHANGES: Final = frozenset({"created", "modified", "moved", "deleted", "closed"})
_LOG: Final = logging.getLogger(__name__)


def registration() -> types.Registration:
    """What the editor is asked to watch."""
    watchers = [types.FileSystemWatcher(glob_pattern=pattern) for pattern in GLOBS]
    options = types.DidChangeWatchedFilesRegistrationOptions(watchers=watchers)
    return types.Registration(id="pixel-lsp.files", method=types.WORKSPACE_DID_CHANGE_WATCHED_FILES, register_options=options)


class FolderWatch:
    """Watches the folders of open shaders, for editors that do not watch files. Starts nothing before there is a folder.

    Args:
        on_change: Called in the event loop with the files that changed, once they have settled.
    """

    def __init__(self, on_change: Callable[[tuple[Path, ...]], None]) -> None:
        self._on_change = on_change
        self._observer: Any = None
        # By the folder without links: the system does not follow a link that is watched, and some systems tell of changes by real names.
        self._watches: dict[Path, ObservedWatch] = {}
        self._names: dict[Path, set[Path]] = {}
        self._changed: set[Path] = set()
        self._timer: asyncio.TimerHandle | None = None

    def set_folders(self, folders: Iterable[Path]) -> bool:
        """Watch these folders and no others; what lies in folders below them is not watched.

        Returns:
            Whether one is watched from now on that was not before.
        """
        from watchdog.observers import Observer

        names: dict[Path, set[Path]] = {}
        for folder in folders:
            if (real := _real_folder(folder)) is not None:
                names.setdefault(real, set()).add(folder)
        self._names = names
        if self._observer is None and not names:
            return False
        if self._observer is None:
            self._observer = Observer()
            self._observer.start()
        for folder in self._watches.keys() - names.keys():
            self._observer.unschedule(self._watches.pop(folder))
        added = {folder for folder in names.keys() - self._watches.keys() if self._watch(folder)}
        return bool(added)

    def close(self) -> None:
        """Watch nothing any more."""
        if self._timer is not None:
            self._timer.cancel()
        if self._observer is not None:
            self._observer.stop()
            self._observer.join()
            self._observer = None

    def _watch(self, folder: Path) -> bool:
        try:
            self._watches[folder] = self._observer.schedule(self._handler(folder), str(folder), recursive=False)
        except OSError as problem:
            _LOG.warning("%s is not watched: %s", folder, problem)
            return False
        return True

    def _handler(self, folder: Path) -> Any:
        from watchdog.events import FileSystemEvent, FileSystemEventHandler

        loop = asyncio.get_running_loop()
        touched, lost = self._touched, self._lost

        class Handler(FileSystemEventHandler):
            def on_any_event(self, event: FileSystemEvent) -> None:
                paths = [Path(os.fsdecode(name)) for name in (event.src_path, event.dest_path) if name]
                is_lost = event.is_directory and event.event_type == "deleted" and folder in paths
                if not is_lost and (event.is_directory or event.event_type not in _CHANGES):
                    return
                try:
                    if is_lost:
                        loop.call_soon_threadsafe(lost, folder)
                    else:
                        loop.call_soon_threadsafe(touched, folder, [path.name for path in paths])
                except RuntimeError:
                    return  # the loop has ended

        return Handler()

    def _lost(self, folder: Path) -> None:
        """The folder was deleted, and its watch with it; if it comes back it is watched anew."""
        watch = self._watches.pop(folder, None)
        if watch is not None and self._observer is not None:
            self._observer.unschedule(watch)

    def _touched(self, folder: Path, files: list[str]) -> None:
        self._changed.update(name / file for name in self._names.get(folder, ()) for file in files)
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(SETTLE_S, self._settled)

    def _settled(self) -> None:
        self._timer = None
        changed, self._changed = tuple(self._changed), set()
        self._on_change(changed)


def _real_folder(folder: Path) -> Path | None:
    """A folder with all links followed; None when it is none, or nowhere."""
    try:
        real = folder.resolve()
    except (OSError, RuntimeError, ValueError):
        return None
    return real if real.is_dir() else None
