"""Numbers of 32 bits made into numbers of 16."""

from __future__ import annotations

import numpy as np
import pytest

from turnkeyml_plugin_convert_fp16.half import LARGEST, SMALLEST, Losses, halve

EDGES = [
    0.0, -0.0, 1.0, -1.0, 65504.0, 65504.004, 65519.9, 65520.0, 65536.0, -65504.0, -70000.0,
    3.4028235e38, -3.4028235e38, np.inf, -np.inf, np.nan, 5.96e-08, -5.96e-08, 5.9604645e-08,
    5.9e-08, 2.98e-08, 1e-10, -1e-10, 1e-45, -1e-45, 6.1e-05, 6.104e-05, 1.0009765, 1.00048828,
]  # fmt: skip


@pytest.fixture(
    params=["onnxruntime.transformers.float16", "onnxconverter_common.float16"],
    ids=["ort", "common"],
)
def convert(request):
    module = pytest.importorskip(request.param)
    return lambda values: module.convert_np_to_float16(values, SMALLEST, LARGEST)


@pytest.mark.filterwarnings("ignore:.*truncated")
@pytest.mark.parametrize("scale", [1e-9, 1e-7, 1e-4, 1, 1e4, 1e6, 1e30])
def test_numbers_are_those_of_the_converters(convert, scale):
    random = np.random.default_rng(0).normal(size=10_000) * scale
    values = np.concatenate([random.astype(np.float32), np.array(EDGES, np.float32)])
    ours, _ = halve(values)
    assert ours.dtype == np.float16
    np.testing.assert_array_equal(ours.view(np.uint16), convert(values).view(np.uint16))


def test_losses_are_counted():
    _, losses = halve(np.array(EDGES, np.float32))
    assert losses == Losses(clamped=7, too_small=6, infinite=2, nan=1)


def test_nothing_is_lost_of_ordinary_numbers():
    values = np.array([[0, 1, -2], [0.5, 65504, -6e-8]], np.float32)
    halves, losses = halve(values)
    assert not losses
    assert halves.shape == (2, 3)
    np.testing.assert_allclose(halves, values, rtol=1e-2)


def test_no_number_becomes_infinite_or_zero_and_the_source_is_left_alone():
    values = np.array([1e38, -1e38, 1e-38, -1e-38], np.float32)
    before = values.copy()
    halves, _ = halve(values)
    np.testing.assert_array_equal(halves, np.array([65504, -65504, 6e-8, -6e-8], np.float16))
    np.testing.assert_array_equal(values, before)


def test_empty_arrays_have_nothing_to_lose():
    halves, losses = halve(np.empty((0, 3), np.float32))
    assert halves.shape == (0, 3)
    assert losses == Losses()


def test_losses_add_up_and_leave_out_what_is_zero():
    total = Losses(clamped=1) + Losses(clamped=2, nan=1)
    assert total.to_json() == {"clamped": 3, "nan": 1}
