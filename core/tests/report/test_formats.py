"""Reports as files: CSV, JSON lines, what plugins add, and reading them back."""

from __future__ import annotations

import csv
import json
import re
import subprocess
import sys
from datetime import date
from pathlib import Path
from typing import Any

import pluggy
import pytest
from core_env import FakePlugins
from hypothesis import given
from hypothesis import strategies as st
from report_builds import RESULT, stats_of, write_build

from turnkeyml.cache.layout import Cache
from turnkeyml.errors import CacheError, PlanError, PluginError, UsageError
from turnkeyml.plugins.registry import Registry
from turnkeyml.report import Report, ReportFormat, gather, get_dict
from turnkeyml.report.columns import WELL_KNOWN
from turnkeyml.report.csv_format import CsvFormat, cell_from
from turnkeyml.report.format import file_name, find_formats, format_named
from turnkeyml.report.jsonl_format import JsonLinesFormat
from turnkeyml.report.tables import _value_from, read_rows

hookimpl = pluggy.HookimplMarker("turnkeyml")


@pytest.fixture
def registry(plugins: FakePlugins) -> Registry:
    return plugins.registry()


@pytest.fixture
def report(tmp_path: Path, registry: Registry) -> Report:
    write_build(tmp_path / "cache", "bert")
    failed = {"status": "failed", "failed_step": "export-pytorch", "error": "=cmd|' /C calc'!A0"}
    write_build(tmp_path / "cache", "evil", failed, stats_of(results={}))
    return gather([Cache(tmp_path / "cache")], registry)


def written(report: Report, tmp_path: Path, format_class: Any = CsvFormat) -> Path:
    path = tmp_path / file_name(format_class)
    format_class().write(report, path)
    return path


def test_a_csv_file_has_a_line_for_each_row_and_a_dash_for_nothing(
    report: Report, tmp_path: Path
) -> None:
    with written(report, tmp_path).open(newline="") as file:
        head, first, second = csv.reader(file)
    assert tuple(head[: len(WELL_KNOWN)]) == WELL_KNOWN
    assert head[len(WELL_KNOWN) :] == sorted(head[len(WELL_KNOWN) :])
    row = dict(zip(head, first, strict=True))
    assert row["model_name"] == "bert"
    assert row["mean_latency_ms"] == "2.5"
    assert row["verdict_reasons"] == "it was hot; it was late"
    assert row["input_shapes"] == '{"x": [1, 2]}'
    assert row["converted"] == row["error"] == "-"
    assert dict(zip(head, second, strict=True))["mean_latency_ms"] == "-"
    assert "" not in head and not [name for name in head if name.startswith(" ")]


def test_what_spreadsheets_would_run_is_written_as_text(report: Report, tmp_path: Path) -> None:
    with written(report, tmp_path).open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert rows[1]["error"] == "'=cmd|' /C calc'!A0"


@pytest.mark.parametrize(
    ("value", "cell"),
    [
        (None, "-"), ("", ""), ("-", "'-"), ("text", "text"), (True, "True"), (1, "1"),
        (-1.5, "-1.5"), ("-1.5", "-1.5"), ("+1", "+1"), ("=1+1", "'=1+1"), ("@x", "'@x"),
        ("+cmd", "'+cmd"), ("-cmd", "'-cmd"), ("\t=1", "'\t=1"), ("|x", "'|x"), ("%x", "'%x"),
        ("'x", "''x"), ("a\x00\x1b[31mb\r", "a\\x00\\x1b[31mb\\r"), ("a\nb", "a\nb"),
        (["a", "b"], "a; b"), ([1, 2], "[1, 2]"), ({"a": "="}, '{"a": "="}'), ([], ""),
        (["=1"], "'=1"), ("\ud800", "\\ud800"),
    ],
)  # fmt: skip
def test_cells(value: object, cell: str) -> None:
    assert cell_from(value) == cell


@given(
    st.text()
    | st.from_regex(r"[-+.0-9e]{1,6}", fullmatch=True)
    | st.integers(-(10**18), 10**18)
    | st.booleans()
    | st.none()
)
def test_what_is_written_is_read_back_unless_it_looks_like_something_else(value: Any) -> None:
    back = _value_from(cell_from(value))
    if isinstance(value, str):
        shown = re.sub("[\x00-\x08\x0b-\x1f\x7f-\x9f]", lambda m: repr(m[0])[1:-1], value)
        assert back in (shown, shown[1:] if shown[:1] == "'" else shown) or str(back) == value
    else:
        assert back == value


def test_json_lines_keep_types_and_leave_out_nothing_else(report: Report, tmp_path: Path) -> None:
    lines = written(report, tmp_path, JsonLinesFormat).read_text().splitlines()
    first, second = map(json.loads, lines)
    assert first["verdict_reasons"] == ["it was hot", "it was late"]
    assert first["input_shapes"] == {"x": [1, 2]}
    assert None not in first.values()
    assert second["error"] == "=cmd|' /C calc'!A0"
    assert " plan" not in first


def test_json_lines_are_json_whatever_the_numbers_are(tmp_path: Path, registry: Registry) -> None:
    build = write_build(tmp_path / "cache", "b")
    text = build.stats_file.read_text().partition("\n")[2]
    build.stats_file.write_text(text.replace("2.25", ".nan").replace("400.0", "-.inf"))
    report = gather([Cache(tmp_path / "cache")], registry)
    line = written(report, tmp_path, JsonLinesFormat).read_text()
    found = json.loads(line, parse_constant=pytest.fail)
    assert (found["median_latency_ms"], found["throughput_ips"]) == ("nan", "-inf")


HOSTILE = ["x\x1b[31m", "a\nb", "a\r\nb", 'quote"', "a,b;c\td", "<script>", "=1+1", "\u2028", "é"]


@pytest.mark.parametrize("format_class", [CsvFormat, JsonLinesFormat])
def test_hostile_names_and_statistics(
    format_class: Any, tmp_path: Path, registry: Registry
) -> None:
    for number, text in enumerate(HOSTILE):
        result = {**RESULT, text: text, "device_name": text, "huge": "x" * 100_000}
        state = {"input": f"/{text}.py", "labels": {text: [text]}, "error": text}
        write_build(tmp_path / "cache", f"b{number}{text}", state, stats_of(results={"1": result}))
    report = gather([Cache(tmp_path / "cache")], registry)
    path = written(report, tmp_path, format_class)
    rows = list(read_rows(path))
    assert len(rows) == len(HOSTILE)
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f]", path.read_text("utf-8"))
    if format_class is JsonLinesFormat:
        assert sorted(row["device_name"] for row in rows) == sorted(HOSTILE)


def test_a_report_that_fails_half_way_leaves_the_old_one(report: Report, tmp_path: Path) -> None:
    path = written(report, tmp_path)
    before = path.read_bytes()

    class Broken(CsvFormat):
        def write(self, report: Report, path: Path) -> None:
            class Rows:
                def columns(self) -> list[str]:
                    return ["a"]

                def rows(self) -> Any:
                    yield next(report.rows())
                    raise OSError(28, "No space left on device")

            super().write(Rows(), path)  # type: ignore[arg-type]

    with pytest.raises(OSError, match="No space"):
        Broken().write(report, path)
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir() if p.name != "cache"] == [path.name]


def test_files_are_named_by_the_date() -> None:
    assert file_name(CsvFormat, date(2026, 1, 2)) == "2026-01-02.csv"
    assert file_name(JsonLinesFormat, date(2026, 11, 21)) == "2026-11-21.jsonl"


@pytest.mark.parametrize("format_class", [CsvFormat, JsonLinesFormat])
def test_get_dict_gives_columns_by_model(format_class: Any, report: Report, tmp_path: Path) -> None:
    path = written(report, tmp_path, format_class)
    assert get_dict(str(path), ["mean_latency_ms", "verdict"]) == {
        "bert": {"mean_latency_ms": 2.5, "verdict": "noisy"},
        "evil": {"mean_latency_ms": None, "verdict": None},
    }
    by_build = get_dict(path, ["error", "iterations"], key="build_name")
    assert by_build["evil"]["error"] == "=cmd|' /C calc'!A0"
    assert by_build["bert"]["iterations"] == 100
    assert get_dict(path)["bert"]["throughput_ips"] == 400.0


def test_get_dict_does_not_choose_between_two_rows_of_one_model(
    tmp_path: Path, registry: Registry
) -> None:
    results = {"1": RESULT, "2": {**RESULT, "runtime": "torch-eager"}}
    write_build(tmp_path / "cache", "bert", None, stats_of(results=results))
    path = written(gather([Cache(tmp_path / "cache")], registry), tmp_path)
    with pytest.raises(UsageError, match="Several rows of .* have the model_name 'bert'"):
        get_dict(path, ["verdict"])
    assert set(get_dict(path, ["verdict"], key="runtime")) == {"ort", "torch-eager"}


def test_get_dict_of_what_is_no_report(report: Report, tmp_path: Path) -> None:
    path = written(report, tmp_path)
    with pytest.raises(UsageError, match="has no column 'nonsense'"):
        get_dict(path, ["nonsense"])
    with pytest.raises(UsageError, match="has no column 'nonsense'"):
        get_dict(path, key="nonsense")
    with pytest.raises(UsageError, match="There is no report"):
        get_dict(tmp_path / "nothing.csv")
    for name, content in [
        ("a.csv", b""), ("b.csv", b"a,b\n1\n"), ("c.csv", b"\xff"), ("d.csv", b'a\n"1'),
        ("e.jsonl", b"{half"), ("f.jsonl", b"[1]\n"),
    ]:  # fmt: skip
        (tmp_path / name).write_bytes(content)
        with pytest.raises(CacheError, match="no report that turnkey wrote"):
            get_dict(tmp_path / name)


class NamesFormat(ReportFormat):
    """The names of the models."""

    suffix = ".txt"

    def write(self, report: Report, path: Path) -> None:
        path.write_text("\n".join(row.text("model_name") for row in report.rows()))


def giving(**formats: Any) -> Any:
    @hookimpl
    def turnkey_report_formats() -> Any:
        return formats

    return turnkey_report_formats


def test_a_plugin_adds_a_format(plugins: FakePlugins, report: Report, tmp_path: Path) -> None:
    plugins.add(turnkey_report_formats=giving(names=NamesFormat))
    registry = plugins.registry()
    assert list(find_formats(registry)) == ["csv", "jsonl", "names"]
    path = written(report, tmp_path, format_named("names", registry))
    assert path.read_text() == "bert\nevil"


def test_a_format_is_loaded_when_it_is_asked_for(plugins: FakePlugins) -> None:
    plugins.add(turnkey_report_formats=giving(late="no_such_module:Format"))
    registry = plugins.registry()
    assert format_named("csv", registry) is CsvFormat
    with pytest.raises(PluginError, match=r"fakeplug 1\.2 .*report format 'late'.*importable"):
        format_named("late", registry)


@pytest.mark.parametrize(
    ("given_formats", "said"),
    [
        ({"names": int}, "a subclass of ReportFormat"),
        (["names"], "expected a mapping of names to classes, got \\['names'\\]"),
        ({5: NamesFormat}, "expected a mapping of names to classes"),
        ({"csv": NamesFormat}, "The report format 'csv' comes from turnkeyml-core .* and fakeplug"),
    ],
)
def test_a_plugin_that_gives_something_else(
    given_formats: Any, said: str, plugins: FakePlugins
) -> None:
    @hookimpl
    def turnkey_report_formats() -> Any:
        return given_formats

    plugins.add(turnkey_report_formats=turnkey_report_formats)
    with pytest.raises(PluginError, match=said):
        format_named("names", plugins.registry())


def test_a_plugin_that_raises_is_named(plugins: FakePlugins) -> None:
    @hookimpl
    def turnkey_report_formats() -> Any:
        raise SystemExit("oh")

    plugins.add(turnkey_report_formats=turnkey_report_formats)
    with pytest.raises(PluginError, match=r"fakeplug 1\.2.*an error: SystemExit: oh"):
        find_formats(plugins.registry())


def test_an_unknown_format_is_answered_with_those_that_are_there(registry: Registry) -> None:
    with pytest.raises(PlanError) as caught:
        format_named("xlsx", registry)
    assert caught.value.message == "There is no report format 'xlsx'."
    assert caught.value.hint == "Installed: csv, jsonl."


def test_plugins_add_columns_and_change_none(plugins: FakePlugins, tmp_path: Path) -> None:
    @hookimpl
    def turnkey_report_columns(row: Any) -> Any:
        return {"per_parameter_ns": 1e6 * row.number("mean_latency_ms"), "hash": "x", "run": "y"}

    plugins.add(turnkey_report_columns=turnkey_report_columns)
    write_build(tmp_path / "cache", "b")
    report = gather([Cache(tmp_path / "cache")], plugins.registry())
    (row,) = report.rows()
    assert row.values["per_parameter_ns"] == 2.5e6
    assert (row.values["hash"], row.values["run"]) == ("abababab", "successful")
    assert "per_parameter_ns" in report.columns()
    assert report.problems == []


def test_a_plugin_that_cannot_add_columns_is_told_of_once(
    plugins: FakePlugins, tmp_path: Path
) -> None:
    @hookimpl
    def turnkey_report_columns(row: Any) -> Any:
        return 5 if row.text("build_name") == "a" else {"b": row.number("nothing") + 1}

    plugins.add(turnkey_report_columns=turnkey_report_columns)
    for name in ("a", "b"):
        write_build(tmp_path / "cache", name)
    report = gather([Cache(tmp_path / "cache")], plugins.registry())
    assert [len(list(report.rows())), len(list(report.rows()))] == [2, 2]
    (problem,) = report.problems
    assert "fakeplug" in problem and "it gave int instead of a mapping" in problem


def test_importing_what_formats_need_is_light() -> None:
    code = (
        "import sys, turnkeyml.report\n"
        "found = {'yaml', 'rich', 'numpy', 'pandas', 'torch', 'filelock'} & set(sys.modules)\n"
        "assert not found, found\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
