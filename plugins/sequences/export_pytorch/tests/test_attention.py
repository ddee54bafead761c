"""Attention over tensors of any number of dimensions."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from turnkeyml_plugin_export_pytorch.attention import four_dimensional_attention

DYNAMO = {"exporter": "dynamo"}


class Attention(nn.Module):
    def __init__(self, **options):
        super().__init__()
        self.options = options

    def forward(self, query, memory, mask=None):
        return functional.scaled_dot_product_attention(
            query, memory, memory * 2, attn_mask=mask, **self.options
        )


@pytest.fixture(autouse=True)
def seeded():
    torch.manual_seed(0)


CASES = {
    "one head": ((5, 8), (7, 8), None),
    "heads": ((3, 5, 8), (3, 7, 8), None),
    "windows": ((2, 2, 3, 5, 8), (2, 2, 3, 7, 8), None),
    "windows of images": ((2, 2, 2, 3, 5, 8), (2, 2, 2, 3, 7, 8), None),
    "a mask for all": ((2, 2, 3, 5, 8), (2, 2, 3, 7, 8), (5, 7)),
    "a mask for each head": ((2, 2, 3, 5, 8), (2, 2, 3, 7, 8), (3, 5, 7)),
    "a mask for each window": ((2, 2, 3, 5, 8), (2, 2, 3, 7, 8), (2, 1, 5, 7)),
    "a mask for each image": ((2, 2, 3, 5, 8), (2, 2, 3, 7, 8), (2, 1, 3, 5, 7)),
}


@pytest.mark.parametrize("case", CASES)
def test_attention_of_other_dimensions_is_exported(bench, computed, case):
    query, memory, mask = (shape and torch.randn(shape) for shape in CASES[case])
    inputs = (query, memory) if mask is None else (query, memory, mask > 0)
    model = Attention().eval()
    (found,) = computed(bench.export(model, *inputs, options=DYNAMO)).values()
    np.testing.assert_allclose(found, model(*inputs).numpy(), atol=1e-6)


@pytest.mark.parametrize("options", [{"is_causal": True}, {"scale": 0.3}, {"enable_gqa": True}])
@pytest.mark.parametrize("before", [(), (2,), (2, 2)])
def test_what_else_attention_is_told_is_kept(before, options):
    heads = 2 if "enable_gqa" in options else 4
    model = Attention(**options)
    inputs = torch.randn(*before, 4, 5, 8), torch.randn(*before, heads, 5, 8)
    with four_dimensional_attention():
        found = model(*inputs)
    torch.testing.assert_close(found, model(*inputs))


@pytest.mark.parametrize("shape", [(2, 3, 5, 5), (1, 3, 5, 5), (1, 2, 3, 5, 5)])
def test_masks_with_more_dimensions_are_left_to_pytorch_which_refuses_them(shape):
    inputs = torch.randn(3, 5, 8), torch.randn(3, 5, 8), torch.ones(shape, dtype=torch.bool)
    with four_dimensional_attention(), pytest.raises(RuntimeError, match="the broadcast shape"):
        Attention()(*inputs)


def test_keys_that_are_the_same_for_all_are_left_to_pytorch():
    inputs = torch.randn(2, 2, 3, 5, 8), torch.randn(1, 1, 3, 5, 8)
    with four_dimensional_attention():
        found = Attention()(*inputs)
    torch.testing.assert_close(found, Attention()(*inputs))


def test_pytorch_s_own_function_is_back_after_an_error():
    original = functional.scaled_dot_product_attention
    with pytest.raises(ZeroDivisionError), four_dimensional_attention():
        assert functional.scaled_dot_product_attention is not original
        raise ZeroDivisionError
    assert functional.scaled_dot_product_attention is original
