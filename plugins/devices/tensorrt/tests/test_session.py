"""An engine run in this process, on the stand-ins."""

from __future__ import annotations

import struct
import time
from pathlib import Path

import pytest

from turnkeyml.worker.main import Request
from turnkeyml_plugin_tensorrt.session.inference import Session
from turnkeyml_plugin_tensorrt.session.refusal import RefusalError

from .conftest import RTX_VERSION, cuda, engine_of, floats, raw

X = floats(1.0, -2.0, 3.0, 0.5, 0.25, -1.0, shape=(2, 3))
Y = (1.5, 0.0, 4.5, 2.5, 0.25, 0.0)
ARGUMENTS = {"module": "tensorrt_rtx", "title": "TensorRT-RTX", "built_with": RTX_VERSION}
MODULES = {"tensorrt_rtx": "TensorRT-RTX", "tensorrt": "TensorRT"}

pytestmark = pytest.mark.usefixtures("fakes")


@pytest.fixture
def open_session(tmp_path):
    """Opens an engine; sees that it gives back all of the GPU's memory in the end."""
    opened = []

    def make(engine=None, inputs=None, **arguments):
        path = Path(tmp_path) / "m.engine"
        path.write_bytes(engine_of() if engine is None else engine)
        given = {"x": X} if inputs is None else inputs
        opened.append(Session(Request(path, given, {**ARGUMENTS, **arguments})))
        return opened[-1]

    yield make
    for session in opened:
        session.close()
        session.close()
    if opened:
        assert (cuda().memory, cuda().handles) == ({}, {})


def refusal(open_session, *arguments, **more):
    with pytest.raises(RefusalError) as caught:
        open_session(*arguments, **more)
    if cuda().index is not None:
        assert (cuda().memory, cuda().handles) == ({}, {}), "memory is left after a refusal"
    return caught.value


def numbers(output, code="f"):
    return struct.unpack(f"<{len(output.data) // struct.calcsize(code)}{code}", output.data)


def outputs(session):
    session.infer()
    return session.tensors(None)


@pytest.mark.parametrize("module", MODULES)
@pytest.mark.parametrize("cuda_graph", [False, True])
def test_inputs_are_uploaded_and_outputs_downloaded(open_session, module, cuda_graph):
    session = open_session(module=module, title=MODULES[module], cuda_graph=cuda_graph)
    found = outputs(session)
    assert (found["y"].dtype, found["y"].shape, numbers(found["y"])) == ("float32", (2, 3), Y)


def test_one_inference_is_two_copies_a_launch_and_waiting(open_session):
    session = open_session()
    cuda().calls.clear()
    session.infer()
    assert cuda().calls == ["cudaMemcpyAsync", "cudaMemcpyAsync", "cudaStreamSynchronize"]


def test_graph_is_recorded_once_and_launched_each_time(open_session):
    session = open_session(module="tensorrt", title="TensorRT", cuda_graph=True)
    assert session.describe()["cuda_graph"] == "recorded once"
    cuda().calls.clear()
    session.infer()
    session.infer()
    assert cuda().calls == 2 * [
        "cudaMemcpyAsync", "cudaGraphLaunch", "cudaMemcpyAsync", "cudaStreamSynchronize",
    ]  # fmt: skip


def test_tensorrt_rtx_makes_graphs_itself_and_compiles_for_the_shapes_at_once(open_session):
    session = open_session(cuda_graph=True)
    assert session.describe()["cuda_graph"] == "made by TensorRT-RTX"
    config = session._context.config
    assert config.cuda_graph_strategy.name == "WHOLE_GRAPH_CAPTURE"
    assert config.dynamic_shapes_kernel_specialization_strategy.name == "EAGER"
    assert not hasattr(open_session()._context.config, "cuda_graph_strategy")


def test_several_inputs_go_in_one_copy_whatever_their_type(open_session):
    tensors = [
        ["a", "FLOAT", [2], "INPUT", ""],
        ["b", "INT64", [3], "INPUT", ""],
        ["c", "BOOL", [0], "INPUT", ""],
        ["p", "FLOAT", [2], "OUTPUT", ""],
        ["q", "INT64", [3], "OUTPUT", ""],
        ["r", "BOOL", [0], "OUTPUT", ""],
    ]
    given = {
        "b": raw("q", "int64", [1, -2, 1 << 40]),
        "a": floats(0.5, -0.5),
        "c": raw("B", "bool", []),
        "unused": floats(1.0),
    }
    session = open_session(engine_of("copy", tensors), given)
    cuda().calls.clear()
    found = outputs(session)
    assert cuda().calls.count("cudaMemcpyAsync") == 2
    assert session.outputs == list(found) == ["p", "q", "r"]
    assert numbers(found["p"]) == (0.5, -0.5)
    assert numbers(found["q"], "q") == (1, -2, 1 << 40)
    assert (found["r"].shape, bytes(found["r"].data)) == ((0,), b"")


def test_what_the_engine_reads_on_the_host_stays_there(open_session):
    tensors = [
        ["n", "INT64", [2], "INPUT", "host values"],
        ["m", "INT64", [2], "OUTPUT", "host"],
    ]
    engine = engine_of("copy", tensors, profiles=[{"n": [[1, 1], [4, 4], [8, 8]]}])
    session = open_session(engine, {"n": raw("q", "int64", [3, 5])})
    assert numbers(outputs(session)["m"], "q") == (3, 5)
    assert "cudaMemcpyAsync" not in cuda().calls
    session.close()
    message = refusal(open_session, engine, {"n": raw("q", "int64", [3, 9])}).message
    assert message == (
        "No profile of the engine takes what was captured: n holds 3x9, not from 1x1 to 8x8."
    )


@pytest.mark.parametrize("module", MODULES)
def test_output_whose_shape_depends_on_values_grows(open_session, module):
    tensors = [
        ["x", "FLOAT", [6], "INPUT", ""],
        ["places", "INT64", [1, -1], "OUTPUT", "growing"],
    ]
    given = {"x": floats(0, 3, 0, 0, 5, 7)}
    arguments = {"module": module, "title": MODULES[module]}
    session = open_session(engine_of("nonzero", tensors), given, **arguments)
    for _ in range(2):
        found = outputs(session)["places"]
        assert (found.shape, numbers(found, "q")) == ((1, 3), (1, 4, 5))
    session.close()
    told = refusal(open_session, engine_of("nonzero", tensors), given, cuda_graph=True, **arguments)
    assert told.message.endswith("that of the output places depends on values.")
    assert "Leave cuda_graph out" in told.hint


def test_memory_that_is_short_for_such_an_output_is_told(open_session):
    tensors = [
        ["x", "FLOAT", [2], "INPUT", ""],
        ["places", "INT64", [1, -1], "OUTPUT", "growing"],
    ]
    session = open_session(engine_of("nonzero", tensors), {"x": floats(1, 1)})
    cuda().fail["cudaMalloc"] = 2
    with pytest.raises(RefusalError, match="cudaMalloc failed: out of memory"):
        session.infer()


OPEN = [["x", "FLOAT", [-1, 2], "INPUT", ""], ["y", "FLOAT", [-1, 2], "OUTPUT", ""]]
PROFILES = [{"x": [[1, 2], [1, 2], [2, 2]]}, {"x": [[1, 2], [4, 2], [8, 2]]}]


def rows(count):
    return {"x": floats(*range(2 * count), shape=(count, 2))}


@pytest.mark.parametrize(
    ("count", "wanted", "taken"), [(1, None, 0), (2, None, 0), (3, None, 1), (1, 1, 1)]
)
def test_profile_is_the_first_that_takes_the_captured_shapes(open_session, count, wanted, taken):
    engine = engine_of("copy", OPEN, profiles=PROFILES)
    session = open_session(engine, rows(count), profile=wanted)
    found = outputs(session)["y"]
    assert (found.shape, numbers(found)) == ((count, 2), tuple(range(2 * count)))
    facts = session.describe()
    assert (facts["profile"], facts["profiles"]) == (taken, 2)


@pytest.mark.parametrize(
    ("count", "wanted", "message"),
    [
        (9, None, "No profile of the engine takes what was captured: x is 9x2, not from 1x2 to 2"),
        (3, 0, "Profile 0 does not take what was captured: x is 3x2, not from 1x2 to 2x2."),
        (1, 2, "The engine has profiles 0 to 1, and none of the number 2."),
    ],
)
def test_shapes_that_no_profile_takes_are_named(open_session, count, wanted, message):
    engine = engine_of("copy", OPEN, profiles=PROFILES)
    told = refusal(open_session, engine, rows(count), profile=wanted)
    assert told.message.startswith(message)
    assert wanted == 2 or told.hint.startswith("Build an engine for it with build-trt-engine --pro")


def test_engine_of_another_shape_is_refused(open_session):
    told = refusal(open_session, inputs={"x": floats(1, 2)})
    assert told.message == "The engine takes x as 2x3, but it was captured as 2."


def test_input_that_was_not_captured_is_named(open_session):
    assert refusal(open_session, inputs={"z": X}).message == (
        "There is no captured value for the inputs x."
    )


@pytest.mark.parametrize(
    ("dtype", "captured", "found"),
    [
        ("FLOAT", raw("d", "float64", [0.5, -1.0]), (0.5, -1.0)),
        ("INT32", raw("q", "int64", [7, -7]), (7, -7)),
        ("INT64", raw("i", "int32", [7, -7]), (7, -7)),
    ],
)
def test_inputs_of_a_wider_type_are_converted_once(open_session, dtype, captured, found):
    tensors = [["x", dtype, [2], "INPUT", ""], ["y", dtype, [2], "OUTPUT", ""]]
    session = open_session(engine_of("copy", tensors), {"x": captured})
    code = {"FLOAT": "f", "INT32": "i", "INT64": "q"}[dtype]
    assert numbers(outputs(session)["y"], code) == found


@pytest.mark.parametrize(
    ("captured", "message"),
    [
        (raw("q", "int64", [1, 1 << 40]), "with numbers that int32, which the engine takes, does"),
        (floats(1, 2), "The engine takes x as int32, but it was captured as float32."),
    ],
)
def test_input_that_cannot_be_converted_is_refused(open_session, captured, message):
    tensors = [["x", "INT32", [2], "INPUT", ""], ["y", "INT32", [2], "OUTPUT", ""]]
    assert message in refusal(open_session, engine_of("copy", tensors), {"x": captured}).message


@pytest.mark.parametrize(
    ("tensor", "message"),
    [
        (["x", "INT4", [2, 3], "INPUT", ""], "The engine's x is of the type INT4, which has no"),
        (["x", "FLOAT", [2, 3], "INPUT", "chw2"], "The engine wants x in the order two wide."),
    ],
)
def test_tensors_that_cannot_be_handed_over_are_refused(open_session, tensor, message):
    assert refusal(open_session, engine_of("copy", [tensor])).message.startswith(message)


def test_parts_are_the_medians_of_the_gpus_own_times(open_session):
    session = open_session(part_runs=7)
    cuda().calls.clear()
    facts = session.describe()
    parts = facts["numbers"]
    assert parts["host_to_device_ms"] == pytest.approx(0.25)
    assert parts["compute_ms"] == pytest.approx(1.0)
    assert parts["device_to_host_ms"] == pytest.approx(0.125)
    assert 0 < parts["enqueue_ms"] < 1000
    assert cuda().calls.count("cudaEventRecord") == 4 * 7
    assert facts["ran_until_s"] <= time.perf_counter()


def test_memory_is_told_in_bytes(open_session):
    found = open_session(part_runs=1).describe()["numbers"]
    assert found["input_bytes"] == found["output_bytes"] == 24
    assert found["activation_memory_bytes"] == 4096
    assert found["weight_bytes"] == 24
    assert found["device_memory_bytes"] == found["loaded_device_memory_bytes"] == 512


def test_model_is_run_on_so_that_the_gpu_can_be_watched(open_session):
    session = open_session(part_runs=1, run_on_s=0.05)
    cuda().calls.clear()
    began = time.perf_counter()
    assert 0.05 <= session.describe()["ran_until_s"] - began < 5
    assert cuda().calls.count("cudaMemcpyAsync") > 4


def test_facts_name_software_and_gpu(open_session):
    facts = open_session().describe()
    assert facts == {
        "version": "1.7.1.116 of TensorRT-RTX",
        "gpu": "Fake GPU 0",
        "compute_capability": "9.0",
        "cuda_driver_version": "13.0",
        "cuda_bindings_version": "13.4",
        "cuda_graph": "none",
        "profile": 0,
        "profiles": 1,
        "layers": 3,
    }


@pytest.mark.parametrize(
    ("engine", "words", "advice"),
    [
        (b"", "m.engine is empty", "Build it again"),
        (b"vtrtjunk", "TensorRT-RTX finds no engine in m.engine", "--rebuild always"),
        (
            engine_of(tensors=0, version="1.6.1.10", invalid=1),
            "was built with TensorRT-RTX 1.6.1.10, and TensorRT-RTX 1.7.1.116, which is installed,",
            "install the version that built it",
        ),
        (
            b'vtrt{"version": "1.7.1.116", "invalid": 2}',
            "for other GPUs than Fake GPU 0, whose compute capability is 9.0",
            "--compute-capability 9.0",
        ),
        (engine_of(no_context=1), "cannot be made ready to run: the GPU is full", "The log has"),
        (engine_of(shapes_fail=1), "not tell its outputs' shapes: the shapes of a and b diffe", ""),
    ],
)
def test_engine_that_cannot_be_used_is_refused(open_session, monkeypatch, engine, words, advice):
    version = "1.6.1.10" if b"1.6.1" in engine else RTX_VERSION
    monkeypatch.setenv("FAKE_TRT_VERSION", RTX_VERSION)
    told = refusal(open_session, engine, built_with=version)
    assert words in told.message
    assert told.hint.find(advice) >= 0


def test_engine_that_tensorrt_does_not_take_is_explained_by_its_log(open_session, monkeypatch):
    monkeypatch.setenv("FAKE_TRT_VERSION", "10.16.1")
    arguments = {"module": "tensorrt", "title": "TensorRT"}
    engine = engine_of(version="10.3.0", magic=b"ftrt")
    told = refusal(open_session, engine, built_with=None, **arguments)
    assert told.message == "TensorRT 10.16.1 cannot load m.engine: the plan is of 10.3.0."
    known = refusal(open_session, engine, built_with="10.3.0", **arguments)
    assert "was built with TensorRT 10.3.0, and TensorRT 10.16.1" in known.message


def test_engine_that_fails_while_it_runs_is_told_with_its_reason(open_session):
    session = open_session(engine_of(run_fails=1))
    session.infer()
    with pytest.raises(RefusalError) as caught:
        session.infer()
    assert caught.value.message == "The engine does not run: no kernel."


def test_engine_that_no_graph_can_have_is_refused_with_advice(open_session):
    told = refusal(
        open_session,
        engine_of(not_recordable=1),
        module="tensorrt",
        title="TensorRT",
        cuda_graph=True,
    )
    assert "cannot be launched as a CUDA graph: CUDA's cudaStreamEndCapture failed" in told.message
    assert told.hint == "Leave cuda_graph out of --rt-args."


@pytest.mark.parametrize("function", ["cudaMemcpyAsync", "cudaStreamSynchronize"])
def test_call_of_cuda_that_fails_during_an_inference_is_named(open_session, function):
    session = open_session()
    cuda().fail[function] = 700
    with pytest.raises(RefusalError) as caught:
        session.infer()
    assert caught.value.message == (
        f"CUDA's {function} failed: illegal access (cudaErrorIllegalAddress)."
    )
    assert "A kernel of the engine is at fault" in caught.value.hint
    del cuda().fail[function]


@pytest.mark.parametrize(
    "function",
    ["cudaSetDevice", "cudaMemGetInfo", "cudaMalloc", "cudaHostAlloc", "cudaStreamCreateWithFlags"],
)
def test_call_of_cuda_that_fails_while_loading_is_named(open_session, fakes, function):
    fakes(fail={function: 2})
    told = refusal(open_session)
    assert told.message.startswith(f"CUDA's {function} failed: out of memory (cudaErrorMemoryAll")
    assert told.hint == "Stop other programs on the GPU, or use a smaller batch."


def test_call_of_cuda_that_fails_in_a_graph_is_named(open_session):
    session = open_session(module="tensorrt", title="TensorRT", cuda_graph=True)
    cuda().fail["cudaGraphLaunch"] = 700
    with pytest.raises(RefusalError, match="CUDA's cudaGraphLaunch failed"):
        session.infer()
