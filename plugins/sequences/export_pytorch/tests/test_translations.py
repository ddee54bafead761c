"""Operators that the exporter is told of."""

from __future__ import annotations

import pytest
import torch
from torch import nn

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
