"""Models of more than 2 GB."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import onnxruntime as ort
import pytest
from onnx import TensorProto, helper

from turnkeyml.artifacts import ONNX_MODEL
from turnkeyml.cache.atomic import record_of, sha256_of

pytestmark = pytest.mark.slow

ROWS, COLUMNS, COUNT = 16384, 7168, 5
SIZE = ROWS * COLUMNS * 4
START = 1024


def values(i: int) -> np.ndarray:
    return np.linspace(i, 1e5, START, dtype=np.float32)


def save_large(folder: Path) -> tuple[Path, Path]:
    """Write a model with 2.2 GB of weights, nearly all of them a hole in the file."""
    data = folder / "w.data"
    with data.open("wb") as file:
        file.truncate(SIZE * COUNT)
        for i in range(COUNT):
            file.seek(i * SIZE)
            file.write(values(i).tobytes())
    data = data.rename(folder / f"{sha256_of(data)[:32]}.data")
    nodes, weights, value = [], [], "x"
    for i in range(COUNT):
        shape = [COLUMNS, ROWS] if i % 2 == 0 else [ROWS, COLUMNS]
        weight = TensorProto(name=f"w{i}", data_type=TensorProto.FLOAT, dims=shape)
        weight.data_location = TensorProto.EXTERNAL
        for key, text in (("location", data.name), ("offset", i * SIZE), ("length", SIZE)):
            weight.external_data.add(key=key, value=str(text))
        weights.append(weight)
        nodes.append(helper.make_node("MatMul", [value, f"w{i}"], [f"y{i}"]))
        value = f"y{i}"
    inputs = [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, COLUMNS])]
    outputs = [helper.make_tensor_value_info(value, TensorProto.FLOAT, [1, ROWS])]
    graph = helper.make_graph(nodes, "g", inputs, outputs, weights)
    imports = [helper.make_opsetid("", 20)]
    path = folder / "large.onnx"
    model = helper.make_model(graph, opset_imports=imports, ir_version=10)
    path.write_bytes(model.SerializeToString())
    return path, data


def peak_bytes() -> int:
    text = Path("/proc/self/status").read_text()
    return int(re.search(r"VmHWM:\s+(\d+)", text)[1]) * 1024


def test_more_than_two_gigabytes_are_converted_in_little_memory(case, graph):
    build = graph()
    feeds = {"x": np.ones((1, COLUMNS), np.float32)}
    build.op("Neg", ["x"], "y")
    made = case(build.model(feeds, "y"), feeds)
    state = made.state
    path, data = save_large(state.folder("onnx"))
    root = state.build.path
    records = [record_of(path, root), record_of(data, root)]
    state.add(ONNX_MODEL, records, info=made.artifact.info)
    # The kernel counts the peak from here on.
    Path("/proc/self/clear_refs").write_text("5")
    before = peak_bytes()
    converted = made.convert()
    assert peak_bytes() - before < 200e6
    (_, weights) = made.artifact.files
    assert SIZE * COUNT / 2 <= weights.size < SIZE * COUNT / 2 + 2**20
    assert state.stats.model["float16_weights_clamped"] == sum(
        int((values(i) > 65504).sum()) for i in range(COUNT)
    )
    content = np.memmap(root / weights.path, np.float16, "r")
    for i in range(COUNT):
        found = content[i * SIZE // 4 : i * SIZE // 4 + START]
        np.testing.assert_array_equal(found, np.minimum(values(i), 65504).astype(np.float16))
    options = ort.SessionOptions()
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.add_session_config_entry("session.disable_prepacking", "1")
    session = ort.InferenceSession(str(converted), options, providers=["CPUExecutionProvider"])
    assert session.get_inputs()[0].type == "tensor(float16)"
