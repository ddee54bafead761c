"""Exporting PyTorch models."""

from __future__ import annotations

import gc
import os

import numpy as np
import onnx_ir as ir
import pytest
import torch

from turnkeyml.artifacts import INPUTS, ONNX_MODEL
from turnkeyml.errors import BuildError, PlanError
from turnkeyml.plugins.registry import Registry
from turnkeyml.worker.tensors import read_tensors
from turnkeyml_plugin_export_pytorch import choosing, disk
from turnkeyml_plugin_export_pytorch.steady import fewer_collections, steady
from turnkeyml_plugin_export_pytorch.tool import ExportPytorch, ExportPytorchOptions

TORCHSCRIPT = {"exporter": "torchscript"}
BOTH = pytest.mark.parametrize("exporter", ["dynamo", "torchscript"])


class Mixed(torch.nn.Module):
    """Takes nested, keyword, constant, unused and absent inputs."""

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
        return {"y": y * rest["last"] if "last" in rest else y, "pair": (y + 1, x)}


def make_mixed():
    torch.manual_seed(0)
    return Mixed()


def resolve(**options):
    return ExportPytorch.resolve(ExportPytorchOptions(**options), Registry())


def load(state):
    return ir.load(state.file_of(state.newest(ONNX_MODEL)))


def interface(state):
    model = load(state)
    return tuple(
        [(value.name, [str(size) for size in value.shape]) for value in values]
        for values in (model.graph.inputs, model.graph.outputs)
    )


@BOTH
def test_file_computes_what_the_module_computes_in_evaluation_mode(bench, computed, exporter):
    module = make_mixed().train()
    one, x = torch.full((3,), 5.0), torch.randn(2, 4)
    pair, more, last = (one, {"k": one * 2}), one * 3, one * 4
    state = bench.export(
        module, x, pair, 2.0, False, one, more, last=last, options={"exporter": exporter}
    )
    artifact = state.newest(ONNX_MODEL)
    assert artifact.info["inputs"] == {
        "x": "x",
        "pair_0": "pair.0",
        "pair_1_k": "pair.1.k",
        "unused": "unused",
        "more_0": "more_0",
        "last": "last",
    }
    assert artifact.info["outputs"] == ["y", "output_pair_0", "pair_1"]
    assert artifact.info["exporter"] == exporter
    assert module.training
    assert module.drop.training
    with torch.no_grad():
        expected = module.eval()(x, pair, 2.0, False, one, more, last=last)
    found = computed(state)
    np.testing.assert_allclose(found["y"], expected["y"], rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(found["output_pair_0"], expected["pair"][0], rtol=1e-5, atol=1e-5)
    np.testing.assert_array_equal(found["pair_1"], x)


def test_keyword_arguments_in_another_order_meet_their_parameters(bench, computed):
    module = make_mixed().eval()
    one, x = torch.full((3,), 5.0), torch.randn(2, 4)
    state = bench.export(module, last=one, pair=(one * 2, {"k": one * 3}), x=x, options=TORCHSCRIPT)
    assert list(state.newest(ONNX_MODEL).info["inputs"]) == ["x", "pair_0", "pair_1_k", "last"]
    with torch.no_grad():
        expected = module(x, (one * 2, {"k": one * 3}), last=one)["y"]
    np.testing.assert_allclose(computed(state)["y"], expected, atol=1e-5)


def test_both_exporters_make_files_with_the_same_inputs_and_outputs(bench):
    one, x = torch.ones(3), torch.randn(2, 4)
    made = [
        bench.export(make_mixed(), x, unused=one, last=one, options={"exporter": exporter})
        for exporter in ("dynamo", "torchscript")
    ]
    assert interface(made[0]) == interface(made[1])
    assert interface(made[0])[0] == [("x", ["2", "4"]), ("unused", ["3"]), ("last", ["3"])]
    scopes = [{n.metadata_props["name_scope"] for n in load(state).graph} for state in made]
    assert all("fc" in found for found in scopes)
    assert all("fc.weight" in load(state).graph.initializers for state in made)


def test_one_tensor_given_twice_is_two_inputs(bench, computed):
    class Minus(torch.nn.Module):
        def forward(self, a, b):
            return a * 2 - b

    x = torch.ones(3)
    for exporter in ("dynamo", "torchscript"):
        state = bench.export(Minus(), x, x, options={"exporter": exporter})
        assert state.newest(ONNX_MODEL).info["inputs"] == {"a": "a", "b": "b"}
        np.testing.assert_array_equal(computed(state)["output"], np.ones(3))


@BOTH
def test_bfloat16_stays_bfloat16(bench, exporter):
    module = torch.nn.Linear(4, 300).bfloat16()
    x = torch.ones(2, 4, dtype=torch.bfloat16)
    state = bench.export(module, x, options={"exporter": exporter})
    model = load(state)
    assert model.graph.inputs[0].dtype == model.graph.outputs[0].dtype == ir.DataType.BFLOAT16
    assert {v.dtype for v in model.graph.initializers.values()} == {ir.DataType.BFLOAT16}
    assert state.newest(ONNX_MODEL).info["inputs"] == {"input": "input"}


def test_a_cache_of_transformers_goes_in_and_comes_out(bench, computed):
    transformers = pytest.importorskip("transformers")

    class Attends(torch.nn.Module):
        def forward(self, x, cache):
            keys, _ = cache.update(x, x * 2, 0)
            return {"sum": keys.sum(), "cache": cache}

    cache = transformers.DynamicCache()
    cache.update(torch.ones(1, 1, 2, 4), torch.ones(1, 1, 2, 4), 0)
    for exporter in ("dynamo", "torchscript"):
        state = bench.export(
            Attends(), torch.ones(1, 1, 1, 4), cache, options={"exporter": exporter}
        )
        info = state.newest(ONNX_MODEL).info
        assert info["outputs"] == ["sum", "output_cache_0_key", "output_cache_0_value"]
        # Captured inputs do not keep such objects, so the tensors are kept here.
        assert info["inputs_folder"] == state.newest(INPUTS).info["folder"] != "inputs"
        kept = read_tensors(state.build.path / info["inputs_folder"])
        assert list(kept) == list(info["inputs"].values()) == ["x", "cache_0_key", "cache_0_value"]
        found = computed(state)
        assert found["sum"] == 12
        assert found["output_cache_0_value"].shape == (1, 1, 3, 4)
    assert len(cache.layers[0].keys[0, 0]) == 2


def test_complex_numbers_are_pairs_in_the_file(bench, computed):
    class Square(torch.nn.Module):
        def forward(self, z):
            return z * z

    state = bench.export(Square(), torch.tensor([1 + 2j, 3j]))
    np.testing.assert_allclose(computed(state)["output"], [[-3, 4], [-9, 0]], atol=1e-6)


@BOTH
def test_free_axes_are_free_in_the_file(bench, exporter):
    class Doubles(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.fc = torch.nn.Linear(4, 2)

        def forward(self, ids, mask):
            return self.fc(ids * mask[..., None])

    module = Doubles().eval()
    options = {"exporter": exporter, "dynamic_axes": ("batch", "*=1:sequence")}
    # One of a batch, which exporters take for a number that never changes.
    state = bench.export(module, torch.randn(1, 3, 4), torch.ones(1, 3), options=options)
    inputs, outputs = interface(state)
    assert inputs == [("ids", ["batch", "sequence", "4"]), ("mask", ["batch", "sequence"])]
    assert outputs[0][1][2] == "2"
    assert not any(size.isdigit() for size in outputs[0][1][:2])
    artifact = state.newest(ONNX_MODEL)
    assert artifact.info["dynamic_axes"] == {
        "ids": {"0": "batch", "1": "sequence"},
        "mask": {"0": "batch", "1": "sequence"},
    }
    from onnx.reference import ReferenceEvaluator

    ids, mask = torch.randn(3, 5, 4), torch.ones(3, 5)
    feeds = {"ids": ids.numpy(), "mask": mask.numpy()}
    (found,) = ReferenceEvaluator(str(state.file_of(artifact))).run(None, feeds)
    with torch.no_grad():
        np.testing.assert_allclose(found, module(ids, mask), atol=1e-6)


def test_an_axis_that_the_code_fixes_is_refused_by_name(bench):
    class Flattens(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.fc = torch.nn.Linear(8, 2)

        def forward(self, x):
            return self.fc(x.flatten())

    options = {"dynamic_axes": ("x=0:n",)}
    with pytest.raises(BuildError, match="only with the size 2 of axis 0 of the input x") as caught:
        bench.export(Flattens(), torch.randn(2, 4), options=options)
    assert caught.value.hint.startswith("Leave that axis out of --dynamic-axes")
    state = bench.export(Flattens(), torch.randn(2, 4), options={**options, **TORCHSCRIPT})
    assert state.newest(ONNX_MODEL).info["dynamic_axes"] == {"x": {"0": "n"}}
    assert "the file may be wrong for other inputs" in bench.notes[0]


def test_an_axis_that_stayed_fixed_in_the_file_is_a_failure(bench, monkeypatch):
    monkeypatch.setattr(choosing, "symbolic_axes", lambda model: {})
    with pytest.raises(BuildError, match=r"the captured size of axis 0 \(n\) of input\."):
        bench.export(
            torch.nn.Linear(4, 3), torch.randn(2, 4), options={"dynamic_axes": ("input=0:n",)}
        )


def test_statistics_say_what_was_made(bench):
    state = bench.export(torch.nn.Linear(4, 300), torch.randn(1, 4))
    artifact = state.newest(ONNX_MODEL)
    found = state.stats.model
    assert (found["exporter"], found["opset"], found["ir_version"]) == ("dynamo", 20, 10)
    assert found["operators"] == {"Gemm": 1}
    assert found["inputs"] == {"input": {"dtype": "float32", "shape": [1, 4]}}
    assert found["outputs"] == ["output"]
    assert found["flops"] == 2 * 4 * 300
    assert found["size_bytes"] == sum(
        (state.build.path / record.path).stat().st_size for record in artifact.files
    )
    assert found["export_s"] > 0
    assert found["write_s"] > 0
    assert "dynamic_axes" not in found


def test_exporters_warnings_stay_out_of_sight(bench):
    bench.export(torch.nn.Linear(4, 3), torch.randn(1, 4), options=TORCHSCRIPT)
    assert "Warning" not in bench.printed


def test_opset_comes_from_the_variable_where_the_option_is_silent(monkeypatch):
    monkeypatch.setenv("TURNKEY_ONNX_OPSET", "19")
    assert resolve().opset == 19
    assert resolve(opset=21).opset == 21


@pytest.mark.parametrize(
    ("options", "what"),
    [
        ({"opset": 6}, "The opset is 6"),
        ({"opset": 27}, "The opset is 27"),
        ({"opset": 24, "exporter": "torchscript"}, "gives at most opset 23, not 24"),
        ({"dynamic_axes": ("x",)}, "cannot be understood"),
    ],
)
def test_what_cannot_work_is_refused_when_planned(options, what):
    with pytest.raises(PlanError, match=what):
        resolve(**options)


@pytest.mark.parametrize(("exporter", "copies"), [("dynamo", 1), ("torchscript", 2)])
def test_too_little_room_is_said_before_the_export(bench, monkeypatch, exporter, copies):
    class Usage:
        free = 1_000_000

    module = torch.nn.Linear(1000, 1000)
    monkeypatch.setattr(disk.shutil, "disk_usage", lambda folder: Usage())
    monkeypatch.setattr(torch.onnx, "export", None)
    with pytest.raises(BuildError) as caught:
        bench.export(module, torch.ones(1, 1000), options={"exporter": exporter})
    needed = 1000 * 1001 * 4 * 1.1 * copies / 1e6
    assert caught.value.message.startswith(
        f"The exported model needs about {needed:,.0f} MB in {bench.folder}"
    )
    assert caught.value.message.endswith("and only 1 MB are free.")


def test_nothing_is_left_behind_by_a_failed_export(bench, monkeypatch):
    def fail(*args, **kwargs):
        (path,) = [word for word in args if isinstance(word, str)]
        with open(path, "wb") as file:
            file.write(b"half")
        raise ValueError("in the middle")

    monkeypatch.setattr(torch.onnx, "export", fail)
    with pytest.raises(BuildError, match="ValueError: in the middle"):
        bench.export(torch.nn.Linear(4, 3), torch.ones(1, 4), options=TORCHSCRIPT)
    left = [path.name for path in bench.folder.rglob("*") if path.is_file()]
    assert not [name for name in left if name.endswith(".onnx") or "tmp" in name]


def test_collector_is_as_before_after_an_export():
    before = gc.get_threshold()
    with pytest.raises(KeyError), fewer_collections():
        assert gc.get_threshold() != before
        raise KeyError
    assert gc.get_threshold() == before


def test_environment_modes_and_random_numbers_are_as_before_after_an_export(monkeypatch):
    monkeypatch.setenv("TURNKEY_TEST", "old")
    module = torch.nn.Dropout()
    torch.manual_seed(7)
    expected = torch.rand(1)
    torch.manual_seed(7)
    with pytest.raises(KeyError), steady(module):
        assert not module.training
        assert not torch.is_grad_enabled()
        os.environ["TURNKEY_TEST"] = "new"
        os.environ["TURNKEY_OTHER"] = "new"
        torch.rand(5)
        raise KeyError
    assert os.environ["TURNKEY_TEST"] == "old"
    assert "TURNKEY_OTHER" not in os.environ
    assert module.training
    assert torch.is_grad_enabled()
    assert torch.equal(torch.rand(1), expected)
