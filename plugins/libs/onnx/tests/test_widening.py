"""Models of float16 and bfloat16 as models of float32."""

from __future__ import annotations

import io

import ml_dtypes
import numpy as np
import onnx
import onnx_ir as ir
import pytest
from onnx import TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator

from turnkeyml.errors import BuildError
from turnkeyml_onnx.protos import without_functions
from turnkeyml_onnx.widening import (
    BFLOAT16,
    BLOCK,
    FLOAT,
    FLOAT16,
    WidenedTensor,
    as_float32,
    has_type,
    read_float32,
    widen,
    widen_weights,
)

DTYPES = {FLOAT16: np.dtype(np.float16), BFLOAT16: np.dtype(ml_dtypes.bfloat16)}
NARROW = pytest.mark.parametrize("kind", DTYPES)


def numbers(kind, size=6):
    values = np.random.default_rng(0).normal(size=size).astype(np.float32) * 100
    special = np.array([0.0, -0.0, np.inf, -np.inf, np.nan, 6e-5], np.float32)
    values[: min(size, 6)] = special[: min(size, 6)]
    return values.astype(DTYPES[kind])


def external(folder, values, *, offset=0):
    (folder / "w.data").write_bytes(bytes(offset) + values.tobytes())
    kind = next(kind for kind, dtype in DTYPES.items() if dtype == values.dtype)
    return ir.ExternalTensor(
        "w.data",
        offset,
        values.nbytes,
        ir.DataType(kind),
        shape=ir.Shape(values.shape),
        name="w",
        base_dir=folder,
    )


@NARROW
def test_every_number_of_sixteen_bits_is_the_same_in_thirty_two(kind):
    every = np.arange(1 << 16, dtype=np.uint16).view(DTYPES[kind])
    found = as_float32(every.view(np.uint8), kind)
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found, every.astype(np.float32))


@NARROW
@pytest.mark.parametrize("size", [1, BLOCK - 1, BLOCK, BLOCK + 1, 2 * BLOCK + 3])
def test_weights_are_widened_while_they_are_written(tmp_path, kind, size):
    values = numbers(kind, size)
    tensor = WidenedTensor(external(tmp_path, values, offset=64))
    written = io.BytesIO()
    tensor.tofile(written)
    expected = values.astype(np.float32)
    assert (tensor.dtype, tensor.nbytes) == (ir.DataType.FLOAT, 4 * size)
    assert written.getvalue() == tensor.tobytes() == expected.tobytes()
    np.testing.assert_array_equal(tensor.numpy(), expected)


def test_a_file_that_is_too_short_is_an_error(tmp_path):
    tensor = external(tmp_path, numbers(FLOAT16))
    (tmp_path / "w.data").write_bytes(b"ab")
    with pytest.raises(OSError, match="shorter than the weights"):
        list(read_float32(tensor, FLOAT16))


def branched_model(kind):
    """A model that has the type wherever a model can have one."""
    info = helper.make_tensor_value_info
    weight = numpy_helper.from_array(numbers(kind)[-3:], "weight")
    half = numpy_helper.from_array(np.array(0.5, DTYPES[kind]))

    def branch(name, operator):
        nodes = [
            helper.make_node("Constant", [], [f"{name}_half"], value=half),
            helper.make_node(operator, ["cast", f"{name}_half"], [name]),
        ]
        return helper.make_graph(nodes, name, [], [info(name, kind, None)])

    nodes = [
        helper.make_node("Cast", ["x"], ["cast"], to=kind),
        helper.make_node("If", ["which"], ["chosen"], then_branch=branch("then", "Mul"),
                         else_branch=branch("else", "Add")),
        helper.make_node("Double", ["chosen"], ["twice"], domain="local"),
        helper.make_node("Add", ["twice", "weight"], ["sum"]),
        helper.make_node("Add", ["sum", "given"], ["y"]),
        helper.make_node("SequenceConstruct", ["y"], ["several"]),
    ]  # fmt: skip
    several = helper.make_value_info(
        "several", helper.make_sequence_type_proto(helper.make_tensor_type_proto(kind, None))
    )
    graph = helper.make_graph(
        nodes,
        "g",
        [info("x", FLOAT, [3]), info("given", kind, [3]), info("which", TensorProto.BOOL, [])],
        [info("y", kind, [3]), several],
        [weight],
        value_info=[info("cast", kind, [3])],
    )
    two = numpy_helper.from_array(np.array(2, DTYPES[kind]))
    imports = [helper.make_opsetid("", 20), helper.make_opsetid("local", 1)]
    function = helper.make_function(
        "local",
        "Double",
        ["a"],
        ["b"],
        [
            helper.make_node("Constant", [], ["two"], value=two),
            helper.make_node("Mul", ["a", "two"], ["b"]),
        ],
        imports[:1],
    )
    return helper.make_model(graph, functions=[function], opset_imports=imports, ir_version=10)


@NARROW
@pytest.mark.parametrize("which", [True, False])
def test_a_whole_model_becomes_float32(tmp_path, kind, which):
    model = without_functions(branched_model(kind))
    assert has_type(model, (kind,))
    weight = numpy_helper.to_array(model.graph.initializer[0]).astype(np.float32)
    widen(model, (kind,), tmp_path)
    assert not has_type(model, (kind,))
    onnx.checker.check_model(model, full_check=True)
    x, given = np.array([1, 2, 3], np.float32), np.array([10, 20, 30], np.float32)
    y, several = ReferenceEvaluator(model).run(
        None, {"x": x, "given": given, "which": np.array(which)}
    )
    expected = (x * 0.5 if which else x + 0.5) * 2 + weight + given
    np.testing.assert_allclose(y, expected)
    assert y.dtype == several[0].dtype == np.float32


def test_other_types_stay(tmp_path):
    model = without_functions(branched_model(FLOAT16))
    before = model.SerializeToString()
    widen(model, (BFLOAT16,), tmp_path)
    assert model.SerializeToString() == before


@pytest.mark.parametrize("size", [2, 300])
def test_weights_in_data_files_are_widened_once_for_all_that_share_them(tmp_path, size):
    values = numbers(BFLOAT16, size).reshape(-1, 2)
    tensor = external(tmp_path, values)
    graph = ir.Graph([], [], nodes=[], initializers=[], opset_imports={"": 20}, name="g")
    for name in ("a", "b"):
        shape = ir.Shape(values.shape)
        value = ir.Value(name=name, shape=shape, type=ir.TensorType(ir.DataType.BFLOAT16))
        value.const_value = tensor
        graph.initializers[name] = value
    model = ir.Model(graph, ir_version=10)
    widen_weights(model, (BFLOAT16,), inline_bytes=1024)
    a, b = graph.initializers.values()
    assert a.dtype == b.dtype == ir.DataType.FLOAT
    np.testing.assert_array_equal(a.const_value.numpy(), values.astype(np.float32))
    assert (a.const_value is b.const_value) == (size == 300)


def test_constants_in_data_files_are_read(tmp_path):
    tensor = numpy_helper.from_array(numbers(BFLOAT16), "c")
    (tmp_path / "c.data").write_bytes(tensor.raw_data)
    onnx.external_data_helper.set_external_data(tensor, "c.data", 0, len(tensor.raw_data))
    tensor.ClearField("raw_data")
    node = helper.make_node("Constant", [], ["y"], value=tensor)
    value = helper.make_tensor_value_info("y", BFLOAT16, [6])
    model = helper.make_model(helper.make_graph([node], "g", [], [value]))
    widen(model, (BFLOAT16,), tmp_path)
    (y,) = ReferenceEvaluator(model).run(None, {})
    np.testing.assert_array_equal(y, numbers(BFLOAT16).astype(np.float32))


def whole(nodes, inputs, outputs, weights=(), opset=20, functions=()):
    graph = helper.make_graph(nodes, "g", inputs, outputs, weights)
    imports = [helper.make_opsetid("", opset), helper.make_opsetid("local", 1)]
    return helper.make_model(graph, opset_imports=imports, functions=functions, ir_version=10)


def info(name, kind, shape=(4,)):
    return helper.make_tensor_value_info(name, kind, shape)


def widened(model, folder, kind=FLOAT16):
    model = without_functions(model)
    widen(model, (kind,), folder)
    onnx.checker.check_model(model, full_check=True)
    return ReferenceEvaluator(model)


def test_types_that_operators_say_are_widened(tmp_path):
    nodes = [
        helper.make_node("HannWindow", ["n"], ["h"], output_datatype=FLOAT16),
        helper.make_node("Mul", ["h", "x"], ["y"]),
    ]
    four = numpy_helper.from_array(np.array(4), "n")
    model = whole(nodes, [info("x", FLOAT16)], [info("y", FLOAT16)], [four])
    (y,) = widened(model, tmp_path).run(None, {"x": np.ones(4, np.float32)})
    np.testing.assert_allclose(y, [0, 0.5, 1, 0.5], atol=1e-6)


def test_a_type_inside_an_optional_is_one(tmp_path):
    optional = helper.make_optional_type_proto(helper.make_tensor_type_proto(FLOAT16, [4]))
    node = helper.make_node("Optional", [], ["o"], type=helper.make_tensor_type_proto(FLOAT16, [4]))
    model = whole([node], [], [helper.make_value_info("o", optional)])
    assert has_type(model, (FLOAT16,))
    widen(model, (FLOAT16,), tmp_path)
    assert not has_type(model, (FLOAT16,))


def head_of(to):
    """A call of a function with an attribute that is called as Cast's, and is a number."""
    body = [
        helper.make_node("Constant", [], ["end"]),
        helper.make_node("Constant", [], ["start"], value_ints=[0]),
        helper.make_node("Constant", [], ["flat"], value_ints=[-1]),
        helper.make_node("Reshape", ["end", "flat"], ["ends"]),
        helper.make_node("Slice", ["a", "start", "ends"], ["b"]),
    ]
    body[0].attribute.add(name="value_int", ref_attr_name="to", type=onnx.AttributeProto.INT)
    function = helper.make_function(
        "local", "Head", ["a"], ["b"], body, [helper.make_opsetid("", 20)], ["to"]
    )
    return function, helper.make_node("Head", ["x"], ["y"], domain="local", to=to)


@pytest.mark.parametrize("dtype", [np.float16, np.float32])
def test_a_number_that_is_called_like_a_type_stays(tmp_path, dtype):
    function, call = head_of(int(FLOAT16))
    kind = helper.np_dtype_to_tensor_dtype(np.dtype(dtype))
    model = whole([call], [info("x", kind, [32])], [info("y", kind, ["n"])], functions=[function])
    (y,) = widened(model, tmp_path).run(None, {"x": np.ones(32, np.float32)})
    assert y.shape == (FLOAT16,)


def test_defaults_of_a_function_s_attributes_are_kept(tmp_path):
    body = [helper.make_node("Cast", ["a"], ["b"])]
    body[0].attribute.add(name="to", ref_attr_name="target", type=onnx.AttributeProto.INT)
    function = helper.make_function(
        "local",
        "Narrow",
        ["a"],
        ["b"],
        body,
        [helper.make_opsetid("", 20)],
        [],
        [helper.make_attribute("target", FLOAT16)],
    )
    nodes = [
        helper.make_node("Narrow", ["x"], ["h"], domain="local"),
        helper.make_node("Add", ["h", "w"], ["y"]),
    ]
    one = numpy_helper.from_array(np.ones(4, np.float16), "w")
    model = whole(nodes, [info("x", FLOAT)], [info("y", FLOAT16)], [one], functions=[function])
    (y,) = widened(model, tmp_path).run(None, {"x": np.ones(4, np.float32)})
    np.testing.assert_array_equal(y, [2, 2, 2, 2])


def test_branches_inside_a_function_are_widened(tmp_path):
    def branch(name, operator):
        weight = numpy_helper.from_array(np.full(4, 3, np.float16), f"{name}.w")
        node = helper.make_node(operator, ["a", f"{name}.w"], [name])
        return helper.make_graph([node], name, [], [info(name, FLOAT16)], [weight])

    body = [
        helper.make_node(
            "If", ["c"], ["b"], then_branch=branch("t", "Mul"), else_branch=branch("e", "Add")
        )
    ]
    function = helper.make_function(
        "local", "Pick", ["a", "c"], ["b"], body, [helper.make_opsetid("", 20)]
    )
    call = helper.make_node("Pick", ["x", "c"], ["y"], domain="local")
    inputs = [info("x", FLOAT16), info("c", TensorProto.BOOL, [])]
    model = whole([call], inputs, [info("y", FLOAT16)], functions=[function])
    run = widened(model, tmp_path).run
    (y,) = run(None, {"x": np.full(4, 2, np.float32), "c": np.array(True)})
    np.testing.assert_array_equal(y, [6, 6, 6, 6])


def test_what_reads_bits_is_refused(tmp_path):
    node = helper.make_node("BitCast", ["x"], ["y"], to=TensorProto.UINT16)
    model = whole([node], [info("x", FLOAT16)], [info("y", TensorProto.UINT16)], opset=26)
    with pytest.raises(BuildError, match="BitCast, which reads the bits of numbers"):
        widen(model, (FLOAT16,), tmp_path)


def test_sparse_weights_are_refused(tmp_path):
    values = numpy_helper.from_array(np.ones(1, np.float16), "w")
    places = numpy_helper.from_array(np.array([2]), "")
    model = whole([helper.make_node("Add", ["x", "w"], ["y"])], [info("x", FLOAT)], [])
    sparse = helper.make_sparse_tensor(values, places, [4])
    model.graph.sparse_initializer.add().CopyFrom(sparse)
    with pytest.raises(BuildError, match="sparse weights"):
        widen(model, (FLOAT16,), tmp_path)


def test_a_tensor_with_too_few_bytes_is_one_sentence(tmp_path):
    weight = numpy_helper.from_array(np.ones(4, np.float16), "w")
    weight.raw_data = weight.raw_data[:3]
    model = whole([helper.make_node("Add", ["x", "w"], ["y"])], [info("x", FLOAT)], [], [weight])
    with pytest.raises(BuildError, match="The tensor 'w' is damaged"):
        widen(model, (FLOAT16,), tmp_path)
