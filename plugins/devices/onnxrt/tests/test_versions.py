"""The worker of `ort` in environments of their own, with other versions of ONNX Runtime."""

from __future__ import annotations

from pathlib import Path

import onnx
import pytest
from onnx import TensorProto, helper

from turnkeyml.errors import BuildError
from turnkeyml.worker.environments import environment_with
from turnkeyml.worker.process import WorkerOrder, run_worker
from turnkeyml.worker.tensors import RawTensor, write_tensors
from turnkeyml_plugin_onnxrt import worker
from turnkeyml_plugin_onnxrt.runtime import OnnxRT

WORKER = Path(worker.__file__)


def order_for(folder, ir_version, opset):
    values = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [2]) for name in "xy"]
    graph = helper.make_graph([helper.make_node("Relu", ["x"], ["y"])], "g", values[:1], values[1:])
    opsets = [helper.make_opsetid("", opset)]
    model = helper.make_model(graph, opset_imports=opsets, ir_version=ir_version)
    onnx.save(model, folder / "m.onnx")
    write_tensors(folder / "inputs", {"x": RawTensor("float32", (2,), memoryview(bytes(8)))})
    return WorkerOrder(WORKER, folder / "m.onnx", folder / "inputs", {"x": "x"}, 20)


@pytest.mark.slow
@pytest.mark.parametrize("version", ["1.18.1", "1.20.1"])
def test_an_older_version_is_installed_once_and_measured(tmp_path, version):
    found = environment_with(OnnxRT.worker_packages, version, tmp_path)
    assert found.packages["onnxruntime"] == version
    assert environment_with(OnnxRT.worker_packages, version, tmp_path) == found
    result = run_worker(order_for(tmp_path, 10, 20), environment={}, python=found.python)
    assert result.facts["version"] == version
    assert result.summary["iterations"] == 20
    with pytest.raises(BuildError, match=f"ONNX Runtime {version} reads IR versions up to 10"):
        run_worker(order_for(tmp_path, 13, 20), environment={}, python=found.python)
    with pytest.raises(BuildError, match=f"ONNX Runtime {version} knows ai.onnx up to opset 21"):
        run_worker(order_for(tmp_path, 10, 26), environment={}, python=found.python)


@pytest.mark.slow
def test_a_version_that_does_not_exist_is_refused_with_the_reason(tmp_path):
    with pytest.raises(BuildError, match=r"onnxruntime==0\.0\.99 could be made: .*\.$") as caught:
        environment_with(OnnxRT.worker_packages, "0.0.99", tmp_path)
    assert "\n" not in caught.value.message
