"""Checking exported files against the models that they come from."""

from __future__ import annotations

import importlib.util

import numpy as np
import pytest
import torch

from turnkeyml.artifacts import ONNX_MODEL, PYTORCH_MODEL
from turnkeyml.errors import BuildError, PlanError
from turnkeyml.plugins.registry import Registry
from turnkeyml_plugin_export_pytorch.growing import grown_model
from turnkeyml_plugin_export_pytorch.layers import keep_layers
from turnkeyml_plugin_export_pytorch.task import compare
from turnkeyml_plugin_export_pytorch.verify import VerifyExporter, VerifyExporterOptions

TORCHSCRIPT = {"exporter": "torchscript"}


class WrongInOnnx(torch.autograd.Function):
    """Says that it is a multiplication by 2.1 in ONNX, and is one by 2."""

    @staticmethod
    def forward(ctx, x):
        return x * 2

    @staticmethod
    def symbolic(g, x):
        return g.op("Mul", x, g.op("Constant", value_t=torch.tensor(2.1)))


class Wrong(torch.nn.Module):
    def forward(self, x):
        return WrongInOnnx.apply(x)


class Net(torch.nn.Module):
    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.first = torch.nn.Linear(4, 4)
        self.middle = torch.nn.Sequential(torch.nn.ReLU(), Wrong(), torch.nn.Linear(4, 4))
        self.last = torch.nn.Linear(4, 2)

    def forward(self, x):
        return {"good": x + 1, "bad": self.last(self.middle(self.first(x)))}


@pytest.fixture(scope="module")
def x():
    return torch.rand(3, 4)


def test_a_file_that_computes_the_same_is_confirmed(bench, x):
    state = bench.export(torch.nn.Linear(4, 3), x, options=TORCHSCRIPT)
    bench.verify(state)
    (note,) = bench.notes
    assert note.startswith("the exported file computes what the model does (largest relative")
    assert "onnxruntime" in note
    found = state.stats.model
    assert found["verification"] == "ok"
    (row,) = found["outputs"]
    assert (row["output"], row["problem"], row["shape"]) == ("output", "", [3, 3])
    assert row["max_rel"] < 1e-5
    assert "output" in bench.printed
    assert "ok" in bench.printed


def test_onnx_itself_can_run_the_file(bench, x):
    state = bench.export(torch.nn.Linear(4, 3), x, options=TORCHSCRIPT)
    bench.verify(state, evaluator="reference")
    assert state.stats.model["evaluator"].endswith("(reference)")


def test_the_output_and_the_first_layer_that_depart_are_named(bench, x):
    state = bench.export(Net(), x, options=TORCHSCRIPT)
    with pytest.raises(BuildError) as caught:
        bench.verify(state)
    message = caught.value.message
    assert "The output bad for the captured inputs is off by 0.0" in message
    assert message.endswith("The first layer that departs is middle.1 (Wrong).")
    assert "good" not in message
    assert caught.value.hint == "Try another --exporter or --opset of export-pytorch."
    assert state.stats.model["departs_at"] == "middle.1 (Wrong)"
    assert state.stats.model["verification"] == "mismatch"
    assert [row["output"] for row in state.stats.model["outputs"] if row["problem"]] == ["bad"]


def test_a_difference_may_be_tolerated_or_only_noted(bench, x):
    state = bench.export(Net(), x, options=TORCHSCRIPT)
    bench.verify(state, tolerance=0.5)
    assert "computes what the model does" in bench.notes[0]
    bench.verify(state, on_mismatch="warn")
    assert "The first layer that departs is middle.1 (Wrong)." in bench.notes[0]


def test_weights_that_were_changed_are_noticed(bench, x):
    state = bench.export(torch.nn.Linear(4, 300), x, options=TORCHSCRIPT)
    data = state.build.path / state.newest(ONNX_MODEL).files[1].path
    content = bytearray(data.read_bytes())
    content[:4] = np.float32(9).tobytes()
    data.write_bytes(content)
    with pytest.raises(BuildError, match="The output output for the captured inputs is off by"):
        bench.verify(state)


def test_a_file_that_is_not_valid_is_said_to_be(bench, x):
    import onnx

    state = bench.export(torch.nn.Linear(4, 3), x, options=TORCHSCRIPT)
    path = state.file_of(state.newest(ONNX_MODEL))
    model = onnx.load(path)
    # Runtimes take no notice of it, and it is not what ONNX asks for.
    model.graph.ClearField("name")
    onnx.save(model, path)
    with pytest.raises(BuildError, match="ONNX's checker says: Field 'name' of 'graph'"):
        bench.verify(state)


def test_random_outputs_are_not_compared(bench, x):
    class Noise(torch.nn.Module):
        def forward(self, x):
            return x + torch.rand_like(x)

    state = bench.export(Noise(), x, options=TORCHSCRIPT)
    bench.verify(state)
    assert bench.notes == [
        "the model itself gives other outputs each time, so they cannot be compared."
    ]
    assert state.stats.model["verification"] == "not checked"


def test_free_axes_are_tried_with_larger_inputs(bench, x):
    class Fixes(torch.nn.Module):
        def forward(self, x):
            return x.flatten() * torch.ones(int(x.shape[0]) * 4)

    options = {"dynamic_axes": ("batch",), **TORCHSCRIPT}
    state = bench.export(torch.nn.Linear(4, 3), x, options=options)
    bench.verify(state)
    assert "with the captured and with larger sizes" in bench.notes[0]
    state = bench.export(Fixes(), x, options=options)
    with pytest.raises(BuildError, match=r"cannot be run for larger inputs \(x \(4, 4\)\)"):
        bench.verify(state)


def test_larger_inputs_that_the_model_refuses_are_not_tried(bench, x):
    class Positions(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.table = torch.nn.Parameter(torch.ones(3, 4))

        def forward(self, x):
            return x + self.table[: x.shape[0]]

    state = bench.export(Positions(), x, options={"dynamic_axes": ("batch",), **TORCHSCRIPT})
    bench.verify(state)
    assert (
        "not checked with other sizes (x (4, 4)), because the model itself raises"
        in (bench.notes[0])
    )
    assert state.stats.model["verification"] == "ok"


def test_what_onnxruntime_has_not_got_is_run_by_onnx(bench):
    x = torch.ones(2, 4, dtype=torch.bfloat16)
    state = bench.export(torch.nn.Linear(4, 3).bfloat16(), x, options=TORCHSCRIPT)
    bench.verify(state)
    assert "onnxruntime cannot run the file as it was exported" in bench.notes[0]
    assert state.stats.model["evaluator"].endswith("(reference)")
    assert state.stats.model["verification"] == "ok"


def test_without_the_model_there_is_nothing_to_compare_with(bench, x):
    state = bench.export(torch.nn.Linear(4, 3), x, options=TORCHSCRIPT)
    state.artifacts = [a for a in state.artifacts if a.kind != PYTORCH_MODEL]
    with pytest.raises(BuildError, match="which this chain does not have") as caught:
        bench.verify(state)
    assert caught.value.hint == "Start with discover."


def test_the_evaluator_is_settled_when_planned(monkeypatch):
    def resolve(**options):
        return VerifyExporter.resolve(VerifyExporterOptions(**options), Registry()).evaluator

    assert resolve() == "onnxruntime"
    found = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name == "onnxruntime" else found(name)
    )
    assert resolve() == "reference"
    with pytest.raises(PlanError, match="onnxruntime is not installed"):
        resolve(evaluator="onnxruntime")


F32 = np.float32
ROWS = {
    "rounding": (F32([1, 2]) * F32(1.00001), F32([1, 2]), ""),
    "too far": (F32([1, 2.1]), F32([1, 2]), "is off by 0.05"),
    "small beside large": (F32([1e-6, 100]), F32([0, 100]), ""),
    "shape": (F32([[1, 2]]), F32([1, 2]), "has the shape"),
    "NaN in place": (F32([np.nan, 2, np.inf]), F32([np.nan, 2, np.inf]), ""),
    "NaN": (F32([np.nan, 2]), F32([1, 2]), "has NaN or infinite"),
    "infinite": (F32([-np.inf]), F32([np.inf]), "has NaN or infinite"),
    "integers": (np.int64([1, 2]), np.int64([1, 3]), "is off by"),
    "equal integers": (np.int64([1, 2]), np.int64([1, 2]), ""),
    "zeros": (F32([0, 0]), F32([0, 0]), ""),
    "near zeros": (F32([1e-9, 0]), F32([0, 0]), ""),
    "not near zeros": (F32([1e-3, 0]), F32([0, 0]), "is off by"),
    "empty": (np.zeros((0, 3), F32), np.zeros((0, 3), F32), ""),
    "coarser": (np.float16([1, 2]), F32([1.01, 2]), ""),
    "complex": (F32([[1, 2]]), np.complex64([1 + 2j]), ""),
    "a number": (F32(2), F32(2), ""),
    "truth": (np.array([True, False]), np.array([True, True]), "is off by"),
}


@pytest.mark.parametrize("name", ROWS)
def test_outputs_are_compared_as_their_kind_asks(name):
    given, wanted, problem = ROWS[name]
    found = compare("y", given, wanted, None)["problem"]
    assert found.startswith(problem) if problem else not found, found


def test_a_tolerance_that_is_given_holds_for_floats_alone():
    assert not compare("y", F32([1, 2.1]), F32([1, 2]), 0.1)["problem"]
    assert compare("y", np.int64([9]), np.int64([8]), 0.5)["problem"]


def test_layers_are_kept_in_the_order_in_which_they_end(live, tmp_path, x):
    class Twice(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.block = torch.nn.Sequential(torch.nn.Linear(4, 4), torch.nn.ReLU())
            self.again = torch.nn.Linear(4, 4)

        def forward(self, x):
            return self.again(self.again(self.block(x)))

    module = Twice().train()
    kept = keep_layers(live(module, x), tmp_path, seed=0)
    # What is called twice has no output of its own.
    assert list(kept) == ["block.0", "block.1", "block"]
    assert module.training
    assert not module.block._forward_hooks


def test_inputs_grow_along_their_free_axes(live):
    class Adds(torch.nn.Module):
        def forward(self, a, b):
            return a + b["k"]

    a, b = torch.arange(6).reshape(2, 3), torch.ones(2, 3)
    model = live(Adds(), a, {"k": b})
    grown, values, sizes = grown_model(model, {"a": {"0": "n", "1": "m"}, "b_k": {"0": "n"}})
    assert values["a"].tolist() == [[0, 1, 2, 0], [3, 4, 5, 3], [0, 1, 2, 0]]
    assert values["b_k"].shape == (3, 3)
    assert grown.args[1]["k"] is values["b_k"]
    assert sizes == "a (3, 4), b_k (3, 3)"
