"""The runtime `torch-compiled`; most tests use backends that need no C++ compiler."""

from __future__ import annotations

import os
import subprocess
import sys
import threading

import pytest
import torch

from turnkeyml.errors import BuildError
from turnkeyml_plugin_torchrt.compiled import TorchCompiled
from turnkeyml_plugin_torchrt.compiling import settle

QUICK = {"backend": "aot_eager"}


class Net(torch.nn.Module):
    def __init__(self):
        super().__init__()
        torch.manual_seed(3)
        self.fc = torch.nn.Linear(8, 4)

    def forward(self, x, scale=1.0):
        return self.fc(x).relu() * scale


class Broken(Net):
    def forward(self, x):
        y = self.fc(x)
        torch._dynamo.graph_break()
        return y.relu()


X = torch.linspace(0, 1, 16).reshape(2, 8)


def test_compiling_is_told_apart_from_load_and_first_inference(open_runtime):
    net = Net()
    with open_runtime(TorchCompiled, net, X, rt_args=QUICK, iterations=6) as runtime:
        found = runtime.benchmark()
        compile_ms = runtime.stats.values["compile_ms"]
        assert torch.equal(runtime.infer()["out"], net(X))
    assert len(found.samples["timed_ns"]) == 6
    assert compile_ms > 5 * found.statistics["first_inference_ms"]
    assert compile_ms > 5 * found.statistics["load_ms"]
    assert found.facts["compiled_graphs"] == 1
    assert found.facts["compiling_calls"] == 1
    assert found.facts["graph_breaks"] == []
    assert (found.facts["backend"], found.facts["mode"]) == ("aot_eager", "default")


def test_autocast_is_compiled_in(open_runtime):
    rt_args = {**QUICK, "dtype": "bfloat16"}
    with open_runtime(TorchCompiled, Net(), X, rt_args=rt_args) as runtime:
        runtime.benchmark()
        assert runtime.infer()["out"].dtype is torch.bfloat16


def test_models_of_one_class_share_no_compiled_code(open_runtime):
    # PyTorch stops compiling code that it compiled eight times.
    for width in range(1, 12):
        x = torch.rand(width, 8)
        with open_runtime(TorchCompiled, Net(), x, rt_args=QUICK, iterations=1) as runtime:
            assert runtime.benchmark().facts["compiled_graphs"] == 1


def test_graph_breaks_are_told(open_runtime):
    with open_runtime(TorchCompiled, Broken(), X, rt_args=QUICK) as runtime:
        facts = runtime.benchmark().facts
    assert facts["compiled_graphs"] == 2
    assert len(facts["graph_breaks"]) == 1


def test_fullgraph_refuses_a_graph_break(open_runtime):
    rt_args = {**QUICK, "fullgraph": True}
    with pytest.raises(BuildError, match="cannot take Broken as one graph") as caught:
        with open_runtime(TorchCompiled, Broken(), X, rt_args=rt_args) as runtime:
            runtime.benchmark()
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("rt_args", [{"backend": "nonsuch"}, {"mode": "nonsuch"}])
def test_options_that_the_compiler_does_not_take_are_refused(open_runtime, rt_args):
    with pytest.raises(BuildError, match="torch.compile refuses its options: .*nonsuch") as caught:
        with open_runtime(TorchCompiled, Net(), X, rt_args=rt_args):
            raise AssertionError("it was set up")
    assert "inductor" in caught.value.hint


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("make", [torch.jit.script, lambda net: torch.jit.trace(net, X)])
def test_a_torchscript_model_is_refused_as_such(open_runtime, make):
    with pytest.raises(BuildError, match="does not take TorchScript models") as caught:
        with open_runtime(TorchCompiled, make(torch.nn.Linear(8, 4)), X, rt_args=QUICK):
            raise AssertionError("it was set up")
    assert "torch-eager" in caught.value.hint


def test_model_that_is_not_compiled_is_no_result(open_runtime):
    class Skipped(Net):
        @torch.compiler.disable
        def forward(self, x):
            return self.fc(x)

    with pytest.raises(BuildError, match="finds nothing to compile in Skipped"):
        with open_runtime(TorchCompiled, Skipped(), X, rt_args=QUICK) as runtime:
            runtime.benchmark()


def test_error_of_the_model_is_told_as_its_own(open_runtime):
    class Wrong(Net):
        def forward(self, x):
            return self.fc(x) @ torch.ones(7, 7)

    with pytest.raises(BuildError, match="Wrong raised RuntimeError: .*reduction dim"):
        with open_runtime(TorchCompiled, Wrong(), X, rt_args={"backend": "eager"}) as runtime:
            runtime.benchmark()


def test_module_is_as_it_was(open_runtime):
    net = Net().train()
    keys = set(vars(net))
    with open_runtime(TorchCompiled, net, X, rt_args=QUICK) as runtime:
        runtime.benchmark()
    assert net.training
    assert set(vars(net)) == keys


def test_calls_go_on_until_nothing_more_is_compiled():
    import torch._dynamo

    torch._dynamo.reset()
    from torch._dynamo.utils import counters

    counters.clear()
    sizes = iter([2, 3, 4, 5, 6, 7])
    compiled = torch.compile(torch.relu, backend="eager", dynamic=False)
    times = iter([100, 50, 20, 10, 5, 1])

    def timed_call():
        compiled(torch.rand(min(next(sizes), 3)))
        return next(times)

    found = settle(timed_call)
    torch._dynamo.reset()
    assert (found.compile_ns, found.first_ns, found.calls) == (150, 20, 2)


INDUCTOR = """
import os, sys, threading
import torch
from pathlib import Path
from turnkeyml.device import Device
from turnkeyml.errors import BuildError
from turnkeyml.runtime import RuntimeContext, RuntimeStats, opened
from turnkeyml_plugin_torchrt.compiled import TorchCompiled

net, x = torch.nn.Sequential(torch.nn.Linear(8, 4), torch.nn.ReLU()), torch.rand(2, 8)
stats, here = RuntimeStats(), Path(sys.argv[1])
context = RuntimeContext(
    here, "b", stats, 3, net, {"input": x}, Device("x86"), None, "torch-compiled", here
)
before = {*os.environ, *threading.enumerate()}
try:
    with opened(TorchCompiled, context, {}) as runtime:
        found = runtime.benchmark()
        same = torch.allclose(runtime.infer()["out"], net(x))
except BuildError as error:
    print("ERROR", error)
else:
    left = [str(one) for one in {*os.environ, *threading.enumerate()} - before]
    print("OK", same, found.facts["compiled_graphs"], stats.values["compile_ms"] > 0, left)
"""


FIRST_USE = """
import os
import torch
from turnkeyml_plugin_torchrt.compiling import CompileOptions, compiled

net, before = torch.nn.Linear(2, 2), dict(os.environ)
with compiled(net, CompileOptions("aot_eager")) as call:
    call(torch.ones(1, 2))
print(sorted(set(os.environ) - set(before)))
"""


def test_the_first_use_of_the_compiler_leaves_no_variable():
    # Importing the compiler already sets one, so only a process that has not done so can tell.
    environment = {k: v for k, v in os.environ.items() if not k.startswith("TORCHINDUCTOR_")}
    done = subprocess.run(
        [sys.executable, "-c", FIRST_USE], capture_output=True, text=True, env=environment
    )
    assert done.stdout == "[]\n", done.stderr


def run_inductor(tmp_path, **environment):
    done = subprocess.run(
        [sys.executable, "-c", INDUCTOR, str(tmp_path)],
        capture_output=True,
        text=True,
        env={**os.environ, "TORCHINDUCTOR_CACHE_DIR": str(tmp_path / "cache"), **environment},
    )
    lines = done.stdout.strip().splitlines()
    assert lines, done.stderr
    return lines[-1]


@pytest.mark.slow
def test_inductor_compiles_and_leaves_nothing(tmp_path):
    assert run_inductor(tmp_path) == "OK True 1 True []"


@pytest.mark.slow
def test_missing_compiler_is_one_sentence(tmp_path):
    told = run_inductor(tmp_path, PATH=str(tmp_path))
    assert told.startswith("ERROR torch.compile finds no C++ compiler that works. Install g++")


@pytest.mark.slow
def test_compiler_that_fails_is_one_sentence(tmp_path):
    compiler = tmp_path / "cxx"
    compiler.write_text(
        '#!/bin/sh\ncase "$*" in *--version*) exec g++ "$@";; esac\n'
        'echo "x.cpp:1:10: fatal error: omp.h: No such file" >&2\nexit 1\n'
    )
    compiler.chmod(0o755)
    told = run_inductor(tmp_path, CXX=str(compiler))
    assert "refused what torch.compile made of Sequential: fatal error: omp.h" in told


def test_no_threads_of_the_compiler_are_left():
    assert not [t for t in threading.enumerate() if "ThreadPool" in t.name]
