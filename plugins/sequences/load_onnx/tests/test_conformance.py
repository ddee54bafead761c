"""Whether this package keeps turnkey's contracts: each rule is a test."""

from __future__ import annotations

import onnx
from onnx import TensorProto, helper

from turnkeyml.testing import PluginConformance, ToolConformance


class TestPlugin(PluginConformance):
    distribution = "turnkeyml-plugin-load-onnx"


class TestLoadOnnx(ToolConformance):
    tool = "load-onnx"
    options_to_try = ({}, {"shape": ["x=4,3"]}, {"dynamic": True})

    def make_source(self, folder):
        """A model with an open dimension, and weights in a file beside it."""
        graph = helper.make_graph(
            [helper.make_node("Add", ["x", "weights"], ["y"])],
            "g",
            [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["batch", 3])],
            [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["batch", 3])],
            [helper.make_tensor("weights", TensorProto.FLOAT, [3], [1.0, 2.0, 3.0])],
        )
        opsets = [helper.make_opsetid("", 20)]
        model = helper.make_model(graph, opset_imports=opsets, ir_version=10)
        path = folder / "open.onnx"
        beside = {"location": "open.data", "size_threshold": 0, "convert_attribute": False}
        onnx.save(model, path, save_as_external_data=True, **beside)
        return path


class TestLoadOnnxOfTheKitsModel(ToolConformance):
    tool = "load-onnx"
