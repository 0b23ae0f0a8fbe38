"""What a misspelt name was probably meant to be."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


def closest_name(name: str, known: Iterable[str]) -> str | None:
    """The known name that differs only in case, else the most similar one, else None."""
    names = list(known)
    same = next((one for one in names if one.casefold() == name.casefold()), None)
    return same or next(iter(get_close_matches(name, names, n=1)), None)
