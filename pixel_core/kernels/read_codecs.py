"""How packed buffers hold their values: `codecs` of a contract."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, cast

from pixel_core.kernels.closest_name import closest_name
from pixel_core.kernels.contract import CODECS
from pixel_core.kernels.contract_fields import Reading, Toml
from pixel_core.kernels.contract_keys import CODEC_KEYS, CONTRACT_KEYS
from pixel_core.kernels.input_sources import PythonCodec
from pixel_core.kernels.read_function import read_function
from pixel_core.kernels.toml_keys import TomlPath

MAX_BLOCK: Final = 1 << 16
"""Values, and bytes, of one block of a codec in Python."""

_PYTHON_FORM: Final = '{ python = "nf4.py:nf4", values = 64, bytes = 36 }'


def read_codecs(reading: Reading, path: TomlPath, value: Toml) -> tuple[dict[str, str], dict[str, PythonCodec]]:
    """`codecs` of a contract: buffer → the codec's name, and buffer → those that Python knows."""
    names: dict[str, str] = {}
    in_python: dict[str, PythonCodec] = {}
    for buffer, item in reading.table(path, value, CONTRACT_KEYS["codecs"]).items():
        at = (*path, buffer)
        if isinstance(item, dict):
            codec = _python_codec(reading, at, cast("dict[str, Toml]", item))
            if codec is not None:
                in_python[buffer] = codec
                names[buffer] = codec.text
            continue
        word = reading.string(at, item, f"one of {', '.join(CODECS)}, or {_PYTHON_FORM}")
        if word in CODECS:
            names[buffer] = word
        elif word is not None and ".py:" in word:
            message = f"`{word}` does not say how many bytes hold how many values"
            reading.tell("PX305", reading.text_span(at), message, f'write {{ python = "{word}", values = 64, bytes = 36 }}')
        elif word is not None:
            close = closest_name(word, CODECS)
            reading.tell(
                "PX305",
                reading.text_span(at),
                f"`{word}` is not one of the codecs",
                f"did you mean `{close}`?" if close else f"one of {', '.join(CODECS)}, or {_PYTHON_FORM}",
            )
    return names, in_python


def _python_codec(reading: Reading, path: TomlPath, table: Mapping[str, Toml]) -> PythonCodec | None:
    told = len(reading.findings)
    reading.check_keys(path, table, CODEC_KEYS)
    missing = [key for key in CODEC_KEYS if key not in table]
    if missing and len(reading.findings) == told:
        reading.tell("PX308", path, f"the codec has no {' and no '.join(f'`{key}`' for key in missing)}", f"write {_PYTHON_FORM}")
    text = reading.string((*path, "python"), table.get("python"), CODEC_KEYS["python"])
    found = None if text is None else read_function(reading, (*path, "python"), text, CODEC_KEYS["python"])
    counts = {key: _count(reading, (*path, key), table.get(key)) for key in ("values", "bytes")}
    if found is None or len(reading.findings) > told:
        return None
    return PythonCodec(file=found[0], name=found[1], values=counts["values"], bytes=counts["bytes"], span=reading.value_span(path))


def _count(reading: Reading, path: TomlPath, value: Toml) -> int:
    if isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= MAX_BLOCK:
        return value
    if value is not None:
        reading.tell(
            "PX305", path, f"`{path[-1]}` of a block is a whole number from 1 to {MAX_BLOCK:,}", f"write {CODEC_KEYS[str(path[-1])]}"
        )
    return 1
