"""What stands in the rows of a report."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from core_env import FakePlugins, run_here
from report_builds import RESULT, rows_of, state_of, stats_of, step, values_of, write_build

from turnkeyml.cache.locks import build_lock
from turnkeyml.errors import ExitCode
from turnkeyml.plugins.registry import Registry
from turnkeyml.report.columns import COLUMNS, STAGES, WELL_KNOWN, in_order
from turnkeyml.report.reproduce import Commands
from turnkeyml.report.rows import MAX_COLUMNS, cause_of, rows_from


@pytest.fixture
def registry(toys: FakePlugins) -> Registry:
    return toys.registry()


def made(**more: Any) -> dict[str, Any]:
    (row,) = rows_from("b", state_of("bert"), stats_of(**more))
    return row


def test_a_result_is_a_row_with_all_that_is_known() -> None:
    row = made()
    expected = {
        "model_name": "bert",
        "build_name": "b",
        "hash": "abababab",
        "script": "/home/me/bert.py",
        "author": "google",
        "model_class": "Bert",
        "parameters": 110,
        "input_shapes": {"x": [1, 2]},
        "status": "successful",
        "found": "successful",
        "exported": "successful",
        "run": "successful",
        "device": "x86",
        "device_name": "A processor",
        "runtime": "ort",
        "runtime_version": "1.2",
        "iterations": 100,
        "mean_latency_ms": 2.5,
        "median_latency_ms": 2.25,
        "throughput_ips": 400.0,
        "verdict": "noisy",
        "verdict_reasons": ["it was hot", "it was late"],
        "samples_file": "benchmark/samples-1.json",
        "measured_at": "2026-11-21T10:03:10+00:00",
        "chain": "discover export-pytorch benchmark",
        "turnkey_version": "0.1.0",
        "labels.author": "google",
        "labels.task": "a,b",
        "export-pytorch.opset": 20,
        "export-pytorch.duration_s": 1.0,
        "version.torch": "2.13",
        "facts.threads": 2,
        "facts.providers": ["CPU"],
    }
    assert {name: row.get(name) for name in expected} == expected
    assert not {"optimized", "converted", "error", "failed_step"} & row.keys()


def test_each_result_is_a_row() -> None:
    other = {**RESULT, "runtime": "torch-eager", "artifact_step": "discover-0000000a"}
    rows = rows_from("b", state_of("b"), stats_of(results={"1": RESULT, "2": other}))
    assert [row["runtime"] for row in rows] == ["ort", "torch-eager"]


def test_a_build_without_results_is_a_row() -> None:
    row = made(results={})
    assert row["status"] == "successful"
    assert row["build_name"] == "b"
    assert "mean_latency_ms" not in row
    state = {**state_of("b"), "status": "not_started", "steps": [], "labels": {}, "model": {}}
    (row,) = rows_from("b", state, {})
    assert (row["status"], row["model_name"]) == ("not_started", "b")


def test_a_failed_stage_is_a_row_that_says_why_and_where_the_log_is() -> None:
    error = "No operator 'aten::x' in /a/b.py (opset 20)."
    steps = {
        "0000000a": step("discover", 1),
        "0000000b": step("export-pytorch", 2, status="failed", error=error),
    }
    state = {"status": "failed", "failed_step": "export-pytorch", "error": error}
    (row,) = rows_from("b", {**state_of("b"), **state}, stats_of(steps=steps, results={}))
    assert row["status"] == "failed"
    assert (row["found"], row["exported"]) == ("successful", "failed")
    assert (row["failed_step"], row["error"]) == ("export-pytorch", error)
    assert row["cause"] == "No operator ... in ... (opset N)."
    assert row["log"] == "log_export-pytorch.txt"
    assert "run" not in row


def test_a_runtime_that_failed_is_a_row_beside_those_that_did_not() -> None:
    options = {"device": "nvidia", "runtime": "trt", "rt_args": ["a::1"], "iterations": 100}
    failed = step("benchmark", 4, occurrence=2, status="failed", error="No GPU.", options=options)
    stats = stats_of()
    stats["steps"]["0000000d"] = failed
    state = {**state_of("b"), "status": "failed", "failed_step": "benchmark", "error": "No GPU."}
    state["steps"] = [*state["steps"], "benchmark-0000000d"]
    first, second = rows_from("b", state, stats)
    assert (first["status"], first["runtime"]) == ("successful", "ort")
    assert (second["status"], second["runtime"], second["device"]) == ("failed", "trt", "nvidia")
    assert (second["error"], second["log"], second["run"]) == (
        "No GPU.",
        "log_benchmark_2.txt",
        "failed",
    )
    assert second["rt_args"] == ["a::1"]
    assert "mean_latency_ms" not in second


def test_a_chain_that_failed_after_another_that_did_not_is_told_too() -> None:
    stats = stats_of()
    stats["steps"]["0000000e"] = step("export-pytorch", 2, status="failed", error="No.")
    state = {**state_of("b"), "status": "failed", "failed_step": "export-pytorch", "error": "No."}
    state["steps"] = ["discover-0000000a", "export-pytorch-0000000e"]
    first, second = rows_from("b", state, stats)
    assert (first["status"], first["exported"]) == ("successful", "successful")
    assert (second["status"], second["exported"], second["error"]) == ("failed", "failed", "No.")


def two_chains(**chains: Any) -> dict[str, Any]:
    """Statistics of two chains with other options, of which the later one was run last."""
    options = {"device": "x86", "runtime": "ort", "rt_args": [], "iterations": 100}
    later = "2026-11-22T00:00:00.000+00:00"
    stats = stats_of(**chains)
    stats["steps"] |= {
        "1000000b": step("export-pytorch", 2, started_at=later, opset=18),
        "1000000c": step("benchmark", 3, started_at=later, options=options),
    }
    stats["results"]["2"] = {**RESULT, "artifact_step": "export-pytorch-1000000b"}
    return stats


@pytest.mark.parametrize(
    "chains",
    [
        {},
        {"chains": {"0000000c": {"steps": ["discover-0000000a", "export-pytorch-0000000b",
                                           "benchmark-0000000c"]}}},
    ],
)  # fmt: skip
def test_a_result_has_the_steps_of_its_own_chain(chains: dict[str, Any]) -> None:
    state = state_of("b")
    state["steps"] = ["discover-0000000a", "export-pytorch-1000000b", "benchmark-1000000c"]
    first, second = rows_from("b", state, two_chains(**chains))
    assert [row["export-pytorch.opset"] for row in (first, second)] == [20, 18]


def test_what_was_measured_of_a_loaded_build_has_the_steps_that_built_it() -> None:
    stats = stats_of()
    del stats["steps"]["0000000c"]
    options = {"device": "x86", "runtime": "ort", "rt_args": [], "iterations": 100}
    stats["steps"] |= {
        "2000000a": step("load-build", 1),
        "2000000b": step("benchmark", 2, options=options),
    }
    state = {**state_of("b"), "steps": ["load-build-2000000a", "benchmark-2000000b"]}
    (row,) = rows_from("b", state, stats)
    assert row["chain"] == "discover export-pytorch benchmark"


def test_a_statistic_of_a_runtime_takes_no_name_that_means_something_else() -> None:
    row = made(results={"1": {**RESULT, "hash": "mine", "error": "none", "mood": "good"}})
    assert (row["hash"], row["result.hash"]) == ("abababab", "mine")
    assert "error" not in row and row["result.error"] == "none"
    assert row["mood"] == "good"


def test_parity_stands_in_a_column_of_its_own() -> None:
    parity = {"status": "mismatch", "departs_at": "convert-fp16", "worst": {"max_rel": 0.5}}
    row = made(model={"hash": "ab" * 32, "parity": parity})
    assert row["parity"] == "mismatch"
    assert row["parity.departs_at"] == "convert-fp16"
    assert row["parity.worst.max_rel"] == 0.5


def test_mappings_with_the_models_own_names_are_one_cell() -> None:
    stats = stats_of()
    stats["steps"]["0000000b"] |= {"operators": {"Add": 2}, "inputs": {"x": {"shape": [1]}}}
    row = made(steps=stats["steps"])
    assert row["export-pytorch.operators"] == {"Add": 2}
    assert row["export-pytorch.inputs"] == {"x": {"shape": [1]}}


def test_a_row_has_only_so_many_columns_and_keeps_the_rest_in_one() -> None:
    many = {f"stat_{n}": n for n in range(MAX_COLUMNS + 10)}
    row = made(results={"1": {**many, **RESULT}})
    assert len(row) <= MAX_COLUMNS + 1
    assert row["more"]["stat_5"] == 5
    assert row["mean_latency_ms"] == 2.5


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("No 'a' in /x/y.py", "No 'b' in /z.py"),
        ("Tensor of 12 and 3.5", "Tensor of 7 and 8"),
        ("at 0badf00d12", "at deadbeef99"),
        ("two\n  lines", "two lines"),
        ("signal 11 at 0x7f3A9c00", "signal 11 at 0x10"),
    ],
)
def test_failures_of_one_kind_have_one_cause(one: str, other: str) -> None:
    assert cause_of(one) == cause_of(other)
    assert cause_of(one) != cause_of("something else")


def test_the_models_own_name_is_no_part_of_a_cause() -> None:
    causes = {cause_of(f"A weight of {name} is too large.", name) for name in ("t5_2", "bert-base")}
    assert causes == {"A weight of ... is too large."}
    assert cause_of("It cannot export this model.", "model") == "It cannot export this model."
    assert cause_of("It cannot run.", "") == "It cannot run."


WRONG = [None, 5, "text", [], [1], {"a": 1}, {"a": [1]}, True]


@pytest.mark.parametrize("wrong", WRONG)
@pytest.mark.parametrize("place", ["labels", "model", "steps", "input", "status", "error"])
def test_a_state_of_another_form_still_gives_a_row(place: str, wrong: Any) -> None:
    rows = rows_from("b", {**state_of("b"), place: wrong}, stats_of())
    assert rows and all(row["build_name"] == "b" for row in rows)


@pytest.mark.parametrize("wrong", WRONG)
@pytest.mark.parametrize("place", ["model", "steps", "results", "chains"])
def test_statistics_of_another_form_still_give_a_row(place: str, wrong: Any) -> None:
    rows = rows_from("b", state_of("b"), stats_of(**{place: wrong}))
    assert rows and all(row["build_name"] == "b" for row in rows)


@pytest.mark.parametrize("wrong", WRONG)
@pytest.mark.parametrize("place", ["tool", "number", "occurrence", "options", "libraries", "error"])
def test_a_step_of_another_form_still_gives_a_row(place: str, wrong: Any) -> None:
    stats = stats_of()
    stats["steps"]["0000000c"] |= {place: wrong, "status": "failed"}
    stats["steps"]["0000000b"][place] = wrong
    assert rows_from("b", state_of("b"), stats)


def test_well_known_columns_come_first_and_the_others_by_name() -> None:
    assert in_order(["zebra", "hash", "ant"]) == [*WELL_KNOWN, "ant", "zebra"]
    assert len(set(WELL_KNOWN)) == len(COLUMNS)
    assert {stage.name for stage in STAGES} < set(WELL_KNOWN)


def test_rows_of_real_builds(registry: Registry, tmp_path: Path) -> None:
    (tmp_path / "a.toy").write_text("one 1\ntwo 2\n")
    words = ["find", "compile", "--level", "2", "--no-checks", "benchmark", "--runtime", "toyrt"]
    assert run_here("-i", "a.toy", *words).code == ExitCode.OK
    one, two = rows_of(registry, tmp_path / "cache")
    assert one.text("model_name") == two.text("model_name") == "a"
    assert one.text("status") == "successful"
    assert one.number("mean_latency_ms") and one.number("mean_latency_ms") > 0
    assert one.number("status") is None and one.text("nothing") == ""
    assert one.build.path.is_dir()
    assert one.values["compile.options.level"] == 2
    expected = f"turnkey -i {tmp_path}/a.toy find compile --level 2 --no-checks benchmark"
    assert one.text("command").startswith(expected)
    # The command is a command.
    done = run_here(*one.text("command").split()[1:])
    assert done.code == ExitCode.OK, done.text


def test_a_failing_model_of_a_real_chain(registry: Registry, tmp_path: Path) -> None:
    (tmp_path / "a.toy").write_text("one 1\n")
    run_here(
        "-i",
        "a.toy",
        "find",
        "act",
        "--do",
        "boom",
        "--word",
        "no 1",
        "benchmark",
        "--runtime",
        "toyrt",
    )
    (row,) = rows_of(registry, tmp_path / "cache")
    assert row.text("status") == "failed"
    assert row.text("failed_step") == "act"
    assert Path(row.text("log")).is_file()
    assert row.text("error") and row.text("cause")


def test_a_build_that_runs_says_so_and_one_that_was_cut_off_too(
    registry: Registry, tmp_path: Path
) -> None:
    write_build(tmp_path, "b", {"status": "running"}, stats_of(results={}))
    for _ in range(2):
        assert values_of(registry, tmp_path)[0]["status"] == "interrupted"
        with build_lock(tmp_path, "b", pytest.fail):
            assert values_of(registry, tmp_path)[0]["status"] == "running"


def test_equal_build_names_in_two_caches_stay_apart(registry: Registry, tmp_path: Path) -> None:
    for cache in ("one", "two"):
        write_build(tmp_path / cache, "b")
    rows = rows_of(registry, tmp_path / "one", tmp_path / "two", tmp_path / "one")
    assert [row.build.path for row in rows] == [tmp_path / "one" / "b", tmp_path / "two" / "b"]


@pytest.mark.parametrize(
    ("steps", "script", "command"),
    [
        ('[["find", {}]]', "", None),
        ("[]", "/a", None),
        ("no json", "/a", None),
        ("5", "/a", None),
        ("[[5]]", "/a", None),
        ('[["given", {}], ["compile", {}]]', "/a b.py", "python '/a b.py'"),
        ('[["load-build", {}], ["compile", {}]]', "/a", "turnkey -i /s.yaml load-build compile"),
        ('[["find", {"limit": 3}], ["compile", {"level": 1, "only": ["a b"]}]]', "/a.toy",
         "turnkey -i /a.toy find --limit 3 compile --only 'a b'"),
        ('[["gone", {"a_b": 1, "c": true, "d": false, "e": [1, 2], "f": null, "g": []}]]', "/a",
         "turnkey -i /a gone --a-b 1 --c --e 1 2"),
        ('[["compile", {"level": "wrong"}]]', "/a", "turnkey -i /a compile --level wrong"),
        ('[["$(rm -rf ~)", {}]]', "/a; b", "turnkey -i '/a; b' '$(rm -rf ~)'"),
    ],
)  # fmt: skip
def test_the_command_that_does_it_again(
    steps: str, script: str, command: str | None, registry: Registry
) -> None:
    plan = f'{{"sweep": {{}}, "steps": {steps}}}'
    assert Commands(registry).command_for(plan, script, "/s.yaml") == command


@pytest.mark.parametrize("plan", [None, 5, "", "[]", "{}", '{"steps": [], "sweep": 5}'])
def test_a_plan_of_another_form_gives_no_command(plan: Any, registry: Registry) -> None:
    assert Commands(registry).command_for(plan, "/a", "/s.yaml") is None


def test_the_command_of_a_sweep_names_the_parameters(registry: Registry, tmp_path: Path) -> None:
    stats = stats_of()
    stats["model"]["script_parameters"] = {"batch_size": "8"}
    write_build(tmp_path, "b", None, stats)
    (row,) = rows_of(registry, tmp_path)
    assert row.text("command").startswith(
        "turnkey -i /home/me/b.py --sweep batch_size=8 discover export-pytorch benchmark"
    )
    assert row.values["parameter.batch_size"] == "8"


def test_tables_inside_the_statistics_are_no_columns() -> None:
    stats = stats_of()
    stats["steps"]["0000000b"]["parity"] = {"status": "ok", "details": [{"output": "x"}]}
    row = made(steps=stats["steps"])
    assert row["export-pytorch.parity.status"] == "ok"
    assert "export-pytorch.parity.details" not in row


def test_the_page_about_reports_names_every_column() -> None:
    page = (Path(__file__).resolve().parents[3] / "docs" / "report.md").read_text("utf-8")
    for column in COLUMNS:
        assert f"| `{column.name}` | {column.meaning} |" in page, column.name
