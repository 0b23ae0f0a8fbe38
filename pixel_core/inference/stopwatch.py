"""The wall's and the processor's clock."""

from __future__ import annotations

import time

from pixel_core.inference.messages import Taken


class Stopwatch:
    """Counts the seconds since it was made."""

    def __init__(self) -> None:
        self._wall, self._cpu = time.perf_counter(), time.process_time()

    def read(self) -> Taken:
        """So far."""
        return Taken(wall=time.perf_counter() - self._wall, cpu=time.process_time() - self._cpu)
