"""Figures of a tensor: those of numpy over the whole, whatever the type."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from model_testing.map_models import OpenBoth, write_plain
from pixel_core.model_map.summarise_tensor import TensorSummary, summarise_tensor
from pixel_core.weights.dequantize import dequantize
from pixel_core.weights.ggml_types import GgmlType
from pixel_core.weights.gguf import open_gguf


def summary_of(folder: Path, values: NDArray[np.float32]) -> TensorSummary:
    with open_gguf(write_plain(folder / "a.gguf", w=values)) as model:
        found = summarise_tensor(model, model.tensors["w"])
    assert found is not None
    return found


def test_a_tensor_that_one_can_count(tmp_path: Path) -> None:
    values = np.zeros((20, 8), np.float32)
    values[2], values[3, :4], values[5, 5] = 1, -1, 24
    found = summary_of(tmp_path, values)
    assert (found.values, found.minimum, found.maximum, found.zeros, found.dead_rows) == (160, -1, 24, 147, 17)
    assert (found.mean, found.rms) == (28 / 160, np.sqrt(588 / 160))
    assert found.deviation == pytest.approx(values.astype(np.float64).std(), rel=1e-14)
    assert (found.outliers, found.strongest, found.not_finite) == (1, 24 / np.sqrt(588 / 160), 0)


def test_what_is_not_finite_counts_apart(tmp_path: Path) -> None:
    found = summary_of(tmp_path, np.array([[np.nan, np.inf, 1, 3], [0, 0, 0, 0]], np.float32))
    assert (found.not_finite, found.minimum, found.maximum, found.mean, found.dead_rows) == (2, 0, 3, 4 / 6, 1)


def test_nothing_finite(tmp_path: Path) -> None:
    found = summary_of(tmp_path, np.full((2, 4), np.nan, np.float32))
    assert (found.not_finite, found.minimum, found.mean, found.rms, found.strongest) == (8, None, None, None, None)


def test_all_zeros(tmp_path: Path) -> None:
    found = summary_of(tmp_path, np.zeros((2, 4), np.float32))
    assert (found.zeros, found.dead_rows, found.outliers, found.strongest, found.rms) == (8, 2, 0, None, 0)


@pytest.mark.parametrize("kind", [GgmlType.Q4_0, GgmlType.Q4_1, GgmlType.Q8_0, GgmlType.Q4_K, GgmlType.Q6_K])
def test_quantised_tensors_in_both_files(open_both: OpenBoth, kind: GgmlType) -> None:
    gguf, pxi = open_both({"w": (kind, (512, 40))})
    found = summarise_tensor(gguf, gguf.tensors["w"])
    assert found == summarise_tensor(pxi, pxi.tensors["w"])
    assert found is not None
    values = dequantize(kind, gguf.blocks("w"), (512, 40))
    finite = values[np.isfinite(values)].astype(np.float64)
    assert (found.minimum, found.maximum, found.not_finite) == (finite.min(), finite.max(), values.size - finite.size)
    rms = np.sqrt(np.mean(np.square(finite)))
    assert found.rms == pytest.approx(rms, rel=1e-12)
    assert found.outliers == np.count_nonzero(np.abs(finite) > 6 * rms)


def test_a_type_that_cannot_be_computed_has_none(open_both: OpenBoth) -> None:
    gguf, _ = open_both({"w": (GgmlType.IQ4_XS, (256, 2))})
    assert summarise_tensor(gguf, gguf.tensors["w"]) is None


def test_it_stops_when_it_is_told(open_both: OpenBoth) -> None:
    gguf, _ = open_both({"w": (GgmlType.Q8_0, (64, 8))})
    assert summarise_tensor(gguf, gguf.tensors["w"], go_on=lambda: False) is None
