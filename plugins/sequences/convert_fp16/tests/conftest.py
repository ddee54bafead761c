"""Small models, and states that have them with captured inputs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
import onnx_ir as ir
import onnxruntime as ort
import pytest
from onnx import TensorProto, helper, numpy_helper

from turnkeyml.artifacts import INPUTS, ONNX_MODEL
from turnkeyml.cache import Cache
from turnkeyml.context import RunContext
from turnkeyml.inputs import Source
from turnkeyml.plugins.registry import Registry
from turnkeyml.state import ModelInfo, State
from turnkeyml.worker.tensors import RawTensor, read_tensors, write_tensors
from turnkeyml_onnx import write_model
from turnkeyml_plugin_convert_fp16.tool import ConvertFp16, ConvertFp16Options

TYPES = {"float32": TensorProto.FLOAT, "int64": TensorProto.INT64, "bool": TensorProto.BOOL}


class Graph:
    """Builds a model node by node, with random weights."""

    def __init__(self, seed: int = 0) -> None:
        self.random = np.random.default_rng(seed)
        self.nodes: list = []
        self.weights: list = []

    def weight(self, name: str, *shape: int) -> str:
        return self.constant(name, self.random.normal(size=shape).astype(np.float32) / 4)

    def constant(self, name: str, values) -> str:
        self.weights.append(numpy_helper.from_array(np.asarray(values), name))
        return name

    def op(self, kind: str, inputs, output: str, **attributes) -> str:
        name = f"node_{output}"
        self.nodes.append(helper.make_node(kind, inputs, [output], name=name, **attributes))
        return output

    def graph(self, inputs: Mapping[str, np.ndarray], outputs: Mapping[str, int], name="g"):
        return helper.make_graph(
            self.nodes,
            name,
            [
                helper.make_tensor_value_info(key, TYPES[value.dtype.name], value.shape)
                for key, value in inputs.items()
            ],
            [helper.make_tensor_value_info(key, kind, None) for key, kind in outputs.items()],
            self.weights,
        )

    def model(
        self, inputs: Mapping[str, np.ndarray], *outputs: str, kind=TensorProto.FLOAT, **more
    ):
        graph = self.graph(inputs, dict.fromkeys(outputs, kind))
        imports = [helper.make_opsetid("", 20), *more.pop("imports", [])]
        return helper.make_model(graph, opset_imports=imports, ir_version=10, **more)


def raw(array: np.ndarray) -> RawTensor:
    return RawTensor(array.dtype.name, array.shape, memoryview(array.tobytes()))


@dataclass
class Case:
    """A model in a build directory, and what it is run with."""

    state: State
    feeds: Mapping[str, np.ndarray]
    steps: int = 0

    def convert(self, **options) -> Path:
        """Run the tool; each time is a step of its own."""
        self.steps += 1
        self.state.begin_step("convert-fp16", f"{self.steps:08}", (ONNX_MODEL,))
        ConvertFp16().run(self.state, ConvertFp16Options(**options))
        return self.path

    @property
    def artifact(self):
        return self.state.newest(ONNX_MODEL)

    @property
    def path(self) -> Path:
        return self.state.file_of(self.artifact)

    @property
    def stats(self):
        return self.state.stats.model

    @property
    def notes(self):
        return self.state.context.notes

    def model(self):
        return onnx.load(self.path)

    def captured(self) -> dict[str, np.ndarray]:
        """Give the inputs that the newest model is to be run with, by its own names."""
        info = self.artifact.info
        tensors = read_tensors(self.state.build.path / info["inputs_folder"])
        return {
            name: np.frombuffer(tensors[leaf].data, tensors[leaf].dtype).reshape(
                tensors[leaf].shape
            )
            for name, leaf in info["inputs"].items()
        }

    def run(self) -> list[np.ndarray]:
        """Run the newest model as the runtime `ort` does."""
        options = ort.SessionOptions()
        options.log_severity_level = 4
        session = ort.InferenceSession(str(self.path), options, providers=["CPUExecutionProvider"])
        return session.run(None, self.captured())

    def temporary_files(self):
        folder = self.state.folder("onnx")
        return [path.name for path in folder.iterdir() if path.name.startswith(".tmp")]


def make_case(folder: Path, model, feeds: Mapping[str, np.ndarray]) -> Case:
    context = RunContext(Registry(), Cache(folder / "cache"), first_step=("load", "00000000"))
    state = context.new_state(Source(folder / "s.onnx"), ModelInfo("m", "cd" * 32, "ONNX"))
    model = ir.from_proto(model) if isinstance(model, onnx.ModelProto) else model
    written = write_model(model, state.folder("onnx"), "source.onnx")
    names = {name: f"captured.{name}" for name in feeds}
    inputs = state.folder("inputs")
    files = write_tensors(inputs, {names[name]: raw(value) for name, value in feeds.items()})
    state.add(INPUTS, [inputs / name for name in files], info={"folder": "inputs"})
    info = {
        "opset": written.opset,
        "ir_version": written.ir_version,
        "inputs": names,
        "inputs_folder": "inputs",
        "outputs": written.outputs,
    }
    state.add(ONNX_MODEL, written.files, info=info)
    return Case(state, feeds)


@pytest.fixture
def case(tmp_path):
    """Put a model and its inputs into a build directory."""
    return lambda model, feeds: make_case(tmp_path, model, feeds)


@pytest.fixture
def graph():
    return Graph


@pytest.fixture(scope="session")
def new_case(tmp_path_factory):
    return lambda model, feeds: make_case(tmp_path_factory.mktemp("case"), model, feeds)


@pytest.fixture
def mlp(case, graph):
    """Two layers, whose first weights lie in a data file."""

    def make(**replaced):
        build = graph()
        feeds = {"x": np.random.default_rng(1).normal(size=(2, 32)).astype(np.float32)}
        first = replaced.get("w")
        w = build.weight("w", 32, 64) if first is None else build.constant("w", first)
        build.op("MatMul", ["x", w], "a")
        build.op("Add", ["a", build.weight("b", 64)], "c")
        build.op("Relu", ["c"], "d")
        build.op("MatMul", ["d", build.weight("v", 64, 8)], "y")
        return case(build.model(feeds, "y"), feeds)

    return make
