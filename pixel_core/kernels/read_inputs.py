"""How buffers are filled before a run: `inputs` of a contract or a case."""

from __future__ import annotations

from pixel_core.kernels.contract_fields import Reading, Toml
from pixel_core.kernels.contract_keys import CONTRACT_KEYS
from pixel_core.kernels.expressions import Expression
from pixel_core.kernels.toml_keys import TomlPath


def read_inputs(reading: Reading, path: TomlPath, value: Toml) -> dict[str, Expression]:
    """`inputs` of a contract or a case."""
    inputs: dict[str, Expression] = {}
    for buffer, at, item in reading.by_buffer(path, value, CONTRACT_KEYS["inputs"]):
        if isinstance(item, str) and (".py:" in item or item.strip().startswith("file")):
            hint = "draw it with `normal`, `uniform`, `integers`, … or compute it from other inputs"
            reading.tell("PX304", at, "inputs from a file or a Python function are not supported yet", hint)
            continue
        expression = reading.expression(at, item, 'an expression: "normal(0, 1)"')
        if expression is not None:
            inputs[buffer] = expression
    return inputs
