"""The exceptions of pixel_core.

A user's mistake is a `Finding`, never an exception. These are for an environment that lets us down:

PixelError
├── EngineUnavailable   no adapter, no wgpu, or an engine that is not there yet
└── MapError            a map of pixels cannot be used: the rest of it is drawn in pixel_core/pixels/errors.py
"""

from __future__ import annotations


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
