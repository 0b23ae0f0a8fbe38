"""How buffers are filled before a run: `inputs` of a contract or a case."""

from __future__ import annotations

from pixel_core.kernels.contract_fields import Reading, Toml, dotted
from pixel_core.kernels.contract_keys import CONTRACT_KEYS
from pixel_core.kernels.expressions import Expression
from pixel_core.kernels.input_sources import InputFile, InputFunction, InputSource
from pixel_core.kernels.read_function import read_function
from pixel_core.kernels.toml_keys import TomlPath

_FILE = "file"
_SUFFIXES = (".npy", ".bin", ".raw")


def read_inputs(reading: Reading, path: TomlPath, value: Toml) -> tuple[dict[str, Expression], dict[str, InputSource]]:
    """`inputs` of a contract or a case: what is drawn, and what comes from a file or a function."""
    inputs: dict[str, Expression] = {}
    sources: dict[str, InputSource] = {}
    for buffer, at, item in reading.by_buffer(path, value, CONTRACT_KEYS["inputs"]):
        source = _source(reading, at, item.strip()) if isinstance(item, str) else None
        if source is not None:
            sources[buffer] = source
        elif isinstance(item, str) and _names_file(item):
            continue
        elif (expression := reading.expression(at, item, 'an expression: "normal(0, 1)"')) is not None:
            inputs[buffer] = expression
    return inputs, sources


def _names_file(text: str) -> bool:
    """Whether a text is meant as a file or a function, right or wrong: none of these is an expression."""
    return text.split()[:1] == [_FILE] or ".py:" in text or text.strip().endswith(_SUFFIXES)


def _source(reading: Reading, path: TomlPath, text: str) -> InputSource | None:
    """A file or a function; None for an expression, and for a mistake, which `reading` then tells."""
    if not _names_file(text):
        return None
    key, span = dotted(path[1:]), reading.value_span(path)
    word, _, name = text.partition(" ")
    if word == _FILE:
        if name.strip() and "\0" not in name:
            return InputFile(file=name.strip(), key=key, span=span)
        reading.tell("PX305", path, f"`{_FILE}` names no file", 'write `"file weights.npy"`')
    elif ".py:" in text:
        found = read_function(reading, path, text, 'a function: "gen.py:row_ptr"')
        return None if found is None else InputFunction(file=found[0], function=found[1], key=key, span=span)
    else:
        reading.tell("PX305", path, f"`{text}` is a file; that is not an expression", f'write `"{_FILE} {text}"`')
    return None
