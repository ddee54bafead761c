"""Whether this package keeps turnkey's contracts: each rule is a test."""

from __future__ import annotations

from onnx import TensorProto, helper

from turnkeyml.testing import PluginConformance, ToolConformance, add_onnx, float_tensor


class TestPlugin(PluginConformance):
    distribution = "turnkeyml-plugin-convert-fp16"


class TestConvertFp16(ToolConformance):
    tool = "convert-fp16"
    options_to_try = (
        {},
        {"keep_io_types": True, "node_block_list": ["sum"]},
        {"converter": "onnxconverter-common", "op_block_list": ["Mul"]},
    )

    def make_input(self, state):
        """A model with named nodes, and with a number that float16 does not have."""
        tensors = {n: helper.make_tensor_value_info(n, TensorProto.FLOAT, [2, 3]) for n in "xy"}
        graph = helper.make_graph(
            [
                helper.make_node("Add", ["x", "weights"], ["a"], name="sum"),
                helper.make_node("Mul", ["a", "a"], ["y"], name="square"),
            ],
            "g",
            [tensors["x"]],
            [tensors["y"]],
            [helper.make_tensor("weights", TensorProto.FLOAT, [3], [1.0, 2.0, 1e6])],
        )
        opsets = [helper.make_opsetid("", 20)]
        model = helper.make_model(graph, opset_imports=opsets, ir_version=10)
        x = float_tensor([2, 3], range(6))
        add_onnx(state, model.SerializeToString(), {"x": x}, outputs=["y"], opset=20, ir_version=10)


class TestConvertFp16OfTheKitsModel(ToolConformance):
    tool = "convert-fp16"
