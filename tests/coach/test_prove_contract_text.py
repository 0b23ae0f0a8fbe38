"""What a generated contract may not choose: code to run."""

from __future__ import annotations

from pathlib import Path

import pytest

from pixel_coach.prove_contract_text import foreign_code
from pixel_core.kernels.load_shader import understand
from pixel_core.source import SourceText


@pytest.mark.parametrize(
    ("key", "runs"),
    [
        ("prepare = [{ define = { N = 1 } }]", None),
        ("prepare = [{ command = ['touch', 'was-here'] }]", "a program to prepare its shader"),
        ("prepare = [{ define = {} }, { template = {} }]", "a program to prepare its shader"),
        ("reference = 'ref.py:f'", "`ref.py:f`"),
        ("inputs = { x = 'gen.py:x' }", "`gen.py:x`"),
        ("inputs = { x = 'file x.npy' }", None),
        ("codecs = { x = { python = 'nf4.py:nf4', values = 8, bytes = 4 } }", "`nf4.py:nf4`"),
    ],
)
def test_code_that_a_contract_would_run(key: str, runs: str | None, tmp_path: Path) -> None:
    contract = f'[k]\ndispatch = 1\nexpect = {{ y = "x" }}\n{key}\n'
    path = tmp_path / "k.wgsl"
    loaded = understand(SourceText(path, ""), SourceText(path.with_name("k.contract.toml"), contract))
    assert foreign_code(loaded.all_contracts) == runs
    assert not (tmp_path / "was-here").exists()
