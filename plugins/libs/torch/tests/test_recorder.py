"""Which models are found, under which names, with which counts and inputs."""

from __future__ import annotations

import subprocess
import sys
import textwrap
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from turnkeyml_torch import EndKind, FoundModel, Recorder, run_script

pytestmark = pytest.mark.filterwarnings("ignore:.*torch.jit:DeprecationWarning")

PRELUDE = """\
import torch
class Net(torch.nn.Module):
    def __init__(self, n=4):
        super().__init__()
        self.fc = torch.nn.Linear(n, n)
        self.act = torch.nn.ReLU()
    def forward(self, x, scale=None):
        y = self.act(self.fc(x))
        return y if scale is None else y * scale
x = torch.ones(1, 4)
"""

Run = Callable[..., Recorder]


@pytest.fixture
def record(tmp_path: Path) -> Run:
    def run(body: str, *, ends: EndKind = EndKind.FINISHED, **options: object) -> Recorder:
        path = tmp_path / "script.py"
        path.write_text(PRELUDE + textwrap.dedent(body))
        with Recorder(**options) as recorder:  # type: ignore[arg-type]
            end = run_script(path)
        assert end.kind is ends, end.traceback_text
        return recorder

    return run


def names(recorder: Recorder) -> list[str]:
    return [model.name for model in recorder.models]


def only(recorder: Recorder) -> FoundModel:
    (model,) = recorder.models
    return model


def test_model_in_a_variable_is_found_with_its_class_and_place(record: Run, tmp_path: Path) -> None:
    model = only(record("model = Net()\nmodel(x)\nmodel(x)\n"))
    assert model.name == "model"
    assert model.class_name == "Net"
    assert model.class_qualified == "<class '__main__.Net'>"
    assert (model.file, model.line) == (str(tmp_path / "script.py"), 12)
    assert (model.calls, model.dropped, model.depth, model.parent) == (2, 0, 0, None)
    assert model.training
    (invocation,) = model.invocations
    assert invocation.count == 2
    assert invocation.seconds > 0
    assert invocation.device == "cpu"
    assert invocation.signature.shapes() == {"x": (1, 4)}


@pytest.mark.parametrize("name", ["module", "layer", "instance", "child", "self_", "net", "m"])
def test_any_variable_name_is_found(record: Run, name: str) -> None:
    assert names(record(f"{name} = Net()\n{name}(x)\n")) == [name]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("models = [Net(), Net()]\nmodels[1](x)", "models[1]"),
        ("nets = {'a': Net()}\nnets['a'](x)", "nets['a']"),
        (
            "from types import SimpleNamespace\np = SimpleNamespace(model=Net())\np.model(x)",
            "p.model",
        ),
        ("p = (Net(),)\np[0](x)", "p[0]"),
        ("Net()(x)", "Net"),
        ("(lambda m: m(x))(Net())", "m"),
        ("net = Net()\nnet.forward(x)", "net"),
        ("seq = torch.nn.Sequential(torch.nn.Linear(4, 4), torch.nn.ReLU())\nseq(x)", "seq"),
        ("seq = torch.nn.Sequential(torch.nn.Linear(4, 4))\nseq.forward(x)", "seq"),
        ("linear = torch.nn.Linear(4, 4)\nlinear(x)", "linear"),
        ("net = Net()\nnet.fc(x)", "net.fc"),
        ("net = torch.nn.Sequential(Net())\nnet[0](x)", "net[0]"),
    ],
)
def test_model_is_named_by_the_expression_that_holds_it(
    record: Run, body: str, expected: str
) -> None:
    assert names(record(body)) == [expected]


def test_model_in_a_slot_is_found_under_its_attribute(record: Run) -> None:
    body = """
        class Holder:
            __slots__ = ("net",)
        holder = Holder()
        holder.net = Net()
        holder.net(x)
    """
    assert names(record(body)) == ["holder.net"]


def test_models_in_functions_classes_closures_and_generators_are_found(record: Run) -> None:
    body = """
        def inner():
            local = Net()
            return local(x)
        inner()
        class Runner:
            def __init__(self):
                self.net = Net()
            def run(self):
                return self.net(x)
        runner = Runner()
        runner.run()
        def outer():
            enclosed = Net()
            def call():
                return enclosed(x)
            return call
        outer()()
        def each():
            produced = Net()
            yield produced(x)
        list(each())
    """
    assert names(record(body)) == ["local", "runner.net", "enclosed", "produced"]


def test_method_of_an_unnamed_object_names_its_own_attribute(record: Run) -> None:
    body = """
        class Runner:
            def __init__(self):
                self.net = Net()
            def run(self):
                return self.net(x)
        Runner().run()
    """
    assert names(record(body)) == ["self.net"]


def test_models_of_one_loop_variable_get_different_names(record: Run) -> None:
    assert names(record("nets = [Net(), Net()]\nfor m in nets:\n    m(x)\n")) == ["m", "nets[1]"]


def test_direct_forward_gives_the_arguments_as_they_were_passed(record: Run) -> None:
    model = only(record("net = Net()\nnet.forward(x)\nnet(x)\nnet.forward(x=x, scale=2.0)\n"))
    assert [(entry.count, len(entry.signature.leaves)) for entry in model.invocations] == [
        (2, 1),
        (1, 2),
    ]
    assert model.invocations[0].kwargs == {}


def test_direct_forward_with_every_kind_of_parameter_is_found(record: Run) -> None:
    body = """
        class Odd(torch.nn.Module):
            def __init__(this):
                super().__init__()
                this.fc = torch.nn.Linear(4, 4)
            def forward(this, x, /, y=None, *rest, flag=False, **more):
                assert super().extra_repr() == ""
                return this.fc(x)
        odd = Odd()
        odd.forward(x, None, x, flag=True, z=x)
        odd(x, None, x, flag=True, z=x)
    """
    model = only(record(body))
    (invocation,) = model.invocations
    assert invocation.count == 2
    assert [leaf.name for leaf in invocation.signature.leaves] == [
        "x",
        "y",
        "rest_0",
        "flag",
        "z",
    ]


def test_class_whose_forward_was_made_by_a_decorator_is_found(record: Run) -> None:
    body = """
        import functools
        def logged(function):
            @functools.wraps(function)
            def wrapper(self, *args, **kwargs):
                return function(self, *args, **kwargs)
            return wrapper
        class Logged(Net):
            @logged
            def forward(self, x):
                return self.fc(x)
        net = Logged()
        net.forward(x)
    """
    assert only(record(body)).invocations[0].signature.shapes() == {"x": (1, 4)}


def test_model_in_a_thread_is_found(record: Run) -> None:
    body = """
        import threading
        net, other = Net(), Net()
        def work():
            net(x)
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
        thread = threading.Thread(target=other, args=(x,))
        thread.start()
        thread.join()
    """
    assert sorted(names(record(body))) == ["net", "other"]


def test_thread_that_outlives_the_script_is_found_and_placed_in_it(
    record: Run, tmp_path: Path
) -> None:
    body = """
        import threading, time
        class Slow(Net):
            def __call__(self, x):
                time.sleep(0.2)
                return super().__call__(x)
        holder = {"net": Slow(), "other": Slow()}
        threading.Thread(target=holder["net"], args=(x,)).start()
    """
    model = only(record(body))
    assert (model.name, model.file) == ("holder['net']", str(tmp_path / "script.py"))


def test_calls_in_many_threads_are_all_counted(record: Run) -> None:
    body = """
        from concurrent.futures import ThreadPoolExecutor
        net = Net()
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda _: net(x), range(200)))
    """
    model = only(record(body))
    assert model.calls == 200
    assert model.invocations[0].count == 200


def test_what_was_called_before_an_exception_or_exit_is_found(record: Run) -> None:
    assert names(record("net = Net()\nnet(x)\nraise ValueError('no')", ends=EndKind.RAISED)) == [
        "net"
    ]
    assert names(record("net = Net()\nnet(x)\nimport sys\nsys.exit(3)", ends=EndKind.EXITED)) == [
        "net"
    ]


def test_model_that_raises_is_no_model_until_a_call_succeeds(record: Run) -> None:
    body = """
        bad, good = Net(), Net()
        for model in (bad, good, good):
            try:
                model(torch.ones(1, 5))
            except RuntimeError:
                pass
        good(x)
    """
    recorder = record(body)
    assert names(recorder) == ["good"]
    assert recorder.models[0].calls == 1
    assert len(recorder.models[0].invocations) == 1
    assert recorder.failed == 1


def test_call_with_exception_leaves_nesting_as_it_was(record: Run) -> None:
    body = """
        net, after = Net(), Net()
        net(x)
        try:
            net(x, scale="no number")
        except TypeError:
            pass
        after(x)
    """
    assert names(record(body)) == ["net", "after"]


def test_traced_and_scripted_modules_are_found_as_such(record: Run) -> None:
    body = """
        class Plain(torch.nn.Module):
            def __init__(self):
                super().__init__()
                self.fc = torch.nn.Linear(4, 4)
            def forward(self, x, times: int = 2):
                return self.fc(x) * times
        traced = torch.jit.trace(Plain(), x)
        scripted = torch.jit.script(Plain())
        traced(x)
        scripted(x, 3)
    """
    recorder = record(body)
    assert names(recorder) == ["traced", "scripted"]
    assert all(isinstance(model.module, torch.jit.ScriptModule) for model in recorder.models)
    assert [leaf.name for leaf in recorder.models[1].invocations[0].signature.leaves] == [
        "x",
        "times",
    ]


def test_tracing_scripting_exporting_and_fx_find_nothing_themselves(record: Run) -> None:
    body = """
        class Plain(torch.nn.Module):
            def __init__(self):
                super().__init__()
                self.fc = torch.nn.Linear(4, 4)
            def forward(self, x):
                return self.fc(x)
        net = Plain()
        torch.jit.trace(net, x)
        torch.jit.script(net)
        torch.fx.symbolic_trace(net)
        torch.export.export(net, (x,))
    """
    assert names(record(body)) == []


def test_fx_still_sees_star_arguments_and_wrapped_functions(record: Run) -> None:
    body = """
        import math
        class Star(torch.nn.Module):
            def forward(self, x, *rest):
                return x + rest[0] * math.pi
        graph = torch.fx.symbolic_trace(Star())
        assert "rest" in graph.code, graph.code
        assert graph(x, x).shape == (1, 4)
    """
    assert names(record(body)) == ["graph"]


def test_script_resolves_globals_closures_and_classes_through_the_wrapper(record: Run) -> None:
    body = """
        def double(x: torch.Tensor):
            return x * 2
        def build(function):
            class Closed(torch.nn.Module):
                def forward(self, x):
                    return function(x)
            return Closed()
        net = build(double)
        scripted = torch.jit.script(net)
        assert torch.equal(scripted(x), net(x))
        @torch.jit.script
        def function(y: torch.Tensor):
            return double(y)
        function(x)
        @torch.jit.script
        class Pair:
            def __init__(self, a: int):
                self.a = a
    """
    assert names(record(body)) == ["scripted", "net"]


def test_inspect_sees_the_functions_the_user_wrote(record: Run) -> None:
    body = """
        import inspect
        def forward_of(self, x, *, flag: bool = True): return self.fc(x)
        class Net2(Net):
            forward = forward_of
        assert Net2.forward is not forward_of
        assert inspect.signature(Net2.forward) == inspect.signature(forward_of)
        assert inspect.getfullargspec(Net2.forward) == inspect.getfullargspec(forward_of)
        assert inspect.getsource(Net2.forward) == inspect.getsource(forward_of)
        assert inspect.getsourcefile(Net2.forward) == __file__
        assert Net2.forward.__globals__ is globals()
        assert Net2.forward.__code__.co_varnames[:3] == ("self", "x", "flag")
        assert Net2.forward.__name__ == "forward_of"
    """
    record(body)


def test_compiled_module_is_recorded_once_as_the_original(record: Run) -> None:
    body = """
        net = Net()
        fast = torch.compile(net, backend="eager", fullgraph=True)
        fast(x)
        fast(x)
        net(x)
        fast(torch.ones(2, 4))
    """
    model = only(record(body))
    assert model.class_name == "Net"
    assert model.name == "fast"
    assert [entry.count for entry in model.invocations] == [3, 1]


def test_method_compile_and_compiled_forward_are_found(record: Run) -> None:
    body = """
        net = Net()
        net.compile(backend="eager", fullgraph=True)
        net(x)
        net(x)
        other = Net()
        forward = torch.compile(other.forward, backend="eager", fullgraph=True)
        forward(x)
    """
    assert [(model.name, model.calls) for model in record(body).models] == [
        ("net", 2),
        ("other", 1),
    ]


def test_compiling_many_classes_does_not_share_one_cache(record: Run) -> None:
    body = """
        import torch._dynamo
        torch._dynamo.config.recompile_limit = 2
        torch._dynamo.config.fail_on_recompile_limit_hit = True
        source = "class Net{n}(Net):\\n    def forward(self, x): return self.fc(x) + {n}\\n"
        for n in range(5):
            exec(source.format(n=n))
        nets = [globals()[f"Net{n}"]() for n in range(5)]
        for net in nets:
            fast = torch.compile(net, backend="eager", fullgraph=True)
            assert torch.equal(fast(x), net(x))
    """
    try:
        assert len(record(body).models) == 5
    finally:
        torch._dynamo.reset()
        torch._dynamo.config.recompile_limit = 8
        torch._dynamo.config.fail_on_recompile_limit_hit = False


def test_module_called_in_a_compiled_function_adds_no_graph_break(record: Run) -> None:
    body = """
        net = Net()
        net.register_forward_hook(lambda *_: None)
        @torch.compile(backend="eager", fullgraph=True)
        def step(x):
            return net(x) + net.forward(x)
        assert step(x).shape == (1, 4)
    """
    assert names(record(body)) == []


def test_data_parallel_gives_the_module_inside_once(record: Run) -> None:
    model = only(record("net = Net()\ndp = torch.nn.DataParallel(net)\ndp(x)\nnet(x)\n"))
    assert (model.class_name, model.calls) == ("Net", 2)


def test_lazy_module_is_recorded_as_what_it_becomes(record: Run) -> None:
    model = only(record("lazy = torch.nn.LazyLinear(3)\nlazy(x)\nlazy(x)\n"))
    assert (model.class_name, model.calls) == ("Linear", 2)
    assert sum(p.numel() for p in model.module.parameters()) == 15


def test_no_grad_autocast_and_inference_mode_are_found(record: Run) -> None:
    body = """
        a, b, c = Net(), Net(), Net()
        with torch.no_grad():
            a(x)
        with torch.autocast("cpu", dtype=torch.bfloat16):
            b(x)
        with torch.inference_mode():
            c(torch.ones(1, 4))
    """
    recorder = record(body)
    assert names(recorder) == ["a", "b", "c"]
    (value,) = recorder.models[2].invocations[0].args
    assert not value.is_inference()


def test_functional_call_and_vmap_are_found_with_plain_inputs(record: Run) -> None:
    body = """
        net = Net()
        torch.func.functional_call(net, dict(net.named_parameters()), (x,))
        torch.func.vmap(net)(torch.arange(12.0).reshape(3, 4))
        torch.func.grad(lambda v: net(v).sum())(x)
    """
    model = only(record(body))
    assert model.calls == 3
    shapes = [entry.signature.shapes()["x"] for entry in model.invocations]
    assert shapes == [(1, 4), (4,)]
    assert torch.equal(model.invocations[1].args[0], torch.arange(4.0))


def test_activations_and_losses_alone_are_counted_but_no_models(record: Run) -> None:
    body = """
        relu, loss = torch.nn.ReLU(), torch.nn.CrossEntropyLoss(weight=torch.ones(4))
        for _ in range(3):
            relu(x)
            loss(x, torch.zeros(1, dtype=torch.long))
        torch.nn.Sequential(torch.nn.ReLU(), torch.nn.Flatten())(x)
    """
    recorder = record(body)
    assert names(recorder) == []
    assert recorder.skipped == 3


def test_parameterless_class_of_the_user_is_a_model(record: Run) -> None:
    body = """
        class Add(torch.nn.Module):
            def forward(self, x): return x + 1
        add = Add()
        add(x)
    """
    assert names(record(body)) == ["add"]


HEADED = """
class Headed(torch.nn.Module):
    def __init__(self, body, tries=1):
        super().__init__()
        self.body = body
        for _ in range(tries):
            width = body(torch.ones(2, 4)).shape[-1]
        self.head = torch.nn.Linear(width, 2)
    def forward(self, x):
        return self.head(self.body(x))
"""


def test_part_that_is_tried_while_the_model_is_made_is_no_model(record: Run) -> None:
    recorder = record(HEADED + "model = Headed(Net())\nmodel(x)\n", max_depth=2)
    assert names(recorder) == ["model", "body", "fc", "head"]
    assert only_roots(recorder) == ["model"]
    assert recorder.parts == ("model.body",)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("body = Net()\nmodel = Headed(body)\nbody(x)\nmodel(x)\n", ["body", "model"]),
        # The same signature as in the trial, at once and after the model.
        (
            "body = Net()\nmodel = Headed(body)\nmodel(x)\nbody(torch.ones(2, 4))\n",
            ["body", "model"],
        ),
        ("body = Net()\nmodel = Headed(body)\n", ["body"]),
        ("body, other = Net(), Net()\nmodel = Headed(body)\nother(x)\n", ["body", "other"]),
        ("body = Net()\nmodel = Headed(body, tries=11)\nmodel(x)\n", ["body", "model"]),
    ],
)
def test_part_that_is_called_for_itself_is_a_model_too(
    record: Run, body: str, expected: list[str]
) -> None:
    recorder = record(HEADED + body)
    assert names(recorder) == expected
    assert recorder.parts == ()


def test_calls_while_a_model_is_made_count_with_the_others(record: Run) -> None:
    body = "body = Net()\nmodel = Headed(body, tries=3)\nbody(torch.ones(2, 4))\n"
    assert only(record(HEADED + body)).calls == 4


def only_roots(recorder: Recorder) -> list[str]:
    return [model.name for model in recorder.models if model.depth == 0]


def test_modules_never_called_and_inner_modules_are_not_found(record: Run) -> None:
    assert names(record("idle = Net()\nnet = Net()\nnet(x)\n")) == ["net"]


def test_max_depth_gives_children_with_counts_and_parent(record: Run) -> None:
    body = """
        class Outer(torch.nn.Module):
            def __init__(self):
                super().__init__()
                self.nets = torch.nn.ModuleList([Net(), Net()])
            def forward(self, x):
                return self.nets[1](self.nets[0](self.nets[0](x)))
        outer = Outer()
        outer(x)
        outer(torch.ones(2, 4))
    """
    shallow = record(body, max_depth=1).models
    assert [(m.name, m.depth, m.calls) for m in shallow] == [
        ("outer", 0, 2),
        ("nets.0", 1, 4),
        ("nets.1", 1, 2),
    ]
    assert shallow[1].parent is shallow[0]
    assert [entry.signature.shapes() for entry in shallow[1].invocations] == [
        {"x": (1, 4)},
        {"x": (2, 4)},
    ]
    deep = record(body, max_depth=2).models
    assert [(m.name, m.depth) for m in deep] == [
        ("outer", 0),
        ("nets.0", 1),
        ("fc", 2),
        ("nets.1", 1),
        ("fc", 2),
    ]
    assert deep[2].parent is deep[1]


def test_other_shapes_or_dtypes_are_invocations_of_one_model(record: Run) -> None:
    body = """
        class Any(torch.nn.Module):
            def forward(self, x, flag=False): return x
        net = Any()
        net(x), net(torch.ones(2, 4)), net(x.to(torch.bfloat16)), net(x, True), net(x=x)
    """
    model = only(record(body))
    assert [entry.count for entry in model.invocations] == [2, 1, 1, 1]


def test_same_class_and_shapes_with_other_weights_are_two_models(record: Run) -> None:
    assert names(record("a, b = Net(), Net()\na(x)\nb(x)\n")) == ["a", "b"]


def test_invocations_beyond_the_limit_are_counted_only(record: Run) -> None:
    body = """
        net = Net()
        for size in range(1, 8):
            for _ in range(2):
                net(torch.ones(size, 4))
    """
    model = only(record(body, max_invocations=3))
    assert [entry.count for entry in model.invocations] == [2, 2, 2]
    assert (model.calls, model.dropped) == (14, 8)


def test_endless_different_signatures_are_counted_without_being_remembered(record: Run) -> None:
    body = """
        class Scaled(torch.nn.Module):
            def forward(self, x, by): return x
        net = Scaled()
        for step in range(1500):
            net(x, step / 7)
    """
    model = only(record(body, max_invocations=2))
    assert (model.calls, model.dropped) == (1500, 1498)


def test_training_with_checkpoints_and_loader_workers_finds_the_model_once(record: Run) -> None:
    body = """
        from torch.utils.checkpoint import checkpoint
        class Saving(Net):
            def forward(self, x):
                return checkpoint(self.fc, x, use_reentrant=False)
        class Rows(torch.utils.data.Dataset):
            def __len__(self): return 4
            def __getitem__(self, i): return torch.ones(4) * i
        net = Saving()
        loss = torch.nn.MSELoss()
        optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
        for batch in torch.utils.data.DataLoader(Rows(), batch_size=2, num_workers=1):
            optimizer.zero_grad()
            loss(net(batch), batch).backward()
            optimizer.step()
    """
    recorder = record(body)
    model = only(recorder)
    assert (model.name, model.calls, len(model.invocations)) == ("net", 2, 1)
    assert recorder.skipped == 1


def test_later_changes_in_place_do_not_reach_what_was_captured(record: Run) -> None:
    body = """
        net = Net()
        small, big = torch.ones(1, 4), torch.ones(50_000, 4)
        net(small)
        net(big)
        small.zero_()
        big.zero_()
    """
    model = only(record(body))
    assert all(bool((entry.args[0] == 1).all()) for entry in model.invocations)


def test_arrays_that_share_memory_with_an_input_still_do_afterwards(record: Run) -> None:
    body = """
        net = Net()
        big = torch.ones(50_000, 4)
        array = big.numpy()
        net(big)
        array[0] = 7
        big[1] = 8
        assert big[0, 0] == 7 and array[1, 0] == 8
    """
    pytest.importorskip("numpy")
    model = only(record(body))
    assert bool((model.invocations[0].args[0] == 1).all())


def test_inputs_can_be_replaced_by_random_ones(record: Run) -> None:
    body = """
        class Any(torch.nn.Module):
            def forward(self, ids, values, mask): return values
        net = Any()
        net(torch.tensor([[3, 9], [5, 7]]), torch.full((2, 2), 42.0), torch.tensor([True]))
        state = torch.get_rng_state()
    """
    recorder = record(body, keep_inputs=False)
    ids, values, mask = only(recorder).invocations[0].args
    assert ids.dtype is torch.int64
    assert int(ids.min()) >= 3
    assert int(ids.max()) <= 9
    assert values.shape == (2, 2)
    assert not bool((values == 42).any())
    assert mask.dtype is torch.bool


def test_recording_draws_no_random_numbers(record: Run) -> None:
    body = """
        torch.manual_seed(5)
        net = Net()
        net(x)
        drawn = torch.rand(1)
        torch.manual_seed(5)
        Net()
        assert torch.equal(drawn, torch.rand(1))
    """
    record(body, keep_inputs=False)


def test_seed_makes_unseeded_scripts_repeatable(record: Run) -> None:
    body = "net = Net()\nnet(x)\n"
    first, second = only(record(body)), only(record(body))
    assert torch.equal(first.module.fc.weight, second.module.fc.weight)
    torch.manual_seed(1)
    unseeded = only(record(body, seed=None))
    assert not torch.equal(first.module.fc.weight, unseeded.module.fc.weight)


def test_leaving_restores_torch_exactly() -> None:
    class Mine(torch.nn.Module):
        def forward(self, x):
            return x

    def snapshot() -> tuple[object, ...]:
        return (
            torch.nn.Module.__dict__["__call__"],
            "__init_subclass__" in torch.nn.Module.__dict__,
            torch.nn.Sequential.__dict__["forward"],
            Mine.__dict__["forward"],
            torch.jit.trace,
            torch.jit.script,
            torch.export.export,
            torch.fx.Tracer.__dict__["trace"],
            list(sys.meta_path),
        )

    before = snapshot()
    with Recorder(seed=None):
        assert torch.nn.Module.__call__ is not before[0]
        assert Mine.__dict__["forward"] is not before[3]
    assert snapshot() == before


def test_module_made_while_recording_works_afterwards() -> None:
    with Recorder(seed=None) as recorder:
        net = torch.compile(torch.nn.Linear(2, 2), backend="eager")
        net(torch.ones(1, 2))
    net(torch.ones(3, 2))
    assert only(recorder).calls == 1


def test_second_recorder_at_the_same_time_is_refused() -> None:
    with Recorder(seed=None):
        with pytest.raises(RuntimeError, match="Another Recorder is active"):
            Recorder().__enter__()
    with Recorder(seed=None):
        pass


def test_other_threads_see_their_own_nesting() -> None:
    inside, leave = threading.Event(), threading.Event()

    class Waiting(torch.nn.Module):
        def forward(self, x):
            inside.set()
            leave.wait(10)
            return x

    waiting, other = Waiting(), torch.nn.Linear(2, 2)
    with Recorder(seed=None) as recorder:
        thread = threading.Thread(target=lambda: waiting(torch.ones(1)))
        thread.start()
        inside.wait(10)
        other(torch.ones(1, 2))
        leave.set()
        thread.join()
    assert sorted(names(recorder)) == ["other", "waiting"]


def test_transformers_generate_is_one_model_with_few_invocations(record: Run) -> None:
    pytest.importorskip("transformers")
    body = """
        from transformers import GPT2Config, GPT2LMHeadModel
        config = GPT2Config(n_layer=1, n_head=2, n_embd=8, vocab_size=32, n_positions=64)
        gpt = GPT2LMHeadModel(config).eval()
        ids = torch.tensor([[1, 2, 3]])
        gpt.generate(ids, attention_mask=torch.ones_like(ids), max_new_tokens=6, do_sample=False,
                     pad_token_id=0, eos_token_id=None)
    """
    model = only(record(body, max_invocations=3))
    assert (model.name, model.class_name, model.calls) == ("gpt", "GPT2LMHeadModel", 6)
    assert (len(model.invocations), model.dropped) == (3, 3)


def test_transformers_pipeline_gives_the_model_inside_once(record: Run) -> None:
    pytest.importorskip("transformers")
    body = """
        from transformers import BertConfig, BertForSequenceClassification, Pipeline
        class Mine(Pipeline):
            def _sanitize_parameters(self, **kwargs): return {}, {}, {}
            def preprocess(self, n): return {"input_ids": torch.ones(1, n, dtype=torch.long)}
            def _forward(self, inputs): return self.model(**inputs)
            def postprocess(self, outputs): return outputs.logits.shape
        config = BertConfig(hidden_size=8, num_hidden_layers=1, num_attention_heads=2,
                            intermediate_size=8, vocab_size=32)
        class Tokens:
            pass
        pipe = Mine(BertForSequenceClassification(config), tokenizer=None, device="cpu",
                    task="text-classification")
        pipe(3)
        pipe(3)
    """
    model = only(record(body))
    assert (model.name, model.calls) == ("pipe.model", 2)
    assert model.file.endswith("script.py")
    assert model.invocations[0].signature.shapes() == {"input_ids": (1, 3)}


def test_torch_is_not_imported_before_the_script_does_it(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(
        "import sys\nassert 'torch' not in sys.modules\n" + PRELUDE + "net = Net()\nnet(x)\n"
    )
    code = f"""
        import sys
        from turnkeyml_torch import Recorder, run_script
        assert "torch" not in sys.modules and "numpy" not in sys.modules
        with Recorder() as recorder:
            assert "torch" not in sys.modules
            end = run_script({str(script)!r})
        assert end.exception is None, end.traceback_text
        print([model.name for model in recorder.models], len(sys.meta_path))
        import torch
        assert "exec_module" not in vars(torch.__spec__.loader)
        assert torch.nn.Module.__call__.__module__ == "torch.nn.modules.module"
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("['net']")


def test_script_without_torch_leaves_no_hook_behind(tmp_path: Path) -> None:
    code = """
        import sys
        from turnkeyml_torch import Recorder
        finders = list(sys.meta_path)
        with Recorder() as recorder:
            import json
        assert sys.meta_path == finders and "torch" not in sys.modules
        assert recorder.models == () and recorder.skipped == recorder.failed == 0
    """
    subprocess.run([sys.executable, "-c", textwrap.dedent(code)], check=True)
