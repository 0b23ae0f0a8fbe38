"""The labelled sample of the WebGPU conformance suite, where it is present."""

from __future__ import annotations

from collections import Counter

import pytest

from bench.cts import SAMPLE, errors_of, read_cases

# Folder parse holds what a parser can see; the rest of its 907 invalid cases is about what names mean.
LEAST_REJECTED = {"parse": 775, "expression_precedence": 144, "statement": 289, "shader_io": 270}


def test_valid_sources_are_accepted_and_syntactic_faults_rejected() -> None:
    if not SAMPLE.exists():
        pytest.skip(f"the conformance sample is not there: {SAMPLE}")
    rejected_valid: list[str] = []
    rejected = Counter[str]()
    for case in read_cases():
        errors = errors_of(case, "parse")
        if case.valid and errors:
            rejected_valid.append(f"{case.query}: {errors[0].message}")
        rejected[case.folder] += not case.valid and bool(errors)
    assert rejected_valid == []
    assert {folder: rejected[folder] >= count for folder, count in LEAST_REJECTED.items()} == dict.fromkeys(LEAST_REJECTED, True)
