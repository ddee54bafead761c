"""Small models, and states that have them."""

from __future__ import annotations

import numpy as np
import onnx_ir as ir
import pytest
from onnx import TensorProto, helper, numpy_helper

from turnkeyml.artifacts import ONNX_MODEL
from turnkeyml.cache import Cache
from turnkeyml.context import RunContext
from turnkeyml.inputs import Source
from turnkeyml.plugins.registry import Registry
from turnkeyml.state import ModelInfo
from turnkeyml_onnx import write_model


class Graph:
    """Builds a model node by node, with random weights."""

    def __init__(self, seed: int = 0) -> None:
        self.random = np.random.default_rng(seed)
        self.nodes: list = []
        self.weights: list = []

    def weight(self, name: str, *shape: int) -> str:
        values = self.random.normal(size=shape).astype(np.float32) / 4
        return self.constant(name, values)

    def constant(self, name: str, values: np.ndarray) -> str:
        self.weights.append(numpy_helper.from_array(values, name))
        return name

    def op(self, kind: str, inputs, output: str, **attributes) -> str:
        name = f"node_{output}"
        self.nodes.append(helper.make_node(kind, inputs, [output], name=name, **attributes))
        return output

    def linear(self, x: str, name: str, inner: int, outer: int) -> str:
        product = self.op("MatMul", [x, self.weight(f"{name}.w", inner, outer)], f"{name}_m")
        return self.op("Add", [product, self.weight(f"{name}.b", outer)], f"{name}_o")

    def norm(self, x: str, name: str, width: int) -> str:
        scales = [self.weight(f"{name}.g", width), self.weight(f"{name}.c", width)]
        return self.op("LayerNormalization", [x, *scales], name)

    def model(self, x_shape, y_shape, opset: int = 20, **more):
        graph = helper.make_graph(
            self.nodes,
            "g",
            [helper.make_tensor_value_info("x", TensorProto.FLOAT, x_shape)],
            [helper.make_tensor_value_info("y", TensorProto.FLOAT, y_shape)],
            self.weights,
        )
        imports = [helper.make_opsetid("", opset), *more.pop("imports", [])]
        return helper.make_model(graph, opset_imports=imports, ir_version=10)


def make_transformer(layers: int):
    """Attention and feed-forward blocks, in the form in which exporters give them."""
    build, width = Graph(), 16
    x = build.norm("x", "ln0", width)
    for i in range(layers):
        q, k, v = (build.linear(x, f"{i}{name}", width, width) for name in "qkv")
        keys = build.op("Transpose", [k], f"{i}kt", perm=[0, 2, 1])
        scores = build.op("Softmax", [build.op("MatMul", [q, keys], f"{i}s")], f"{i}p")
        mixed = build.op("MatMul", [scores, v], f"{i}pv")
        out = build.op("Add", [build.linear(mixed, f"{i}out", width, width), x], f"{i}res")
        x = build.norm(out, f"{i}ln", width)
        up = build.op("Relu", [build.linear(x, f"{i}up", width, 32)], f"{i}act")
        out = build.op("Add", [build.linear(up, f"{i}down", 32, width), x], f"{i}res2")
        x = build.norm(out, f"{i}ln2" if i < layers - 1 else "y", width)
    return build.model([1, 6, width], [1, 6, width])


def make_convolutions():
    """A convolution with its batch normalization, a constant to be folded, one idle node."""
    build = Graph()
    product = build.op("Conv", ["x", build.weight("conv.w", 16, 3, 3, 3)], "c")
    build.constant("norm.v", np.linspace(0.5, 2, 16, dtype=np.float32))
    shifts = [build.weight(f"norm.{name}", 16) for name in ("g", "b", "m")]
    normal = build.op("BatchNormalization", [product, *shifts, "norm.v"], "n")
    one, two = build.weight("one", 16, 6, 6), build.weight("two", 16, 6, 6)
    same = build.op("Identity", [normal], "same")
    build.op("Add", [same, build.op("Mul", [one, two], "folded")], "s")
    build.op("MatMul", ["s", build.weight("last.w", 6, 512)], "y")
    return build.model([1, 3, 8, 8], [1, 16, 6, 512])


@pytest.fixture
def empty_state(tmp_path):
    context = RunContext(Registry(), Cache(tmp_path / "cache"), first_step=("load", "00000000"))
    return context.new_state(Source(tmp_path / "s.onnx"), ModelInfo("m", "cd" * 32, "ONNX"))


@pytest.fixture
def state(empty_state):
    """Make a state whose newest artifact is a model."""

    def make(proto):
        made = empty_state
        written = write_model(ir.from_proto(proto), made.folder("onnx"), "source.onnx")
        info = {
            "opset": written.opset,
            "ir_version": written.ir_version,
            "inputs": {"x": "the.captured.x"},
            "inputs_folder": "inputs",
            "outputs": written.outputs,
        }
        made.add(ONNX_MODEL, written.files, info=info)
        made.begin_step("optimize-onnx", "12345678", (ONNX_MODEL,))
        return made

    return make


@pytest.fixture
def transformer():
    return make_transformer


@pytest.fixture
def convolutions():
    return make_convolutions


@pytest.fixture
def graph():
    return Graph
