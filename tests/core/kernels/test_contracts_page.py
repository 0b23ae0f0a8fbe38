"""docs/contracts.md: its examples fit their kernels, its tables are complete; and the JSON schema agrees with the reader."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import tomli

from pixel_core.dialects.steps import STEP_KEYS
from pixel_core.kernels.contract_keys import (
    CASE_KEYS,
    CODEC_KEYS,
    COMPARE_KEYS,
    CONTRACT_KEYS,
    ORACLE_KEYS,
    PASS_KEYS,
    SAMPLER_KEYS,
    TEXTURE_KEYS,
)
from pixel_core.kernels.doc_block import find_doc_block
from pixel_core.kernels.examine import examine
from pixel_core.kernels.functions import FUNCTIONS
from pixel_core.kernels.load_shader import understand
from pixel_core.kernels.read_contracts import read_contracts
from pixel_core.source import SourceText
from pixel_core.wgsl.parse import parse
from pixel_testing.check_command import run_check

REPOSITORY = Path(__file__).parents[3]
PAGE = (REPOSITORY / "docs" / "contracts.md").read_text(encoding="utf-8")
SHIPPED = sorted((REPOSITORY / "shaders").glob("*.wgsl"))
SCHEMA: Any = json.loads((REPOSITORY / "pixel_core" / "schemas" / "contract.schema.json").read_text(encoding="utf-8"))


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", PAGE, flags=re.MULTILINE | re.DOTALL)


def contract_text(shader: str) -> str:
    source = SourceText(Path("kernel.wgsl"), shader)
    embedded = find_doc_block(source, parse(source).tokens).contract
    assert embedded is not None
    return embedded.text


def write_steps(folder: Path) -> list[str]:
    """Write the kernels of the page as `step1.wgsl` and so on; returns their stems."""
    names = [f"step{number + 1}" for number in range(len(blocks("wgsl")))]
    for python in blocks("python"):
        # A file's name is the comment in its first line; the first of the page is the reference.
        first = python.split("\n", 1)[0]
        (folder / (first[2:] if first.startswith("# ") else "reference.py")).write_text(python, encoding="utf-8")
    for name, shader in zip(names, blocks("wgsl"), strict=True):
        (folder / f"{name}.wgsl").write_text(shader, encoding="utf-8")
    return names


@pytest.mark.parametrize("shader", blocks("wgsl"), ids=lambda shader: shader.split("\n", 1)[0][4:30])
def test_kernels_of_the_page_fit_their_contracts(shader: str, tmp_path: Path) -> None:
    # Another kernel may be the truth.
    write_steps(tmp_path)
    examination = examine(understand(SourceText(tmp_path / "kernel.wgsl", shader), None))
    assert [finding.message for finding in examination.findings] == []
    assert examination.remainder is None
    for kernel in examination.kernels:
        assert [finding.message for finding in kernel.findings] == []
        assert len(kernel.cases) >= 5


@pytest.mark.device
def test_kernels_of_the_page_pass(tmp_path: Path) -> None:
    names = [*write_steps(tmp_path), "truth"]
    # The truth in Python is that of the first kernel.
    (tmp_path / "truth.wgsl").write_text(re.sub(r"^//!.*\n", "", blocks("wgsl")[0], flags=re.MULTILINE), encoding="utf-8")
    (tmp_path / "truth.contract.toml").write_text(blocks("toml")[0], encoding="utf-8")
    subprocess.run([sys.executable, "make_curve.py"], cwd=tmp_path, check=True)
    outcome = run_check(tmp_path)
    statuses = {(Path(kernel["shader"]).stem, kernel["contract"]): kernel["status"] for kernel in outcome.report["kernels"]}
    assert {stem for stem, _ in statuses} == set(names)
    assert len(statuses) == len(names) + 1  # one kernel of the page has two contracts
    assert {contract: status for (_, contract), status in statuses.items() if status != "passed"} == {"odd_even_sort": "partly_proved"}
    findings = [finding["message"] for kernel in outcome.report["kernels"] for finding in kernel["findings"]]
    assert findings == ["partly proved: only invariants speak of `keys`"]


@pytest.mark.parametrize("toml", blocks("toml"), ids=lambda toml: toml.split("\n", 1)[0])
def test_sidecars_of_the_page_are_read(toml: str) -> None:
    read = read_contracts(SourceText(Path("kernel.wgsl"), ""), None, SourceText(Path("kernel.contract.toml"), toml))
    assert [finding.message for finding in read.findings] == []
    assert len(read.contracts) == 1


def test_the_page_has_a_kernel_for_each_step() -> None:
    assert len(blocks("wgsl")) == 18
    assert len(blocks("toml")) == 4
    assert len(blocks("python")) == 4


@pytest.mark.parametrize("name", list(FUNCTIONS))
def test_every_function_is_on_the_page(name: str) -> None:
    assert f"| `{FUNCTIONS[name].signature}` |" in PAGE


@pytest.mark.parametrize("key", list(CONTRACT_KEYS))
def test_every_key_is_on_the_page(key: str) -> None:
    assert f"| `{key}` | " in PAGE


@pytest.mark.parametrize(
    ("table", "keys"),
    [
        ("`[[matmul.passes]]`", PASS_KEYS),
        ("a case", CASE_KEYS),
        ("a codec", CODEC_KEYS),
        ("`compare`", COMPARE_KEYS),
        ("a texture", TEXTURE_KEYS),
        ("a sampler", SAMPLER_KEYS),
        ("`oracle`", ORACLE_KEYS),
        ("a step of `prepare`", STEP_KEYS),
    ],
)
def test_every_key_of_an_inner_table_is_on_the_page(table: str, keys: Mapping[str, str]) -> None:
    assert re.findall(rf"^\| {re.escape(table)} \| `(\w+)` \|", PAGE, flags=re.MULTILINE) == list(keys)


# ---------------------------------------------------------------- the schema


def is_valid(document: object) -> bool:
    return jsonschema.Draft202012Validator(SCHEMA).is_valid(document)


def test_the_schema_is_a_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


def test_the_schema_has_the_readers_keys() -> None:
    definitions = SCHEMA["$defs"]
    assert set(definitions["contract"]["properties"]) == set(CONTRACT_KEYS)
    assert set(definitions["pass"]["properties"]) == set(PASS_KEYS)
    assert set(definitions["case"]["anyOf"][1]["properties"]) == set(CASE_KEYS)
    contract = definitions["contract"]["properties"]
    assert set(contract["textures"]["additionalProperties"]["properties"]) == set(TEXTURE_KEYS)
    assert set(contract["samplers"]["additionalProperties"]["properties"]) == set(SAMPLER_KEYS)
    assert set(contract["codecs"]["additionalProperties"]["anyOf"][1]["properties"]) == set(CODEC_KEYS)
    assert set(definitions["compare"]["anyOf"][1]["properties"]) == set(COMPARE_KEYS)


@pytest.mark.parametrize(
    "toml",
    [*map(contract_text, blocks("wgsl")), *blocks("toml"), *(contract_text(path.read_text(encoding="utf-8")) for path in SHIPPED)],
    ids=lambda toml: toml.split("\n", 1)[0],
)
def test_the_schema_accepts_every_example(toml: str) -> None:
    jsonschema.Draft202012Validator(SCHEMA).validate(tomli.loads(toml))


@pytest.mark.parametrize(
    "lines",
    [
        "dimz = 'n'",
        "where = 'n > 1'",
        "invariants = []",
        "invariants = [1]",
        "oracle = 'naive.wgsl'",
        "oracle = { dispatch = 1 }",
        "reference = 'a.py:b'\noracle = 'a.wgsl:b'",
        "roles = { y = 'output' }",
        "codecs = { y = 'q5_1' }",
        "codecs = { y = { python = 'f.py:f', values = 8 } }",
        "codecs = { y = { python = 'f.py:f', values = 8, bytes = 0 } }",
        "cases = []",
        "cases = [{ dims = { n = 1.5 } }]",
        "cases = [{ sead = 1 }]",
        "compare = { y = { rtol = 0.1 } }",
        "compare = { y = 'exactly' }",
        "derive = 1",
        "budget = { invocations = 1_000_000_000_000 }",
        "buffers = { tmp = 'vec4 n' }",
        "reference = 'truth'",
        "passes = [{ entry = 'a', dispatch = 1 }]",
        "entry = 1",
        "textures = { y = 3 }",
        "textures = { y = { format = 'rgba7unorm' } }",
        "textures = { y = { dims = '4 4' } }",
        "samplers = { s = { filter = 'cubic' } }",
    ],
)
def test_the_schema_and_the_reader_refuse_the_same(lines: str) -> None:
    good = "[s]\ndispatch = 1\nexpect = { y = '1' }\n"
    assert is_valid(tomli.loads(good))
    assert not is_valid(tomli.loads(good + lines))
    read = read_contracts(SourceText(Path("kernel.wgsl"), ""), None, SourceText(Path("kernel.contract.toml"), good + lines))
    assert read.contracts == ()
