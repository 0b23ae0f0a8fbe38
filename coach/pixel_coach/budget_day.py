"""The day by which quotas count: Google's end at midnight in California, and ours end with them.

The rule of the clocks stands here, since not every machine has a table of time zones: from the second Sunday of March, 2:00, to the first
Sunday of November, 2:00, they are an hour ahead of UTC−8 (US Energy Policy Act of 2005, section 110).
"""

from __future__ import annotations

from datetime import date, datetime, timedelta, timezone

_WINTER = timedelta(hours=-8)
_SUMMER = timedelta(hours=-7)


def budget_day(now: float) -> str:
    """The day of a moment (seconds since the epoch), as `2026-11-22`."""
    return _day(now).isoformat()


def end_of_budget_day(now: float) -> float:
    """When the day of a moment ends, seconds since the epoch."""
    tomorrow = _day(now) + timedelta(days=1)
    midnight = datetime(tomorrow.year, tomorrow.month, tomorrow.day, tzinfo=timezone.utc)
    # Clocks change at 2:00, so at midnight of those days the old time still holds.
    for offset in (_SUMMER, _WINTER):
        moment = midnight - offset
        if _offset(moment) == offset:
            return moment.timestamp()
    raise AssertionError(tomorrow)


def _day(now: float) -> date:
    moment = datetime.fromtimestamp(now, timezone.utc)
    return (moment + _offset(moment)).date()


def _offset(moment: datetime) -> timedelta:
    """From UTC to the time in California."""
    start = _sunday(moment.year, 3, 2) - _WINTER
    end = _sunday(moment.year, 11, 1) - _SUMMER
    return _SUMMER if start <= moment < end else _WINTER


def _sunday(year: int, month: int, number: int) -> datetime:
    """2:00 of a month's first or second Sunday, as if it were UTC."""
    first = datetime(year, month, 1, 2, tzinfo=timezone.utc)
    return first + timedelta(days=(6 - first.weekday()) % 7 + 7 * (number - 1))
