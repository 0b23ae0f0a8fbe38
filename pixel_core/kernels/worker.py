"""The kernel worker: `python -I -m pixel_core.kernels.worker`, a child process that holds the engine and runs cases.

It is asked with texts and derives everything from them by the same pure functions as its parent. It imports numpy and opens the device in
the background as soon as it starts, so that a prewarmed one answers at once.
"""

from __future__ import annotations

import sys

from pixel_core.processes.child import Request, start_child


def main(arguments: list[str]) -> None:
    """Limit this process, then answer requests until the parent closes its end."""
    channel = start_child(arguments)
    # What loads slowly, and may fail within the limits just set, comes after the channel is open; the driver loads beside numpy.
    from pixel_core.kernels.open_engine import EngineOpening

    opening = EngineOpening()
    from pixel_core.kernels.answer_request import RequestAnswerer

    answerer = RequestAnswerer(opening)

    def answer(request: Request) -> object:
        return answerer.answer(request.body, request.is_cancelled)

    channel.serve(answer)


if __name__ == "__main__":
    main(sys.argv[1:])
