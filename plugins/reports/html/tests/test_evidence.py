"""Samples and logs of builds, whose files may be anybody's."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from html_support import failure, result

from turnkeyml.report import Row
from turnkeyml_plugin_report_html.evidence import BINS, POINTS, EvidenceReader, samples_from


@pytest.fixture
def build(tmp_path: Path) -> Path:
    folder = tmp_path / "bert_abababab"
    folder.mkdir()
    runs = [{"first_ns": 1, "warm_up_ns": [], "timed_ns": [2_000_000, 3_000_000]}]
    content = {"schema": 2, "unit": "ns", "runs": runs}
    (folder / "samples.json").write_text(json.dumps(content))
    (folder / "log_export-pytorch.txt").write_text("a warning\n")
    (folder / "log_benchmark.txt").write_text("")
    return folder


def evidence(build: Path, **more: Any) -> Any:
    row = {**result(), "build_dir": str(build), "samples_file": "samples.json", **more}
    return EvidenceReader().evidence_of(Row(build.parent, row))


def test_samples_and_logs_that_say_something_are_read(build: Path) -> None:
    found = evidence(build)
    assert found["samples"]["count"] == 2
    assert found["logs"] == [["log_export-pytorch.txt", "a warning"]]


def test_why_there_are_no_samples_is_said(build: Path) -> None:
    assert evidence(build, mean_latency_ms=9.0)["unsampled"].startswith("it was measured again")


def test_the_log_of_a_failure_is_kept_at_greater_length(build: Path) -> None:
    log = build / "log_export-pytorch.txt"
    log.write_text("".join(f"line {n}\n" for n in range(10_000)))
    row = {**failure("bert"), "build_dir": str(build), "log": str(log)}
    ((name, text),) = EvidenceReader().evidence_of(Row(build.parent, row))["logs"]
    assert name == "log_export-pytorch.txt"
    assert text.startswith("…\nline ") and text.endswith("line 9999")
    assert 4_000 < len(text) < 5_100
    other = evidence(build)["logs"][0][1]
    assert 1_000 < len(other) < 1_600


@pytest.mark.parametrize("kind", ["link", "fifo", "folder"])
def test_what_is_no_file_of_the_build_is_not_read(build: Path, tmp_path: Path, kind: str) -> None:
    log = build / "log_export-pytorch.txt"
    log.unlink()
    secret = tmp_path / "secret.txt"
    secret.write_text("secret")
    if kind == "link":
        log.symlink_to(secret)
    elif kind == "fifo":
        os.mkfifo(log)
    else:
        log.mkdir()
    assert "logs" not in evidence(build)


def test_logs_elsewhere_are_not_read_whatever_a_row_says(build: Path, tmp_path: Path) -> None:
    (tmp_path / "secret.txt").write_text("secret")
    (tmp_path / "log_x.txt").write_text("secret")
    more = {"log": str(tmp_path / "secret.txt"), "chain": "../../log_x ../x export-pytorch"}
    assert evidence(build, **more)["logs"] == [["log_export-pytorch.txt", "a warning"]]
    row = {**failure(build_name="", log=str(tmp_path / "secret.txt"))}
    assert EvidenceReader().evidence_of(Row(tmp_path, row)) is None


def test_the_log_of_an_input_without_a_model_is_read_from_its_place(tmp_path: Path) -> None:
    (tmp_path / ".logs").mkdir()
    (tmp_path / ".logs" / "x.txt").write_text("Traceback")
    row = failure(build_name="", log=str(tmp_path / ".logs" / "x.txt"))
    assert EvidenceReader().evidence_of(Row(tmp_path, row)) == {"logs": [["x.txt", "Traceback"]]}


def test_a_folder_of_logs_that_is_a_link_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "x.txt").write_text("secret")
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache" / ".logs").symlink_to(tmp_path / "elsewhere")
    row = failure(build_name="", log=str(tmp_path / "cache" / ".logs" / "x.txt"))
    assert EvidenceReader().evidence_of(Row(tmp_path / "cache", row)) is None


def test_a_name_with_a_nul_is_no_file(build: Path) -> None:
    assert evidence(build, chain="a\0b export-pytorch")["logs"]


def test_few_samples_are_all_in_the_trace() -> None:
    found = samples_from([[100, 200], [300]])
    assert found["trace"] == [0, 499, 999]
    assert (found["low"], found["median"], found["p90"], found["high"]) == (100, 200, 300, 300)
    assert (found["count"], found["runs"], found["stretch"]) == (3, 2, 1)
    assert sum(found["bins"]) == 3 and len(found["bins"]) == BINS


def test_of_many_samples_the_extremes_are_in_the_trace() -> None:
    samples = [1000] * 10_000
    samples[5_000], samples[7_000] = 9_000, 10
    found = samples_from([samples])
    assert len(found["trace"]) <= POINTS + 2
    assert max(found["trace"]) == 999 and min(found["trace"]) == 0
    assert found["trace"].index(999) < found["trace"].index(0)
    assert sum(found["bins"]) == 10_000


def test_samples_that_are_all_alike_are_one_bin() -> None:
    found = samples_from([[5, 5, 5]])
    assert (found["bins"], found["trace"]) == ([3], [0, 0, 0])
