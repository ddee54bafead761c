"""Raw tensors as numbers, whatever their dtype."""

from __future__ import annotations

import numpy as np
import pytest
from parity_support import raw

from turnkeyml.worker.tensors import ITEM_SIZES, RawTensor
from turnkeyml_plugin_parity.values import Numbers


@pytest.mark.parametrize(
    "dtype", ["float8_e4m3fn", "float8_e5m2", "float8_e4m3fnuz", "float8_e5m2fnuz"]
)
def test_every_byte_of_a_float8_is_the_number_that_others_say(dtype):
    ml_dtypes = pytest.importorskip("ml_dtypes")
    every = np.arange(256, dtype=np.uint8)
    found = Numbers(raw(every, dtype)).block(0, 256)
    expected = every.view(getattr(ml_dtypes, dtype)).astype(np.float64)
    np.testing.assert_array_equal(found, expected)


def test_bfloat16_is_the_upper_half_of_a_float32():
    values = np.float32([0, 1.5, -(2.0**100), np.inf, np.nan])
    bits = (values.view(np.uint32) >> 16).astype(np.uint16)
    np.testing.assert_array_equal(Numbers(raw(bits, "bfloat16")).block(0, 5), values)


def test_complex_numbers_are_pairs():
    found = Numbers(raw(np.complex64([[1 + 2j], [3 - 4j]])))
    assert (found.shape, found.size, found.whole) == ((2, 1, 2), 4, False)
    np.testing.assert_array_equal(found.block(1, 4), [2, 3, -4])


@pytest.mark.parametrize("dtype", sorted(ITEM_SIZES))
def test_every_known_dtype_can_be_read_also_if_it_is_empty(dtype):
    size = ITEM_SIZES[dtype]
    found = Numbers(RawTensor(dtype, (2,), memoryview(bytes(2 * size))))
    assert not found.block(0, 2).any()
    empty = Numbers(RawTensor(dtype, (0, 3), memoryview(b"")))
    assert (empty.size, empty.block(0, 5).size) == (0, 0)


def test_whole_numbers_stay_exact():
    large = np.uint64([2**64 - 1, 2**63])
    found = Numbers(raw(large))
    assert found.whole
    assert found.block(0, 2).dtype == np.uint64
    assert list(found.block(0, 2)) == list(large)
