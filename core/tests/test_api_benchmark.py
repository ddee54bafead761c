"""benchmark_files, benchmark_model and what else scripts call."""

from __future__ import annotations

import inspect
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from builds import builds_in, the_build
from core_env import Environment, FakePlugins, run_here
from weaveplug import Yarn

import turnkeyml
from turnkeyml import benchmark_files, benchmark_model, get_available_builds, load_state
from turnkeyml.api_benchmark import _words_from
from turnkeyml.cache.stats import Stats
from turnkeyml.errors import BuildError, CacheError, PlanError, UsageError
from turnkeyml.outcomes import Status
from turnkeyml.performance import MeasuredPerformance
from turnkeyml.rt_args import parse_rt_args
from turnkeyml.sequence import Sequence, Step


@pytest.fixture
def cache(weavers: FakePlugins, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    script = tmp_path / "my_model.py"
    script.touch()
    monkeypatch.setitem(sys.modules, "__main__", SimpleNamespace(__file__=str(script)))
    (tmp_path / "a.toy").write_text("# labels: k::v\none 1\ntwo 2\n")
    (tmp_path / "b.toy").write_text("three 3\n")
    return tmp_path / "cache"


def measured(**more: Any) -> MeasuredPerformance:
    found = benchmark_model(Yarn(1), (3, 4), **{"monitor": False, "sequence": "compile", **more})
    assert isinstance(found, MeasuredPerformance)
    return found


def test_a_model_is_measured(cache: Path) -> None:
    found = measured()
    assert found.mean_latency > 0 and found.throughput > 0
    assert found.latency_units == "milliseconds (ms)"
    assert found.throughput_units == "inferences per second (IPS)"
    assert (found.runtime, found.runtime_version) == ("toyrt", "9.1")
    assert (found.device, found.device_type) == ("Toy Device 3000", "toydev::part1::c1")
    assert found.build_name == "my_model"
    (kept,) = Stats.load(the_build(cache)).results.values()
    assert (kept["mean_latency_ms"], kept["verdict"]) == (found.mean_latency, found.verdict)


def test_the_guides_arguments_of_benchmark_model(cache: Path, tmp_path: Path) -> None:
    found = measured(
        device="toydev::part2",
        runtime="toyrt",
        iterations=7,
        rt_args={"mood": "wild", "parts": ["a", "b"], "loud": True, "repeats": None},
        build_name="mine",
        cache_dir=str(tmp_path / "other"),
        rebuild="always",
        onnx_opset=18,
    )
    (kept,) = Stats.load(the_build(tmp_path / "other")).results.values()
    assert found.build_name == "mine"
    assert (kept["device"], kept["iterations"]) == ("toydev::part2", 7)
    assert kept["arguments"] == ["wild", 1, ["a", "b"], True]
    assert not cache.exists()


def test_without_a_sequence_that_of_the_runtime_is_taken(cache: Path) -> None:
    assert measured(sequence=None).runtime == "toyrt"
    steps = [step["tool"] for step in Stats.load(the_build(cache)).steps.values()]
    assert steps == ["given", "compile", "shrink", "benchmark"]


def test_a_model_in_memory_can_be_measured_as_it_is(cache: Path) -> None:
    assert measured(sequence=None, runtime="toy-live").runtime == "toy-live"


@pytest.mark.parametrize("sequence", [None, "compile", Sequence("compile", "shrink")])
def test_build_only_measures_nothing(sequence: Any, cache: Path) -> None:
    found = benchmark_model(Yarn(1), sequence=sequence, build_only=True, monitor=False)
    assert found is None
    assert Stats.load(the_build(cache)).results == {}
    assert load_state(cache, "my_model").status is Status.SUCCESSFUL


def test_lean_cache_leaves_the_numbers(cache: Path) -> None:
    assert measured(lean_cache=True).mean_latency > 0
    assert not (the_build(cache).path / "toy").exists()


def test_a_file_can_be_measured(cache: Path, tmp_path: Path) -> None:
    (tmp_path / "x.toyfile").write_text("toy 1")
    found = benchmark_model(tmp_path / "x.toyfile", monitor=False)
    assert isinstance(found, MeasuredPerformance)


@pytest.mark.parametrize(
    ("more", "error", "said"),
    [
        ({"runtime": "nonsense"}, PlanError, "There is no runtime 'nonsense'"),
        ({"device": "nonsense"}, UsageError, "nonsense"),
        ({"rt_args": {"nonsense": 1}}, UsageError, "nonsense"),
        ({"iterations": 0}, UsageError, "--iterations takes at least 1"),
        ({"rebuild": "maybe"}, UsageError, "rebuild is one of"),
        ({"rt_args": ["mood::x"]}, UsageError, "rt_args is a mapping of names to values, not"),
        ({"sequence": ["compile"]}, PlanError, r"\['compile'\] is no step of a sequence"),
        ({"sequence": "frobnicate"}, PlanError, "Installed: (?!.*given)(?!.*cache).*compile"),
        ({"sequence": Sequence("shrink")}, PlanError, "Put compile before it"),
        (
            {"sequence": Sequence(Step("act", {"do": "boom", "word": "no luck"}))},
            BuildError,
            "act failed: ValueError: no luck",
        ),
    ],
)
def test_what_cannot_be_raises(more: dict[str, Any], error: Any, said: str, cache: Path) -> None:
    with pytest.raises(error, match=said):
        measured(**more)


def test_files_are_measured_in_order(cache: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = benchmark_files(["a.toy", Path("b.toy")], monitor=False)
    assert [one.build_name.partition("_")[0] for one in found] == ["a", "a", "b"]
    assert [model.model.name for model in found.models] == ["one", "two", "three"]
    assert found.failures == ()
    assert all(one.mean_latency > 0 for one in found)
    assert found[0] in found and len(found[1:]) == 2
    assert capsys.readouterr() == ("", "")


def test_files_are_shown_as_the_command_shows_them(
    cache: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    benchmark_files("b.toy")
    assert "Successfully benchmarked on Toy Device 3000" in capsys.readouterr().out


def test_the_guides_arguments_of_benchmark_files(cache: Path, tmp_path: Path) -> None:
    found = benchmark_files(
        "*.toy",
        device="toydev",
        runtime=["toyrt"],
        sequence="compile",
        iterations=5,
        rt_args={},
        cache_dir=tmp_path / "other",
        rebuild="always",
        lean_cache=True,
        monitor=False,
    )
    assert [one.runtime for one in found] == ["toyrt"] * 3
    results = [r for b in builds_in(tmp_path / "other") for r in Stats.load(b).results.values()]
    assert {result["iterations"] for result in results} == {5}


@pytest.mark.parametrize(
    ("more", "tools"),
    [
        ({"analyze_only": True}, {"find"}),
        ({"build_only": True}, {"find", "compile", "shrink"}),
        ({"sequence": Sequence("compile")}, {"find", "compile", "benchmark"}),
        ({"sequence": Sequence("compile"), "build_only": True}, {"find", "compile"}),
        ({"sequence": Sequence("compile"), "analyze_only": True}, {"find"}),
    ],
)
def test_parts_of_the_chain(more: dict[str, Any], tools: set[str], cache: Path) -> None:
    found = benchmark_files("a.toy", monitor=False, **more)
    assert {model.model.name for model in found.models} == {"one", "two"}
    for model in found.models:
        if tools != {"find"}:
            steps = Stats.load(model.build).steps.values()
            assert {step["tool"] for step in steps} == tools
    assert bool(found) == ("benchmark" in tools)


def test_an_instance_of_a_sequence_for_files_of_two_kinds(cache: Path, tmp_path: Path) -> None:
    (tmp_path / "x.toyfile").write_text("toy 1")
    files = ["a.toy", "x.toyfile"]
    found = benchmark_files(files, sequence=Sequence("act"), build_only=True, monitor=False)
    assert [model.model.name for model in found.models] == ["one", "two", "x"]


def test_nothing_runs_if_the_chain_fits_one_kind_of_file_only(cache: Path, tmp_path: Path) -> None:
    (tmp_path / "x.toyfile").write_text("toy 1")
    with pytest.raises(PlanError, match="compile"):
        benchmark_files(["a.toy", "x.toyfile"], sequence=Sequence("compile"), monitor=False)
    assert not cache.exists()


@pytest.mark.parametrize("labels", [{"k": "v"}, {"k": ["v", "w"]}, ["k::v"], "k::v", {"k": 5}])
def test_labels_choose_scripts(labels: Any, cache: Path, tmp_path: Path) -> None:
    (tmp_path / "c.py").write_text("# labels: k::v\n")
    with pytest.raises(UsageError, match="None of the 2 inputs has the labels"):
        benchmark_files(["a.toy", "b.toy"], labels=labels, monitor=False)


def test_what_failed_is_said_and_the_others_are_there(cache: Path, tmp_path: Path) -> None:
    (tmp_path / "bad.toy").write_text("one 1\nraise no luck\n")
    found = benchmark_files(["bad.toy", "b.toy"], monitor=False)
    assert len(found) == 2
    (failure,) = found.failures
    assert (failure.input.name, failure.build_name, failure.step) == ("bad.toy", "", "")
    assert "no luck" in failure.error and failure.log is not None and failure.log.is_file()
    assert repr(found) == "<2 results, 1 failure>"


def test_a_stage_that_failed_is_said(cache: Path) -> None:
    boom = Sequence(Step("act", {"do": "boom", "word": "no luck"}))
    found = benchmark_files("b.toy", sequence=boom, monitor=False)
    assert not found
    (failure,) = found.failures
    assert (failure.step, failure.error) == ("act", "ValueError: no luck")
    assert failure.build_name == found.models[0].name


def test_results_in_a_notebook(cache: Path, tmp_path: Path) -> None:
    (tmp_path / "bad.toy").write_text("raise <script>alert(1)</script>\n")
    page = benchmark_files(["bad.toy", "b.toy"], monitor=False)._repr_html_()
    assert "<script>" not in page and "&lt;script&gt;" in page
    assert page.count("<tr>") == 3
    assert "<th>milliseconds (ms)</th>" in page and "toyrt 9.1" in page


@pytest.mark.parametrize(
    ("files", "more", "said"),
    [
        (5, {}, "input_files is a path or a list of paths, not 5"),
        (["a.toy", None], {}, "input_files is a path or a list of paths"),
        ("a.toy", {"runtime": []}, "runtime is a name or a list of names"),
        ("a.toy", {"runtime": 3}, "runtime is a name or a list of names"),
        ("a.toy", {"labels": 5}, "labels is a mapping of names to values, not 5"),
        ("a.toy", {"labels": [5]}, "labels is a mapping of names to values"),
        ("a.toy", {"rebuild": 5}, "rebuild is one of if_needed, always, never, not 5"),
        ("a.toy", {"sequence": ["compile"]}, "sequence is a name or a Sequence"),
        ("a.toy", {"rt_args": ["mood::x"]}, "rt_args is a mapping"),
        ("a.toy", {"cache_dir": 5}, "cache_dir is a path, not 5"),
        ("a.toy", {"cache_dir": ""}, "cache_dir is empty, and names nothing"),
    ],
)
def test_arguments_of_another_type_are_refused(
    files: Any, more: dict[str, Any], said: str, cache: Path
) -> None:
    with pytest.raises(UsageError, match=said):
        benchmark_files(files, monitor=False, **more)


def test_a_wrong_file_is_refused_before_anything_runs(cache: Path) -> None:
    with pytest.raises(UsageError, match="There is no file 'c.toy'"):
        benchmark_files(["a.toy", "c.toy"], monitor=False)
    assert not cache.exists()


@pytest.mark.parametrize(
    "given", [{"a": 1}, {"a": "x y"}, {"a": True}, {"a": [1, "b"]}, {"a": None}, {}, None]
)
def test_runtime_arguments_are_written_as_on_the_command_line(given: Any) -> None:
    expected = {
        key: [str(v) for v in value] if isinstance(value, list) else value
        if value is True else str(value)
        for key, value in (given or {}).items()
        if value is not None
    }  # fmt: skip
    assert dict(parse_rt_args(_words_from(given))) == expected


def test_builds_and_their_states(cache: Path) -> None:
    assert get_available_builds() == get_available_builds(cache) == []
    benchmark_files("a.toy", monitor=False)
    names = get_available_builds(str(cache))
    assert [name.partition("_")[0] for name in names] == ["a", "a"]
    assert load_state(None, names[0]).content["name"] == names[0]
    with pytest.raises(CacheError, match="There is no build 'nonsense' in the cache"):
        load_state(cache, "nonsense")


def test_every_public_function_names_and_types_its_arguments() -> None:
    for name in turnkeyml.__all__:
        signature = inspect.signature(getattr(turnkeyml, name))
        for parameter in signature.parameters.values():
            assert parameter.annotation is not inspect.Parameter.empty, (name, parameter)
        assert signature.return_annotation is not inspect.Signature.empty, name


NAMES = """
import turnkeyml, sys
assert not [m for m in sys.modules if m.startswith("turnkeyml.")]
from turnkeyml.run.basert import BaseRT, MeasuredPerformance
from turnkeyml.labels import load_from_cache
from turnkeyml.common.labels import load_from_cache as same
from turnkeyml import filesystem as fs
from turnkeyml.cli.spawn import DEFAULT_TIMEOUT_SECONDS
from turnkeyml.parser import parse
from turnkeyml.runtime import BaseRT as own
assert BaseRT is own and load_from_cache is same
assert DEFAULT_TIMEOUT_SECONDS == 3600
assert turnkeyml.filesystem.DEFAULT_CACHE_DIR == fs.DEFAULT_CACHE_DIR == sys.argv[1]
assert fs.get_available_builds() == []
for name in ("benchmark_files", "benchmark_model", "build_model", "load_state"):
    assert callable(getattr(turnkeyml, name))
import turnkeyml.common.build
for module in (turnkeyml.common.build, fs, turnkeyml.run.basert, turnkeyml):
    try:
        module.nonsense
    except AttributeError as error:
        assert module.__name__ in str(error), error
    else:
        raise AssertionError(module)
try:
    turnkeyml.common.build.DEFAULT_ONNX_OPSET
except AttributeError as error:
    print(error)
"""


def test_names_that_documents_print(environment: Environment) -> None:
    done = environment.turnkey(str(environment.cache), code=NAMES)
    assert (done.code, done.err) == (0, "")
    assert "comes with turnkeyml-onnx: pip install 'turnkeyml-core[ort]'" in done.out


def test_the_opset_that_documents_name() -> None:
    opset = pytest.importorskip("turnkeyml_onnx.opset", reason="turnkeyml-onnx is not installed")
    from turnkeyml.common import build

    assert build.DEFAULT_ONNX_OPSET == opset.DEFAULT_ONNX_OPSET


def test_labels_of_a_build(cache: Path, tmp_path: Path) -> None:
    from turnkeyml.labels import load_from_cache

    (name, _) = [r.build_name for r in benchmark_files("a.toy", monitor=False)]
    assert load_from_cache(str(cache), name) == {}
    state = cache / name / f"{name}_state.yaml"
    text = state.read_text().partition("\n")[2]
    state.write_text(text.replace("labels: {}", "labels:\n  k:\n  - v\n  - w\n  one: x"))
    assert load_from_cache(cache, name) == {"k": ["v", "w"], "one": ["x"]}
    state.write_text(text.replace("labels: {}", "labels: 5"))
    assert load_from_cache(cache, name) == {}
    with pytest.raises(CacheError):
        load_from_cache(cache, "nonsense")


QUICK = """
import sys, time
start = time.process_time()
import turnkeyml
took = time.process_time() - start
assert took < 0.05, took
print(len(sys.modules))
"""


def test_importing_takes_no_time(environment: Environment) -> None:
    # The best of several, because other programs run here.
    codes = [environment.turnkey(code=QUICK).code for _ in range(3)]
    assert 0 in codes
    assert run_here("version").code == 0
