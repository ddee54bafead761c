"""What exported graphs are made to look like."""

from __future__ import annotations

import onnx_ir as ir
import pytest
import torch

from turnkeyml_plugin_export_pytorch.exporters import ExportFailedError
from turnkeyml_plugin_export_pytorch.flat import FlatInput
from turnkeyml_plugin_export_pytorch.graph import (
    LAYER_CLASS,
    NAME_SCOPE,
    symbolic_axes,
    tidy,
)

FLOAT = ir.TensorType(ir.DataType.FLOAT)


class Layered(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.net = torch.nn.Sequential(torch.nn.Linear(2, 2), torch.nn.ReLU())
        self.blocks = torch.nn.ModuleList([torch.nn.Sequential(torch.nn.Identity())])
        named = torch.nn.Sequential(torch.nn.Identity())
        self.by_name = torch.nn.ModuleDict({"named": named})


def value(name, *shape):
    return ir.Value(name=name, shape=ir.Shape(shape), type=FLOAT)


def weight(name):
    tensor = ir.tensor([[1.0, 2.0], [3.0, 4.0]], name=name)
    return ir.Value(name=name, shape=ir.Shape((2, 2)), type=FLOAT, const_value=tensor)


def model_of(inputs, outputs, nodes=(), initializers=()):
    graph = ir.Graph(
        inputs, outputs, nodes=nodes, initializers=initializers, opset_imports={"": 20}
    )
    return ir.Model(graph, ir_version=10)


def entry(name, *shape):
    return FlatInput(name, name, torch.ones(shape))


def names(values):
    return [item.name for item in values]


def test_inputs_outputs_and_weights_get_their_names():
    x, w = value("tensors_0", 2, 2), weight("model.net.0.weight")
    node = ir.node("MatMul", [x, w])
    model = model_of([x], node.outputs, [node], [w])
    tidy(model, Layered(), [entry("x", 2, 2)], ["logits"])
    assert names(model.graph.inputs) == ["x"]
    assert names(model.graph.outputs) == ["logits"]
    assert list(model.graph.initializers) == ["net.0.weight"]


def test_unused_inputs_that_were_left_out_come_back_in_their_place():
    x, z = value("x", 2, 2), value("z", 3)
    node = ir.node("Relu", [x])
    model = model_of([x, z], node.outputs, [node])
    inputs = [entry("x", 2, 2), entry("mask", 5), entry("z", 3)]
    tidy(model, Layered(), inputs, ["output"])
    assert names(model.graph.inputs) == ["x", "mask", "z"]
    assert model.graph.inputs[1].shape == (5,)
    assert model.graph.inputs[1].dtype == ir.DataType.FLOAT


def test_outputs_that_are_inputs_weights_or_twice_the_same_become_values_of_their_own():
    x, w = value("tensors_0", 2, 2), weight("model.w")
    node = ir.node("Relu", [x])
    (y,) = node.outputs
    y.shape, y.type = ir.Shape((2, 2)), FLOAT
    model = model_of([x], [y, y, x, w], [node], [w])
    tidy(model, Layered(), [entry("x", 2, 2)], ["a", "b", "c", "d"])
    outputs = model.graph.outputs
    assert names(outputs) == ["a", "b", "c", "d"]
    assert len({id(output) for output in outputs}) == 4
    assert [output.producer().op_type for output in outputs] == ["Relu", *["Identity"] * 3]
    assert [tuple(output.shape) for output in outputs] == [(2, 2)] * 4
    assert names(model.graph.inputs) == ["x"]
    assert list(model.graph.initializers) == ["w"]


def test_values_inside_give_way_to_names_of_inputs_and_outputs():
    x, w = value("tensors_0", 2, 2), weight("mul")
    first = ir.node("Mul", [x, w])
    first.outputs[0].name = "x"
    second = ir.node("Add", [first.outputs[0], w])
    model = model_of([x], second.outputs, [first, second], [w])
    tidy(model, Layered(), [entry("x", 2, 2)], ["mul"])
    assert names(model.graph.inputs) == ["x"]
    assert names(model.graph.outputs) == ["mul"]
    assert first.outputs[0].name == "x_1"
    assert list(model.graph.initializers) == ["mul_1"]
    assert second.inputs[1].name == "mul_1"


@pytest.mark.parametrize(
    ("inputs", "outputs", "what"),
    [
        ([entry("x", 2, 2), entry("y", 1)], ["o"], "the inputs q, which are not the model's"),
        ([entry("x", 9, 9)], ["o"], r"the shape \[2,2\], not \(9, 9\)"),
        ([entry("x", 2, 2)], ["o", "p"], "1 outputs, and the model 2"),
    ],
)
def test_a_graph_that_is_not_the_models_is_refused(inputs, outputs, what):
    x = value("q", 2, 2)
    node = ir.node("Relu", [x])
    with pytest.raises(ExportFailedError, match=what):
        tidy(model_of([x], node.outputs, [node]), Layered(), inputs, outputs)


def scoped(op, inputs, scopes):
    node = ir.node(op, inputs)
    if scopes is not None:
        node.metadata_props["pkg.torch.onnx.name_scopes"] = scopes
        node.metadata_props["pkg.torch.onnx.stack_trace"] = 'File "/home/somebody/model.py"'
    return node


def test_nodes_of_dynamo_are_named_by_their_layer():
    x = value("x", 2, 2)
    a = scoped("MatMul", [x, x], "['', 'model', 'model.net', 'model.net.0', 'linear']")
    b = scoped("MatMul", [a.outputs[0], x], "['', 'model', 'model.net', 'model.net.0@1', 'l_1']")
    c = scoped("Split", [b.outputs[0]], None)
    d = scoped("Relu", [c.outputs[0]], "['', 'model', 'model.net', 'model.net.1', 'relu']")
    e = scoped("Add", [d.outputs[0], x], "['', 'model', 'add']")
    model = model_of([x], e.outputs, [a, b, c, d, e])
    tidy(model, Layered(), [entry("x", 2, 2)], ["output"])
    assert names(model.graph) == [
        "/net/0/MatMul", "/net/0/MatMul_1", "/net/Split", "/net/1/Relu", "/Add",
    ]  # fmt: skip
    scopes = [node.metadata_props[NAME_SCOPE] for node in model.graph]
    assert scopes == ["net.0", "net.0", "net", "net.1", ""]
    classes = [node.metadata_props[LAYER_CLASS] for node in model.graph]
    assert classes == ["Linear", "Linear", "Sequential", "ReLU", "Layered"]


@pytest.mark.parametrize(
    ("given", "scope", "name"),
    [
        ("/model/net/net.0/Gemm", "net.0", "/net/0/Gemm"),
        ("/model/blocks.0/blocks.0.0/Gemm", "blocks.0.0", "/blocks/0/0/Gemm"),
        ("/model/named/named.0/Gemm", "by_name.named.0", "/by_name/named/0/Gemm"),
        ("/model/net/gone/Gemm", "net", "/net/Gemm"),
        ("/model/Gemm", "", "/Gemm"),
        ("Gemm_9", "", "/Gemm"),
    ],
)
def test_nodes_of_torchscript_are_named_by_their_layer(given, scope, name):
    x = value("x", 2, 2)
    node = ir.node("Gemm", [x, x], name=given)
    model = model_of([x], node.outputs, [node])
    tidy(model, Layered(), [entry("x", 2, 2)], ["output"])
    assert (node.metadata_props[NAME_SCOPE], node.name) == (scope, name)


def test_what_differs_from_machine_to_machine_is_left_out():
    x = value("x", 2, 2)
    x.metadata_props["where"] = "/home/somebody"
    node = scoped("Relu", [x], "['', 'model', 'relu']")
    node.doc_string = "/home/somebody/model.py(3)"
    model = model_of([x], node.outputs, [node])
    model.metadata_props["where"] = model.graph.metadata_props["where"] = "/home/somebody"
    tidy(model, Layered(), [entry("x", 2, 2)], ["output"])
    assert b"somebody" not in ir.to_proto(model).SerializeToString()


def test_dimensions_that_the_exporter_named_are_called_after_the_output():
    x = value("x", "batch", "x_dim_1")
    node = ir.node("Relu", [x])
    node.outputs[0].shape = ir.Shape(("LayerNormalizationonnx::Add_9_dim_0", "x_dim_1", "2*batch"))
    node.outputs[0].type = FLOAT
    model = model_of([x], node.outputs, [node])
    tidy(model, Layered(), [entry("x", 3, 4)], ["hidden"])
    assert [str(size) for size in model.graph.outputs[0].shape] == [
        "hidden_dim_0", "x_dim_1", "2*batch",
    ]  # fmt: skip
    assert symbolic_axes(model) == {"x": {0: "batch", 1: "x_dim_1"}}
