"""Reads a key from the environment. Keys stand nowhere else: not in a file of ours, not in a URL, not in a log."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from pixel_coach.errors import AgentUnavailable

_LONGEST_KEY: Final = 4096


def read_key(environment: Mapping[str, str], variable: str) -> str:
    """The key in a variable.

    Args:
        environment: The user's variables.
        variable: Name of the one that holds it.

    Raises:
        AgentUnavailable: It is not set, empty, or holds what no key can hold.
    """
    key = environment.get(variable, "").strip()
    if not key:
        raise AgentUnavailable(f"the variable {variable} holds no key", hint=f'export {variable}="your key"')
    # Such a key could also smuggle a header into the request.
    if len(key) > _LONGEST_KEY or not all("!" <= character <= "~" for character in key):
        raise AgentUnavailable(
            f"what {variable} holds is no key: it has spaces, line ends or letters that no key has",
            hint="copy the key again, alone and whole",
        )
    return key
