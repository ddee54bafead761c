"""What the worker computes and says, always in a process of its own."""

from __future__ import annotations

import numpy as np
import pytest
from onnx import TensorProto

from turnkeyml.errors import BuildError
from turnkeyml.worker.process import run_worker_once
from turnkeyml.worker.tensors import RawTensor

FLOAT, HALF, BFLOAT16, INT64 = (
    TensorProto.FLOAT,
    TensorProto.FLOAT16,
    TensorProto.BFLOAT16,
    TensorProto.INT64,
)
X = np.arange(6, dtype=np.float32).reshape(2, 3) - 2
EXACT = {"EXECUTION_MODE_HINT": "ACCURACY"}
"""Without it, OpenVINO computes in bfloat16 on processors that have it."""


def refusal(bench, feeds, **arguments):
    """Give the sentence with which a model is refused."""
    order = bench.order(feeds, 1, arguments)
    with pytest.raises(BuildError) as caught:
        run_worker_once(order, bench.folder / "refused", environment={})
    sentence = str(caught.value)
    assert "\n" not in sentence
    assert "Exception from" not in sentence
    assert ".cpp" not in sentence
    return sentence


def save_add(bench, kind=FLOAT, shape=(2, 3)):
    bench.save([("Add", ["x", "x"], ["y"], {})], {"x": (kind, shape)}, {"y": (kind, shape)})


def test_cnn_computes_what_onnx_runtime_does(bench):
    random = np.random.default_rng(0)
    weights = {
        "k": random.normal(size=(8, 3, 3, 3)).astype(np.float32),
        "kb": random.normal(size=8).astype(np.float32),
        **{n: random.random(8).astype(np.float32) + 0.5 for n in ("s", "b", "m", "v")},
        "w": random.normal(size=(8, 5)).astype(np.float32),
        "wb": random.normal(size=5).astype(np.float32),
    }
    bench.save(
        [
            ("Conv", ["x", "k", "kb"], ["c"], {"pads": [1, 1, 1, 1], "strides": [2, 2]}),
            ("BatchNormalization", ["c", "s", "b", "m", "v"], ["n"], {}),
            ("Relu", ["n"], ["r"], {}),
            ("GlobalAveragePool", ["r"], ["p"], {}),
            ("Flatten", ["p"], ["f"], {}),
            ("Gemm", ["f", "w", "wb"], ["y"], {}),
        ],
        {"x": (FLOAT, [1, 3, 32, 32])},
        {"y": (FLOAT, [1, 5])},
        weights,
    )
    feeds = {"x": random.random((1, 3, 32, 32), np.float32)}
    found, _ = bench.run(feeds, properties=EXACT)
    np.testing.assert_allclose(found["y"], bench.ort(feeds)["y"], rtol=1e-4, atol=1e-5)


def test_attention_of_int64_tokens_computes_what_onnx_runtime_does(bench):
    random = np.random.default_rng(0)
    weights = {
        "table": random.normal(size=(50, 16)).astype(np.float32),
        "scale": random.random(16).astype(np.float32),
        "shift": random.random(16).astype(np.float32),
    }
    bench.save(
        [
            ("Gather", ["table", "tokens"], ["e"], {}),
            ("LayerNormalization", ["e", "scale", "shift"], ["n"], {}),
            ("Transpose", ["n"], ["t"], {"perm": [0, 2, 1]}),
            ("MatMul", ["n", "t"], ["a"], {}),
            ("Softmax", ["a"], ["p"], {}),
            ("MatMul", ["p", "n"], ["y"], {}),
            ("ArgMax", ["y"], ["best"], {"axis": 2, "keepdims": 0}),
            ("Not", ["mask"], ["masked"], {}),
        ],
        {"tokens": (INT64, ["b", "t"]), "mask": (TensorProto.BOOL, ["b", "t"])},
        {"y": (FLOAT, None), "best": (INT64, None), "masked": (TensorProto.BOOL, None)},
        weights,
    )
    feeds = {"tokens": random.integers(0, 50, (2, 7)), "mask": random.random((2, 7)) > 0.5}
    found, facts = bench.run(feeds, properties=EXACT)
    expected = bench.ort(feeds)
    np.testing.assert_allclose(found["y"], expected["y"], rtol=1e-4, atol=1e-5)
    for name in ("best", "masked"):
        assert found[name].dtype == expected[name].dtype
        np.testing.assert_array_equal(found[name], expected[name])
    assert facts["reshaped_inputs"] == ["tokens", "mask"]


def test_outputs_have_the_files_names_and_order_also_where_they_are_one_tensor(bench):
    bench.save(
        [
            ("Add", ["x", "x"], ["sum"], {}),
            ("Identity", ["sum"], ["a"], {}),
            ("Identity", ["x"], ["b"], {}),
            ("Identity", ["weight"], ["c"], {}),
        ],
        {"x": (FLOAT, [2, 3]), "unused": (INT64, [2])},
        {name: (FLOAT, [2, 3]) for name in ("b", "sum", "a", "c")},
        {"weight": X + 1},
    )
    found, _ = bench.run({"unused": np.zeros(2, np.int64), "x": X})
    assert list(found) == ["b", "sum", "a", "c"]
    for name, expected in {"b": X, "sum": X + X, "a": X + X, "c": X + 1}.items():
        np.testing.assert_array_equal(found[name], expected)


def test_input_that_openvino_renames_is_still_fed(bench):
    bench.save(
        [
            ("SequenceConstruct", ["x", "x"], ["s"], {}),
            ("SequenceAt", ["s", "first"], ["q"], {}),
            ("Add", ["q", "z"], ["y"], {}),
        ],
        {"x": (FLOAT, [2, 3]), "z": (FLOAT, [2, 3])},
        {"y": (FLOAT, [2, 3])},
        {"first": np.array(0)},
    )
    found, _ = bench.run({"of another model": np.zeros(2), "z": np.ones_like(X), "x": X})
    np.testing.assert_array_equal(found["y"], X + 1)


@pytest.mark.parametrize(("reshape", "names"), [(True, ["x"]), (False, [])])
def test_dynamic_inputs_get_the_captured_shapes_unless_asked_not_to(bench, reshape, names):
    save_add(bench, shape=("n", 3))
    found, facts = bench.run({"x": X}, reshape=reshape)
    np.testing.assert_array_equal(found["y"], X + X)
    assert facts["reshaped_inputs"] == names


@pytest.mark.parametrize("value", [X[:0], np.float32(3)], ids=["empty", "scalar"])
def test_empty_tensors_and_scalars_are_fed(bench, value):
    save_add(bench, shape=value.shape)
    found, _ = bench.run({"x": value})
    assert found["y"].shape == value.shape
    np.testing.assert_array_equal(found["y"], value + value)


def test_outputs_whose_size_depends_on_values_are_fetched_whole(bench):
    bench.save(
        [("NonZero", ["x"], ["y"], {})], {"x": (FLOAT, [2, 3])}, {"y": (INT64, [2, "found"])}
    )
    found, _ = bench.run({"x": X})
    np.testing.assert_array_equal(found["y"], np.nonzero(X))


def test_model_without_inputs_is_run(bench):
    bench.save([("Identity", ["w"], ["y"], {})], {}, {"y": (FLOAT, [2, 3])}, {"w": X})
    found, _ = bench.run({})
    np.testing.assert_array_equal(found["y"], X)


def test_values_of_any_dtype_go_in_and_out_with_their_bits(bench):
    kinds = {
        "bfloat16": BFLOAT16,
        "float16": HALF,
        "float8_e4m3fn": TensorProto.FLOAT8E4M3FN,
        "float8_e5m2": TensorProto.FLOAT8E5M2,
        "uint16": TensorProto.UINT16,
        "int8": TensorProto.INT8,
    }
    bits = bytes([0, 0x3C, 0x40, 0x3C, 0x81, 0x42])
    counts = {dtype: 3 if dtype.endswith("16") else 6 for dtype in kinds}
    bench.save(
        [("Identity", [dtype], [f"{dtype}_out"], {}) for dtype in kinds],
        {dtype: (kind, [counts[dtype]]) for dtype, kind in kinds.items()},
        {f"{dtype}_out": (kind, [counts[dtype]]) for dtype, kind in kinds.items()},
    )
    feeds = {d: RawTensor(d, (count,), memoryview(bits)) for d, count in counts.items()}
    found, _ = bench.run(feeds)
    for dtype, count in counts.items():
        tensor = bench.raw(found[f"{dtype}_out"])
        assert (tensor.dtype, tensor.shape) == (dtype, (count,))
        assert bytes(tensor.data) == bits


def test_weights_beside_the_model_are_found(bench):
    bench.save(
        [("Add", ["x", "w"], ["y"], {})],
        {"x": (FLOAT, [2, 3])},
        {"y": (FLOAT, [2, 3])},
        {"w": X},
        save_as_external_data=True,
        location="weights.data",
        size_threshold=0,
    )
    found, _ = bench.run({"x": X})
    np.testing.assert_array_equal(found["y"], X + X)
    (bench.folder / "weights.data").unlink()
    assert "weights.data" in refusal(bench, {"x": X})


def test_float32_is_computed_in_float32_unless_less_is_asked_for(two_layers, bench):
    feeds, exact = two_layers()
    found, facts = bench.run(feeds, properties=EXACT)
    np.testing.assert_allclose(found["y"], exact, rtol=1e-5)
    assert set(facts["operator_precisions"]) == {"f32"}
    less, told = bench.run(feeds, properties={"INFERENCE_PRECISION_HINT": "bf16"})
    if told["inference_precision_hint"] != "bf16":
        pytest.skip("OpenVINO has no bfloat16 on this processor.")
    # A fused operator is said to be float32 even so.
    assert sum(told["operator_precisions"].values()) > 0
    assert np.abs(less["y"] / exact - 1).max() > 1e-4
    np.testing.assert_allclose(less["y"], exact, rtol=0.05)


def test_float16_model_takes_and_gives_float16(two_layers, bench):
    feeds, exact = two_layers(np.float16)
    found, _ = bench.run(feeds, properties=EXACT)
    assert found["y"].dtype == np.float16
    np.testing.assert_allclose(found["y"], exact, rtol=2e-3)


def test_properties_reach_openvino_and_facts_say_what_it_made_of_them(two_layers, bench):
    feeds, exact = two_layers()
    properties = {
        "PERFORMANCE_HINT": "THROUGHPUT",
        "NUM_STREAMS": "2",
        "INFERENCE_NUM_THREADS": "1",
        "ENABLE_CPU_PINNING": "NO",
        "EXECUTION_MODE_HINT": "PERFORMANCE",
        "INFERENCE_PRECISION_HINT": "f32",
    }
    found, facts = bench.run(feeds, properties=properties)
    np.testing.assert_allclose(found["y"], exact, rtol=1e-5)
    assert facts["performance_hint"] == "THROUGHPUT"
    assert facts["execution_mode_hint"] == "PERFORMANCE"
    assert facts["inference_precision_hint"] == "f32"
    assert facts["inference_num_threads"] == 1
    assert facts["enable_cpu_pinning"] is False
    assert facts["version"].count(".") == 2


def test_requests_side_by_side_are_measured_where_openvino_advises_several(two_layers, bench):
    feeds, _ = two_layers()
    alone = bench.measure(feeds, properties={"PERFORMANCE_HINT": "LATENCY"})
    assert "parallel_requests" not in alone.facts
    several = bench.measure(feeds, properties={"NUM_STREAMS": "2"}, iterations=50)
    assert several.facts["num_streams"] == several.facts["parallel_requests"] == 2
    assert several.facts["parallel_throughput_ips"] > 0
    assert len(several.samples["timed_ns"]) == 50


def test_load_time_is_reading_and_compiling(two_layers, bench):
    feeds, _ = two_layers()
    result = bench.measure(feeds)
    assert 0 < result.facts["compile_ms"] < result.summary["load_ms"]
    assert result.facts["loaded_from_cache"] is False


def test_compiled_model_is_kept_where_it_is_asked_for_and_found_there(two_layers, bench):
    feeds, exact = two_layers()
    properties = {**EXACT, "CACHE_DIR": str(bench.folder / "cache")}
    _, first = bench.run(feeds, properties=properties)
    found, second = bench.run(feeds, properties=properties)
    assert (first["loaded_from_cache"], second["loaded_from_cache"]) == (False, True)
    assert [path.suffix for path in (bench.folder / "cache").iterdir()] == [".blob"]
    np.testing.assert_allclose(found["y"], exact, rtol=1e-5)


def test_nothing_is_written_into_the_home_folder(two_layers, bench, monkeypatch):
    feeds, _ = two_layers()
    home = bench.folder / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    # Its reports are off by themselves where it believes to run in a build server.
    for name in ("CI", "TF_BUILD", "JENKINS_URL"):
        monkeypatch.delenv(name, raising=False)
    bench.run(feeds)
    assert list(home.rglob("*")) == []


def test_operators_that_openvino_does_not_know_are_all_named(bench):
    bench.save(
        [
            ("Nonsense", ["x"], ["a"], {"domain": "com.example"}),
            ("More", ["a"], ["y"], {"domain": "com.example"}),
        ],
        {"x": (FLOAT, [2, 3])},
        {"y": (FLOAT, [2, 3])},
        domains=["com.example"],
    )
    assert refusal(bench, {"x": X}) == (
        "OpenVINOError: it cannot read model.onnx: it does not know the operators "
        "com.example.More, com.example.Nonsense."
    )


def test_operator_that_openvino_cannot_take_as_it_is_is_named_with_the_reason(bench):
    bench.save(
        [("Conv", ["x", "x"], ["y"], {"kernel_shape": [3]})],
        {"x": (FLOAT, [2, 3])},
        {"y": (FLOAT, [2, 3])},
    )
    sentence = refusal(bench, {"x": X})
    assert sentence.startswith("OpenVINOError: it cannot read model.onnx at Conv")
    assert "Expected a 3D, 4D or 5D tensor" in sentence


def test_operator_that_the_processor_cannot_do_is_refused_when_it_is_compiled(bench):
    bench.save(
        [("Cast", ["x"], ["y"], {"to": TensorProto.STRING})],
        {"x": (FLOAT, [2, 3])},
        {"y": (TensorProto.STRING, [2, 3])},
    )
    sentence = refusal(bench, {"x": X})
    assert sentence.startswith("OpenVINOError: it cannot compile the model: Unsupported operation")


def test_text_among_the_outputs_is_no_tensor(bench):
    outputs = {"y": (TensorProto.STRING, [1])}
    bench.save([("Identity", ["w"], ["y"], {})], {}, outputs, {"w": np.array(["a"], object)})
    order = bench.order({}, 1, {})
    told = run_worker_once(order, bench.folder / "outputs", environment={})
    assert told.unavailable == "the output 'y' has the type string, which is not known"


def test_file_that_is_no_model_is_one_sentence(bench):
    bench.model.write_bytes(b"This is no model.\n")
    sentence = refusal(bench, {"x": X})
    assert sentence.startswith("OpenVINOError: it cannot read model.onnx: ")


def test_captured_shape_that_does_not_go_with_the_weights_is_refused(bench):
    bench.save(
        [("MatMul", ["x", "w"], ["y"], {})],
        {"x": (FLOAT, ["a", "b"])},
        {"y": (FLOAT, ["a", 4])},
        {"w": np.ones((3, 4), np.float32)},
    )
    sentence = refusal(bench, {"x": np.ones((2, 5), np.float32)})
    assert sentence.startswith(
        "OpenVINOError: it cannot give the inputs the captured shapes: Incompatible MatMul"
    )


@pytest.mark.parametrize(
    ("feeds", "words"),
    [
        ({}, "no captured value for the inputs x"),
        ({"x": X.astype(np.float64)}, "takes x as float32 .* and the captured value is float64"),
        ({"x": X[:, :2]}, r"of the shape \[2,3\], and .* of the shape \[2, 2\]"),
    ],
    ids=["missing", "dtype", "shape"],
)
def test_captured_values_that_do_not_fit_are_named(bench, feeds, words):
    save_add(bench)
    order = bench.order(feeds, 1, {})
    with pytest.raises(BuildError, match=words):
        run_worker_once(order, bench.folder / "refused", environment={})


def test_inputs_are_not_guessed_where_two_could_be_meant(bench):
    bench.save(
        [("Sub", ["a", "b"], ["y"], {})],
        {"a": (FLOAT, [2, 3]), "b": (FLOAT, [2, 3])},
        {"y": (FLOAT, [2, 3])},
    )
    with pytest.raises(BuildError, match="no captured value for the inputs a, b"):
        bench.run({"p": X, "q": X})


@pytest.mark.parametrize(
    ("properties", "words"),
    [
        ({"NO_SUCH": "1"}, "Unsupported property NO_SUCH"),
        ({"INFERENCE_PRECISION_HINT": "f8"}, "Wrong value f8 for property key"),
    ],
    ids=["name", "value"],
)
def test_property_that_openvino_does_not_take_is_one_sentence(bench, properties, words):
    save_add(bench)
    assert words in refusal(bench, {"x": X}, properties=properties)


def test_openvino_that_cannot_be_loaded_is_one_sentence(bench, monkeypatch):
    save_add(bench)
    (bench.folder / "openvino.py").write_text("raise ImportError('libtbb.so.12:\\n no such file')")
    monkeypatch.setenv("PYTHONPATH", str(bench.folder))
    assert refusal(bench, {"x": X}) == (
        "ImportError: OpenVINO cannot be loaded: libtbb.so.12: no such file"
    )
