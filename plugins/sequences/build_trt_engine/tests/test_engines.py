"""Engines really built, with tensorrt-rtx on the CPU."""

from __future__ import annotations

import hashlib
import os
import signal
from pathlib import Path

import numpy as np
import onnx_ir as ir
import pytest
import torch
from onnx import TensorProto, helper

from turnkeyml.errors import BuildError
from turnkeyml.worker.process import run_task
from turnkeyml_onnx import write_model
from turnkeyml_plugin_build_trt_engine import tool
from turnkeyml_plugin_build_trt_engine.libraries import TENSORRT, TENSORRT_RTX

from .conftest import FLOAT, save

pytestmark = [
    pytest.mark.skipif(TENSORRT_RTX.version() is None, reason="tensorrt-rtx is not installed"),
    pytest.mark.skipif(TENSORRT.version() is not None, reason="these tests are of tensorrt-rtx"),
    # torch's exporter's own libraries warn about each other.
    pytest.mark.filterwarnings("ignore"),
]


def sha256(build, artifact):
    return hashlib.sha256(build.state.file_of(artifact).read_bytes()).hexdigest()


def export(build, module, kwargs):
    """Export a module as export-pytorch does, and hand it over with its inputs."""
    pytest.importorskip("onnxscript")
    module = module.eval()
    program = torch.onnx.export(
        module, (), kwargs=kwargs, dynamo=True, verbose=False, opset_version=20
    )
    written = write_model(program.model, build.folder, "exported.onnx")
    captured = {name: value.numpy() for name, value in kwargs.items()}
    assert set(written.inputs) == set(captured)
    build.give(build.folder / "exported.onnx", captured, written.outputs)


class Cnn(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = torch.nn.Sequential(
            torch.nn.Conv2d(3, 8, 3, padding=1),
            torch.nn.BatchNorm2d(8),
            torch.nn.ReLU(),
            torch.nn.MaxPool2d(2),
            torch.nn.Flatten(),
            torch.nn.Linear(8 * 64, 10),
        )

    def forward(self, x):
        return self.layers(x)


def bert(**sizes):
    transformers = pytest.importorskip("transformers")
    torch.manual_seed(0)
    ids = torch.randint(0, 100, (1, 16))
    return transformers.BertModel(transformers.BertConfig(**sizes)), {
        "input_ids": ids,
        "attention_mask": ids * 0 + 1,
    }


def test_linear_layer_becomes_an_engine_that_says_what_it_is(linear):
    build = linear()
    engine = build.run()
    assert build.engines == ["build-trt-engine-12345678.engine"]
    assert engine.files[0].size == (build.state.file_of(engine)).stat().st_size > 1000
    version = TENSORRT_RTX.version()
    assert engine.info == {
        "inputs": {"x": "x"},
        "inputs_folder": "inputs",
        "outputs": ["y"],
        "library": "tensorrt-rtx",
        "library_version": version,
        "input_tensors": {"x": {"dtype": "float32", "shape": [4, 10]}},
        "output_tensors": {"y": {"dtype": "float32", "shape": [4, 4]}},
        "profiles": [],
        "compute_capabilities": [],
        "gpu": None,
    }
    assert build.notes == []


def test_statistics_tell_size_time_memory_layers_and_target(linear):
    build = linear()
    engine = build.run()
    found = build.statistics
    assert found["size_bytes"] == engine.files[0].size
    assert found["library"] == f"tensorrt-rtx {TENSORRT_RTX.version()}"
    assert found["target"] == "default of tensorrt-rtx"
    assert found["layers"] >= 1
    assert found["profile_count"] == 0
    assert found["build_s"] > 0
    assert found["peak_memory_bytes"] > 1 << 20


def test_log_has_what_tensorrt_says(linear, capfd):
    linear().run()
    out = capfd.readouterr().out
    assert "[INFO] Opset version:    20" in out
    assert "[VERBOSE]" not in out


def test_convolutional_network_with_weights_beside_it(build):
    torch.manual_seed(0)
    export(build, Cnn(), {"x": torch.rand(2, 3, 16, 16)})
    engine = build.run()
    assert list(build.folder.glob("*.data")), "the weights are in a file of their own"
    weights = sum(file.stat().st_size for file in build.folder.glob("*.data"))
    assert engine.files[0].size > weights
    assert engine.info["output_tensors"] == {
        engine.info["outputs"][0]: {"dtype": "float32", "shape": [2, 10]}
    }


def test_small_bert(build):
    model, inputs = bert(
        vocab_size=100,
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=64,
    )
    export(build, model, inputs)
    engine = build.run()
    assert engine.info["input_tensors"]["input_ids"] == {"dtype": "int64", "shape": [1, 16]}
    assert list(engine.info["inputs"]) == ["input_ids", "attention_mask"]
    assert build.statistics["layers"] > 100


@pytest.mark.slow
def test_bert_base(build):
    model, inputs = bert()
    export(build, model, inputs)
    engine = build.run()
    weights = sum(file.stat().st_size for file in build.folder.glob("*.data"))
    assert weights > 400e6
    assert weights < engine.files[0].size < 1.1 * weights


def test_engine_has_the_types_of_an_fp16_model(linear):
    engine = linear(dtype=np.float16).run()
    assert engine.info["input_tensors"]["x"]["dtype"] == "float16"
    assert engine.info["output_tensors"]["y"]["dtype"] == "float16"


def test_same_file_and_options_give_the_same_bytes_in_another_process(linear):
    build = linear()
    assert sha256(build, build.run()) == sha256(build, build.run())


def test_options_decide_what_is_built(linear):
    build = linear()
    made = [
        sha256(build, build.run(**options))
        for options in (
            {},
            {"tf32": False},
            {"workspace_mib": 16},
            {"compute_capability": ("8.9",)},
            {"compute_capability": ("8.6", "8.9")},
        )
    ]
    assert len(set(made)) == len(made)


def test_targets_are_recorded_in_order(linear):
    build = linear()
    assert build.run(compute_capability=("12.0", "8.6")).info["compute_capabilities"] == [
        "8.6",
        "12.0",
    ]
    assert build.statistics["target"] == "8.6 12.0"


def test_unknown_compute_capability_is_refused_with_those_known(linear):
    build = linear()
    with pytest.raises(BuildError, match=r"no engines for the compute capability 9\.9\.") as caught:
        build.run(compute_capability=("9.9",))
    assert "8.6, 8.9, 12.0" in caught.value.hint


def test_what_a_gpu_cannot_compute_is_told_with_the_reason(linear):
    build = linear()
    with pytest.raises(BuildError) as caught:
        build.run(compute_capability=("7.5",))
    assert "cannot build this engine: " in caught.value.message
    assert caught.value.message.endswith("FP32 GEMM is not supported.")
    assert "codeGenerator" not in caught.value.message
    assert "convert-fp16" in caught.value.hint
    assert build.engines == []


def test_open_dimensions_take_the_captured_shape_and_a_note_says_so(linear):
    build = linear(batch="n")
    engine = build.run()
    assert engine.info["profiles"] == [{"x": [[4, 10], [4, 10], [4, 10]]}]
    assert engine.info["input_tensors"]["x"]["shape"] == [-1, 10]
    assert build.notes == [
        f"{build.state.name}: The ONNX file leaves dimensions open that --profile says nothing of: "
        "the engine takes them only as captured (x 4x10)."
    ]


def test_profile_is_what_was_asked_for(linear):
    build = linear(batch="n")
    engine = build.run(profile=("x=1x10,4x10,32x10",))
    assert engine.info["profiles"] == [{"x": [[1, 10], [4, 10], [32, 10]]}]
    assert build.notes == []


def test_second_range_makes_a_second_profile(linear):
    build = linear(batch="n")
    engine = build.run(profile=("x=1x10,4x10,8x10", "x=16x10,16x10,64x10"))
    assert len(engine.info["profiles"]) == 2
    assert build.statistics["profile_count"] == 2
    assert build.notes == []


def test_captured_shape_outside_the_profile_is_noted(linear):
    build = linear(batch="n")
    build.run(profile=("x=8x10,8x10,32x10",))
    assert len(build.notes) == 1
    assert "No profile takes what was captured (x 4x10)" in build.notes[0]


@pytest.mark.parametrize(
    ("profile", "message", "hint"),
    [
        ("z=1x10", "--profile names z, which is no input", "Its inputs: x (?x10)."),
        ("x=1x11", "--profile x=1x11,1x11,1x11 does not fit the input x", "form ?x10."),
        ("x=1", "--profile x=1,1,1 does not fit the input x", "form ?x10."),
    ],
)
def test_profile_that_does_not_fit_is_refused_with_names(linear, profile, message, hint):
    build = linear(batch="n")
    with pytest.raises(BuildError) as caught:
        build.run(profile=(profile,))
    assert message in caught.value.message
    assert hint in caught.value.hint


def test_open_dimensions_without_profile_or_capture_are_refused(linear):
    build = linear(batch="n", captured={})
    with pytest.raises(BuildError, match=r"The input x \(\?x10\) is not fixed"):
        build.run()


def test_range_of_one_input_holds_for_dimensions_of_the_same_name(build):
    path = build.folder / "sum.onnx"
    save(
        path,
        [helper.make_node("Add", ["a", "b"], ["y"])],
        [("a", FLOAT, ("batch", 8)), ("b", FLOAT, ("batch", 8))],
        [("y", FLOAT, ("batch", 8))],
    )
    ones = np.ones((2, 8), np.float32)
    build.give(path, {"a": ones, "b": ones})
    engine = build.run(profile=("a=1x8,2x8,16x8",))
    assert engine.info["profiles"][0]["b"] == [[1, 8], [2, 8], [16, 8]]
    assert build.notes == []


def test_values_of_a_captured_shape_bound_an_input_that_holds_a_shape(build):
    path = build.folder / "reshape.onnx"
    save(
        path,
        [helper.make_node("Reshape", ["x", "s"], ["y"])],
        [("x", FLOAT, (2, 6)), ("s", TensorProto.INT64, (2,))],
        [("y", FLOAT, None)],
    )
    build.give(path, {"x": np.ones((2, 6), np.float32), "s": np.array([3, 4])})
    engine = build.run()
    assert engine.info["profiles"] == [{"s": [[3, 4], [3, 4], [3, 4]]}]


def test_type_that_tensorrt_changes_is_noted(build):
    path = build.folder / "double.onnx"
    double = TensorProto.DOUBLE
    save(
        path, [helper.make_node("Relu", ["x"], ["y"])], [("x", double, (3,))], [("y", double, (3,))]
    )
    build.give(path, {"x": np.ones(3, np.float64)})
    engine = build.run()
    assert engine.info["input_tensors"]["x"]["dtype"] == "float32"
    assert build.notes[0].endswith("takes x as float32; it was captured as float64.")


def test_input_without_a_rank_is_refused_rather_than_taken_for_a_scalar(build):
    path = build.folder / "rankless.onnx"
    save(path, [helper.make_node("Relu", ["x"], ["y"])], [("x", FLOAT, None)], [("y", FLOAT, None)])
    build.give(path, {"x": np.ones((2, 3), np.float32)})
    with pytest.raises(BuildError, match="reads the input x of the ONNX file as scalar, but"):
        build.run()


def test_input_of_a_type_that_tensorrt_lacks_is_one_sentence(build):
    path = build.folder / "text.onnx"
    text = TensorProto.STRING
    save(
        path, [helper.make_node("Identity", ["x"], ["y"])], [("x", text, (3,))], [("y", text, (3,))]
    )
    build.give(path, {})
    with pytest.raises(BuildError, match=r"has no such type as the input x of text\.onnx\."):
        build.run()


def test_microsoft_operators_are_refused_with_the_way_out(one_node):
    build = one_node("FastGelu", domain="com.microsoft")
    with pytest.raises(BuildError) as caught:
        build.run()
    assert caught.value.message == (
        f"TensorRT-RTX {TENSORRT_RTX.version()} cannot take these operators of the model: "
        "com.microsoft::FastGelu (node the_node)."
    )
    assert "optimize-onnx --level basic" in caught.value.hint
    assert build.engines == []


def test_unsupported_standard_operator_is_named_with_its_node(one_node):
    build = one_node("Det", out=())
    with pytest.raises(BuildError, match=r"of the model: Det \(node the_node\)\.") as caught:
        build.run()
    assert "--opset" in caught.value.hint


def test_operator_of_a_domain_of_its_own_is_named(one_node):
    with pytest.raises(BuildError, match=r"acme\.ops::Magic \(node the_node\)") as caught:
        one_node("Magic", domain="acme.ops").run()
    assert "acme.ops" in caught.value.hint


def test_foreign_operator_taken_for_a_standard_one_is_noted(one_node):
    build = one_node("Relu", domain="acme")
    build.run()
    assert "it took acme::Relu for the standard operators" in build.notes[0]
    assert build.statistics["notes"][0] in build.notes[0]


def test_all_operators_that_are_not_taken_are_named_once(build):
    path = build.folder / "many.onnx"
    ms = "com.microsoft"
    nodes = [
        helper.make_node("FastGelu", ["x"], ["a"], name="one", domain=ms),
        helper.make_node("FastGelu", ["a"], ["b"], name="two", domain=ms),
        helper.make_node("Det", ["b"], ["y"]),
    ]
    save(path, nodes, [("x", FLOAT, (3, 3))], [("y", FLOAT, ())], domains=[ms])
    build.give(path, {"x": np.ones((3, 3), np.float32)})
    with pytest.raises(BuildError) as caught:
        build.run()
    assert "FastGelu (nodes one, two), Det (a node without a name)." in caught.value.message


def test_file_that_is_cut_off_is_one_sentence(linear):
    build = linear()
    path = build.folder / "linear.onnx"
    path.write_bytes(path.read_bytes()[:150])
    with pytest.raises(BuildError, match=r"linear\.onnx: it is damaged or cut off\."):
        build.run()


@pytest.mark.parametrize("content", [b"", b"hello world this is no onnx"])
def test_file_that_is_no_onnx_is_one_sentence(linear, content):
    build = linear()
    (build.folder / "linear.onnx").write_bytes(content)
    with pytest.raises(BuildError, match=r"linear\.onnx: it is no ONNX file, or damaged"):
        build.run()


def test_missing_weights_are_named(linear):
    build = linear(external=True)
    (build.folder / "linear.onnx.data").unlink()
    with pytest.raises(
        BuildError,
        match=r"the weights of linear\.onnx: the data file linear\.onnx\.data is missing",
    ):
        build.run()


def test_weights_that_are_too_short_are_named(linear):
    build = linear(external=True)
    (build.folder / "linear.onnx.data").write_bytes(b"short")
    with pytest.raises(BuildError, match=r"the data file linear\.onnx\.data is too short\."):
        build.run()


def test_weights_outside_the_folder_are_not_read(build):
    (build.state.build.path / "secret.bin").write_bytes(bytes(160))
    path = build.folder / "climbing.onnx"
    weight = ir.ExternalTensor(
        "../secret.bin", 0, 160, ir.DataType.FLOAT, shape=ir.Shape((10, 4)), name="w",
        base_dir=build.folder,
    )  # fmt: skip
    w = ir.Value(name="w", const_value=weight, type=ir.TensorType(ir.DataType.FLOAT))
    x = ir.Value(name="x", shape=ir.Shape((4, 10)), type=ir.TensorType(ir.DataType.FLOAT))
    node = ir.node("MatMul", [x, w], name="product")
    node.outputs[0].name = "y"
    node.outputs[0].type = ir.TensorType(ir.DataType.FLOAT)
    graph = ir.Graph([x], node.outputs, nodes=[node], initializers=[w], opset_imports={"": 20})
    path.write_bytes(ir.to_proto(ir.Model(graph, ir_version=10)).SerializeToString())
    build.give(path, {"x": np.ones((4, 10), np.float32)})
    with pytest.raises(BuildError, match="a data file is outside the folder of the model"):
        build.run()


def test_full_disk_is_told_although_tensorrt_does_not_notice(linear):
    build = linear()
    model = str(build.folder / "linear.onnx")
    order = {"module": "tensorrt_rtx", "model": model, "engine": "/dev/full"}
    found = run_task(tool.TASK, order)
    assert found["failure"] == {"phase": "write", "detail": "No space left on device"}


@pytest.mark.parametrize("number", [signal.SIGABRT, signal.SIGKILL])
def test_process_that_dies_is_one_sentence_and_leaves_nothing(linear, monkeypatch, number):
    script = Path(linear().folder, "dies.py")
    script.write_text(
        "import os\nfrom pathlib import Path\n"
        "def run(arguments):\n"
        "    Path(arguments['engine']).write_bytes(b'half')\n"
        f"    os.kill(os.getpid(), {int(number)})\n"
    )
    build = linear()
    monkeypatch.setattr(tool, "TASK", script)
    with pytest.raises(BuildError, match=f"was ended by {number.name}"):
        build.run()
    assert os.listdir(build.state.build.path / "engines") == []
