"""Builds with ONNX files of all kinds, and the tool run on them."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from turnkeyml.artifacts import INPUTS, ONNX_MODEL, TRT_ENGINE
from turnkeyml.cache import Cache
from turnkeyml.context import RunContext
from turnkeyml.inputs import Source
from turnkeyml.plugins.registry import Registry
from turnkeyml.state import ModelInfo
from turnkeyml.worker.tensors import RawTensor, write_tensors
from turnkeyml_plugin_build_trt_engine.tool import BuildTrtEngine, BuildTrtEngineOptions


class Build:
    """One build directory with an ONNX file and captured inputs, on which the tool is run."""

    def __init__(self, folder):
        context = RunContext(Registry(), Cache(folder), first_step=("discover", "00000000"))
        self.state = context.new_state(
            Source(folder / "s.py"), ModelInfo("m", "cd" * 32, "Pytorch")
        )
        self.folder = self.state.folder("onnx")

    def give(self, path, captured, outputs=("y",), **info):
        """Hand over what a tool before has made."""
        folder = self.state.build.path / "inputs"
        raw = {
            name: RawTensor(str(value.dtype), value.shape, memoryview(value).cast("B"))
            for name, value in captured.items()
        }
        files = [folder / name for name in write_tensors(folder, raw)]
        self.state.add(INPUTS, files, info={"folder": "inputs"})
        known = {
            "opset": 20,
            "ir_version": 10,
            "inputs": {name: name for name in captured},
            "inputs_folder": "inputs",
            "outputs": list(outputs),
        }
        self.state.add(ONNX_MODEL, [path], info={**known, **info})

    def resolved(self, **options):
        """Settle options as the plan does."""
        return BuildTrtEngine.resolve(BuildTrtEngineOptions(**options), Registry())

    def run(self, **options):
        """Settle the options and run the tool."""
        return self.run_resolved(self.resolved(**options))

    def run_resolved(self, options):
        """Run the tool as the chain does."""
        self.state.begin_step("build-trt-engine", "12345678", (ONNX_MODEL,))
        self.state.stats.begin_step("12345678", {})
        BuildTrtEngine().run(self.state, options)
        return self.state.newest(TRT_ENGINE)

    @property
    def statistics(self):
        return self.state.stats.steps["12345678"]

    @property
    def notes(self):
        return self.state.context.notes

    @property
    def engines(self):
        return sorted(p.name for p in (self.state.build.path / "engines").iterdir())


def save(path, nodes, inputs, outputs, weights=(), *, opset=20, domains=(), external=False):
    """Write an ONNX file; inputs and outputs are names, types and shapes."""
    graph = helper.make_graph(
        list(nodes),
        "graph",
        [helper.make_tensor_value_info(*each) for each in inputs],
        [helper.make_tensor_value_info(*each) for each in outputs],
        [numpy_helper.from_array(value, name) for name, value in weights],
    )
    imports = [helper.make_opsetid("", opset), *(helper.make_opsetid(d, 1) for d in domains)]
    model = helper.make_model(graph, opset_imports=imports, ir_version=10)
    location = f"{path.name}.data"
    onnx.save(model, path, save_as_external_data=external, location=location, size_threshold=0)


FLOAT, FLOAT16 = TensorProto.FLOAT, TensorProto.FLOAT16


@pytest.fixture
def build(tmp_path):
    return Build(tmp_path)


@pytest.fixture
def linear(build):
    """Make a build whose model is one fully connected layer, of a batch size or open."""

    def make(batch=4, dtype=np.float32, captured=None, external=False):
        weight = np.arange(40, dtype=dtype).reshape(10, 4) / 40
        kind = helper.np_dtype_to_tensor_dtype(np.dtype(dtype))
        path = build.folder / "linear.onnx"
        save(
            path,
            [helper.make_node("MatMul", ["x", "w"], ["y"], name="product")],
            [("x", kind, (batch, 10))],
            [("y", kind, (batch, 4))],
            [("w", weight)],
            external=external,
        )
        rows = batch if isinstance(batch, int) else 4
        build.give(path, {"x": np.ones((rows, 10), dtype)} if captured is None else captured)
        return build

    return make


@pytest.fixture
def one_node(build):
    """Make a build whose model is a single operator."""

    def make(operator, shape=(3, 3), out=(3, 3), domain="", name="the_node", **attributes):
        path = build.folder / "one.onnx"
        node = helper.make_node(operator, ["x"], ["y"], name=name, domain=domain, **attributes)
        domains = [domain] if domain else []
        save(path, [node], [("x", FLOAT, shape)], [("y", FLOAT, out)], domains=domains)
        build.give(path, {"x": np.ones(shape, np.float32)})
        return build

    return make
