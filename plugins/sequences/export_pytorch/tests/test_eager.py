"""The call before the export: outputs, and operations counted."""

from __future__ import annotations

import pytest
import torch

from turnkeyml.errors import BuildError
from turnkeyml_plugin_export_pytorch.eager import run_eager
from turnkeyml_plugin_export_pytorch.flat import FlatCall


@pytest.fixture
def run(live):
    def call(module, *args):
        module.eval()
        with torch.no_grad():
            return run_eager(module, FlatCall(live(module, *args)))

    return call


class Attention(torch.nn.Module):
    def forward(self, q):
        return torch.nn.functional.scaled_dot_product_attention(q, q, q)


@pytest.mark.parametrize(
    ("module", "shape", "flops"),
    [
        (torch.nn.Linear(10, 7), (3, 10), 2 * 3 * 10 * 7),
        (torch.nn.Linear(10, 7), (10,), 2 * 10 * 7),
        (torch.nn.Conv2d(3, 8, 3, padding=1), (1, 3, 16, 16), 2 * 8 * 3 * 9 * 16 * 16),
        (Attention(), (1, 4, 16, 8), 2 * 2 * 4 * 16 * 16 * 8),
        (torch.nn.LSTM(32, 64, batch_first=True), (2, 10, 32), 2 * 2 * 10 * 256 * (32 + 64)),
        (torch.nn.ReLU(), (4,), 0),
    ],
)
def test_operations_are_counted(run, module, shape, flops):
    assert run(module, torch.ones(shape)).flops == flops


def test_operations_are_not_counted_where_some_are_not_known(run):
    assert run(torch.nn.Bilinear(4, 5, 6), torch.ones(2, 4), torch.ones(2, 5)).flops is None


def test_outputs_are_named_in_order(run):
    class Many(torch.nn.Module):
        def forward(self, x):
            return {"b": x, "a": [x, {"c": x}], "text": "no tensor"}

    assert run(Many(), torch.ones(2)).outputs == ("b", "a.0", "a.1.c")


def test_a_model_that_cannot_be_counted_is_called_all_the_same(run):
    class Refuses(torch.nn.Module):
        def forward(self, x):
            if torch.utils._python_dispatch._get_current_dispatch_mode() is not None:
                raise RuntimeError("not under a mode")
            return x

    found = run(Refuses(), torch.ones(2))
    assert (found.outputs, found.flops) == (("out",), None)


def returns(make):
    class Returns(torch.nn.Module):
        def forward(self, x):
            return make(x)

    return Returns()


@pytest.mark.parametrize(
    ("make", "what"),
    [
        (lambda x: "text", "returns no tensor but an object of the class str"),
        (lambda x: None, "returns no tensor but None"),
        (lambda x: torch.eye(2).to_sparse(), "The output out is a sparse tensor"),
        (lambda x: {"k": torch.quantize_per_tensor(x, 1.0, 0, torch.qint8)}, "k is a quantized"),
        (lambda x: x.no_such_thing, r"raises AttributeError: .* at test_eager.py:\d+ \(`"),
    ],
)
@pytest.mark.filterwarnings("ignore")
def test_what_cannot_be_exported_is_said_before_it_is_tried(run, make, what):
    with pytest.raises(BuildError, match=what) as caught:
        run(returns(make), torch.ones(2))
    assert caught.value.hint
    assert "\n" not in str(caught.value)


def test_output_that_cannot_be_looked_into_is_said(run, monkeypatch):
    def refuse(returned):
        raise NotImplementedError("no such thing")

    monkeypatch.setattr("turnkeyml_plugin_export_pytorch.eager.output_tensors", refuse)
    with pytest.raises(BuildError, match="cannot be looked into: no such thing") as caught:
        run(returns(lambda x: x), torch.ones(2))
    assert caught.value.hint
