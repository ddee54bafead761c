"""Converting ONNX files of bfloat16 to float16."""

from __future__ import annotations

import ml_dtypes
import numpy as np
import onnx
import onnxruntime as ort
import pytest
from onnx import TensorProto, helper, numpy_helper

from turnkeyml.artifacts import INPUTS
from turnkeyml.errors import BuildError
from turnkeyml_onnx.widening import BLOCK

BFLOAT16 = np.dtype(ml_dtypes.bfloat16)


@pytest.fixture
def rounded(case):
    """Two layers of bfloat16, whose first weights lie in a data file."""

    def make(inner=64, **weights):
        random = np.random.default_rng(0)
        w = random.normal(size=(32, inner)).astype(BFLOAT16)
        given = {
            "w": w * BFLOAT16.type(0.25),
            "b": random.normal(size=inner).astype(BFLOAT16),
            **weights,
        }
        nodes = [
            helper.make_node("MatMul", ["x", "w"], ["a"], name="product"),
            helper.make_node("Add", ["a", "b"], ["y"], name="sum"),
        ]
        values = [helper.make_tensor_value_info(n, TensorProto.BFLOAT16, None) for n in "xy"]
        graph = helper.make_graph(
            nodes,
            "g",
            values[:1],
            values[1:],
            [numpy_helper.from_array(value, name) for name, value in given.items()],
        )
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10)
        x = random.normal(size=(2, 32)).astype(BFLOAT16)
        made = case(model, {"x": x})
        wide = {name: value.astype(np.float32) for name, value in given.items()}
        return made, x.astype(np.float32) @ wide["w"] + wide["b"]

    return make


def weights_of(made):
    graph = made.model().graph
    return {t.name: numpy_helper.to_array(t, made.path.parent) for t in graph.initializer}


@pytest.mark.parametrize("converter", ["ort", "onnxconverter-common"])
@pytest.mark.parametrize("keep", [False, True])
def test_a_model_of_bfloat16_becomes_one_of_float16(rounded, converter, keep):
    made, expected = rounded()
    made.convert(converter=converter, keep_io_types=keep)
    (y,) = made.run()
    wanted = np.float32 if keep else np.float16
    assert (y.dtype, made.captured()["x"].dtype) == (wanted, wanted)
    np.testing.assert_allclose(y, expected, rtol=2e-2, atol=2e-2)
    assert {value.dtype.name for value in weights_of(made).values()} == {"float16"}
    assert made.artifact.info["precision"] == "float16"
    assert made.temporary_files() == []


def test_captured_inputs_are_the_same_numbers(rounded):
    made, _ = rounded()
    made.convert()
    np.testing.assert_array_equal(
        made.captured()["x"].astype(np.float32), made.feeds["x"].astype(np.float32)
    )
    assert made.state.newest(INPUTS).info["folder"] == made.artifact.info["inputs_folder"]


def test_what_stays_float32_is_read_as_what_it_is(rounded):
    made, expected = rounded(inner=BLOCK // 8)
    source = weights_of(made)
    made.convert(op_block_list=("MatMul",))
    found = weights_of(made)
    assert {name: value.dtype.name for name, value in found.items()} == {
        "w": "float32",
        "b": "float16",
    }
    np.testing.assert_array_equal(found["w"], source["w"].astype(np.float32))
    np.testing.assert_allclose(made.run()[0], expected, rtol=2e-2, atol=2e-2)


def test_numbers_that_float16_lacks_are_counted(rounded):
    large = np.full(64, 1e6).astype(BFLOAT16)
    tiny = np.full((32, 64), 1e-12).astype(BFLOAT16)
    made, _ = rounded(b=large, w=tiny)
    made.convert()
    assert made.stats["float16_weights_clamped"] == 64
    assert made.stats["float16_weights_too_small"] == 32 * 64
    (note,) = made.notes
    assert "64 numbers in the weight b were clamped" in note


def test_a_model_that_only_computes_in_bfloat16_is_converted(case, graph):
    build = graph()
    feeds = {"x": np.array([1.0, 2.0, 3.0], np.float32)}
    build.op("Cast", ["x"], "b", to=TensorProto.BFLOAT16)
    build.op("Mul", ["b", "b"], "c")
    build.op("Cast", ["c"], "y", to=TensorProto.FLOAT)
    made = case(build.model(feeds, "y"), feeds)
    made.convert()
    (y,) = made.run()
    np.testing.assert_array_equal(y, [1, 4, 9])


def branches(case, then, other):
    """A model that has a weight called w in each of two branches."""

    def branch(name, values):
        nodes = [
            helper.make_node("Cast", ["w"], [f"{name}_c"], to=TensorProto.FLOAT),
            helper.make_node("ReduceSum", [f"{name}_c"], [name], keepdims=0),
        ]
        output = helper.make_tensor_value_info(name, TensorProto.FLOAT, [])
        return helper.make_graph(nodes, name, [], [output], [numpy_helper.from_array(values, "w")])

    choice = helper.make_node(
        "If", ["c"], ["y"], then_branch=branch("t", then), else_branch=branch("e", other)
    )
    graph = helper.make_graph(
        [choice],
        "g",
        [helper.make_tensor_value_info("c", TensorProto.BOOL, [])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [])],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10)
    return case(model, {"c": np.array(True)})


@pytest.mark.parametrize("dtype", ["int16", "float16", "bool"])
@pytest.mark.parametrize("first", [True, False])
def test_a_weight_of_another_type_and_the_same_name_is_refused(case, dtype, first):
    rounded, other = np.ones(600).astype(BFLOAT16), np.ones(600).astype(dtype)
    made = branches(case, *((rounded, other) if first else (other, rounded)))
    with pytest.raises(BuildError, match="Two graphs of this model have a weight called w"):
        made.convert()


def test_a_weight_without_numbers_becomes_float16(case, graph):
    build = graph()
    build.constant("w", np.ones((600, 2)).astype(BFLOAT16))
    build.constant("none", np.ones((0, 2)).astype(BFLOAT16))
    build.op("Concat", ["none", "w"], "y", axis=0)
    made = case(build.model({}, "y", kind=TensorProto.BFLOAT16), {})
    source = onnx.load(made.path, load_external_data=False)
    none = next(t for t in source.graph.initializer if t.name == "none")
    none.ClearField("raw_data")
    none.data_location = TensorProto.EXTERNAL
    location = next(t.external_data[0].value for t in source.graph.initializer if t.name == "w")
    none.external_data.add(key="location", value=location)
    none.external_data.add(key="offset", value="0")
    none.external_data.add(key="length", value="0")
    made.path.write_bytes(source.SerializeToString())
    made.convert()
    session = ort.InferenceSession(str(made.path), providers=["CPUExecutionProvider"])
    assert session.run(None, {})[0].dtype == np.float16
