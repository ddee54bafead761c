"""Converting ONNX files to float16."""

from __future__ import annotations

import resource
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from turnkeyml.artifacts import INPUTS, ONNX_MODEL
from turnkeyml.errors import BuildError
from turnkeyml_plugin_convert_fp16 import tool

FLOAT, FLOAT16 = TensorProto.FLOAT, TensorProto.FLOAT16


def types_of(values):
    return {value.name: value.type.tensor_type.elem_type for value in values}


def weights_of(case):
    return {t.name: numpy_helper.to_array(t) for t in case.model().graph.initializer}


def random(*shape):
    return np.random.default_rng(3).normal(size=shape).astype(np.float32)


@pytest.mark.parametrize("converter", ["ort", "onnxconverter-common"])
@pytest.mark.parametrize("keep", [False, True])
def test_result_is_float16_and_computes_nearly_the_same(mlp, converter, keep):
    case = mlp()
    (before,) = case.run()
    case.convert(converter=converter, keep_io_types=keep)
    (after,) = case.run()
    assert after.dtype == (np.float32 if keep else np.float16)
    np.testing.assert_allclose(after, before, atol=5e-3)
    assert {value.dtype for value in weights_of(case).values()} == {np.dtype(np.float16)}


def test_inputs_and_outputs_become_float16_and_the_captured_inputs_too(mlp):
    case = mlp()
    case.convert()
    graph = case.model().graph
    assert types_of([*graph.input, *graph.output]) == {"x": FLOAT16, "y": FLOAT16}
    info = case.artifact.info
    assert info["inputs"] == {"x": "captured.x"}
    assert info["inputs_folder"] == "inputs-convert-fp16-00000001"
    assert info["outputs"] == ["y"]
    np.testing.assert_array_equal(case.captured()["x"], case.feeds["x"].astype(np.float16))
    inputs = case.state.newest(INPUTS)
    assert inputs.info["folder"] == info["inputs_folder"]
    assert [record.path for record in inputs.files] == [
        f"{info['inputs_folder']}/inputs.json", f"{info['inputs_folder']}/inputs.bin",
    ]  # fmt: skip


def test_kept_inputs_and_outputs_stay_with_the_inputs_that_were_captured(mlp):
    case = mlp()
    before = case.state.newest(INPUTS)
    case.convert(keep_io_types=True)
    graph = case.model().graph
    assert types_of([*graph.input, *graph.output]) == {"x": FLOAT, "y": FLOAT}
    assert case.artifact.info["inputs_folder"] == "inputs"
    assert case.state.newest(INPUTS) is before
    assert case.artifact.info["precision"] == "float16"


def test_inputs_of_whole_numbers_need_no_folder_of_their_own(case, graph):
    build = graph()
    build.op("Gather", [build.weight("table", 50, 16), "ids"], "y")
    made = case(build.model({"ids": np.arange(4)}, "y"), {"ids": np.arange(4)})
    made.convert()
    assert made.artifact.info["inputs_folder"] == "inputs"
    assert made.run()[0].dtype == np.float16


def test_other_inputs_go_along_into_the_new_folder(case, graph):
    build = graph()
    feeds = {"x": random(3, 8), "ids": np.array([2, 0])}
    build.op("Gather", ["x", "ids"], "g")
    build.op("MatMul", ["g", build.weight("w", 8, 4)], "y")
    made = case(build.model(feeds, "y"), feeds)
    made.convert()
    found = made.captured()
    assert {name: value.dtype.name for name, value in found.items()} == {
        "x": "float16",
        "ids": "int64",
    }
    np.testing.assert_array_equal(found["ids"], [2, 0])
    made.run()


def test_source_and_its_weights_are_left_alone(mlp):
    case = mlp()
    files = {record.path: record.sha256 for record in case.artifact.files}
    path = case.convert()
    from turnkeyml.cache.atomic import sha256_of

    for name, digest in files.items():
        assert sha256_of(case.state.build.path / name) == digest
    assert path.name == "convert-fp16-00000001.onnx"
    assert [Path(r.path).suffix for r in case.artifact.files] == [".onnx", ".data"]
    assert case.temporary_files() == []


def test_weights_that_stay_float32_are_those_of_the_source(case, graph):
    build = graph()
    feeds = {"x": random(2, 32)}
    build.op("MatMul", ["x", build.weight("w", 32, 64)], "a")
    build.op("MatMul", ["a", build.weight("kept", 64, 64)], "b")
    build.op("MatMul", ["b", build.weight("v", 64, 8)], "y")
    made = case(build.model(feeds, "y"), feeds)
    (data,) = made.artifact.files[1:]
    (before,) = made.run()
    made.convert(node_block_list=("node_b",))
    assert data in made.artifact.files
    kinds = {name: value.dtype.name for name, value in weights_of(made).items()}
    assert kinds == {"w": "float16", "kept": "float32", "v": "float16"}
    np.testing.assert_allclose(made.run()[0], before, atol=2e-2)


def test_weight_used_by_both_is_float16_with_a_cast(case, graph):
    build = graph()
    feeds = {"x": random(2, 64)}
    build.weight("w", 64, 64)
    build.op("MatMul", ["x", "w"], "a")
    build.op("MatMul", ["a", "w"], "b")
    build.op("MatMul", ["b", "w"], "y")
    made = case(build.model(feeds, "y"), feeds)
    (before,) = made.run()
    # Both nodes that stay want the same cast of the same weight.
    made.convert(node_block_list=("node_b", "node_a"))
    assert weights_of(made)["w"].dtype == np.float16
    assert made.stats["operators"]["Cast"] == 5
    np.testing.assert_allclose(made.run()[0], before, rtol=2e-2, atol=5e-2)


def test_operators_that_are_to_stay_float32_stay_so(mlp):
    case = mlp()
    case.convert(op_block_list=("Relu",))
    relu = next(node for node in case.model().graph.node if node.op_type == "Relu")
    assert relu.input[0].endswith("_cast_to_fp32")
    case.run()


@pytest.mark.parametrize("kind", ["ScatterElements", "ScatterND"])
def test_scattering_stays_float32_because_the_cpu_cannot_add_up_in_float16(case, graph, kind):
    build = graph()
    feeds = {"x": random(4, 3)}
    indices = np.array([[0], [2]]) if kind == "ScatterND" else np.array([[0, 1, 2]])
    shape = (2, 3) if kind == "ScatterND" else (1, 3)
    updates = build.weight("updates", *shape)
    build.op(kind, ["x", build.constant("i", indices), updates], "s", reduction="add")
    build.op("MatMul", ["s", build.weight("w", 3, 3)], "y")
    made = case(build.model(feeds, "y"), feeds)
    (before,) = made.run()
    made.convert()
    np.testing.assert_allclose(made.run()[0], before, atol=5e-3)
    assert made.stats["operators"]["Cast"] >= 1


def test_name_of_no_node_is_a_failure(mlp):
    with pytest.raises(BuildError, match="The model has no node called conv_7"):
        mlp().convert(node_block_list=("node_a", "conv_7"))


def test_numbers_out_of_range_are_clamped_counted_and_said(mlp):
    w = random(32, 64)
    w[0, :3] = 1e6, -1e6, 3e38
    w[1, :2] = 1e-9, -1e-20
    case = mlp(w=w)
    case.convert()
    found = weights_of(case)["w"]
    np.testing.assert_array_equal(found[0, :3], np.array([65504, -65504, 65504], np.float16))
    assert np.isfinite(found).all()
    assert case.stats["float16_weights_clamped"] == 3
    assert case.stats["float16_weights_too_small"] == 2
    assert case.stats["float16_weights"] == [{"name": "w", "clamped": 3, "too_small": 2}]
    (note,) = case.notes
    assert "3 numbers in the weight w were clamped to ±65504" in note


def test_small_weights_and_constants_are_counted_too(case, graph):
    build = graph()
    feeds = {"x": random(2, 4)}
    build.op("Add", ["x", build.constant("small", np.float32([1e9, 1, 1, 1]))], "a")
    value = numpy_helper.from_array(np.float32([-1e9]), "inside")
    build.op("Constant", [], "c", value=value)
    build.op("Add", ["a", "c"], "y")
    made = case(build.model(feeds, "y"), feeds)
    made.convert()
    assert made.stats["float16_weights_clamped"] == 2
    assert "2 numbers in 2 weights (inside, small) were clamped" in made.notes[0]


def test_infinite_weights_and_nan_are_said(mlp):
    w = random(32, 64)
    w[0, :3] = np.nan, np.inf, -np.inf
    case = mlp(w=w)
    case.convert()
    assert case.stats["float16_weights_nan"] == 1
    assert case.stats["float16_weights_infinite"] == 2
    assert any("2 numbers in the weight w are infinite" in note for note in case.notes)
    assert any("1 number in the weight w is not a number (NaN)" in note for note in case.notes)


def test_infinity_for_masks_is_no_reason_for_a_note(case, graph):
    build = graph()
    feeds = {"x": random(2, 4)}
    build.op("Max", ["x", build.constant("floor", np.float32(-np.inf))], "a")
    build.op("Add", ["a", build.constant("mask", np.float32(-np.inf))], "b")
    build.op("Softmax", ["a"], "y")
    made = case(build.model(feeds, "y"), feeds)
    made.convert()
    assert made.notes == []
    assert made.stats["float16_weights_infinite"] == 1


def test_captured_inputs_out_of_range_are_clamped_and_said(case, graph):
    build = graph()
    x = np.float32([[1e5, 1, 2, -1e9]])
    build.op("Mul", ["x", build.weight("w", 4)], "y")
    made = case(build.model({"x": x}, "y"), {"x": x})
    made.convert()
    np.testing.assert_array_equal(
        made.captured()["x"], np.array([[65504, 1, 2, -65504]], np.float16)
    )
    assert made.stats["float16_inputs_clamped"] == 2
    assert "2 numbers in the captured input x were clamped" in made.notes[0]


@pytest.mark.parametrize("options", [{}, {"keep_io_types": True}])
def test_model_that_is_float16_already_goes_on_as_it_is(mlp, options):
    case = mlp()
    case.convert(op_block_list=("Relu",))
    first = case.artifact
    case.convert(**options)
    assert case.artifact is not first
    assert case.artifact.files == first.files
    assert case.artifact.info == first.info
    assert case.notes == [
        f"{case.state.name}: there is nothing to convert to float16: the model has no float32 "
        "or bfloat16 weights, inputs or outputs."
    ]


def test_model_of_whole_numbers_goes_on_as_it_is(case, graph):
    build = graph()
    feeds = {"x": np.arange(4)}
    build.op("Add", ["x", build.constant("one", np.array(1))], "y")
    made = case(build.model(feeds, "y", kind=TensorProto.INT64), feeds)
    made.convert()
    assert made.run()[0].tolist() == [1, 2, 3, 4]
    assert "nothing to convert" in made.notes[0]


def test_model_with_float16_inside_and_float32_outside_is_left_or_converted_as_asked(mlp):
    case = mlp()
    case.convert(keep_io_types=True)
    (before,) = case.run()
    case.convert()
    (after,) = case.run()
    assert after.dtype == np.float16
    np.testing.assert_allclose(after, before, atol=1e-2)


def test_constants_given_as_plain_numbers_are_converted(case, graph):
    build = graph()
    feeds = {"x": random(2, 3)}
    build.op("Constant", [], "two", value_float=2.0)
    build.op("Constant", [], "many", value_floats=[1.0, 2.0, 3.0])
    build.op("Mul", ["x", "two"], "a")
    build.op("Add", ["a", "many"], "y")
    made = case(build.model(feeds, "y"), feeds)
    (before,) = made.run()
    made.convert()
    np.testing.assert_allclose(made.run()[0], before, rtol=2e-3)


def test_functions_of_the_model_are_put_in_line(case, graph):
    build = graph()
    feeds = {"x": random(2, 8)}
    body = [helper.make_node("Mul", ["a", "b"], ["m"]), helper.make_node("Tanh", ["m"], ["c"])]
    imports = [helper.make_opsetid("", 20)]
    function = helper.make_function("my", "Both", ["a", "b"], ["c"], body, imports)
    build.op("Both", ["x", build.weight("w", 8)], "y", domain="my")
    model = build.model(feeds, "y", imports=[helper.make_opsetid("my", 1)], functions=[function])
    made = case(model, feeds)
    (before,) = made.run()
    made.convert()
    np.testing.assert_allclose(made.run()[0], before, atol=2e-3)
    assert made.stats["operators"] == {"Mul": 1, "Tanh": 1}


def branch(graph, name, kind, *, blocked):
    """Give a branch with a large weight, and with a node that stays float32 if asked for."""
    inner = graph(seed=len(name))
    inner.op(kind, ["x"], f"{name}_k")
    inner.op("MatMul", [f"{name}_k", inner.weight(f"{name}_w", 32, 32)], f"{name}_m")
    last = f"{name}_m"
    if blocked:
        # Two nodes that want the same value, which the outer graph does not have.
        inner.op("Max", [last, inner.constant(f"{name}_0", np.float32(0))], f"{name}_x")
        inner.op("Min", [last, f"{name}_x"], f"{name}_n")
        last = f"{name}_n"
    inner.op("Identity", [last], f"{name}_y")
    return inner.graph({}, {f"{name}_y": FLOAT}, name)


@pytest.mark.parametrize("blocked", [False, True])
@pytest.mark.parametrize("keep", [False, True])
@pytest.mark.parametrize("sign", [1, -1])
def test_branches_are_converted(case, graph, blocked, keep, sign):
    build = graph()
    feeds = {"x": (sign * np.abs(random(2, 32))).astype(np.float32)}
    build.op("ReduceSum", ["x"], "total", keepdims=0)
    build.op("Greater", ["total", build.constant("zero", np.float32(0))], "flag")
    branches = {
        "then_branch": branch(graph, "then", "Neg", blocked=blocked),
        "else_branch": branch(graph, "other", "Abs", blocked=blocked),
    }
    build.op("If", ["flag"], "z", **branches)
    build.op("Mul", ["z", build.weight("scale", 32)], "y")
    made = case(build.model(feeds, "y"), feeds)
    (before,) = made.run()
    made.convert(keep_io_types=keep)
    np.testing.assert_allclose(made.run()[0], before, atol=2e-2)
    onnx.checker.check_model(str(made.path), full_check=True)


def test_loops_are_converted(case, graph):
    build, inner = graph(), graph(seed=5)
    feeds = {"x": random(1, 32)}
    inner.op("MatMul", ["v_in", inner.weight("inner.w", 32, 32)], "m")
    inner.op("Max", ["m", "x"], "v_out")
    inner.op("Identity", ["cond_in"], "cond_out")
    body = helper.make_graph(
        inner.nodes,
        "body",
        [
            helper.make_tensor_value_info("i", TensorProto.INT64, []),
            helper.make_tensor_value_info("cond_in", TensorProto.BOOL, []),
            helper.make_tensor_value_info("v_in", FLOAT, [1, 32]),
        ],
        [
            helper.make_tensor_value_info("cond_out", TensorProto.BOOL, []),
            helper.make_tensor_value_info("v_out", FLOAT, [1, 32]),
        ],
        inner.weights,
    )
    build.constant("count", np.array(3))
    build.constant("go", np.array(True))
    build.op("Loop", ["count", "go", "x"], "y", body=body)
    made = case(build.model(feeds, "y"), feeds)
    (before,) = made.run()
    made.convert()
    np.testing.assert_allclose(made.run()[0], before, atol=2e-2)


def test_weights_of_one_name_in_two_graphs_are_refused(case, graph):
    build = graph()
    feeds = {"x": random(2, 32)}
    build.op("ReduceSum", ["x"], "total", keepdims=0)
    build.op("Greater", ["total", build.constant("zero", np.float32(0))], "flag")
    one, two = (branch(graph, "same", kind, blocked=False) for kind in ("Neg", "Abs"))
    build.op("If", ["flag"], "y", then_branch=one, else_branch=two)
    made = case(build.model(feeds, "y"), feeds)
    with pytest.raises(BuildError, match="Two graphs of this model have a weight called same_w"):
        made.convert()


def test_model_that_the_older_converter_spoils_is_refused_with_advice(case, graph):
    build = graph()
    feeds = {"x": random(2, 4)}
    build.op("Add", ["x", build.weight("w", 4)], "y")
    build.op("Mul", ["y", "y"], "z")
    made = case(build.model(feeds, "y", "z"), feeds)
    with pytest.raises(BuildError, match=r"onnxconverter-common .*Try --converter ort\.") as caught:
        made.convert(converter="onnxconverter-common", keep_io_types=True)
    assert "\n" not in str(caught.value)
    assert made.temporary_files() == []
    made.convert(keep_io_types=True)
    made.run()


def test_operator_that_onnxruntime_does_not_know_is_named(case, graph):
    build = graph()
    feeds = {"x": random(2, 4)}
    build.op("Strange", ["x", build.weight("w", 4)], "y", domain="my.own")
    made = case(build.model(feeds, "y", imports=[helper.make_opsetid("my.own", 1)]), feeds)
    with pytest.raises(BuildError, match=r"does not load: .*my\.own:Strange"):
        made.convert()
    assert made.temporary_files() == []


def test_layout_for_one_cpu_is_refused_with_advice(case, graph):
    build = graph()
    feeds = {"x": random(1, 16, 4, 4)}
    domain = "com.microsoft.nchwc"
    build.op("ReorderInput", ["x"], "a", domain=domain)
    build.op("ReorderOutput", ["a"], "y", domain=domain, channels=16)
    made = case(build.model(feeds, "y", imports=[helper.make_opsetid(domain, 1)]), feeds)
    with pytest.raises(BuildError, match="laid out for one kind of CPU.* --level basic"):
        made.convert()


def test_damaged_source_is_one_sentence(mlp):
    case = mlp()
    case.path.write_bytes(case.path.read_bytes()[:200])
    with pytest.raises(BuildError, match=r"source\.onnx is no ONNX model, or is damaged"):
        case.convert()


def test_weights_that_are_gone_are_named(mlp):
    case = mlp()
    (case.state.build.path / case.artifact.files[1].path).unlink()
    with pytest.raises(BuildError, match=r"weight '\w' of source\.onnx .* cannot be read"):
        case.convert()


def test_captured_inputs_that_are_damaged_are_one_sentence(mlp):
    case = mlp()
    (case.state.build.path / "inputs" / "inputs.bin").write_bytes(b"")
    with pytest.raises(BuildError, match=r"captured inputs in .* cannot be read: .*does not fit"):
        case.convert()


def test_captured_inputs_that_lack_one_are_one_sentence(mlp):
    case = mlp()
    from turnkeyml.worker.tensors import write_tensors

    write_tensors(case.state.build.path / "inputs", {})
    with pytest.raises(BuildError, match=r"have no tensor captured\.x"):
        case.convert()


def test_model_without_captured_inputs_is_converted_all_the_same(mlp):
    case = mlp()
    info = {k: v for k, v in case.artifact.info.items() if not k.startswith("inputs")}
    case.state.add(ONNX_MODEL, case.artifact.files, info=info)
    case.convert()
    assert types_of(case.model().graph.input) == {"x": FLOAT16}
    assert "inputs_folder" not in case.artifact.info


@pytest.fixture
def full_disk():
    """Let no file be larger than so many bytes, as on a disk that is full."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    yield lambda size: resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_disk_without_room_for_the_weights_is_one_sentence_and_leaves_nothing(mlp, full_disk):
    case = mlp()
    names = sorted(path.name for path in case.state.folder("onnx").iterdir())
    full_disk(3000)
    with pytest.raises(BuildError, match="cannot be written: File too large.*Make room"):
        case.convert()
    assert sorted(path.name for path in case.state.folder("onnx").iterdir()) == names


def test_disk_without_room_for_the_graph_is_one_sentence_and_leaves_nothing(case, graph, full_disk):
    build = graph()
    feeds = {"x": random(2, 4)}
    for i in range(60):
        build.op("Relu", [f"v{i - 1}" if i else "x"], f"v{i}")
    made = case(build.model(feeds, "v59"), feeds)
    full_disk(1500)
    with pytest.raises(BuildError, match="cannot be written: File too large. Make room"):
        made.convert()
    assert [path.name for path in made.state.folder("onnx").iterdir()] == ["source.onnx"]


def test_folder_of_inputs_that_cannot_be_made_is_one_sentence(mlp):
    case = mlp()
    (case.state.build.path / "inputs-convert-fp16-00000001").write_text("in the way")
    with pytest.raises(BuildError, match="inputs of the converted model cannot be written"):
        case.convert()


def test_worker_that_is_killed_leaves_nothing(mlp, monkeypatch, tmp_path):
    script = tmp_path / "task.py"
    script.write_text(
        "import os, pathlib\n"
        "def run(arguments):\n"
        "    pathlib.Path(arguments['target']).write_text('half')\n"
        "    os.kill(os.getpid(), 9)\n"
    )
    monkeypatch.setattr(tool, "_TASK", script)
    case = mlp()
    with pytest.raises(BuildError, match="SIGKILL; probably out of memory"):
        case.convert()
    assert case.temporary_files() == []


def test_same_source_gives_the_same_bytes(mlp):
    case = mlp()
    source = case.artifact
    first = case.convert().read_bytes()
    case.state.add(ONNX_MODEL, source.files, info=source.info)
    assert case.convert().read_bytes() == first


def test_captured_inputs_of_another_type_are_one_sentence(mlp):
    case = mlp()
    from turnkeyml.worker.tensors import RawTensor, write_tensors

    wrong = RawTensor("int32", (2, 32), memoryview(bytes(256)))
    write_tensors(case.state.build.path / "inputs", {"captured.x": wrong})
    with pytest.raises(BuildError, match=r"captured\.x is int32, where one of float32"):
        case.convert()
