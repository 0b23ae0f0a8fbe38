"""The day by which quotas count: Google's end at midnight in California, and ours end with them."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone, tzinfo
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

_WINTER: Final = timezone(timedelta(hours=-8))


def budget_day(now: float) -> str:
    """The day of a moment (seconds since the epoch), as `2026-11-22`."""
    return datetime.fromtimestamp(now, _california()).date().isoformat()


def end_of_budget_day(now: float) -> float:
    """When the day of a moment ends, seconds since the epoch."""
    zone = _california()
    tomorrow = datetime.fromtimestamp(now, zone).date() + timedelta(days=1)
    return datetime(tomorrow.year, tomorrow.month, tomorrow.day, tzinfo=zone).timestamp()


@lru_cache(maxsize=1)
def _california() -> tzinfo:
    try:
        return ZoneInfo("America/Los_Angeles")
    except (ZoneInfoNotFoundError, OSError):
        # Windows has no time zones of its own; in summer the day then ends an hour late, which is the careful side.
        return _WINTER
