"""The runtime `torch-eager`, and what both have in common."""

from __future__ import annotations

import time

import pytest
import torch

from turnkeyml.errors import BuildError
from turnkeyml.worker.tensors import read_tensors
from turnkeyml_plugin_torchrt.runtime import TorchEager
from turnkeyml_torch import eval_mode, flatten_outputs


class Net(torch.nn.Module):
    """Behaves otherwise in training, and notes how it was called."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(3)
        self.fc = torch.nn.Linear(8, 4)
        self.drop = torch.nn.Dropout(0.5)
        self.seen = []

    def forward(self, x, scale=1.0):
        self.seen.append((self.training, torch.is_grad_enabled(), torch.get_num_threads()))
        y = self.drop(self.fc(x)) * scale
        return {"y": y, "all": (y, y.sum())}


X = torch.linspace(0, 1, 16).reshape(2, 8)


def test_exactly_the_iterations_asked_for_are_timed(open_runtime):
    net = Net()
    with open_runtime(TorchEager, net, X, iterations=7, schedule={"warm_up": 3}) as runtime:
        found = runtime.benchmark()
    assert len(found.samples["timed_ns"]) == 7
    assert found.statistics["iterations"] == 7
    # The first, one more now that its effect on the inputs is known, three of warm-up, the timed.
    assert len(net.seen) == 1 + 1 + 3 + 7
    assert found.statistics["warm_up_iterations"] == 4
    assert found.mean_latency == pytest.approx(sum(found.samples["timed_ns"]) / 7e6)
    assert found.throughput == pytest.approx(1000 / found.mean_latency)
    assert found.verdict in ("valid", "noisy")
    assert found.device == "Fake Processor 9"
    assert found.runtime_version == torch.__version__
    assert found.statistics["load_ms"] >= 0


def test_module_is_called_in_evaluation_without_gradients(open_runtime):
    net = Net()
    with open_runtime(TorchEager, net, X) as runtime:
        runtime.benchmark()
    assert {seen[:2] for seen in net.seen} == {(False, False)}


def test_module_has_its_modes_and_parameters_back(open_runtime):
    net = Net().train()
    net.fc.eval()
    pointers = [p.data_ptr() for p in net.parameters()]
    with open_runtime(TorchEager, net, X) as runtime:
        runtime.benchmark()
    assert (net.training, net.fc.training, net.drop.training) == (True, False, True)
    assert [p.data_ptr() for p in net.parameters()] == pointers
    assert all(p.requires_grad for p in net.parameters())


def test_everything_is_back_after_a_model_that_raises(open_runtime):
    class Raises(Net):
        def forward(self, x):
            raise ValueError("no such luck\nand more of it")

    net = Raises().train()
    with pytest.raises(BuildError, match=r"^Raises raised ValueError: no such luck\. The whole"):
        with open_runtime(TorchEager, net, X, rt_args={"threads": 1}) as runtime:
            runtime.benchmark()
    assert net.training


def test_outputs_come_by_name_and_are_the_model_s_own(open_runtime, tmp_path):
    net = Net()
    with torch.no_grad(), eval_mode(net):
        expected = flatten_outputs(net(X, scale=2.0))
    with open_runtime(TorchEager, net, X, scale=2.0) as runtime:
        outputs = runtime.infer()
        written = runtime.outputs(tmp_path / "outputs")
    assert list(outputs) == ["y", "all.0", "all.1"]
    assert all(torch.equal(outputs[name], expected[name]) for name in expected)
    assert written.unavailable == ""
    found = read_tensors(tmp_path / "outputs")
    assert list(found) == ["y", "all.0", "all.1"]
    written_y = torch.frombuffer(bytearray(found["y"].data), dtype=torch.float32)
    assert torch.equal(written_y.reshape(2, 4), expected["y"])


def test_captured_inputs_are_not_written_to(open_runtime):
    class Writes(torch.nn.Module):
        def forward(self, x):
            return x.add_(1)

    x = torch.zeros(3)
    with open_runtime(TorchEager, Writes(), x) as runtime:
        found = runtime.benchmark()
        assert runtime.infer()["out"].tolist() == [1, 1, 1]
    assert found.facts["inputs_copied_each_time"] is True
    assert 0 < found.statistics["input_copy_ms"] < found.mean_latency * 2
    assert x.tolist() == [0, 0, 0]


def test_random_numbers_are_the_same_each_time_and_the_process_keeps_its_own(open_runtime):
    class Noise(torch.nn.Module):
        def forward(self, x):
            return x + torch.rand(3)

    drawn = []
    state = torch.get_rng_state()
    for _ in range(2):
        with open_runtime(TorchEager, Noise(), torch.zeros(3)) as runtime:
            drawn.append(runtime.infer()["out"])
    assert torch.equal(*drawn)
    assert torch.equal(torch.get_rng_state(), state)


def test_threads_are_set_meanwhile(open_runtime):
    net = Net()
    before = torch.get_num_threads()
    with open_runtime(TorchEager, net, X, rt_args={"threads": before + 1}) as runtime:
        found = runtime.benchmark()
    assert {seen[2] for seen in net.seen} == {before + 1}
    assert found.facts["threads"] == before + 1
    assert torch.get_num_threads() == before


@pytest.mark.parametrize(
    ("dtype", "expected"),
    [("bfloat16", torch.bfloat16), ("float16", torch.float16), ("float32", torch.float32)],
)
def test_autocast_computes_in_that_dtype(open_runtime, dtype, expected):
    net = Net()
    with open_runtime(TorchEager, net, X, rt_args={"dtype": dtype}) as runtime:
        assert runtime.infer()["y"].dtype is expected
        assert runtime.facts()["dtype"] == dtype
    assert net.fc.weight.dtype is torch.float32


def test_nothing_is_cast_by_default(open_runtime):
    net = Net().bfloat16()
    with open_runtime(TorchEager, net, X.bfloat16()) as runtime:
        assert runtime.infer()["y"].dtype is torch.bfloat16


@pytest.mark.parametrize(
    ("rt_args", "told"),
    [({"dtype": "int8"}, "has no dtype 'int8'"), ({"threads": 0}, "at least one thread")],
)
def test_impossible_arguments_are_refused(open_runtime, rt_args, told):
    with pytest.raises(BuildError, match=told):
        with open_runtime(TorchEager, Net(), X, rt_args=rt_args):
            raise AssertionError("it was set up")


def test_load_and_first_inference_are_apart_from_the_steady_state(open_runtime):
    class Lazy(torch.nn.Module):
        calls = 0

        def forward(self, x):
            Lazy.calls += 1
            if Lazy.calls == 1:
                time.sleep(0.05)
            return x

    with open_runtime(TorchEager, Lazy(), X) as runtime:
        found = runtime.benchmark()
    assert found.statistics["first_inference_ms"] > 50
    assert found.mean_latency < 50


def test_device_that_can_be_watched_is_watched_while_timed(open_runtime, context_for):
    from turnkeyml.runtime import opened

    happened = []

    class Watched:
        @classmethod
        def full_name(cls):
            return "Watched 1"

        @classmethod
        def watch(cls):
            happened.append(len(net.seen))

            def ended(since_s, until_s):
                assert since_s < until_s
                happened.append(len(net.seen))
                return {"mean_power_w": 55.0}

            return ended

    net = Net()
    context = context_for(net, X, info=Watched, iterations=4)
    with opened(TorchEager, context, {}) as runtime:
        found = runtime.benchmark()
    assert found.statistics["device_while_timed"] == {"mean_power_w": 55.0}
    # The two calls of the warm-up may be under watch too.
    assert 4 <= happened[1] - happened[0] <= 2 + 4


def test_device_without_a_package_is_named_by_its_family(context_for):
    from turnkeyml.runtime import opened

    with opened(TorchEager, context_for(Net(), X, info=None, device="arm"), {}) as runtime:
        assert runtime.device_name() == "arm"


def test_parts_that_the_script_compiled_run_uncompiled(open_runtime):
    compiling = []

    class Part(torch.nn.Module):
        def forward(self, x):
            compiling.append(torch.compiler.is_compiling())
            return x + 1

    class Whole(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.part = Part()
            self.part.compile(backend="eager")

        def forward(self, x):
            return self.part(x)

    with open_runtime(TorchEager, Whole(), X) as runtime:
        runtime.benchmark()
    # What is traced runs once, and its list is filled by the compiler or not at all.
    assert len(compiling) > 5
    assert not any(compiling)
