"""Domains of operators, which TensorRT does not tell apart."""

from __future__ import annotations

from onnx import TensorProto, helper, save

from turnkeyml_plugin_build_trt_engine.domains import Domains, read_domains

FLOAT = TensorProto.FLOAT


def write(path, nodes, *domains, functions=()):
    graph = helper.make_graph(
        nodes,
        "g",
        [helper.make_tensor_value_info("c", TensorProto.BOOL, ())],
        [helper.make_tensor_value_info("y", FLOAT, None)],
    )
    imports = [helper.make_opsetid("", 20), *(helper.make_opsetid(d, 1) for d in domains)]
    save(helper.make_model(graph, opset_imports=imports, ir_version=10, functions=functions), path)
    return path


def test_file_that_cannot_be_read_tells_nothing(tmp_path):
    (tmp_path / "m.onnx").write_bytes(b"\xff\xff no model")
    assert read_domains(tmp_path / "m.onnx") == Domains()


def test_operators_in_subgraphs_are_found(tmp_path):
    inner = helper.make_graph(
        [helper.make_node("Magic", [], ["z"], domain="acme")],
        "inner",
        [],
        [helper.make_tensor_value_info("z", FLOAT, None)],
    )
    node = helper.make_node("If", ["c"], ["y"], then_branch=inner, else_branch=inner)
    found = read_domains(write(tmp_path / "m.onnx", [node], "acme"))
    assert found == Domains({"If": "", "Magic": "acme"})


def test_foreign_operator_with_a_standard_name_is_told(tmp_path):
    nodes = [
        helper.make_node("Relu", ["c"], ["a"]),
        helper.make_node("Relu", ["a"], ["y"], domain="acme"),
    ]
    found = read_domains(write(tmp_path / "m.onnx", nodes, "acme"))
    assert found == Domains({"Relu": "acme"}, ("acme::Relu",))


def test_function_of_the_file_with_a_standard_name_is_told(tmp_path):
    function = helper.make_function(
        "local",
        "Relu",
        ["x"],
        ["y"],
        [helper.make_node("Abs", ["x"], ["y"])],
        [helper.make_opsetid("", 20)],
    )
    nodes = [helper.make_node("Relu", ["c"], ["y"], domain="local")]
    found = read_domains(write(tmp_path / "m.onnx", nodes, "local", functions=[function]))
    assert found == Domains({"Abs": "", "Relu": "local"}, ("local::Relu",))
