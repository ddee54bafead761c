"""Whether this package keeps turnkey's contracts: each rule is a test."""

from __future__ import annotations

from onnx import TensorProto, helper

from turnkeyml.testing import PluginConformance, ToolConformance, add_onnx
from turnkeyml.worker.tensors import RawTensor


class TestPlugin(PluginConformance):
    distribution = "turnkeyml-plugin-convert-fp32"


class TestConvertFp32(ToolConformance):
    tool = "convert-fp32"

    def make_input(self, state):
        """A model of bfloat16."""
        kind = TensorProto.BFLOAT16
        tensors = {n: helper.make_tensor_value_info(n, kind, [2, 3]) for n in "xy"}
        graph = helper.make_graph(
            [helper.make_node("Add", ["x", "weights"], ["y"])],
            "g",
            [tensors["x"]],
            [tensors["y"]],
            [helper.make_tensor("weights", kind, [3], [1.0, 2.0, 3.0])],
        )
        opsets = [helper.make_opsetid("", 20)]
        model = helper.make_model(graph, opset_imports=opsets, ir_version=10)
        # 1.0 in bfloat16, six times.
        x = RawTensor("bfloat16", (2, 3), memoryview(bytes.fromhex("803f") * 6))
        add_onnx(state, model.SerializeToString(), {"x": x}, outputs=["y"], opset=20, ir_version=10)


class TestConvertFp32OfTheKitsModel(ToolConformance):
    tool = "convert-fp32"
