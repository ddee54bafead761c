"""Which tolerance an output has."""

from __future__ import annotations

import pytest

from turnkeyml.worker.tensors import ITEM_SIZES
from turnkeyml_plugin_parity.tolerances import EXACT, tolerance_for


@pytest.mark.parametrize(
    ("dtypes", "governs"),
    [
        (["float32", "float32", ""], "float32"),
        (["float64", "float32", ""], "float32"),
        (["float32", "float32", "float16"], "float16"),
        (["bfloat16", "float32", "float16"], "bfloat16"),
        (["float32", "float32", "tf32"], "tf32"),
        (["float16", "float16", "tf32"], "float16"),
        (["float8_e4m3fnuz", "float32", ""], "float8"),
        (["float32", "float32", "int8"], "int8"),
        (["complex64", "complex128", ""], "float32"),
        (["complex128", "complex128", "unheard-of"], "float64"),
    ],
)
def test_the_coarsest_dtype_governs(dtypes, governs):
    assert tolerance_for(dtypes).dtype == governs


def test_whole_numbers_are_exact_whatever_the_precision():
    assert tolerance_for(["int64", "int32", "float16"], whole=True) is EXACT


@pytest.mark.parametrize("dtype", [d for d in ITEM_SIZES if d.startswith(("float", "b", "c"))])
def test_every_dtype_of_numbers_has_a_tolerance_above_its_rounding_error(dtype):
    found = tolerance_for([dtype])
    assert 0 < found.absolute < found.relative <= 0.5


def test_coarser_dtypes_have_wider_tolerances():
    order = ["float64", "float32", "tf32", "float16", "bfloat16", "float8_e5m2"]
    found = [tolerance_for([dtype]).relative for dtype in order]
    assert found == sorted(found)
    assert len(set(found)) == len(found)
