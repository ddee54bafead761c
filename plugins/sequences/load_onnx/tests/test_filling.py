"""The values that are made for inputs, and what they are made from."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper

from turnkeyml.worker.tensors import ITEM_SIZES

TABLE = np.zeros((50, 4), np.float32)


@pytest.fixture
def lookup(make, load):
    """Make a model that looks rows up by an input, through some nodes; give what was made."""

    def run(nodes=(), index="ids", name="ids", dims=(2, 500), dtype="INT64", weights=None, **more):
        gather = make.node("Gather", ["table", index], ["y"], **more)
        proto = make.model(
            make.graph(
                [*nodes, gather],
                [(name, dtype, dims)],
                [("y", "FLOAT", None)],
                {"table": TABLE, **(weights or {})},
            )
        )
        result = load(proto)
        result.run()
        return result.arrays[name]

    return run


def test_indexes_are_spread_over_the_rows_of_their_table(lookup):
    ids = lookup()
    assert (ids.min(), ids.max()) == (0, 49)
    assert len(np.unique(ids)) == 50


def test_axis_of_the_table_counts(lookup):
    assert lookup(axis=1).max() == 3
    assert lookup(axis=-1).max() == 3


def test_indexes_are_followed_through_operators_that_keep_their_values(lookup, make):
    nodes = [
        make.node("Cast", ["ids"], ["a"], to=TensorProto.INT32),
        make.node("Unsqueeze", ["a", "axes"], ["b"]),
        make.node("Reshape", ["b", "flat"], ["c"]),
        make.node("Concat", ["c", "c"], ["d"], axis=0),
        make.node("Slice", ["d", "from", "to"], ["e"]),
    ]
    weights = {
        "axes": np.array([0]),
        "flat": np.array([-1]),
        "from": np.array([0]),
        "to": np.array([10]),
    }
    assert lookup(nodes, "e", weights=weights).max() == 49


def test_smallest_of_several_tables_counts(lookup, make):
    second = make.node("Gather", ["small", "ids"], ["z"])
    assert lookup([second], weights={"small": np.zeros((7, 1), np.float32)}).max() == 6


def test_table_that_is_converted_first_is_known(make, load):
    nodes = [
        make.node("DequantizeLinear", ["q", "scale"], ["table"]),
        make.node("Gather", ["table", "ids"], ["y"]),
    ]
    weights = {"q": np.zeros((30, 2), np.uint8), "scale": np.array(1, np.float32)}
    graph = make.graph(nodes, [("ids", "INT64", [200])], [("y", "FLOAT", None)], weights)
    result = load(make.model(graph))
    assert result.arrays["ids"].max() == 29
    result.run()


def test_table_that_is_an_input_itself_is_known(make, load):
    inputs = [("x", "FLOAT", ["rows", 2]), ("where", "INT64", [100])]
    graph = make.graph([make.node("Gather", ["x", "where"], ["y"])], inputs, [("y", "FLOAT", None)])
    result = load(make.model(graph), shape=("x=9,2",))
    assert result.arrays["where"].max() == 8
    result.run()


def test_indexes_are_followed_into_functions_and_inner_graphs(make, load):
    embed = helper.make_function(
        "mine",
        "Embed",
        ["table", "ids"],
        ["out"],
        [make.node("Gather", ["table", "ids"], ["out"])],
        [helper.make_opsetid("", 17)],
    )
    branches = [
        make.graph([make.node("Gather", ["small", "ids"], [n])], [], [(n, "FLOAT", [300, 1])])
        for n in ("yes", "no")
    ]
    nodes = [
        make.node("Embed", ["table", "ids"], ["y"], domain="mine"),
        make.node("If", ["flag"], ["z"], then_branch=branches[0], else_branch=branches[1]),
    ]
    inputs = [("ids", "INT64", [300]), ("flag", "BOOL", [])]
    outputs = [("y", "FLOAT", None), ("z", "FLOAT", None)]
    weights = {"table": TABLE, "small": np.zeros((20, 1), np.float32)}
    proto = make.model(
        make.graph(nodes, inputs, outputs, weights), domains=["mine"], functions=[embed]
    )
    result = load(proto)
    assert result.arrays["ids"].max() == 19
    result.run()
    del proto.graph.node[1], proto.graph.output[1]
    assert load(proto).arrays["ids"].max() == 49


def test_one_hot_and_scattered_indexes_are_in_range(make, load):
    nodes = [
        make.node("OneHot", ["a", "depth", "values"], ["y"]),
        make.node("ScatterElements", ["data", "b", "new"], ["z"]),
    ]
    inputs = [("a", "INT64", [200]), ("b", "INT64", [4])]
    weights = {
        "depth": np.array(5),
        "values": np.array([0.0, 1.0], np.float32),
        "data": np.zeros(6, np.float32),
        "new": np.ones(4, np.float32),
    }
    outputs = [("y", "FLOAT", None), ("z", "FLOAT", None)]
    result = load(make.model(make.graph(nodes, inputs, outputs, weights)))
    assert result.arrays["a"].max() == 4
    assert result.arrays["b"].max() < 6
    result.run()


def test_sizes_are_ones(make, load):
    graph = make.graph(
        [make.node("Expand", ["x", "to"], ["y"])],
        [("x", "FLOAT", [1, 4]), ("to", "INT64", [2])],
        [("y", "FLOAT", None)],
    )
    result = load(make.model(graph))
    assert result.arrays["to"].tolist() == [1, 1]
    result.run()


@pytest.fixture
def made(make, load):
    """Give the values of one input that goes nowhere special."""

    def run(name, dtype="INT64", dims=(2, 300), others=()):
        inputs = [(name, dtype, dims), *others]
        nodes = [make.node("Identity", [i[0]], [f"y{n}"]) for n, i in enumerate(inputs)]
        outputs = [(f"y{n}", i[1], None) for n, i in enumerate(inputs)]
        result = load(make.model(make.graph(nodes, inputs, outputs), opset=21, ir_version=10))
        return result.arrays[name]

    return run


@pytest.mark.parametrize("dtype", ["INT64", "FLOAT", "BOOL", "INT32", "FLOAT16"])
def test_masks_are_ones(made, dtype):
    assert (made("encoder_attention_mask", dtype) == 1).all()


def test_flags_are_true(made):
    assert made("use_cache_branch", "BOOL", (1,)).tolist() == [True]


def test_positions_count_up(made):
    assert made("position_ids").tolist() == [list(range(300))] * 2
    assert made("cache_position", dims=(5,)).tolist() == [0, 1, 2, 3, 4]
    assert made("position_ids", dims=()).tolist() == 0


def test_positions_stay_in_their_table(lookup):
    ids = lookup(index="position_ids", name="position_ids")
    assert (ids.min(), ids.max()) == (0, 49)
    assert ids[0, :52].tolist() == [*range(50), 0, 1]


def test_names_tell_what_nothing_else_does(made):
    assert set(np.unique(made("token_type_ids"))) == {0, 1}
    assert made("input_ids").max() > 50
    assert set(np.unique(made("anything"))) == {0, 1}
    assert made("pixels", "UINT8", (1, 64, 64, 3)).max() == 255
    assert made("quantized", "INT8").min() < -100


def test_lengths_are_those_of_the_other_input(made):
    assert made("x_lengths", dims=(1,), others=[("x", "FLOAT", (1, 40, 8))]).tolist() == [40]


def test_normal_numbers_are_normal(made):
    values = made("x", "FLOAT", (100, 100))
    assert abs(values.mean()) < 0.05
    assert 0.95 < values.std() < 1.05
    assert np.isfinite(made("x", "FLOAT16", (1000, 100))).all()


def test_values_depend_on_the_name_only(made):
    alone = made("x", "FLOAT")
    np.testing.assert_array_equal(alone, made("x", "FLOAT", others=[("y", "FLOAT", (2, 2))]))
    assert not np.array_equal(alone, made("z", "FLOAT"))


def test_made_values_are_the_same_on_every_machine(made):
    assert made("x", "FLOAT", (3,)).tobytes().hex() == "a50626bfae758a3f4c277f3f"
    assert made("input_ids", dims=(8,)).tolist() == [54, 22, 97, 80, 16, 36, 27, 6]


NUMBERS = {
    "float32": "FLOAT",
    "float64": "DOUBLE",
    "float8_e4m3fn": "FLOAT8E4M3FN",
    "float8_e4m3fnuz": "FLOAT8E4M3FNUZ",
    "float8_e5m2": "FLOAT8E5M2",
    "float8_e5m2fnuz": "FLOAT8E5M2FNUZ",
}


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    st.sampled_from(sorted(ITEM_SIZES)),
    st.lists(st.integers(0, 5), max_size=5),
    st.sampled_from(["x", "input_ids", "mask", "position_ids", "lengths", "segment"]),
)
def test_every_type_and_shape_can_be_made_and_runs(make, load, dtype, dims, name):
    number = getattr(TensorProto, NUMBERS.get(dtype, dtype.upper()))
    value = helper.make_tensor_value_info
    graph = make.graph(
        [make.node("Identity", [name], ["y"])],
        [value(name, number, dims)],
        [value("y", number, dims)],
    )
    result = load(make.model(graph, opset=21, ir_version=10))
    raw = result.raw[name]
    assert (raw.dtype, raw.shape) == (dtype, tuple(dims))
    assert len(raw.data) == math.prod(dims) * ITEM_SIZES[dtype]
    if "bfloat" not in dtype and "float8" not in dtype:
        assert np.isfinite(result.arrays[name]).all()
        if not dtype.startswith("complex"):
            (y,) = result.run()
            np.testing.assert_array_equal(y, result.arrays[name])


@pytest.mark.parametrize("dtype", ["bfloat16", "float8_e4m3fn", "float8_e5m2"])
def test_types_that_numpy_lacks_have_sensible_values(make, load, dtype):
    import ml_dtypes

    number = getattr(TensorProto, NUMBERS.get(dtype, dtype.upper()))
    value = helper.make_tensor_value_info
    graph = make.graph(
        [make.node("Identity", ["x"], ["y"])],
        [value("x", number, [1000])],
        [value("y", number, [1000])],
    )
    raw = load(make.model(graph, opset=21, ir_version=10)).raw["x"]
    values = np.frombuffer(raw.data, getattr(ml_dtypes, dtype)).astype(np.float32)
    assert np.isfinite(values).all()
    assert 0.9 < values.std() < 1.1


def test_inputs_that_memory_cannot_hold_are_refused(fails, make):
    graph = make.graph(
        [make.node("Identity", ["x"], ["y"])],
        [("x", "FLOAT", [1 << 20, 1 << 20])],
        [("y", "FLOAT", None)],
    )
    text = fails(make.model(graph))
    assert "The inputs would take 4,398,046,511,104 bytes, x with the shape" in text


@pytest.mark.parametrize(
    ("dtype", "sentence"),
    [
        ("STRING", "takes string values, which turnkey cannot make"),
        ("INT4", "takes int4 values, which turnkey cannot make"),
        ("FLOAT4E2M1", "takes float4e2m1 values, which turnkey cannot make"),
        ("UNDEFINED", "takes undefined values"),
    ],
)
def test_types_that_cannot_be_made_are_refused(fails, make, dtype, sentence):
    if not hasattr(TensorProto, dtype):
        pytest.skip("the installed onnx does not know this type")
    graph = make.graph(
        [make.node("Identity", ["x"], ["y"])], [("x", dtype, [1])], [("y", dtype, [1])]
    )
    assert f"The input 'x' {sentence}" in fails(make.model(graph))


def test_sequences_and_optionals_and_types_without_a_name_are_refused(fails, make):
    tensor = helper.make_tensor_type_proto(TensorProto.FLOAT, [1])
    kinds = {
        "sequence": helper.make_sequence_type_proto(tensor),
        "optional": helper.make_optional_type_proto(tensor),
        "sparse tensor": helper.make_sparse_tensor_type_proto(TensorProto.FLOAT, [1]),
    }
    for name, kind in kinds.items():
        graph = make.graph(
            [make.node("Identity", ["x"], ["y"])],
            [helper.make_value_info("x", kind)],
            [("y", "FLOAT", None)],
        )
        text = fails(make.model(graph))
        assert f"The input 'x' is a {name}, and no tensor" in text
    graph.input[0].ClearField("type")
    assert "The input 'x' has no type." in fails(make.model(graph))


def test_output_that_is_a_map_is_refused_with_what_helps(fails, make):
    from onnx import TypeProto

    kind = TypeProto()
    kind.sequence_type.elem_type.map_type.key_type = TensorProto.INT64
    kind.sequence_type.elem_type.map_type.value_type.tensor_type.elem_type = TensorProto.FLOAT
    node = make.node("ZipMap", ["x"], ["y"], domain="ai.onnx.ml", classlabels_int64s=[0, 1])
    graph = make.graph([node], [("x", "FLOAT", [1, 2])], [helper.make_value_info("y", kind)])
    text = fails(make.model(graph, domains=["ai.onnx.ml"]))
    assert "The output 'y' is a map" in text
    assert "zipmap" in text


def test_inputs_with_default_values_need_none(load, make):
    proto = make.linear([1, 64])
    proto.graph.input.append(make.value("w", "FLOAT", [64, 32]))
    for ir_version in (3, 8):
        proto.ir_version = ir_version
        result = load(proto)
        assert list(result.raw) == ["x"]
        result.run()


def test_two_inputs_of_one_name_are_refused(fails, make):
    proto = make.linear([1, 64])
    proto.graph.input.append(proto.graph.input[0])
    assert "The model has 2 inputs of the name 'x'." in fails(proto)


def test_values_fit_their_type(lookup, made, make):
    cast = make.node("Cast", ["ids"], ["wide"], to=TensorProto.INT64)
    table = {"table": np.zeros((1000, 1), np.float32)}
    ids = lookup([cast], "wide", dtype="INT8", weights=table)
    assert (ids.min(), ids.max()) == (0, 127)
    assert made("position_ids", "INT8").max() == 126
    assert made("x_lengths", "UINT8", (1,), others=[("x", "FLOAT", (1, 400))]).tolist() == [255]


def test_type_that_onnx_does_not_know_is_refused(fails, make):
    proto = make.linear([1, 64])
    proto.graph.input[0].type.tensor_type.elem_type = 99
    assert "The input 'x' has the unknown element type 99." in fails(proto)
