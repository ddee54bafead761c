"""Models of more than 2 GB, and one that an exporter made."""

from __future__ import annotations

import numpy as np
import onnxruntime as ort
import pytest
from onnx import TensorProto, helper

from turnkeyml.artifacts import ONNX_MODEL
from turnkeyml.cache.atomic import record_of, sha256_of
from turnkeyml_plugin_optimize_onnx.tool import OptimizeOnnx, OptimizeOnnxOptions

pytestmark = pytest.mark.slow

ROWS, COLUMNS, COUNT = 16384, 7168, 5
SIZE = ROWS * COLUMNS * 4


def save_large(folder, *, transposed: bool):
    """Write a model with 2.2 GB of weights, nearly all of them a hole in the file."""
    folder.mkdir(parents=True, exist_ok=True)
    data = folder / "w.data"
    with data.open("wb") as file:
        file.truncate(SIZE * COUNT)
        for i in range(COUNT):
            file.seek(i * SIZE)
            file.write(np.linspace(i, 1, 1024, dtype=np.float32).tobytes())
    name = f"{sha256_of(data)[:32]}.data"
    data = data.rename(folder / name)
    nodes, weights, value = [], [], "x"
    for i in range(COUNT):
        shape = [COLUMNS, ROWS] if i % 2 == 0 else [ROWS, COLUMNS]
        weight = TensorProto(name=f"w{i}", data_type=TensorProto.FLOAT)
        weight.dims.extend(reversed(shape) if transposed else shape)
        weight.data_location = TensorProto.EXTERNAL
        for key, text in (("location", name), ("offset", i * SIZE), ("length", SIZE)):
            weight.external_data.add(key=key, value=str(text))
        weights.append(weight)
        factor = f"w{i}"
        if transposed:
            nodes.append(helper.make_node("Transpose", [factor], [f"t{i}"], perm=[1, 0]))
            factor = f"t{i}"
        nodes.append(helper.make_node("MatMul", [value, factor], [f"y{i}"]))
        value = f"y{i}"
    inputs = [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, COLUMNS])]
    outputs = [helper.make_tensor_value_info(value, TensorProto.FLOAT, [1, ROWS])]
    graph = helper.make_graph(nodes, "g", inputs, outputs, weights)
    imports = [helper.make_opsetid("", 20)]
    path = folder / "large.onnx"
    model = helper.make_model(graph, opset_imports=imports, ir_version=10)
    path.write_bytes(model.SerializeToString())
    return path, data


def run(path):
    options = ort.SessionOptions()
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.add_session_config_entry("session.disable_prepacking", "1")
    session = ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    return session.run(None, {"x": np.linspace(-1, 1, COLUMNS, dtype=np.float32)[None]})[0]


@pytest.mark.parametrize("transposed", [False, True])
def test_more_than_two_gigabytes_of_weights_are_optimized(empty_state, transposed):
    state = empty_state
    path, data = save_large(state.folder("onnx"), transposed=transposed)
    before = run(path)
    root = state.build.path
    source = state.add(ONNX_MODEL, [record_of(path, root), record_of(data, root)], info={})
    state.begin_step("optimize-onnx", "12345678", (ONNX_MODEL,))
    OptimizeOnnx().run(state, OptimizeOnnxOptions())
    made = state.newest(ONNX_MODEL)
    np.testing.assert_allclose(run(state.file_of(made)), before, rtol=1e-4, atol=1e-6)
    operators = state.stats.model["operators"]
    assert operators == {"MatMul": COUNT}
    # Weights that were turned round are new ones; the others are those of the source.
    assert (source.files[1] in made.files) == (not transposed)
    assert [p.name for p in state.folder("onnx").iterdir() if p.name.startswith(".tmp")] == []


@pytest.mark.filterwarnings("ignore")
def test_bert_that_pytorch_exported_is_optimized_and_loads_again(state):
    import torch
    import transformers

    config = transformers.BertConfig(
        hidden_size=64, num_hidden_layers=2, num_attention_heads=4, intermediate_size=128,
        vocab_size=200, max_position_embeddings=64,
    )  # fmt: skip
    torch.manual_seed(0)
    ids = torch.randint(0, 200, (1, 16))
    inputs = {"input_ids": ids, "attention_mask": torch.ones_like(ids)}
    program = torch.onnx.export(
        transformers.BertModel(config).eval(), (), kwargs=inputs, dynamo=True, verbose=False
    )
    import onnx_ir as ir

    made = state(ir.to_proto(program.model))
    feeds = {name: value.numpy() for name, value in inputs.items()}
    before = ort.InferenceSession(str(made.input_file())).run(None, feeds)
    OptimizeOnnx().run(made, OptimizeOnnxOptions())
    path = made.file_of(made.newest(ONNX_MODEL))
    after = ort.InferenceSession(str(path)).run(None, feeds)
    for one, two in zip(before, after, strict=True):
        np.testing.assert_allclose(two, one, atol=1e-5)
    weights = max(made.newest(ONNX_MODEL).files, key=lambda record: record.size)
    assert weights in made.artifacts[0].files
