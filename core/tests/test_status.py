"""The status tree: models, their invocations and modules, and how each fared."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from core_env import FakePlugins

from turnkeyml.cache.layout import Cache
from turnkeyml.context import RunContext
from turnkeyml.execution.job import JobResult
from turnkeyml.execution.reports import JobReport
from turnkeyml.inputs import Source
from turnkeyml.outcomes import Status
from turnkeyml.state import ModelInfo, State
from turnkeyml.status import HEADER, status_tree

MODEL = ModelInfo(
    "pytorch_model",
    "479b1332" + "0" * 56,
    "Pytorch (torch.nn.Module)",
    class_name="SmallModel (<class 'hello_world.SmallModel'>)",
    location="/x/hello_world.py",
    line=29,
    parameter_count=55,
    parameter_bytes=220,
    input_shapes={"x": (10,)},
    executions=1,
    seconds=0.004,
)
RESULT = {
    "device_name": "AMD Ryzen 7",
    "runtime": "ort",
    "runtime_version": "1.31.1",
    "mean_latency_ms": 0.0271,
    "throughput_ips": 21920.54,
    "verdict": "valid",
    "status_stats": {},
}


@pytest.fixture
def tree(plugins: FakePlugins, tmp_path: Path):
    """Show states made from model infos; each may be changed first."""
    cache = Cache(tmp_path)
    context = RunContext(plugins.registry(), cache, first_step=("discover", "1"))
    source = Source(Path("/x/hello_world.py"))

    def show(*models: ModelInfo | tuple[ModelInfo, Any]) -> list[str]:
        states = []
        for ordinal, item in enumerate(models):
            model, change = item if isinstance(item, tuple) else (item, lambda state: None)
            state = context.new_state(source, model, ordinal=ordinal)
            change(state)
            states.append(state)
        report = JobReport.of(JobResult(source, tuple(states), None, (), tmp_path / "log"))
        lines = status_tree(JobReport.from_json(json.loads(json.dumps(report.to_json()))))
        return [line.replace(str(tmp_path), "CACHE") for line in lines]

    return show


def built(state: State) -> None:
    state.begin_step("export-pytorch", "2", ())
    state.status = Status.SUCCESSFUL


def measured(state: State, **more: Any) -> None:
    built(state)
    key = state.stats.save_result({"n": len(state.shown_results)}, {**RESULT, **more})
    state.shown_results.append(key)


def test_a_benchmarked_model_is_shown_with_its_numbers(tree) -> None:
    assert HEADER == "Models discovered during profiling:"
    assert tree((MODEL, measured)) == [
        "hello_world.py:",
        "        pytorch_model (executed 1x - 0.00s)",
        "                Model Type:     Pytorch (torch.nn.Module)",
        "                Class:          SmallModel (<class 'hello_world.SmallModel'>)",
        "                Location:       /x/hello_world.py, line 29",
        "                Parameters:     55 (220.0 B)",
        "                Input Shape:    'x': (10,)",
        "                Hash:           479b1332",
        "                Build dir:      CACHE/hello_world_479b1332",
        "                Status:         Successfully benchmarked on AMD Ryzen 7 (ort v1.31.1)",
        "                                Mean Latency:   27.1    microseconds (us)",
        "                                Throughput:     21920.5 inferences per second (IPS)",
        "",
    ]


def test_a_built_model_says_so(tree) -> None:
    assert "                Status:         Model successfully built!" in tree((MODEL, built))


def test_a_model_that_was_only_found_has_no_status(tree) -> None:
    def found(state: State) -> None:
        state.status = Status.SUCCESSFUL

    assert not [line for line in tree((MODEL, found)) if "Status" in line]


def test_a_failed_model_says_where_why_and_in_which_log(tree) -> None:
    def failed(state: State) -> None:
        state.begin_step("export-pytorch", "2", ())
        state.fail("export-pytorch", "ValueError: no", Path("/log.txt"))

    lines = tree((MODEL, failed))
    assert "                Status:         Failed in export-pytorch: ValueError: no" in lines
    assert "                Log:            /log.txt" in lines


def test_a_model_that_is_not_selected_has_no_status(tree) -> None:
    def unselected(state: State) -> None:
        state.selected = False

    assert not [line for line in tree((MODEL, unselected)) if "Status" in line]


def test_two_results_of_one_model_are_both_shown(tree) -> None:
    def twice(state: State) -> None:
        measured(state)
        measured(state, runtime="torch-eager", runtime_version="")

    text = "\n".join(tree((MODEL, twice)))
    assert "on AMD Ryzen 7 (ort v1.31.1)" in text
    assert "on AMD Ryzen 7 (torch-eager)" in text


def test_numbers_of_a_runtime_and_doubts_stand_below(tree) -> None:
    def doubtful(state: State) -> None:
        measured(
            state,
            status_stats={"custom": 7},
            verdict="noisy",
            verdict_reasons=["too few", "too wide"],
        )

    lines = tree((MODEL, doubtful))
    assert "                                custom:         7" in lines
    assert "                                Verdict:        noisy: too few; too wide" in lines


def test_invocations_of_one_model_stand_under_it(tree) -> None:
    second = replace(MODEL, digest="f" * 64, input_shapes={"x": (20,)}, executions=3, seconds=None)
    lines = tree((MODEL, built), (second, built))
    assert lines[1] == "        pytorch_model"
    assert sum("Model Type" in line for line in lines) == 1
    assert "                With input shape 1 (executed 1x - 0.00s)" in lines
    assert "                With input shape 2 (executed 3x)" in lines
    assert "                Input Shape:    'x': (20,)" in lines


def test_modules_stand_indented_under_their_model(tree) -> None:
    inner = replace(MODEL, name="fc", digest="a" * 64, depth=1, group=1, parent=0)
    other = replace(MODEL, name="second", digest="b" * 64, group=2)
    deepest = replace(MODEL, name="deep", digest="c" * 64, depth=2, group=3, parent=1)
    orphan = replace(MODEL, name="orphan", digest="d" * 64, depth=1, group=4, parent=99)
    names = [
        line.split(" (")[0]
        for line in tree(MODEL, other, inner, deepest, orphan)
        if "(executed" in line
    ]
    assert names == [
        "        pytorch_model",
        " " * 24 + "fc",
        " " * 40 + "deep",
        "        second",
        " " * 24 + "orphan",
    ]


def test_what_is_not_known_is_left_out(tree) -> None:
    assert tree(ModelInfo("net", "e" * 64, "ONNX"))[1:5] == [
        "        net",
        "                Model Type:     ONNX",
        "                Hash:           eeeeeeee",
        "                Build dir:      CACHE/hello_world_eeeeeeee",
    ]
