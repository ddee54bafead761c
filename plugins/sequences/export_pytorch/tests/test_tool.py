"""Exporting PyTorch models."""

from __future__ import annotations

import gc

import numpy as np
import onnx_ir as ir
import pytest
import torch

from turnkeyml.artifacts import INPUTS, ONNX_MODEL, PYTORCH_MODEL
from turnkeyml.cache import Cache
from turnkeyml.context import RunContext
from turnkeyml.errors import BuildError, PlanError
from turnkeyml.inputs import Source
from turnkeyml.plugins.registry import Registry
from turnkeyml.state import ModelInfo
from turnkeyml_plugin_export_pytorch.tool import (
    ExportPytorch,
    ExportPytorchOptions,
    export,
    fewer_collections,
    match_inputs,
    reason_of,
)
from turnkeyml_torch.live import LiveModel
from turnkeyml_torch.signature import make_signature

# The exporter's own libraries warn about each other.
pytestmark = pytest.mark.filterwarnings("ignore")


class Mixed(torch.nn.Module):
    """Takes nested, keyword, constant and absent inputs."""

    def __init__(self):
        super().__init__()
        self.fc = torch.nn.Linear(4, 3)
        self.drop = torch.nn.Dropout(0.5)

    def forward(self, x, pair=None, scale=1.0, flag=True, unused=None, *more, **rest):
        y = self.drop(self.fc(x)) * scale
        if pair is not None:
            y = y + pair[0] + pair[1]["k"]
        for extra in more:
            y = y - extra
        return {"y": y * rest["last"] if "last" in rest else y, "pair": (y + 1, y)}


class DataDependent(torch.nn.Module):
    def forward(self, x):
        return x * 2 if x.sum().item() > 0 else x - 1


def live(module, *args, **kwargs):
    return LiveModel(module, args, kwargs, make_signature(module, args, kwargs))


@pytest.fixture
def state(tmp_path):
    context = RunContext(Registry(), Cache(tmp_path), first_step=("discover", "00000000"))

    def make(model):
        made = context.new_state(Source(tmp_path / "s.py"), ModelInfo("m", "cd" * 32, "Pytorch"))
        made.add(INPUTS, info={"folder": "inputs"})
        made.add(PYTORCH_MODEL, live=model)
        made.begin_step("export-pytorch", "12345678", (PYTORCH_MODEL,))
        return made

    return make


def resolved(opset=None):
    return ExportPytorch.resolve(ExportPytorchOptions(opset=opset), Registry())


def outputs_of(path, feeds):
    from onnx.reference import ReferenceEvaluator

    return ReferenceEvaluator(str(path)).run(None, feeds)


def test_file_computes_what_the_module_computes_in_evaluation_mode(state):
    torch.manual_seed(0)
    module = Mixed().train()
    x = torch.randn(2, 4)
    made = ExportPytorch().run(state(live(module, x)), resolved())
    path = made.file_of(made.newest(ONNX_MODEL))
    with torch.no_grad():
        expected = module.eval()(x)["y"]
    np.testing.assert_allclose(outputs_of(path, {"x": x.numpy()})[0], expected, atol=1e-6)


def test_training_mode_is_given_back(state):
    module = Mixed().train()
    ExportPytorch().run(state(live(module, torch.randn(2, 4))), resolved())
    assert module.training
    assert module.drop.training


def test_nested_keyword_and_extra_inputs_are_mapped_by_name(state):
    one = torch.ones(3)
    model = live(
        Mixed(), torch.randn(2, 4), (one, {"k": one}), 2.0, False, None, one * 2, last=one * 3
    )
    made = ExportPytorch().run(state(model), resolved())
    info = made.newest(ONNX_MODEL).info
    assert info["inputs"] == {
        "x": "x",
        "pair_0": "pair.0",
        "pair_1_k": "pair.1.k",
        "more_0": "more_0",
        "last": "last",
    }
    assert info["inputs_folder"] == "inputs"


def test_keyword_arguments_in_another_order_meet_their_parameters(state):
    torch.manual_seed(0)
    module = Mixed().eval()
    one = torch.full((3,), 5.0)
    x = torch.randn(2, 4)
    made = ExportPytorch().run(
        state(live(module, last=one, pair=(one, {"k": one}), x=x)), resolved()
    )
    artifact = made.newest(ONNX_MODEL)
    names = artifact.info["inputs"]
    values = {"x": x, "last": one, "pair.0": one, "pair.1.k": one}
    feeds = {name: values[leaf].numpy() for name, leaf in names.items()}
    with torch.no_grad():
        expected = module(x, (one, {"k": one}), last=one)["y"]
    np.testing.assert_allclose(outputs_of(made.file_of(artifact), feeds)[0], expected, atol=1e-5)


@pytest.mark.parametrize("opset", [18, 20, 23])
def test_opset_of_the_file_is_the_one_asked_for(state, opset):
    made = ExportPytorch().run(
        state(live(torch.nn.Linear(4, 3), torch.randn(1, 4))), resolved(opset)
    )
    proto = ir.load(made.file_of(made.newest(ONNX_MODEL)))
    assert proto.opset_imports[""] == opset
    assert made.newest(ONNX_MODEL).info["opset"] == opset


def test_opset_that_the_exporter_did_not_give_is_a_failure(monkeypatch):
    class Program:
        model = ir.Model(ir.Graph([], [], nodes=[], opset_imports={"": 18}), ir_version=10)

    monkeypatch.setattr(torch.onnx, "export", lambda *args, **kwargs: Program())
    with pytest.raises(BuildError, match="gave opset 18 although 12 was asked for"):
        export(live(torch.nn.Linear(4, 3), torch.randn(1, 4)), 12)


def test_model_that_cannot_be_exported_is_one_sentence_with_the_cause(state):
    with pytest.raises(BuildError) as caught:
        ExportPytorch().run(state(live(DataDependent(), torch.randn(3))), resolved())
    assert "cannot export this model" in caught.value.message
    assert "data-dependent" in caught.value.message
    assert "\n" not in caught.value.message


def test_statistics_name_opset_operators_and_size(state):
    made = ExportPytorch().run(state(live(torch.nn.Linear(4, 3), torch.randn(1, 4))), resolved())
    path = made.file_of(made.newest(ONNX_MODEL))
    assert made.stats.model["opset"] == 20
    assert made.stats.model["size_bytes"] == path.stat().st_size
    assert sum(made.stats.model["operators"].values()) >= 1


def test_opset_comes_from_the_variable_where_the_option_is_silent(monkeypatch):
    monkeypatch.setenv("TURNKEY_ONNX_OPSET", "19")
    assert resolved().opset == 19
    assert resolved(21).opset == 21


@pytest.mark.parametrize("opset", [6, 27])
def test_opset_out_of_range_is_refused_when_planned(opset):
    with pytest.raises(PlanError, match=f"The opset is {opset}"):
        resolved(opset)


def test_inputs_without_common_names_are_matched_by_order_and_shape():
    class Written:
        inputs = {"arg0": (2, 4), "arg1": (3,)}  # noqa: RUF012

    model = live(Mixed(), torch.randn(2, 4), pair=torch.ones(3))
    assert match_inputs(model, Written()) == {"arg0": "x", "arg1": "pair"}


def test_inputs_that_do_not_correspond_are_refused():
    class Written:
        inputs = {"arg0": (9, 9)}  # noqa: RUF012

    with pytest.raises(BuildError, match="arg0, which do not correspond to the captured ones, x"):
        match_inputs(live(Mixed(), torch.randn(2, 4)), Written())


def test_reason_is_the_first_line_of_the_innermost_cause():
    error = RuntimeError("outer\nnoise")
    error.__cause__ = ValueError("the reason\nand more")
    assert reason_of(error) == "ValueError: the reason"


def test_collector_is_as_before_after_an_export():
    before = gc.get_threshold()
    with pytest.raises(KeyError), fewer_collections():
        assert gc.get_threshold() != before
        raise KeyError
    assert gc.get_threshold() == before
