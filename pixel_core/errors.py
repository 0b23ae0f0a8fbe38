"""The exceptions of pixel_core.

A user's mistake is a `Finding`, never an exception. These are for an environment that lets us down:

PixelError
├── EngineUnavailable   no adapter, no wgpu, or an engine that is not there yet
├── DeviceFailed        a device that was lost, is out of memory or refuses what it is asked
├── ModelFileError      a model's file that is damaged, hostile, or of a kind that is not known
├── ModelUnusable       a model that is broken, or of a kind that cannot be computed
├── ContextFull         more tokens than a model can take in one context
├── RequestRefused      what a model was asked for is not possible
├── ModelProcessEnded   the process of a model ended while it was asked
└── MapError            a map of pixels cannot be used: the rest of it is drawn in pixel_core/pixels/errors.py
"""

from __future__ import annotations

from typing import Literal


class PixelError(Exception):
    """Base of every exception that pixel_core raises on purpose.

    Args:
        message: One sentence for the user.
        hint: What the user can do about it, a command where there is one.
    """

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class EngineUnavailable(PixelError):  # noqa: N818 -- a state of the machine, not an error of ours
    """The engine that was asked for cannot run here."""


class DeviceFailed(PixelError):  # noqa: N818 -- a state of the device
    """A device could not go on.

    Args:
        reason: `device_lost`, `out_of_memory` or `refused`.
        message: One sentence for the user.
        hint: What the user can do about it.
    """

    def __init__(self, reason: Literal["device_lost", "out_of_memory", "refused"], message: str, *, hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.reason: Literal["device_lost", "out_of_memory", "refused"] = reason


class ModelFileError(PixelError):
    """A model's file cannot be read or made: it is damaged, or holds what is not known here.

    Its sentence may quote names out of the file, and such names may try to drive a terminal.
    """

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(one_line(message), hint=None if hint is None else one_line(hint))


def one_line(text: str, limit: int = 500) -> str:
    """A text out of a file as part of a line: what is not printable is escaped as in Python, and what is long is cut."""
    shown = text if text.isprintable() else "".join(sign if sign.isprintable() else ascii(sign)[1:-1] for sign in text)
    return shown if len(shown) <= limit else f"{shown[: limit // 2]} … {shown[-limit // 2 :]}"


class ModelUnusable(PixelError):  # noqa: N818 -- it describes the file
    """The model cannot be used: its file contradicts itself, lacks something, or is of a kind that is not computed here.

    Its sentence may quote the file, too.
    """

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(one_line(message), hint=None if hint is None else one_line(hint))


class ContextFull(PixelError):  # noqa: N818 -- a state of the context
    """The tokens do not fit into the context."""


class RequestRefused(PixelError):  # noqa: N818 -- it describes the request
    """A model was asked for something that is not possible: two prompts, a schema that is none, a stop text without end."""


class ModelProcessEnded(PixelError):  # noqa: N818 -- a state of the process
    """The process that holds a model ended before it answered."""
