"""What is said of models that cannot be called; each failure is provoked."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import nn

from turnkeyml.errors import BuildError
from turnkeyml_plugin_export_pytorch.own_errors import own_error

X = torch.ones(4, 4)


class TrainsOnly(nn.Module):
    def __init__(self):
        super().__init__()
        self.norm = nn.BatchNorm1d(4)

    def forward(self, x):
        if not self.training:
            raise RuntimeError("call train() first")
        return self.norm(x)


def test_a_model_that_runs_in_training_mode_only_is_told_so(bench):
    trained = TrainsOnly()
    with pytest.raises(
        BuildError, match="in evaluation mode: it raises RuntimeError: call train.. first at "
    ) as caught:
        bench.export(trained, X, training=True)
    assert caught.value.hint.startswith("What goes on is the model in evaluation mode")
    assert trained.training
    assert trained.norm.num_batches_tracked == 0


class Narrow(nn.Module):
    def forward(self, x):
        return x @ torch.ones(3)


def quietly(make: Callable[[], Any]) -> Any:
    with warnings.catch_warnings():
        # PyTorch would have one use torch.compile instead.
        warnings.simplefilter("ignore", DeprecationWarning)
        return make()


def scripted(module: nn.Module) -> Any:
    return quietly(lambda: torch.jit.script(module))


def traced(module: nn.Module) -> Any:
    return quietly(lambda: torch.jit.trace(module, X.double()))


@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize(
    ("made", "given", "named", "hint"),
    [
        (nn.Linear(4, 4), (), {"bad": X}, "Look at the inputs: they must fit the parameters"),
        (nn.Linear(4, 4), (), {}, "Look at the inputs: they must fit the parameters"),
        (Narrow(), (X, X), {}, "Look at the inputs: they must fit the parameters"),
        (nn.Linear(4, 4).double(), (X,), {}, "Its weights are float64 and the inputs float32: "),
        (nn.Linear(3, 4), (X,), {}, "Call it with them in Python alone, after model.eval()"),
        (Narrow(), (X,), {}, "Call it with them in Python alone, after model.eval()"),
        (scripted(nn.Linear(4, 4).double()), (X,), {}, "Its weights are float64 and the inputs "),
        (traced(nn.Linear(4, 4).double()), (X,), {}, "Its weights are float64 and the inputs "),
    ],
)
def test_a_call_that_fails_in_any_mode_is_not_laid_to_evaluation_mode(
    bench, made, given, named, hint, training
):
    with pytest.raises(BuildError, match="cannot be called with these inputs: it r") as caught:
        bench.export(made, *given, training=training, **named)
    assert caught.value.hint.startswith(hint)
    assert "evaluation mode" not in str(caught.value)


def test_an_error_without_a_text_is_its_name():
    error = own_error(ValueError(), nn.ReLU())
    assert error.message.endswith("it raises ValueError.")
    assert error.hint
