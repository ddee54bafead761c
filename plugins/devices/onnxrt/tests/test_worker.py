"""The worker of `ort`, in this process and in one of its own."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from turnkeyml.errors import BuildError
from turnkeyml.worker.main import Request
from turnkeyml.worker.process import WorkerOrder, run_worker, run_worker_once
from turnkeyml.worker.tensors import RawTensor, read_tensors
from turnkeyml_plugin_onnxrt import worker

WORKER = Path(worker.__file__)


def save_model(path, dtype=TensorProto.FLOAT, second=True):
    names = ["a", "b"] if second else ["a"]
    shape = [2, 3]
    nodes = [helper.make_node("Identity", ["a"], ["first"])]
    outputs = ["first"]
    if second:
        nodes.append(helper.make_node("Cast", ["b"], ["second"], to=TensorProto.FLOAT))
        outputs.append("second")
    graph = helper.make_graph(
        nodes,
        "g",
        [
            helper.make_tensor_value_info(n, dtype if n == "a" else TensorProto.INT64, shape)
            for n in names
        ],
        [
            helper.make_tensor_value_info(n, dtype if n == "first" else TensorProto.FLOAT, shape)
            for n in outputs
        ],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10)
    onnx.save(model, path)
    return path


def raw(array, dtype=None):
    return RawTensor(dtype or str(array.dtype), array.shape, memoryview(array.tobytes()))


def save_inputs(folder, arrays):
    folder.mkdir()
    nodes, content = {}, b""
    for name, array in arrays.items():
        content += b"\0" * (-len(content) % 64)
        nodes[name] = {
            "type": "tensor",
            "dtype": str(array.dtype),
            "shape": list(array.shape),
            "offset": len(content),
            "nbytes": array.nbytes,
        }
        content += array.tobytes()
    (folder / "inputs.json").write_text(json.dumps({"schema": 1, "arguments": nodes}))
    (folder / "inputs.bin").write_bytes(content)
    return folder


A = np.arange(6, dtype=np.float32).reshape(2, 3)
B = np.arange(6, dtype=np.int64).reshape(2, 3)


def test_all_inputs_are_fed_and_all_outputs_fetched(tmp_path):
    model = save_model(tmp_path / "m.onnx")
    session = worker.open_session(Request(model, {"a": raw(A), "b": raw(B)}, {}))
    first, second = session.infer()
    assert session.outputs == ["first", "second"]
    np.testing.assert_array_equal(first, A)
    np.testing.assert_array_equal(second, B.astype(np.float32))
    session.close()


def test_bfloat16_inputs_keep_their_bits(tmp_path):
    model = save_model(tmp_path / "m.onnx", TensorProto.BFLOAT16)
    bits = np.arange(6, dtype=np.uint16).reshape(2, 3) + 0x3F80
    session = worker.open_session(Request(model, {"a": raw(bits, "bfloat16"), "b": raw(B)}, {}))
    first, _ = session.infer()
    assert first.element_type() == TensorProto.BFLOAT16
    assert first.shape() == [2, 3]


def test_missing_input_is_named(tmp_path):
    model = save_model(tmp_path / "m.onnx")
    with pytest.raises(ValueError, match="no captured value for the inputs b"):
        worker.open_session(Request(model, {"a": raw(A)}, {}))


def test_facts_name_version_and_providers(tmp_path):
    model = save_model(tmp_path / "m.onnx")
    facts = worker.open_session(Request(model, {"a": raw(A), "b": raw(B)}, {})).describe()
    assert facts["providers"] == ["CPUExecutionProvider"]
    assert facts["version"].count(".") == 2


@pytest.mark.skipif(len(os.sched_getaffinity(0)) < 2, reason="needs two cores")
def test_cores_that_are_kept_from_the_caller_are_told_as_usable(tmp_path):
    model = save_model(tmp_path / "m.onnx")
    allowed = os.sched_getaffinity(0)
    session = worker.open_session(Request(model, {"a": raw(A), "b": raw(B)}, {}))
    os.sched_setaffinity(0, {min(allowed)})
    try:
        assert session.describe()["usable_cores"] == len(allowed)
    finally:
        os.sched_setaffinity(0, allowed)


def test_fresh_process_measures_exactly_the_iterations_asked_for(tmp_path):
    model = save_model(tmp_path / "m.onnx")
    inputs = save_inputs(tmp_path / "inputs", {"x": A, "y.0": B})
    order = WorkerOrder(WORKER, model, inputs, {"a": "x", "b": "y.0"}, iterations=7)
    result = run_worker(order, environment={})
    assert len(result.samples["timed_ns"]) == 7
    assert result.summary["mean_latency_ms"] > 0
    assert result.summary["load_ms"] > 0
    assert result.summary["peak_memory_bytes"] > 10e6


def cast_model(path, dtypes, element=TensorProto.FLOAT):
    """A model that casts its input to each of these types."""
    nodes = [helper.make_node("Cast", ["x"], [f"y{n}"], to=to) for n, to in enumerate(dtypes)]
    outputs = [helper.make_tensor_value_info(f"y{n}", to, ["n"]) for n, to in enumerate(dtypes)]
    inputs = [helper.make_tensor_value_info("x", element, ["n"])]
    graph = helper.make_graph(nodes, "g", inputs, outputs)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10)
    onnx.save(model, path)
    return path


X = np.array([0.0, 1.5, -2.25, 300.0], dtype=np.float32)


@pytest.mark.parametrize("values", [X, X[:0]], ids=["some", "none"])
def test_outputs_of_any_dtype_are_kept_with_their_bits(tmp_path, values):
    dtypes = {
        TensorProto.FLOAT: ("float32", values),
        TensorProto.BFLOAT16: ("bfloat16", (values.view(np.uint32) >> 16).astype(np.uint16)),
        TensorProto.FLOAT16: ("float16", values.astype(np.float16)),
        TensorProto.FLOAT8E4M3FN: ("float8_e4m3fn", np.array([0, 0x3C, 0xC1, 0x79], np.uint8)),
        TensorProto.INT64: ("int64", values.astype(np.int64)),
        TensorProto.BOOL: ("bool", values != 0),
    }
    model = cast_model(tmp_path / "m.onnx", dtypes)
    inputs = save_inputs(tmp_path / "inputs", {"x": values})
    order = WorkerOrder(WORKER, model, inputs, {"x": "x"}, 1)
    told = run_worker_once(order, tmp_path / "outputs", environment={})
    assert told.unavailable == ""
    found = read_tensors(tmp_path / "outputs")
    for tensor, (dtype, expected) in zip(found.values(), dtypes.values(), strict=True):
        assert (tensor.dtype, tensor.shape) == (dtype, values.shape)
        assert bytes(tensor.data) == expected[: len(values)].tobytes(), dtype


def test_outputs_in_plain_dtypes_are_kept_as_well(tmp_path):
    model = save_model(tmp_path / "m.onnx")
    inputs = save_inputs(tmp_path / "inputs", {"x": A, "y": B})
    order = WorkerOrder(WORKER, model, inputs, {"a": "x", "b": "y"}, 1)
    told = run_worker_once(order, tmp_path / "outputs", environment={})
    found = read_tensors(tmp_path / "outputs")
    assert list(found) == ["first", "second"]
    assert bytes(found["first"].data) == A.tobytes()
    assert told.facts["providers"] == ["CPUExecutionProvider"]


def test_models_with_bfloat16_outputs_are_measured(tmp_path):
    model = cast_model(tmp_path / "m.onnx", [TensorProto.BFLOAT16])
    inputs = save_inputs(tmp_path / "inputs", {"x": X})
    found = run_worker(WorkerOrder(WORKER, model, inputs, {"x": "x"}, 3), environment={})
    assert len(found.samples["timed_ns"]) == 3


def test_text_among_the_outputs_is_no_tensor(tmp_path):
    for dtypes in ([TensorProto.STRING], [TensorProto.BFLOAT16, TensorProto.STRING]):
        model = cast_model(tmp_path / f"m{len(dtypes)}.onnx", dtypes)
        inputs = save_inputs(tmp_path / f"inputs{len(dtypes)}", {"x": X})
        order = WorkerOrder(WORKER, model, inputs, {"x": "x"}, 1)
        told = run_worker_once(order, tmp_path / "outputs", environment={})
        assert f"the output 'y{len(dtypes) - 1}' has the" in told.unavailable
        assert not (tmp_path / "outputs").exists()


def test_damaged_model_file_is_one_sentence(tmp_path):
    model = tmp_path / "m.onnx"
    model.write_bytes(b"not a model")
    inputs = save_inputs(tmp_path / "inputs", {"a": A})
    order = WorkerOrder(WORKER, model, inputs, {"a": "a"}, iterations=1)
    with pytest.raises(BuildError) as caught:
        run_worker(order, environment={})
    assert "m.onnx" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_inputs_are_read_as_they_were_written(tmp_path):
    folder = save_inputs(tmp_path / "inputs", {"a": A, "b": B})
    found = read_tensors(folder)
    np.testing.assert_array_equal(np.frombuffer(found["b"].data, np.int64).reshape(2, 3), B)


@pytest.mark.parametrize(
    "arguments",
    [
        {"threads": 1, "inter_threads": 2},
        {"optimization_level": "disabled", "spinning": False},
        {"io_binding": True},
        {"provider": "CPUExecutionProvider"},
    ],
    ids=str,
)
def test_arguments_change_how_but_not_what_is_computed(tmp_path, arguments):
    model = save_model(tmp_path / "m.onnx")
    a, b = np.arange(6, dtype=np.float32).reshape(2, 3), np.ones((2, 3), np.int64)
    session = worker.open_session(Request(model, {"a": raw(a), "b": raw(b)}, arguments))
    named = session.tensors(session.infer())
    facts = session.describe()
    found = {
        name: value if isinstance(value, np.ndarray)
        else np.frombuffer(value.data, value.dtype).reshape(value.shape)
        for name, value in named.items()
    }  # fmt: skip
    assert np.array_equal(found["first"], a)
    assert np.array_equal(found["second"], b.astype(np.float32))
    if "threads" in arguments:
        assert facts["intra_op_threads"] == 1
    if "optimization_level" in arguments:
        assert facts["graph_optimization_level"] == "ORT_DISABLE_ALL"
    session.close()


def test_provider_that_is_not_there_is_refused_instead_of_replaced(tmp_path):
    model = save_model(tmp_path / "m.onnx", second=False)
    inputs = {"a": raw(np.zeros((2, 3), np.float32))}
    request = Request(model, inputs, {"provider": "NoSuchExecutionProvider"})
    with pytest.raises(ValueError, match=r"has no NoSuchExecutionProvider; it has .*CPU"):
        worker.open_session(request)


@pytest.mark.parametrize(("ir_version", "opset"), [(99, 20), (10, 99)])
def test_a_model_that_is_too_new_is_refused_with_both_versions(tmp_path, ir_version, opset):
    model = onnx.load(save_model(tmp_path / "m.onnx"))
    model.ir_version = ir_version
    model.opset_import[0].version = opset
    onnx.save(model, tmp_path / "m.onnx")
    with pytest.raises(ValueError, match=r"^ONNX Runtime \S+ (reads|knows) .*; the model has 99$"):
        worker.open_session(Request(tmp_path / "m.onnx", {"a": raw(A), "b": raw(B)}, {}))


def test_an_operator_that_lacks_for_a_type_is_named(tmp_path):
    kind = TensorProto.BFLOAT16
    values = [helper.make_tensor_value_info(name, kind, [2, 3]) for name in "ay"]
    node = helper.make_node("Add", ["a", "a"], ["y"], name="sum of a's")
    graph = helper.make_graph([node], "g", values[:1], values[1:])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10)
    onnx.save(model, tmp_path / "m.onnx")
    inputs = {"a": raw(np.zeros((2, 3), np.uint16), "bfloat16")}
    with pytest.raises(
        ValueError, match=r"""has no Add for the types .* at the node "sum of a's";"""
    ):
        worker.open_session(Request(tmp_path / "m.onnx", inputs, {}))


def test_other_refusals_of_a_model_stay_as_they_are(tmp_path):
    (tmp_path / "m.onnx").write_bytes(b"no model")
    with pytest.raises(Exception, match="INVALID_PROTOBUF"):
        worker.open_session(Request(tmp_path / "m.onnx", {}, {}))
