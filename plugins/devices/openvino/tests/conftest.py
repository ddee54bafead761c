"""What the tests of this package share."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import helper, numpy_helper

from turnkeyml.worker.process import WorkerOrder, run_worker, run_worker_once
from turnkeyml.worker.tensors import RawTensor, read_tensors, write_tensors
from turnkeyml_plugin_openvino import runtime

WORKER = Path(runtime.__file__).with_name(runtime.OpenVINO.worker)


class Bench:
    """Writes models and inputs into a folder, and runs them in a worker as turnkey does.

    OpenVINO is never loaded into the process of the tests: its threads would stay there.
    """

    def __init__(self, folder):
        self.folder = folder
        self.model = folder / "model.onnx"
        self.orders = 0

    def raw(self, value):
        """Make the tensor that files have of an array."""
        if isinstance(value, RawTensor):
            return value
        value = np.asarray(value)
        return RawTensor(str(value.dtype), value.shape, memoryview(value.tobytes()))

    def array(self, tensor):
        """Make an array of a tensor, if NumPy has its dtype."""
        if tensor.dtype == "bfloat16" or tensor.dtype.startswith("float8"):
            return tensor
        return np.frombuffer(tensor.data, tensor.dtype).reshape(tensor.shape)

    def save(self, nodes, inputs, outputs, weights=None, domains=(), **how):
        """Write a model; nodes are tuples (operator, inputs, outputs, attributes)."""
        graph = helper.make_graph(
            [helper.make_node(op, taken, made, **more) for op, taken, made, more in nodes],
            "g",
            [helper.make_tensor_value_info(name, *rest) for name, rest in inputs.items()],
            [helper.make_tensor_value_info(name, *rest) for name, rest in outputs.items()],
            [numpy_helper.from_array(a, name) for name, a in (weights or {}).items()],
        )
        opsets = [helper.make_opsetid("", 20), *(helper.make_opsetid(d, 1) for d in domains)]
        onnx.save(helper.make_model(graph, opset_imports=opsets, ir_version=10), self.model, **how)

    def order(self, feeds, iterations, arguments):
        self.orders += 1
        folder = self.folder / f"inputs-{self.orders}"
        write_tensors(folder, {name: self.raw(value) for name, value in feeds.items()})
        names = {name: name for name in feeds}
        return WorkerOrder(WORKER, self.model, folder, names, iterations, arguments)

    def run(self, feeds, **arguments):
        """Give the outputs by name, as arrays or raw tensors, and the facts."""
        folder = self.folder / f"outputs-{self.orders}"
        told = run_worker_once(self.order(feeds, 1, arguments), folder, environment={})
        assert told.unavailable == ""
        tensors = read_tensors(folder)
        return {name: self.array(tensor) for name, tensor in tensors.items()}, told.facts

    def measure(self, feeds, iterations=12, **arguments):
        """Give what a worker measures."""
        return run_worker(self.order(feeds, iterations, arguments), environment={})

    def ort(self, feeds):
        """Give what ONNX Runtime computes, by name."""
        import onnxruntime

        session = onnxruntime.InferenceSession(self.model, providers=["CPUExecutionProvider"])
        names = [output.name for output in session.get_outputs()]
        return dict(zip(names, session.run(None, feeds), strict=True))


@pytest.fixture
def bench(tmp_path):
    return Bench(tmp_path)


@pytest.fixture
def two_layers(bench):
    """A model of two products, its inputs, and what it computes in float64."""

    def make(dtype=np.float32):
        random = np.random.default_rng(0)
        weights = random.random((64, 64)).astype(dtype)
        kind = helper.np_dtype_to_tensor_dtype(np.dtype(dtype))
        bench.save(
            [
                ("MatMul", ["x", "w"], ["h"], {}),
                ("Relu", ["h"], ["r"], {}),
                ("MatMul", ["r", "w"], ["y"], {}),
            ],
            {"x": (kind, [8, 64])},
            {"y": (kind, [8, 64])},
            {"w": weights},
        )
        feeds = {"x": random.random((8, 64)).astype(dtype)}
        wide = weights.astype(np.float64)
        return feeds, np.maximum(feeds["x"].astype(np.float64) @ wide, 0) @ wide

    return make
