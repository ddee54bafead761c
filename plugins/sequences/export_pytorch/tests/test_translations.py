"""Operators that the exporter is told of."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from turnkeyml.errors import BuildError
from turnkeyml_plugin_export_pytorch.translations import own_translations

DYNAMO = {"exporter": "dynamo"}


class Checked(nn.Module):
    def forward(self, x):
        # As transformers checks the shapes of feature maps.
        torch._check_tensor_all(x > -100)
        return x + 1


class Asked(nn.Module):
    def forward(self, x):
        return torch.ops.aten._is_all_true(x > 0)


def test_a_model_that_checks_its_tensors_is_exported_without_the_check(bench, computed):
    state = bench.export(Checked().eval(), torch.zeros(2, 3), options=DYNAMO)
    assert [value.tolist() for value in computed(state).values()] == [[[1.0] * 3] * 2]


@pytest.mark.parametrize("last", [1.0, -1.0])
def test_whether_all_are_true_is_computed_as_pytorch_does(bench, computed, last):
    state = bench.export(Asked().eval(), torch.tensor([1.0, 2.0, last]), options=DYNAMO)
    assert [value.item() for value in computed(state).values()] == [last > 0]


def test_a_pytorch_that_can_be_told_of_none_is_told_of_none(monkeypatch):
    assert list(own_translations()) == ["custom_translation_table"]
    monkeypatch.setattr(torch.onnx, "export", lambda model, *, dynamo: None)
    assert own_translations() == {}


class Noisy(nn.Module):
    def __init__(self, **options):
        super().__init__()
        self.options = options

    def forward(self, x):
        return x + torch.randn(x.shape, **self.options)


@pytest.mark.parametrize("options", [{"generator": None}, {"generator": None, "dtype": torch.half}])
def test_random_numbers_are_drawn_as_pytorch_draws_them(bench, computed, options):
    state = bench.export(Noisy(**options).eval(), torch.zeros(100, 100), options=DYNAMO)
    (found,) = computed(state).values()
    assert abs(found.mean()) < 0.05
    assert abs(found.std() - 1) < 0.05


@pytest.fixture
def doubles():
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


@pytest.mark.usefixtures("doubles")
def test_random_numbers_have_the_default_type(bench, computed):
    model = Noisy(generator=None).eval()
    (found,) = computed(bench.export(model, torch.zeros(10, 10), options=DYNAMO)).values()
    assert found.dtype == np.float64


def test_complex_random_numbers_are_refused(bench):
    model = Noisy(generator=None, dtype=torch.complex64).eval()
    with pytest.raises(BuildError, match="ONNX draws no random numbers of this type"):
        bench.export(model, torch.zeros(2, 2), options=DYNAMO)


class Squeezed(nn.Module):
    def __init__(self, axis):
        super().__init__()
        self.axis = axis

    def forward(self, x):
        return (x * 2).squeeze(self.axis)


@pytest.mark.parametrize("axis", [0, 1, 2, -1, -3])
@pytest.mark.parametrize("axes", [(), ("x=1:rows",)])
def test_only_axes_of_size_one_are_squeezed(bench, computed, axis, axes):
    x = torch.randn(1, 3, 4)
    state = bench.export(Squeezed(axis).eval(), x, options={**DYNAMO, "dynamic_axes": axes})
    (found,) = computed(state).values()
    np.testing.assert_allclose(found, Squeezed(axis)(x))


def test_a_number_is_squeezed_as_it_is(bench, computed):
    state = bench.export(Squeezed(0).eval(), torch.tensor(3.0), options=DYNAMO)
    assert [value.item() for value in computed(state).values()] == [6.0]
