"""The characters that GPT-2's vocabularies write for bytes.

Source: `bytes_to_unicode` in https://github.com/openai/gpt-2/blob/master/src/encoder.py
"""

from __future__ import annotations

from typing import Final


def _byte_characters() -> tuple[str, ...]:
    visible = {*range(ord("!"), ord("~") + 1), *range(ord("¡"), ord("¬") + 1), *range(ord("®"), ord("ÿ") + 1)}
    hidden = [byte for byte in range(256) if byte not in visible]
    return tuple(chr(byte) if byte in visible else chr(256 + hidden.index(byte)) for byte in range(256))


BYTE_CHARACTERS: Final = _byte_characters()
"""By byte: itself where it can be seen, else a character from U+0100 on."""
