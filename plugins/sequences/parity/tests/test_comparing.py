"""One output against the reference."""

from __future__ import annotations

import math

import numpy as np
import pytest
from parity_support import raw

from turnkeyml.worker.tensors import RawTensor
from turnkeyml_plugin_parity import comparing
from turnkeyml_plugin_parity.comparing import compare

RANDOM = np.random.default_rng(0)
A = RANDOM.standard_normal((3, 4)).astype(np.float32)


def found(given, expected, precision=""):
    given, expected = (v if isinstance(v, RawTensor) else raw(v) for v in (given, expected))
    return compare("y", given, expected, precision, "eager")


def changed(array, index, value):
    made = array.copy()
    made[index] = value
    return made


def test_equal_outputs_are_equal():
    same = found(A, A)
    assert (same.problem, same.undecided) == ("", "")
    assert (same.values, same.max_abs, same.max_rel) == (12, 0, 0)
    assert same.cosine == pytest.approx(1)
    assert same.class_agreement == 1


def test_differences_are_measured_against_the_value_or_the_typical_size():
    expected = np.float32([1000, 0, 0, 0])
    typical = math.sqrt(1000**2 / 4)
    assert found(np.float32([1000.05, 0, 0, 0]), expected).max_rel == pytest.approx(5e-5, rel=1e-2)
    one_off = found(np.float32([1000, 0.1, 0, 0]), expected)
    assert one_off.max_abs == pytest.approx(0.1)
    assert one_off.max_rel == pytest.approx(0.1 / typical)
    assert one_off.problem.startswith("differs by up to 0.1, relative 0.0002 (tolerance 0.0001")


def test_small_values_beside_one_large_value_are_not_overlooked():
    expected = np.ones((10, 10), np.float32)
    expected[0, 0] = 60
    wrong = changed(expected, (5, 5), 2)
    assert found(wrong, expected).problem
    assert found(wrong, expected).cosine > 0.999


@pytest.mark.parametrize(
    ("dtype", "close", "far"),
    [
        ("float64", 1e-8, 1e-6),
        ("float32", 2e-5, 1e-3),
        ("float16", 1e-2, 1e-1),
        ("bfloat16", 5e-2, 0.5),
    ],
)
def test_tolerance_is_that_of_the_coarsest_dtype(dtype, close, far):
    expected = A.astype(np.float64)
    for error, wrong in ((close, False), (far, True)):
        compared = found(expected * (1 + error), expected, dtype)
        assert bool(compared.problem) is wrong
        assert compared.tolerance.dtype == dtype


def test_outputs_in_another_dtype_are_compared_as_numbers():
    half = found(A.astype(np.float16), A)
    assert (half.problem, half.tolerance.dtype, half.dtype) == ("", "float16", "float16")
    bits = ((A.view(np.uint32) + 0x8000) >> 16).astype(np.uint16)
    assert not found(raw(bits, "bfloat16"), A).problem
    wrong = found(raw(changed(bits, (0, 0), 0x4000), "bfloat16"), A)
    assert "for bfloat16" in wrong.problem


def test_noise_of_the_size_of_rounding_decides_nothing():
    expected = np.float32([1e-9, -2e-9, 1e-9])
    vague = found(np.zeros(3, np.float32), expected)
    assert vague.problem == ""
    assert "too little to be told from rounding" in vague.undecided
    assert not found(expected, expected).undecided
    assert found(np.float32([0, 1e-3]), np.float32([0, 0])).problem
    assert found(np.float32([0, 1e-9]), np.float32([0, 0])).undecided
    tiny = A * np.float32(1e-24)
    assert not found(tiny * np.float32(1 + 1e-6), tiny).undecided


def test_nothing_but_zeros_decides_nothing():
    zeros = np.zeros((2, 3), np.float32)
    same = found(zeros, zeros)
    assert same.undecided.startswith("is zero throughout, in eager too")
    assert found(np.float16(zeros), zeros).undecided
    assert not found(changed(zeros, (0, 0), 1), changed(zeros, (0, 0), 1)).undecided
    assert found(changed(zeros, (0, 0), 1), zeros).problem
    assert found(zeros, changed(zeros, (0, 0), 1)).problem
    assert found(changed(zeros, (0, 0), np.nan), zeros).problem
    assert not found(np.zeros(3, np.int64), np.zeros(3, np.int64)).undecided, "a mask may be empty"


@pytest.mark.parametrize(
    ("given", "expected", "problem"),
    [
        (A.T, A, "has the shape 4x3, and eager gives 3x4"),
        (A[:1], A, "has the shape 1x4, and eager gives 3x4"),
        (A[0, 0], A[0], "has the shape of a single value, and eager gives 4"),
        (A.astype(np.int32), A, "is int32, and eager gives float32"),
        (A > 0, A, "is bool, and eager gives float32"),
        (A, A > 0, "is float32, and eager gives bool"),
        (np.int64([1, 2, 4]), np.int64([1, 2, 3]), "differs from eager in 1 of 3 whole numbers"),
        (np.array([True, False]), np.array([True, True]), "differs from eager in 1 of 2 whole"),
        (A.reshape(4, 3).T, A, "differs by up to"),
        (-A, A, "differs by up to"),
        (changed(A, (1, 1), np.nan), A, "is NaN in 1 of 12 values, where eager is not"),
        (changed(A, (1, 1), np.inf), A, "overflows to infinity in 1 of 12 values"),
        (A, changed(A, (1, 1), np.nan), "differs in 1 of 12 values that eager gives as NaN"),
        (A, changed(A, (1, 1), -np.inf), "differs in 1 of 12 values that eager gives as NaN or"),
        (changed(A, 0, np.inf), changed(A, 0, -np.inf), "differs in 4 of 12 values that eager"),
        (changed(A, 0, np.nan), changed(A, 0, np.inf), "is NaN in 4 of 12 values"),
    ],
)
def test_what_is_wrong_is_said(given, expected, problem):
    compared = found(given, expected)
    assert problem in compared.problem
    assert compared.badness > 1


def test_overflow_names_the_limit_of_the_dtype():
    expected = np.float32([70000, 1])
    compared = found(np.float16([np.inf, 1]), expected)
    assert compared.problem == (
        "overflows to infinity in 1 of 2 values, where eager is finite "
        "(its largest is 7e+04, and float16 ends at 65,504)"
    )
    assert (compared.inf, compared.reference_inf) == (1, 0)


def test_equal_values_that_are_not_finite_are_no_problem():
    special = changed(changed(changed(A, 0, np.nan), (1, 0), np.inf), (1, 1), -np.inf)
    compared = found(special, special)
    assert compared.problem == ""
    assert compared.values == 6
    assert (compared.nan, compared.inf) == (4, 2)
    assert (compared.reference_nan, compared.reference_inf) == (4, 2)


@pytest.mark.parametrize("value", [np.float32(3), np.int64(7), np.bool_(True)])
def test_single_values_are_compared(value):
    assert (found(value, value).problem, found(value, value).values) == ("", 1)


def test_empty_outputs_have_no_value_to_compare():
    empty = np.zeros((0, 3), np.float32)
    compared = found(empty, empty)
    assert (compared.problem, compared.values, compared.cosine) == ("", 0, None)
    assert found(empty, np.zeros((0, 4), np.float32)).problem


def test_whole_numbers_of_another_width_must_be_equal():
    assert not found(np.int32([1, -2]), np.int64([1, -2])).problem
    off = found(np.int32([1, -2]), np.int64([1, -5]))
    assert (off.max_abs, off.max_rel) == (3, 0.5)


def test_complex_outputs_may_be_pairs():
    numbers = np.complex64([1 + 2j, 3 - 1j])
    pairs = numbers.view(np.float32).reshape(2, 2)
    assert not found(pairs, numbers).problem
    assert found(pairs[:, ::-1], numbers).problem
    assert found(numbers, numbers).class_agreement is None


def test_rows_whose_largest_entry_moves_are_counted():
    expected = np.float32([[1, 2, 3], [3, 2, 1], [1, 3, 2], [2, 1, 3]])
    assert found(expected[:, [0, 2, 1]], expected).class_agreement == 0.25
    assert found(expected.reshape(4, 3, 1), expected.reshape(4, 3, 1)).class_agreement is None
    image = np.ones((1, 3, 8, 8), np.float32)
    assert found(image, image).class_agreement is None


@pytest.mark.parametrize("shape", [(1000, 7), (7000,), (7, 1000)])
def test_large_outputs_give_the_same_numbers_in_blocks(shape, monkeypatch):
    expected = RANDOM.standard_normal(shape).astype(np.float32)
    given = expected + RANDOM.standard_normal(shape).astype(np.float32) * np.float32(0.2)
    whole = found(given, expected)
    monkeypatch.setattr(comparing, "BLOCK", 64)
    monkeypatch.setattr(comparing, "MOST_CLASSES", 1000)
    pieces = found(given, expected)
    assert (pieces.max_abs, pieces.values) == (whole.max_abs, whole.values)
    assert pieces.max_rel == pytest.approx(whole.max_rel)
    assert pieces.cosine == pytest.approx(whole.cosine)
    assert pieces.cosine == pytest.approx(
        given.ravel() @ expected.ravel() / np.linalg.norm(given) / np.linalg.norm(expected)
    )
    if len(shape) == 2:
        assert pieces.class_agreement == whole.class_agreement
        assert whole.class_agreement == (given.argmax(-1) == expected.argmax(-1)).mean()


def test_huge_values_do_not_overflow_the_comparison():
    expected = np.float64([1e300, -1e300, 5e299])
    compared = found(expected * (1 + 1e-12), expected)
    assert compared.problem == ""
    assert compared.cosine == pytest.approx(1)
    assert compared.max_rel == pytest.approx(1e-12, rel=1e-3)
