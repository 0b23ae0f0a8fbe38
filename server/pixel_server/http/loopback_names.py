"""What this machine calls itself: the names that a `Host` header may give, so that no other site's name can lead here."""

from __future__ import annotations

from typing import Final

LOOPBACK_NAMES: Final = ("127.0.0.1", "localhost", "[::1]")
