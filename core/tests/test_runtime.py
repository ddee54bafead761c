"""Runtimes: three forms and a worker, what is attached and when, and what is refused."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from turnkeyml.device import Device
from turnkeyml.errors import BuildError, PluginError
from turnkeyml.runtime import (
    CONTEXT_NAMES,
    LATENCY_UNITS,
    THROUGHPUT_UNITS,
    BaseRT,
    MeasuredPerformance,
    ModelInputs,
    RuntimeContext,
    RuntimeStats,
    check_performance,
    opened,
    returns_outputs,
)
from turnkeyml.worker.tensors import RawTensor, read_tensors, write_tensors

DEVICE = Device("npu", "part", "config")


@pytest.fixture
def context(tmp_path: Path) -> RuntimeContext:
    (tmp_path / "out").mkdir()
    (tmp_path / "model.toy").write_text("3")
    return RuntimeContext(
        cache_dir=tmp_path,
        build_name="toy_12345678",
        stats=RuntimeStats(),
        iterations=12,
        model=tmp_path / "model.toy",
        inputs={"x": 1},
        device=DEVICE,
        device_info=None,
        runtime="toyrt",
        output_dir=tmp_path / "out",
    )


def run(
    runtime_class: type[BaseRT], context: RuntimeContext, **rt_args: Any
) -> MeasuredPerformance:
    with opened(runtime_class, context, rt_args) as runtime:
        return check_performance(runtime.benchmark(), context.runtime)


class Infers(BaseRT):
    def _setup(self) -> None:
        self.calls = 0

    def infer(self) -> Any:
        self.calls += 1
        self.stats.save_model_eval_stat("calls", self.calls)
        return sum(range(10_000))

    def device_name(self) -> str:
        return "Toy NPU"

    def version(self) -> str:
        return "2.0"


def test_one_inference_is_measured_by_the_core(context: RuntimeContext) -> None:
    found = run(Infers, context)
    assert found.device == "Toy NPU"
    assert found.device_type == "npu::part::config"
    assert (found.runtime, found.runtime_version) == ("toyrt", "2.0")
    assert found.build_name == "toy_12345678"
    assert found.statistics["iterations"] == 12
    assert len(found.samples["timed_ns"]) == 12
    assert found.mean_latency == pytest.approx(sum(found.samples["timed_ns"]) / 12 / 1e6)
    assert found.throughput == pytest.approx(1000 / found.mean_latency)
    assert found.verdict in ("valid", "noisy")
    assert (found.latency_units, found.throughput_units) == (LATENCY_UNITS, THROUGHPUT_UNITS)
    warm_up = found.statistics["warm_up_iterations"]
    assert context.stats.values["calls"] == 1 + warm_up + 12


def test_a_runtime_may_report_a_stat_of_its_own(context: RuntimeContext) -> None:
    run(Infers, context)
    assert set(context.stats.values) == {"calls"}


# As the guide for contributors describes it: the second form, with an argument of its own.
class ExampleRT(BaseRT):
    def __init__(self, *args, example_arg: str = "default", **kwargs):
        self.example_arg = example_arg
        super().__init__(*args, **kwargs)

    def _setup(self):
        self.log = Path(self.output_dir, "setup.txt")
        self.log.write_text("set up once\n")

    def _execute(self, output_dir: str, onnx_file: str, outputs_file: str, iterations: int):
        latency = float(Path(onnx_file).read_text())
        report = {"latency": latency, "n": iterations, "arg": self.example_arg}
        Path(outputs_file).write_text(json.dumps(report))
        assert Path(output_dir).is_dir()
        self.outputs_file = outputs_file

    def _report(self):
        return json.loads(Path(self.outputs_file).read_text())

    def mean_latency(self):
        self.stats.save_model_eval_stat("custom_stat", self._report()["arg"])
        return self._report()["latency"]

    def throughput(self):
        return 1000 / self._report()["latency"]

    def device_name(self):
        return "AMD Ryzen 7 PRO 6850U with Radeon Graphics"


def test_an_outside_program_is_executed_and_its_results_are_read(context: RuntimeContext) -> None:
    found = run(ExampleRT, context, example_arg="hello")
    assert found.mean_latency == 3.0
    assert found.throughput == pytest.approx(333.33, abs=0.01)
    assert found.device == "AMD Ryzen 7 PRO 6850U with Radeon Graphics"
    assert found.verdict == "unverified"
    assert found.verdict_reasons
    assert not found.samples
    report = json.loads((context.output_dir / "outputs.json").read_text())
    assert report == {"latency": 3.0, "n": 12, "arg": "hello"}
    assert context.stats.values == {"custom_stat": "hello"}


# The third form: all the logic in benchmark().
class OverloadsBenchmark(BaseRT):
    def _setup(self):
        pass

    def mean_latency(self):
        return 2.5

    def throughput(self):
        return 400.0

    def device_name(self):
        return "Toy NPU"

    def benchmark(self):
        return MeasuredPerformance(
            mean_latency=self.mean_latency(),
            throughput=self.throughput(),
            device=self.device_name(),
            device_type=self.device_type,
            runtime=self.runtime,
            runtime_version="1.0",
            build_name=self.build_name,
        )


def test_a_runtime_may_do_everything_itself(context: RuntimeContext) -> None:
    found = run(OverloadsBenchmark, context)
    assert (found.mean_latency, found.throughput) == (2.5, 400.0)
    assert (found.device_type, found.verdict) == ("npu::part::config", "unverified")


WORKER = """
import json
import os
import sys

def open_session(request):
    return Session(request)

class Session:
    def __init__(self, request):
        self.request = request
        self.weight = int(request.model.read_text())
        if request.arguments.get("refuse"):
            raise ValueError("this model\\nis not for me")

    def infer(self):
        return {"y": sum(range(10_000 * self.weight))}

    def describe(self):
        return {
            "version": "7.7",
            "threads": os.environ.get("TOY_WORKER_THREADS"),
            "inputs": {n: [t.dtype, list(t.shape), bytes(t.data).hex()]
                       for n, t in self.request.inputs.items()},
            "turnkey": "turnkeyml" in sys.modules,
        }

    def close(self):
        print("closed in the worker", flush=True)
"""


@pytest.fixture
def worker_runtime(context: RuntimeContext, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A runtime with a worker.py beside its module, and captured inputs."""
    import importlib

    package = tmp_path / "package"
    package.mkdir()
    (package / "worker.py").write_text(WORKER)
    (package / "worker_runtime_module.py").write_text(
        "from turnkeyml.runtime import BaseRT\n"
        "class WorkerRT(BaseRT):\n"
        "    worker = 'worker.py'\n"
        "    def __init__(self, refuse: bool = False):\n"
        "        self.refuse = refuse\n"
        "    def worker_arguments(self):\n"
        "        return {'refuse': self.refuse}\n"
        "    def device_name(self):\n"
        "        return 'Toy NPU'\n"
    )
    inputs = tmp_path / "inputs"
    inputs.mkdir()
    node = {"type": "tensor", "dtype": "int16", "shape": [2], "offset": 0, "nbytes": 4}
    (inputs / "inputs.json").write_text(json.dumps({"schema": 1, "arguments": {"x": node}}))
    (inputs / "inputs.bin").write_bytes(b"\1\2\3\4")
    monkeypatch.syspath_prepend(package)
    module = importlib.import_module("worker_runtime_module")
    monkeypatch.delitem(importlib.sys.modules, "worker_runtime_module")
    monkeypatch.setitem(importlib.sys.modules, "worker_runtime_module", module)
    context = replace(
        context,
        inputs=ModelInputs(inputs, {"input.1": "x"}),
        environment={"TOY_WORKER_THREADS": "5"},
    )
    return module.WorkerRT, context


def test_a_worker_measures_in_a_process_of_its_own(worker_runtime, capfd) -> None:
    runtime_class, context = worker_runtime
    found = run(runtime_class, context)
    assert found.runtime_version == "7.7"
    assert found.facts["threads"] == "5"
    assert found.facts["inputs"] == {"input.1": ["int16", [2], "01020304"]}
    assert found.facts["turnkey"] is False
    assert len(found.samples["timed_ns"]) == 12
    assert found.statistics["load_ms"] > 0
    assert found.statistics["peak_memory_bytes"] > 1_000_000
    assert "closed in the worker" in capfd.readouterr().out


def test_a_runtime_reads_its_inputs_by_the_names_of_the_model_file(worker_runtime) -> None:
    _, context = worker_runtime
    found = context.inputs.tensors()
    assert list(found) == ["input.1"]
    assert (found["input.1"].dtype, bytes(found["input.1"].data)) == ("int16", b"\1\2\3\4")
    found["input.1"].data.release()


def test_a_worker_that_refuses_the_model_says_why_in_one_line(worker_runtime) -> None:
    runtime_class, context = worker_runtime
    with pytest.raises(BuildError, match="ValueError: this model is not for me"):
        run(runtime_class, context, refuse=True)


class Array:
    """As much of an array of NumPy as is needed."""

    def __init__(self, dtype: str, *shape: int, data: bytes = b"") -> None:
        self._name, self.shape, self._data = dtype, shape, data

    @property
    def dtype(self) -> Any:
        return type("DType", (), {"__str__": lambda _: self._name})()

    def tobytes(self) -> bytes:
        return self._data


class Computes(BaseRT):
    """Gives whatever `given` is."""

    given: Any = None

    def infer(self) -> Any:
        if isinstance(self.given, Exception):
            raise self.given
        return self.given

    def device_name(self) -> str:
        return "x"

    def version(self) -> str:
        return "4.2"


def outputs_of(given: Any, context: RuntimeContext) -> Any:
    found = type("GivesThat", (Computes,), {"given": given})
    with opened(found, context, {}) as runtime:
        told = runtime.outputs(context.output_dir / "outputs")
    assert told.version == "4.2"
    if told.unavailable:
        assert not told.folder.exists()
        return told.unavailable
    return {n: (t.dtype, t.shape, bytes(t.data)) for n, t in read_tensors(told.folder).items()}


ONE, TWO = Array("int8", 2, data=b"ab"), Array("torch.int16", data=b"cd")
ONE_READ, TWO_READ = ("int8", (2,), b"ab"), ("int16", (), b"cd")


@pytest.mark.parametrize(
    ("given", "read"),
    [
        (ONE, {"out": ONE_READ}),
        ([ONE, TWO], {"out_0": ONE_READ, "out_1": TWO_READ}),
        ((ONE, None, TWO), {"out_0": ONE_READ, "out_2": TWO_READ}),
        (
            {"b": ONE, "a": [TWO, {"c": ONE}], "n": None},
            {"b": ONE_READ, "a.0": TWO_READ, "a.1.c": ONE_READ},
        ),
        ({"e": Array("float32", 0, 3)}, {"e": ("float32", (0, 3), b"")}),
    ],
)
def test_what_infer_gives_is_kept_by_name_and_in_order(given, read, context) -> None:
    found = outputs_of(given, context)
    assert found == read
    assert list(found) == list(read)


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        (None, "one inference gives NoneType, which is no tensor"),
        ({"y": 3.5}, "the output 'y' is float, which is no tensor"),
        ([Array(">f4", 1)], "the output 'out_0' has the dtype >f4, which is not known"),
    ],
)
def test_what_is_no_tensor_is_said_instead_of_kept(given, reason, context) -> None:
    assert outputs_of(given, context) == reason


def test_an_inference_that_raises_is_no_lack_of_outputs(context) -> None:
    with pytest.raises(TypeError, match="not that shape"):
        outputs_of(TypeError("not that shape"), context)


def test_tensors_of_torch_keep_their_bits_whatever_their_dtype(context) -> None:
    torch = pytest.importorskip("torch")
    matrix = torch.arange(6, dtype=torch.float32).reshape(2, 3)
    found = outputs_of(
        {
            "half": matrix.to(torch.bfloat16).requires_grad_(),
            "turned": matrix.T,
            "empty": matrix[:0],
            "conjugated": torch.complex(matrix[0], matrix[1]).conj(),
        },
        context,
    )
    bits = matrix.to(torch.bfloat16).view(torch.int16).numpy().tobytes()
    assert found["half"] == ("bfloat16", (2, 3), bits)
    assert found["turned"] == ("float32", (3, 2), matrix.T.numpy().tobytes())
    assert found["empty"] == ("float32", (0, 3), b"")
    conjugated = torch.complex(matrix[0], -matrix[1]).numpy().tobytes()
    assert found["conjugated"] == ("complex64", (3,), conjugated)


def test_arrays_of_numpy_are_kept_in_row_major_order(context) -> None:
    numpy = pytest.importorskip("numpy")
    matrix = numpy.arange(6.0).reshape(2, 3)
    found = outputs_of({"turned": matrix.T, "number": numpy.float16(1)}, context)
    assert found["turned"] == ("float64", (3, 2), matrix.T.tobytes())
    assert found["number"] == ("float16", (), numpy.float16(1).tobytes())


def test_a_worker_gives_its_outputs_too(worker_runtime, tmp_path) -> None:
    runtime_class, context = worker_runtime
    with opened(runtime_class, context, {}) as runtime:
        told = runtime.outputs(tmp_path / "outputs")
    assert told.version == "7.7"
    assert "the output 'y' is int" in told.unavailable
    with opened(runtime_class, context, {"refuse": True}) as runtime:
        with pytest.raises(BuildError, match="this model is not for me"):
            runtime.outputs(tmp_path / "outputs")


class Program(ExampleRT):
    """A program whose outputs its author knows how to get."""

    def outputs(self, folder: Path):
        write_tensors(folder, {"y": RawTensor("int8", (1,), memoryview(b"a"))})


def test_runtimes_that_only_measure_are_known_by_their_class(worker_runtime) -> None:
    assert returns_outputs(Infers)
    assert returns_outputs(worker_runtime[0])
    assert returns_outputs(Program)
    assert not returns_outputs(ExampleRT)
    assert not returns_outputs(OverloadsBenchmark)


class Watches(BaseRT):
    """Writes down what it sees and when."""

    events: list[Any]

    def __init__(self) -> None:
        self.events = [("init", {name: getattr(self, name) for name in CONTEXT_NAMES})]

    def _setup(self) -> None:
        self.events.append("setup")

    def _teardown(self) -> None:
        self.events.append("teardown")

    def infer(self) -> None:
        return None

    def device_name(self) -> str:
        return "x"


def test_the_context_is_there_before_init_runs(context: RuntimeContext) -> None:
    with opened(Watches, context, {}) as runtime:
        assert runtime.events[1:] == ["setup"]
    _, seen = runtime.events[0]
    assert seen == {
        "cache_dir": context.cache_dir,
        "build_name": "toy_12345678",
        "stats": context.stats,
        "iterations": 12,
        "model": context.model,
        "inputs": {"x": 1},
        "device_type": "npu::part::config",
        "runtime": "toyrt",
        "output_dir": context.output_dir,
    }
    assert runtime.events[1:] == ["setup", "teardown"]


def test_init_gets_the_part_of_the_context_that_it_asks_for(context: RuntimeContext) -> None:
    class Asks(Watches):
        def __init__(self, model, iterations, arg=1) -> None:
            self.got = (model, iterations, arg)
            self.events = []

    with opened(Asks, context, {"arg": 2}) as runtime:
        assert runtime.got == (context.model, 12, 2)


def test_init_with_keyword_arguments_gets_the_whole_context(context: RuntimeContext) -> None:
    class TakesAll(Watches):
        def __init__(self, arg="a", **kwargs) -> None:
            super().__init__()
            self.got = kwargs

    with opened(TakesAll, context, {"arg": "b"}) as runtime:
        assert set(runtime.got) == set(CONTEXT_NAMES)


def test_init_may_hand_the_context_on_to_the_base_class(context: RuntimeContext) -> None:
    class HandsOn(BaseRT):
        def __init__(self, cache_dir, build_name, arg="a", **kwargs) -> None:
            super().__init__(cache_dir=cache_dir, build_name=build_name, **kwargs)
            self.arg = arg

        def infer(self) -> int:
            return sum(range(10_000))

        def device_name(self) -> str:
            return "x"

    assert run(HandsOn, context, arg="b").build_name == "toy_12345678"


def test_an_init_that_never_calls_the_base_class_works(context: RuntimeContext) -> None:
    class Forgets(Infers):
        def __init__(self) -> None:
            pass

    assert run(Forgets, context).mean_latency > 0


@pytest.mark.parametrize("where", ["_setup", "infer"])
def test_teardown_runs_once_after_a_failure_and_the_failure_is_what_is_seen(
    where: str, context: RuntimeContext
) -> None:
    torn = []

    class Fails(Watches):
        def _teardown(self) -> None:
            torn.append(1)

    def fail(self) -> None:
        raise LookupError("no driver")

    setattr(Fails, where, fail)
    with pytest.raises(LookupError, match="no driver"):
        run(Fails, context)
    assert torn == [1]


@pytest.mark.parametrize("where", ["_setup", "infer"])
def test_a_teardown_that_fails_too_does_not_hide_the_failure(
    where: str, context: RuntimeContext
) -> None:
    class Fails(Watches):
        def _teardown(self) -> None:
            self.session.close()

    def fail(self) -> None:
        raise LookupError("no driver")

    setattr(Fails, where, fail)
    with pytest.raises(LookupError, match="no driver"):
        run(Fails, context)


def test_a_teardown_that_fails_alone_is_seen(context: RuntimeContext) -> None:
    class Fails(Infers):
        def _teardown(self) -> None:
            raise LookupError("cannot close")

    with pytest.raises(LookupError, match="cannot close"):
        run(Fails, context)


def test_no_teardown_without_setup(context: RuntimeContext) -> None:
    torn = []

    class Fails(Watches):
        def __init__(self) -> None:
            raise LookupError("bad argument")

        def _teardown(self) -> None:
            torn.append(1)

    with pytest.raises(LookupError, match="bad argument"):
        run(Fails, context)
    assert torn == []


def test_a_runtime_that_overrides_nothing_says_what_it_lacks(context: RuntimeContext) -> None:
    class Bare(BaseRT):
        def device_name(self) -> str:
            return "x"

    with pytest.raises(PluginError, match=r"Bare has no _execute\(\)"):
        run(Bare, context)


def test_a_runtime_without_a_latency_says_what_it_lacks(context: RuntimeContext) -> None:
    class Half(BaseRT):
        def _execute(self, output_dir, onnx_file, outputs_file, iterations) -> None:
            pass

        def device_name(self) -> str:
            return "x"

    with pytest.raises(PluginError, match=r"Half has no mean_latency\(\)"):
        run(Half, context)


def test_a_runtime_without_a_device_name_cannot_be_made(context: RuntimeContext) -> None:
    class Nameless(BaseRT):
        def infer(self) -> None:
            return None

    with pytest.raises((PluginError, TypeError), match="device_name"):
        run(Nameless, context)


@pytest.mark.parametrize("found", [None, 3.5, (1, 2), {"mean_latency": 1}])
def test_a_benchmark_that_gives_something_else_is_refused(found: object) -> None:
    with pytest.raises(BuildError, match=r"benchmark\(\) of the runtime 'rt' gave"):
        check_performance(found, "rt")


@pytest.mark.parametrize(
    ("latency", "throughput"),
    [
        (0, 1),
        (1, 0),
        (-1, 1),
        (1, -1),
        (math.nan, 1),
        (1, math.nan),
        (math.inf, 1),
        (1, math.inf),
        (None, 1),
        (1, "fast"),
    ],
)
def test_impossible_numbers_are_refused(latency: Any, throughput: Any) -> None:
    found = MeasuredPerformance(latency, throughput, "d", "d", "rt")
    with pytest.raises(BuildError, match="'rt' reports .* which cannot be"):
        check_performance(found, "rt")


def test_possible_numbers_are_kept() -> None:
    found = MeasuredPerformance(1, 1000.0, "d", "d", "rt")
    assert check_performance(found, "rt") is found
