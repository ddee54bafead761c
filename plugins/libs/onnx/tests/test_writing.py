"""Writing ONNX files."""

from __future__ import annotations

import hashlib

import numpy as np
import onnx
import onnx_ir as ir
import pytest
from onnx import TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator

from turnkeyml.errors import BuildError
from turnkeyml_onnx import write_model


def model_with(weights: dict[str, np.ndarray], nodes=None) -> ir.Model:
    first = next(iter(weights))
    rows, columns = weights[first].shape
    graph = helper.make_graph(
        nodes or [helper.make_node("MatMul", ["x", first], ["y"])],
        "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, rows])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, columns])],
        [numpy_helper.from_array(value, name) for name, value in weights.items()],
    )
    proto = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10)
    return ir.from_proto(proto)


@pytest.fixture
def folder(tmp_path):
    path = tmp_path / "build" / "onnx"
    path.mkdir(parents=True)
    return path


def weights(rows=64, columns=32, seed=0):
    return np.random.default_rng(seed).normal(size=(rows, columns)).astype(np.float32)


def test_large_weights_go_into_a_file_named_by_their_digest(folder):
    w = weights()
    written = write_model(model_with({"w": w}), folder, "m.onnx")
    model, data = written.files
    content = (folder.parent / data.path).read_bytes()
    assert model.path == "onnx/m.onnx"
    assert hashlib.sha256(content).hexdigest() == data.sha256
    assert data.path == f"onnx/{data.sha256[:32]}.data"
    assert w.tobytes() in content
    assert (folder / "m.onnx").stat().st_size == model.size < 1000


def test_file_that_was_written_computes_what_the_model_computes(folder):
    w = weights()
    write_model(model_with({"w": w}), folder, "m.onnx")
    x = np.ones((1, 64), np.float32)
    (y,) = ReferenceEvaluator(str(folder / "m.onnx")).run(None, {"x": x})
    np.testing.assert_allclose(y, x @ w, rtol=1e-6)


def test_small_weights_stay_in_the_model_file(folder):
    written = write_model(model_with({"w": weights(4, 4)}), folder, "m.onnx")
    assert [record.path for record in written.files] == ["onnx/m.onnx"]
    assert sorted(path.name for path in folder.iterdir()) == ["m.onnx"]


def test_two_models_with_the_same_weights_share_one_data_file(folder):
    one = write_model(model_with({"w": weights()}), folder, "a.onnx")
    two = write_model(model_with({"w": weights()}), folder, "b.onnx")
    assert one.files[1] == two.files[1]
    assert len(list(folder.glob("*.data"))) == 1


def test_other_weights_leave_the_first_data_file_alone(folder):
    one = write_model(model_with({"w": weights(seed=0)}), folder, "a.onnx")
    write_model(model_with({"w": weights(seed=1)}), folder, "b.onnx")
    content = (folder.parent / one.files[1].path).read_bytes()
    assert hashlib.sha256(content).hexdigest() == one.files[1].sha256
    assert len(list(folder.glob("*.data"))) == 2


def test_tied_weights_are_written_once(folder):
    w = weights()
    model = model_with({"w": w, "v": w})
    model.graph.initializers["v"].const_value = model.graph.initializers["w"].const_value
    written = write_model(model, folder, "m.onnx")
    assert w.nbytes <= written.files[1].size < 2 * w.nbytes


def test_facts_name_opset_operators_inputs_and_outputs(folder):
    written = write_model(model_with({"w": weights()}), folder, "m.onnx")
    assert (written.opset, written.ir_version) == (20, 10)
    assert written.operators == {"MatMul": 1}
    assert written.inputs == {"x": (1, 64)}
    assert written.outputs == ("y",)


def test_operators_of_subgraphs_are_counted_and_their_weights_written(folder):
    big = numpy_helper.from_array(weights(1, 1024), "inner")
    branch = helper.make_graph(
        [helper.make_node("Identity", ["inner"], ["out"])],
        "branch",
        [],
        [helper.make_tensor_value_info("out", TensorProto.FLOAT, [1, 1024])],
        [big],
    )
    nodes = [
        helper.make_node("MatMul", ["x", "w"], ["m"]),
        helper.make_node("ReduceSum", ["m"], ["s"], keepdims=0),
        helper.make_node("Cast", ["s"], ["c"], to=TensorProto.BOOL),
        helper.make_node("If", ["c"], ["y"], then_branch=branch, else_branch=branch),
    ]
    model = model_with({"w": weights(4, 1024)}, nodes)
    written = write_model(model, folder, "m.onnx")
    assert written.operators["Identity"] == 2
    assert onnx.load(folder / "m.onnx") is not None
    assert written.files[1].size >= weights(4, 1024).nbytes + 4096


def test_failure_while_writing_leaves_nothing_behind(folder, monkeypatch):
    model = model_with({"w": weights(), "v": weights(seed=2)})

    class Broken(ir.Tensor):
        def tobytes(self):
            raise OSError("no space left on device")

    model.graph.initializers["v"].const_value = Broken(weights(seed=2), name="v")
    with pytest.raises(BuildError, match=r"m\.onnx cannot be written: no space") as caught:
        write_model(model, folder, "m.onnx")
    assert "-d" in caught.value.hint
    assert list(folder.iterdir()) == []


def test_weight_that_gives_another_number_of_bytes_is_refused(folder):
    model = model_with({"w": weights()})

    class Short(ir.Tensor):
        def tofile(self, file):
            file.write(bytes(10))

    model.graph.initializers["w"].const_value = Short(weights(), name="w")
    with pytest.raises(BuildError, match="The weight 'w' has 10 bytes, not 8192"):
        write_model(model, folder, "m.onnx")
    assert list(folder.iterdir()) == []
