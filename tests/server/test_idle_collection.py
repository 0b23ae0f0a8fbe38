from __future__ import annotations

import asyncio
import gc

import pytest

from pixel_server.idle_collection import collect_when_idle, is_due


@pytest.mark.parametrize(
    ("lately_s", "since_collection_s", "expected"),
    [
        (0.0, 0.0, False),
        (0.0, 0.4, False),
        (0.0, 0.6, True),
        (0.09, 0.6, True),
        (0.11, 0.6, False),
        (2.0, 4.0, False),
        (2.0, 5.1, True),
    ],
)
def test_garbage_waits_for_a_quiet_moment_and_not_for_ever(lately_s: float, since_collection_s: float, expected: bool) -> None:
    assert is_due(lately_s, since_collection_s) is expected


def test_python_collects_by_itself_again_afterwards() -> None:
    async def scenario() -> None:
        task = asyncio.ensure_future(collect_when_idle())
        await asyncio.sleep(0)
        assert not gc.isenabled()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    asyncio.run(scenario())
    assert gc.isenabled()
    assert gc.get_freeze_count() == 0
