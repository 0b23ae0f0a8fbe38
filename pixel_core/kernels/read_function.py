"""`file.py:name`: something in a Python file of the user's."""

from __future__ import annotations

from pixel_core.kernels.contract_fields import Reading
from pixel_core.kernels.toml_keys import TomlPath


def read_function(reading: Reading, path: TomlPath, text: str, form: str) -> tuple[str, str] | None:
    """The file and the name; None for a mistake, which `reading` then tells with the right form."""
    file, colon, name = text.rpartition(":")
    if not colon or not file.endswith(".py") or not name.isidentifier() or "\0" in file:
        reading.tell("PX305", path, f"`{text}` is not a file and a function", f"write {form}")
        return None
    return file, name
