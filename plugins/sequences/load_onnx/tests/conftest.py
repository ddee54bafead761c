"""Small ONNX models, and the tool run on them."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from turnkeyml.artifacts import ONNX_MODEL
from turnkeyml.cache import Cache
from turnkeyml.context import RunContext
from turnkeyml.errors import BuildError
from turnkeyml.inputs import Source
from turnkeyml.plugins.registry import Registry
from turnkeyml.worker.tensors import read_tensors
from turnkeyml_plugin_load_onnx.reading import read_onnx
from turnkeyml_plugin_load_onnx.tool import LoadOnnx, LoadOnnxOptions


def value(name, dtype, dims):
    return helper.make_tensor_value_info(name, getattr(TensorProto, dtype), dims)


def graph_of(nodes, inputs, outputs, weights=None, **more):
    """Make a graph; inputs and outputs are (name, dtype, dims), weights arrays by name."""
    return helper.make_graph(
        nodes,
        "net",
        [value(*i) if isinstance(i, tuple) else i for i in inputs],
        [value(*o) if isinstance(o, tuple) else o for o in outputs],
        [
            numpy_helper.from_array(w, name) if isinstance(w, np.ndarray) else w
            for name, w in (weights or {}).items()
        ],
        **more,
    )


def model_of(graph, opset=17, ir_version=8, domains=(), **more):
    imports = [helper.make_opsetid("", opset), *(helper.make_opsetid(d, 1) for d in domains)]
    return helper.make_model(graph, opset_imports=imports, ir_version=ir_version, **more)


def linear(dims=("batch", 64), seed=0, dtype="FLOAT"):
    """Make ``y = x @ w``, with a weight of 64 by 32."""
    w = np.random.default_rng(seed).normal(size=(64, 32)).astype(np.float32)
    return model_of(
        graph_of(
            [helper.make_node("MatMul", ["x", "w"], ["y"])],
            [("x", dtype, dims)],
            [("y", dtype, [*dims[:-1], 32])],
            {"w": w},
        )
    )


def bert():
    """Make an embedding of token ids that a mask is laid over."""
    rng = np.random.default_rng(0)
    nodes = [
        helper.make_node("Gather", ["table", "input_ids"], ["e"]),
        helper.make_node("Cast", ["attention_mask"], ["m"], to=TensorProto.FLOAT),
        helper.make_node("Unsqueeze", ["m", "axes"], ["mm"]),
        helper.make_node("Mul", ["e", "mm"], ["y"]),
    ]
    inputs = [
        ("input_ids", "INT64", ["batch", "sequence"]),
        ("attention_mask", "INT64", ["batch", "sequence"]),
    ]
    weights = {
        "table": rng.normal(size=(1000, 8)).astype(np.float32),
        "axes": np.array([2]),
    }
    return model_of(
        graph_of(nodes, inputs, [("y", "FLOAT", ["batch", "sequence", 8])], weights),
        producer_name="pytorch",
        producer_version="2.1",
    )


@pytest.fixture
def make():
    """The functions that make models."""
    return SimpleNamespace(
        value=value, graph=graph_of, model=model_of, linear=linear, bert=bert, node=helper.make_node
    )


@pytest.fixture
def save(tmp_path):
    def run(proto, name="net.onnx", **more):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if more:
            onnx.save(proto, path, **more)
        else:
            path.write_bytes(proto.SerializeToString())
        return path

    return run


@pytest.fixture
def read(save):
    return lambda proto: read_onnx(save(proto))


@dataclasses.dataclass
class Result:
    """What the tool made of one file."""

    state: object
    notes: list[str]

    @property
    def info(self):
        return self.state.newest(ONNX_MODEL).info

    @property
    def file(self) -> Path:
        return self.state.file_of(self.state.newest(ONNX_MODEL))

    @property
    def raw(self):
        return read_tensors(self.state.build.path / self.info["inputs_folder"])

    @property
    def arrays(self):
        return {
            n: np.frombuffer(r.data, np.dtype(r.dtype)).reshape(r.shape)
            for n, r in self.raw.items()
        }

    @property
    def stats(self):
        return self.state.stats.steps["12345678"]

    def run(self, feeds=None):
        """Run what was written in ONNX Runtime, with the inputs that were written."""
        import onnxruntime as ort

        options = ort.SessionOptions()
        options.log_severity_level = 3
        session = ort.InferenceSession(str(self.file), options, ["CPUExecutionProvider"])
        assert {i.name for i in session.get_inputs()} <= set(self.info["inputs"])
        return session.run(None, self.arrays if feeds is None else feeds)


@pytest.fixture
def load(tmp_path, save):
    """Run the tool on a model or a file; give the result, or raise what it raises."""

    def run(model, hashes=(), **options):
        path = model if isinstance(model, Path) else save(model)
        context = RunContext(
            Registry(), Cache(tmp_path / "cache"), first_step=("load-onnx", "12345678")
        )
        resolved = LoadOnnx.resolve(LoadOnnxOptions(**options), Registry())
        (state,) = LoadOnnx().start(Source(path, hashes), resolved, context)
        return Result(state, context.notes)

    return run


@pytest.fixture
def fails(load):
    """Run the tool, and give the sentence that it fails with."""

    def run(model, **options):
        with pytest.raises(BuildError) as caught:
            load(model, **options)
        text = str(caught.value)
        assert text.endswith(".") or caught.value.hint
        assert "\n" not in text
        return text

    return run
