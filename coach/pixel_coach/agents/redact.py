"""Takes keys out of whatever is logged or told."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final
from urllib.parse import quote

REDACTED: Final = "[redacted]"

_SECRET_NAMES: Final = frozenset({"authorization", "proxy-authorization", "x-goog-api-key", "api-key", "x-api-key", "cookie", "set-cookie"})
# Shapes of keys of Google, and of those that copy OpenAI's: a key of another service may stand in what a service answers.
_KEY_SHAPES: Final = re.compile(r"\bAIza[0-9A-Za-z_\-]{20,}|\bAQ\.[0-9A-Za-z_\-]{20,}|\bsk-[0-9A-Za-z_\-]{16,}")
_SHORTEST_SECRET: Final = 4
_MAX_DEPTH: Final = 40


def redact(value: Any, secrets: Collection[str] = ()) -> Any:
    """The same value without keys.

    Args:
        value: What JSON can hold, and whatever else; other objects become their `str`.
        secrets: The keys in use. Each is taken out as it is and as it stands in a URL; one shorter than four characters is no key.

    Returns:
        A copy in which secrets, the values of headers that carry keys, and what has the shape of a known key read `[redacted]`.
    """
    spellings = {spelling for secret in secrets if len(secret) >= _SHORTEST_SECRET for spelling in (secret, quote(secret, safe=""))}
    # The longest first: one key may be the beginning of another.
    return _redact(value, sorted(spellings, key=len, reverse=True), _MAX_DEPTH)


def _redact(value: Any, spellings: Sequence[str], depth: int) -> Any:
    if isinstance(value, str):
        return _redact_text(value, spellings)
    if value is None or isinstance(value, bool | int | float):
        return value
    if depth == 0:
        return "…"
    if isinstance(value, Mapping):
        return {
            _redact_text(str(name), spellings): REDACTED if str(name).lower() in _SECRET_NAMES else _redact(member, spellings, depth - 1)
            for name, member in value.items()
        }
    if isinstance(value, list | tuple | set | frozenset):
        return [_redact(member, spellings, depth - 1) for member in value]
    return _redact_text(str(value), spellings)


def _redact_text(text: str, spellings: Sequence[str]) -> str:
    for spelling in spellings:
        text = text.replace(spelling, REDACTED)
    return _KEY_SHAPES.sub(REDACTED, text)
