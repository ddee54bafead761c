"""Results in a notebook: tables with units, in which nothing of a model's name can run."""

from __future__ import annotations

import html.parser
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from core_env import Environment, FakePlugins, run_here

import turnkeyml
from turnkeyml.benchmark_results import BenchmarkFailure, BenchmarkResults
from turnkeyml.cache.layout import Cache
from turnkeyml.display import facts_table, html_table
from turnkeyml.performance import MeasuredPerformance
from turnkeyml.report import gather

HOSTILE = "<script>alert(1)</script><img src=x onerror='alert(1)'>&amp;\x1b[31m\"'"
HARMLESS = {"table", "thead", "tbody", "tr", "td", "th", "p"}
MEASURED = MeasuredPerformance(
    1.23456789, 810.0, "A Fine Processor", "x86", "ort", "1.2", "bert_1234", "noisy", ("windy",),
    samples={"timed_ns": list(range(1000))},
)  # fmt: skip


class Tags(html.parser.HTMLParser):
    """Keeps the tags, their attributes and the text of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: list[object] = []
        self.texts: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes += attrs

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def texts_of(shown: str) -> list[str]:
    page = Tags(shown)
    assert page.tags <= HARMLESS
    assert page.attributes == []
    assert "\x1b" not in shown
    return page.texts


@pytest.fixture
def cache(toys: FakePlugins, tmp_path: Path) -> Path:
    (tmp_path / "a.toy").write_text("one 1\n<script> 2\n")
    assert run_here("-i", "a.toy", "find", "compile", "benchmark", "--runtime", "toyrt").code == 0
    return tmp_path / "cache"


def test_whatever_is_in_a_table_is_text() -> None:
    for shown in (
        html_table([HOSTILE], [[HOSTILE, 1, None, 0.123456789]], HOSTILE),
        facts_table([(HOSTILE, HOSTILE), ("empty", ""), ("none", None)]),
    ):
        texts = texts_of(shown)
        assert any("<script>alert(1)</script>" in text for text in texts)
        assert not {"empty", "none"} & set(texts)
    assert "0.123457" in html_table([], [[0.123456789]])
    assert len(html_table([], [["x" * 10_000]])) < 500


def test_a_measurement_shows_itself_with_units() -> None:
    assert str(MEASURED) == (
        "bert_1234: 1.235 milliseconds (ms), 810 inferences per second (IPS), "
        "ort 1.2 on A Fine Processor, noisy"
    )
    assert repr(MEASURED) == f"<{MEASURED}>"
    texts = texts_of(MEASURED._repr_html_())
    assert texts[texts.index("mean latency, milliseconds (ms)") + 1] == "1.23457"
    assert texts[texts.index("throughput, inferences per second (IPS)") + 1] == "810"
    assert "windy" in texts
    hostile = replace(MEASURED, build_name=HOSTILE, device=HOSTILE, verdict_reasons=(HOSTILE,))
    texts_of(hostile._repr_html_())
    assert "\x1b" not in f"{hostile} {hostile!r}"


def test_results_show_themselves_as_a_table(cache: Path) -> None:
    results = turnkeyml.benchmark_files("a.toy", runtime="toyrt", monitor=False)
    assert repr(results) == "<2 results, 0 failures>"
    assert [line.partition(":")[0] for line in str(results).splitlines()] == [
        one.build_name for one in results
    ]
    texts = texts_of(results._repr_html_())
    assert texts[:4] == ["build", "runtime", "device", "milliseconds (ms)"]
    assert {one.build_name for one in results} <= set(texts)


def test_failures_say_where_they_were() -> None:
    empty = BenchmarkResults([])
    assert (repr(empty), str(empty)) == ("<0 results, 0 failures>", "no results")
    texts_of(empty._repr_html_())
    empty.failures = (
        BenchmarkFailure(Path(f"/x/{HOSTILE}".replace("/", "")), "", "", HOSTILE, None),
        BenchmarkFailure(Path("/x/a.py"), "a_1", "compile", "It rains.", None),
    )
    assert str(empty).endswith("a_1: compile: It rains.")
    assert "\x1b" not in str(empty)
    texts_of(empty._repr_html_())


def test_builds_show_themselves(cache: Path) -> None:
    for name in turnkeyml.get_available_builds(cache):
        saved = turnkeyml.load_state(cache, name)
        assert str(saved).startswith(f"{name}: successful; toy-file")
        assert len(repr(saved)) < 200
        texts = texts_of(saved._repr_html_())
        assert texts[texts.index("status") + 1] == "successful"
    content = {**saved.content, "error": HOSTILE, "input": HOSTILE, "model": [HOSTILE]}
    hostile = replace(saved, content=content)
    texts_of(hostile._repr_html_())
    assert "\x1b" not in f"{hostile} {hostile!r}"


def test_a_state_shows_itself(cache: Path, toys: FakePlugins) -> None:
    compiled = next(cache.rglob("*.txt"))
    file = compiled.with_suffix(".toyfile")
    file.write_bytes(compiled.read_bytes())
    state = turnkeyml.build_model(str(file), build_name="mine", cache_dir=cache, monitor=False)
    assert repr(state) == "<mine: successful>"
    texts = texts_of(state._repr_html_())
    assert texts[texts.index("build") + 1] == "mine"


def test_a_report_shows_its_first_rows(cache: Path, toys: FakePlugins) -> None:
    report = gather([Cache(cache)], toys.registry())
    assert repr(report) == f"<Report of 2 builds in {cache}>"
    texts = texts_of(report._repr_html_())
    assert texts.count("successful") == 2
    assert texts[-1] == "2 builds; rows() gives all."
    assert repr(gather([], toys.registry())) == "<Report of 0 builds in no cache>"


def test_importing_turnkey_is_light(environment: Environment) -> None:
    code = (
        "import sys; before = set(sys.modules); import turnkeyml; print(*set(sys.modules) - before)"
    )
    found = set(environment.turnkey(code=code).out.split())
    assert {name for name in found if name.startswith("turnkeyml.")} == set()
    assert not found & {"click", "yaml", "json", "pathlib", "pluggy", "rich", "importlib.metadata"}


@pytest.mark.slow
def test_importing_turnkey_takes_less_than_50_ms() -> None:
    code = (
        "import time, typing; start = time.process_time(); import turnkeyml\n"
        "print(time.process_time() - start)"
    )
    words = [sys.executable, "-c", code]
    took = [float(subprocess.check_output(words, text=True)) for _ in range(5)]
    assert min(took) < 0.05
