"""Optimizing ONNX files."""

from __future__ import annotations

import resource
from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort
import pytest
from onnx import TensorProto, helper, numpy_helper

from turnkeyml.artifacts import ONNX_MODEL
from turnkeyml.errors import BuildError, PlanError
from turnkeyml.plugins.registry import Registry
from turnkeyml_plugin_optimize_onnx import tool
from turnkeyml_plugin_optimize_onnx.tool import OptimizeOnnx, OptimizeOnnxOptions


def optimized(state, level="basic"):
    options = OptimizeOnnx.resolve(OptimizeOnnxOptions(level=level), Registry())
    OptimizeOnnx().run(state, options)
    return state.file_of(state.newest(ONNX_MODEL))


def session(path, level=ort.GraphOptimizationLevel.ORT_ENABLE_ALL):
    options = ort.SessionOptions()
    options.graph_optimization_level = level
    options.log_severity_level = 4
    return ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def outputs_of(path, shape, level=ort.GraphOptimizationLevel.ORT_DISABLE_ALL):
    x = np.random.default_rng(7).normal(size=shape).astype(np.float32)
    return session(path, level).run(None, {"x": x})[0]


def domains_of(path):
    return {node.domain for node in onnx.load(path, load_external_data=False).graph.node}


def temporary_files(state):
    return [path.name for path in state.folder("onnx").iterdir() if path.name.startswith(".tmp")]


@pytest.mark.parametrize("level", ["basic", "extended", "all"])
def test_result_computes_what_the_source_computes(state, convolutions, level):
    made = state(convolutions())
    before = outputs_of(made.input_file(), (1, 3, 8, 8))
    path = optimized(made, level)
    np.testing.assert_allclose(outputs_of(path, (1, 3, 8, 8)), before, rtol=1e-4, atol=1e-5)


def test_constants_are_folded_fused_and_what_has_no_effect_is_gone(state, convolutions):
    made = state(convolutions())
    optimized(made)
    step = made.stats.model
    assert step["operators"] == {"Add": 1, "Conv": 1, "MatMul": 1}
    assert (step["operators_before"], step["operators_after"]) == (6, 3)


def test_opset_inputs_outputs_and_what_is_known_of_them_stay(state, convolutions):
    made = state(convolutions())
    before = made.input
    model = onnx.load(optimized(made), load_external_data=False)
    source = onnx.load(made.file_of(before), load_external_data=False)
    assert list(model.opset_import) == list(source.opset_import)
    assert model.ir_version == source.ir_version
    assert [value.name for value in model.graph.input] == ["x"]
    after = made.newest(ONNX_MODEL)
    assert after is not before
    assert after.info == before.info


def test_weights_that_did_not_change_are_those_of_the_source(state, convolutions):
    made = state(convolutions())
    (data,) = made.input.files[1:]
    path = optimized(made)
    model, *rest = made.newest(ONNX_MODEL).files
    assert path.name == Path(model.path).name
    assert data in rest
    fresh = [record for record in rest if record != data]
    # The convolution's weights and the folded constant; the last layer's 12 KB stay where they are.
    assert sum(record.size for record in fresh) < data.size - 6 * 512 * 4 + 256
    assert {p.name for p in made.folder("onnx").iterdir()} == {
        "source.onnx",
        *(Path(record.path).name for record in (model, *rest)),
    }


def test_basic_has_standard_operators_only_and_extended_has_more(state, transformer):
    made = state(transformer(1))
    assert domains_of(optimized(made)) == {""}
    made.begin_step("optimize-onnx", "87654321", (ONNX_MODEL,))
    path = optimized(made, "extended")
    assert "com.microsoft" in domains_of(path)
    declared = {entry.domain for entry in onnx.load(path, load_external_data=False).opset_import}
    assert declared == {"", "com.microsoft"}


@pytest.mark.parametrize("layers", [1, 2, 3])
@pytest.mark.parametrize("level", ["basic", "extended"])
def test_result_loads_at_every_level(state, transformer, layers, level):
    path = optimized(state(transformer(layers)), level)
    for name in ("DISABLE_ALL", "ENABLE_BASIC", "ENABLE_EXTENDED", "ENABLE_ALL"):
        session(path, getattr(ort.GraphOptimizationLevel, f"ORT_{name}"))


def test_file_that_onnxruntime_cannot_load_again_is_mended(state, transformer, tmp_path):
    """What onnxruntime saves by itself does not load at its own default level."""
    source, saved = tmp_path / "source.onnx", tmp_path / "saved.onnx"
    source.write_bytes(transformer(1).SerializeToString())
    options = ort.SessionOptions()
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_ENABLE_BASIC
    options.optimized_model_filepath = str(saved)
    ort.InferenceSession(str(source), options, providers=["CPUExecutionProvider"])
    try:
        session(saved)
    except ort.capi.onnxruntime_pybind11_state.Fail as error:
        assert "Attempt to replace the existing tensor" in str(error)
    else:
        pytest.skip(f"onnxruntime {ort.__version__} has not this defect")
    # Such a file may also come from a user; it is mended by optimizing it.
    path = optimized(state(onnx.load(saved)))
    before = outputs_of(source, (1, 6, 16))
    np.testing.assert_allclose(
        outputs_of(path, (1, 6, 16), ort.GraphOptimizationLevel.ORT_ENABLE_ALL), before, atol=1e-5
    )


def test_optimizing_again_keeps_the_operators_and_loads(state, transformer):
    made = state(transformer(2))
    before = outputs_of(optimized(made), (1, 6, 16))
    operators = made.stats.model["operators"]
    made.begin_step("optimize-onnx", "87654321", (ONNX_MODEL,))
    again = optimized(made)
    assert made.stats.model["operators"] == operators
    after = outputs_of(again, (1, 6, 16), ort.GraphOptimizationLevel.ORT_ENABLE_ALL)
    np.testing.assert_allclose(after, before, atol=1e-5)


def test_same_source_gives_the_same_bytes(state, transformer):
    made = state(transformer(2))
    source = made.input
    first = optimized(made).read_bytes()
    made.artifacts[:] = [source]
    assert optimized(made).read_bytes() == first


def test_branches_are_optimized_and_kept(state, graph):
    build = graph()
    branches = {}
    for name, kind in (("then_branch", "Neg"), ("else_branch", "Abs")):
        inner = graph(seed=1)
        inner.op("Mul", [inner.weight(f"{name}.a", 4), inner.weight(f"{name}.b", 4)], f"{name}_f")
        inner.op("Add", [inner.op(kind, ["x"], f"{name}_k"), f"{name}_f"], f"{name}_y")
        branches[name] = helper.make_graph(
            inner.nodes,
            name,
            [],
            [helper.make_tensor_value_info(f"{name}_y", TensorProto.FLOAT, [2, 4])],
            inner.weights,
        )
    total = build.op("ReduceSum", ["x"], "total", keepdims=0)
    zero = build.constant("zero", np.float32(0))
    build.op("If", [build.op("Greater", [total, zero], "flag")], "y", **branches)
    made = state(build.model([2, 4], [2, 4]))
    before = outputs_of(made.input_file(), (2, 4))
    np.testing.assert_allclose(outputs_of(optimized(made), (2, 4)), before, rtol=1e-6)
    assert made.stats.model["operators"].get("Mul", 0) == 0


def test_model_of_float16_goes_on_as_it_is(state):
    """ONNX Runtime would put casts to float32 around what its CPU cannot do in float16."""
    half = TensorProto.FLOAT16
    weight = numpy_helper.from_array(np.ones((8, 8), np.float16), "w")
    values = [helper.make_tensor_value_info(name, half, [2, 8]) for name in "xy"]
    nodes = [helper.make_node("Gemm", ["x", "w"], ["g"]), helper.make_node("Erf", ["g"], ["y"])]
    proto = helper.make_model(
        helper.make_graph(nodes, "g", values[:1], values[1:], [weight]),
        opset_imports=[helper.make_opsetid("", 20)],
        ir_version=10,
    )
    made = state(proto)
    source = made.input
    optimized(made)
    assert made.newest(ONNX_MODEL) is not source
    assert made.newest(ONNX_MODEL).files == source.files
    assert made.newest(ONNX_MODEL).info == source.info
    assert ["put optimize-onnx before convert-fp16" in note for note in made.context.notes] == [
        True
    ]
    assert temporary_files(made) == []


BFLOAT16 = TensorProto.BFLOAT16


def with_bfloat16(where):
    """A model that adds in bfloat16, and says so in one place."""
    kind = BFLOAT16 if where == "inputs" else TensorProto.FLOAT
    values = [helper.make_tensor_value_info(name, kind, [2]) for name in "xy"]
    nodes = [helper.make_node("Add", ["x", "x"], ["y"])]
    weights = []
    if where == "weights":
        weights = [helper.make_tensor("w", BFLOAT16, [2], [1.0, 2.0])]
        nodes = [helper.make_node("CastLike", ["x", "w"], ["b"])]
    elif where == "casts":
        nodes = [helper.make_node("Cast", ["x"], ["b"], to=BFLOAT16)]
    if where != "inputs":
        nodes.append(helper.make_node("Add", ["b", "b"], ["c"]))
        nodes.append(helper.make_node("Cast", ["c"], ["y"], to=TensorProto.FLOAT))
    return helper.make_model(
        helper.make_graph(nodes, "g", values[:1], values[1:], weights),
        opset_imports=[helper.make_opsetid("", 20)],
        ir_version=10,
    )


@pytest.mark.parametrize("where", ["inputs", "weights", "casts"])
def test_model_of_bfloat16_goes_on_as_it_is(state, where):
    """ONNX Runtime's CPU cannot load it."""
    made = state(with_bfloat16(where))
    source = made.input
    optimized(made)
    assert made.newest(ONNX_MODEL).files == source.files
    (note,) = made.context.notes
    assert "computes in bfloat16" in note
    assert "put convert-fp32 before optimize-onnx" in note
    assert temporary_files(made) == []


@pytest.mark.parametrize("beside", [False, True])
def test_what_else_onnx_runtime_lacks_is_an_error(state, beside):
    """Also beside something of bfloat16, which is not what it lacks."""
    values = [helper.make_tensor_value_info(name, TensorProto.DOUBLE, [2]) for name in "xy"]
    nodes = [helper.make_node("Erf", ["x"], ["y"], name="it's")]
    if beside:
        nodes.append(helper.make_node("Cast", ["x"], ["b"], to=BFLOAT16))
        values.append(helper.make_tensor_value_info("b", BFLOAT16, [2]))
    graph = helper.make_graph(nodes, "g", values[:1], values[1:])
    proto = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10)
    with pytest.raises(BuildError, match="Could not find an implementation for Erf"):
        optimized(state(proto))


def test_nothing_temporary_stays(state, convolutions):
    made = state(convolutions())
    optimized(made)
    assert temporary_files(made) == []


def test_damaged_source_is_one_sentence(state, convolutions):
    made = state(convolutions())
    path = made.input_file()
    path.write_bytes(path.read_bytes()[:500])
    with pytest.raises(BuildError, match=r"source\.onnx is no ONNX model, or is damaged"):
        optimized(made)
    assert temporary_files(made) == []


def test_weights_that_are_gone_are_named(state, convolutions):
    made = state(convolutions())
    (made.build.path / made.input.files[1].path).unlink()
    with pytest.raises(BuildError, match=r"weight '.*' of source\.onnx .* cannot be read"):
        optimized(made)


def test_operator_that_onnxruntime_does_not_know_is_named(state):
    node = helper.make_node("Strange", ["x"], ["y"], domain="my.own")
    values = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [2]) for name in "xy"]
    proto = helper.make_model(
        helper.make_graph([node], "g", values[:1], values[1:]),
        opset_imports=[helper.make_opsetid("", 20), helper.make_opsetid("my.own", 1)],
        ir_version=10,
    )
    made = state(proto)
    with pytest.raises(
        BuildError, match=r"cannot optimize this model: .*my\.own:Strange"
    ) as caught:
        optimized(made)
    assert "\n" not in str(caught.value)
    assert temporary_files(made) == []


def test_model_that_contradicts_itself_is_one_sentence(state, graph):
    build = graph()
    build.op("MatMul", ["x", build.weight("w", 5, 5)], "y")
    made = state(build.model([2, 4], [2, 5]))
    with pytest.raises(BuildError, match="ONNX Runtime cannot optimize this model"):
        optimized(made)


@pytest.fixture
def small_files():
    """Let no file be larger than 2,000 bytes, as on a disk that is full."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2000, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_full_disk_is_one_sentence_and_leaves_nothing(state, transformer, request):
    made = state(transformer(2))
    names = sorted(path.name for path in made.folder("onnx").iterdir())
    request.getfixturevalue("small_files")
    with pytest.raises(BuildError, match="cannot write what it made to .*Make room"):
        optimized(made)
    assert sorted(path.name for path in made.folder("onnx").iterdir()) == names


def test_file_that_cannot_be_replaced_is_one_sentence(state, convolutions):
    made = state(convolutions())
    made.folder("onnx/optimize-onnx-12345678.onnx/occupied")
    with pytest.raises(BuildError, match=r"optimize-onnx-12345678\.onnx cannot be written"):
        optimized(made)
    assert temporary_files(made) == []


def test_worker_that_is_killed_leaves_nothing(state, convolutions, monkeypatch, tmp_path):
    script = tmp_path / "task.py"
    script.write_text(
        "import os, pathlib\n"
        "def run(arguments):\n"
        "    pathlib.Path(arguments['target']).write_text('half')\n"
        "    os.kill(os.getpid(), 9)\n"
    )
    monkeypatch.setattr(tool, "_TASK", script)
    made = state(convolutions())
    with pytest.raises(BuildError, match="SIGKILL; probably out of memory"):
        optimized(made)
    assert temporary_files(made) == []


def test_kind_of_cpu_is_settled_for_level_all_alone(monkeypatch):
    monkeypatch.setattr(tool, "cpu_kind", lambda: "x86_64-avx")
    resolve = OptimizeOnnx.resolve
    assert resolve(OptimizeOnnxOptions(level="all"), Registry()).cpu == "x86_64-avx"
    assert resolve(OptimizeOnnxOptions(), Registry()).cpu is None
    with pytest.raises(PlanError, match="--cpu any has no meaning with --level basic"):
        resolve(OptimizeOnnxOptions(cpu="any"), Registry())


def test_layout_for_another_cpu_is_refused(state, convolutions):
    made = state(convolutions())
    with pytest.raises(BuildError, match="laid out for another, and this machine is"):
        OptimizeOnnx().run(made, OptimizeOnnxOptions(level="all", cpu="another"))
