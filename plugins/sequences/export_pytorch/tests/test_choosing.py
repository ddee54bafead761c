"""Which exporter makes the file, and what is said about it."""

from __future__ import annotations

import onnx_ir as ir
import pytest
import torch

from turnkeyml.artifacts import ONNX_MODEL
from turnkeyml.errors import BuildError
from turnkeyml_plugin_export_pytorch import choosing, exporters


def load(state):
    return ir.load(state.file_of(state.newest(ONNX_MODEL)))


@pytest.mark.parametrize("opset", [18, 23])
def test_opset_of_the_file_is_the_one_asked_for(bench, opset):
    state = bench.export(torch.nn.Linear(4, 3), torch.randn(1, 4), options={"opset": opset})
    assert load(state).opset_imports[""] == opset
    info = state.newest(ONNX_MODEL).info
    assert (info["opset"], info["exporter"]) == (opset, "dynamo")
    assert bench.notes == []


@pytest.mark.parametrize("opset", [7, 13, 17])
def test_older_opsets_come_from_torchscript_and_a_note_says_so(bench, opset):
    state = bench.export(torch.nn.Linear(4, 3), torch.randn(1, 4), options={"opset": opset})
    assert load(state).opset_imports[""] == opset
    assert state.newest(ONNX_MODEL).info["exporter"] == "torchscript"
    assert bench.notes == [
        "exported with TorchScript, because PyTorch's newer exporter (dynamo) gives no opset "
        "below 18."
    ]


class Program:
    model = ir.Model(ir.Graph([], [], nodes=[], opset_imports={"": 18}), ir_version=10)


def test_opset_that_the_exporter_did_not_give_is_a_failure(bench, monkeypatch):
    monkeypatch.setattr(torch.onnx, "export", lambda *args, **kwargs: Program())
    with pytest.raises(BuildError, match="it gave opset 18 although 12 was asked for") as caught:
        bench.export(
            torch.nn.Linear(4, 3), torch.randn(1, 4), options={"exporter": "dynamo", "opset": 12}
        )
    assert caught.value.hint == ("Take an opset of at least 18. Or take --exporter torchscript.")


def test_torchscript_steps_in_where_dynamo_does_not_give_the_opset(bench, monkeypatch):
    export = torch.onnx.export

    def stays_at_18(*args, dynamo, **kwargs):
        return Program() if dynamo else export(*args, dynamo=dynamo, **kwargs)

    monkeypatch.setattr(torch.onnx, "export", stays_at_18)
    state = bench.export(torch.nn.Linear(4, 3), torch.randn(1, 4))
    assert state.newest(ONNX_MODEL).info["exporter"] == "torchscript"
    assert bench.notes == [
        "exported with TorchScript, because PyTorch's newer exporter (dynamo) cannot: it gave "
        "opset 18 although 20 was asked for."
    ]


def test_dynamo_steps_in_where_torchscript_fails_below_its_own_opsets(bench, monkeypatch):
    def fail(order):
        raise exporters.ExportFailedError(choosing.Failure("it cannot"))

    monkeypatch.setattr(choosing, "export_torchscript", fail)
    state = bench.export(torch.nn.ReLU(), torch.randn(1, 4), options={"opset": 17})
    assert load(state).opset_imports[""] == 17
    assert bench.notes == [
        "converted to opset 17 from a newer one, because TorchScript cannot export it: it cannot."
    ]


def test_free_axes_that_nobody_could_check_are_doubted(bench, monkeypatch):
    def fail(order):
        raise exporters.ExportFailedError(choosing.Failure("it has a bad day"))

    monkeypatch.setattr(choosing, "export_dynamo", fail)
    bench.export(torch.nn.Linear(4, 3), torch.randn(2, 4), options={"dynamic_axes": ("batch",)})
    assert bench.notes[1] == (
        "the file may be wrong for other inputs: PyTorch could not check whether it works with "
        "other sizes."
    )


def test_values_that_nobody_could_check_are_doubted(bench, monkeypatch):
    class Looks(torch.nn.Module):
        def forward(self, x):
            return x * float(x[0, 0])

    def fail(order):
        raise exporters.ExportFailedError(choosing.Failure("it has a bad day"))

    monkeypatch.setattr(choosing, "export_dynamo", fail)
    bench.export(Looks(), torch.ones(2, 4))
    assert "for other inputs: Python looks at a value at test_choosing.py:" in bench.notes[1]


def test_an_opset_that_neither_gives_is_refused_with_both_reasons(bench, monkeypatch):
    def fail(order):
        raise exporters.ExportFailedError(choosing.Failure("something is missing", "Add it."))

    monkeypatch.setattr(choosing, "export_dynamo", fail)
    with pytest.raises(BuildError) as caught:
        bench.export(torch.nn.Linear(4, 3), torch.randn(1, 4), options={"opset": 25})
    assert caught.value.message == (
        "PyTorch's ONNX exporter cannot export this model: something is missing. The TorchScript "
        "exporter cannot either: it gives at most opset 23, not 25."
    )
    assert caught.value.hint == "Add it."
