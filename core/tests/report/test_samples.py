"""The raw samples of a result, read from a file that may be anybody's."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from turnkeyml.report.samples import read_samples

RUNS = [{"first_ns": 9, "warm_up_ns": [8], "timed_ns": [1_000_000, 3_000_000]}]
GOOD = {"schema": 2, "unit": "ns", "runs": RUNS}


@pytest.fixture
def build(tmp_path: Path) -> Path:
    folder = tmp_path / "cache" / "bert_abababab"
    folder.mkdir(parents=True)
    (folder / "samples.json").write_text(json.dumps(GOOD))
    return folder


def test_timed_samples_of_each_run_are_given(build: Path) -> None:
    assert read_samples(str(build), "samples.json", 2.0) == (((1_000_000, 3_000_000),), "")


def test_samples_of_a_later_measurement_are_not_taken_for_this_one(build: Path) -> None:
    assert read_samples(str(build), "samples.json", 2.1)[1] == (
        "it was measured again since the report was written"
    )


@pytest.mark.parametrize("name", ["", "../other/samples.json", "/etc/passwd", "link/samples.json"])
def test_files_elsewhere_are_not_read(build: Path, name: str) -> None:
    other = build.parent / "other"
    other.mkdir()
    (other / "samples.json").write_text(json.dumps(GOOD))
    (build / "link").symlink_to(other)
    runs, problem = read_samples(str(build), name, 2.0)
    assert runs == ()
    assert problem in ("there are no samples", "its samples are not in its build directory")


@pytest.mark.parametrize(
    "content",
    [
        [], {}, {"schema": 1, "runs": RUNS}, {"schema": 2}, {"schema": 2, "runs": []},
        {"schema": 2, "runs": [{}]}, {"schema": 2, "runs": [{"timed_ns": []}]},
        {"schema": 2, "runs": [{"timed_ns": [0]}]}, {"schema": 2, "runs": [{"timed_ns": [True]}]},
        {"schema": 2, "runs": [{"timed_ns": ["1"]}]},
        {"schema": 2, "runs": [{"timed_ns": [1e300]}]},
    ],
)  # fmt: skip
def test_another_form_is_refused(build: Path, content: Any) -> None:
    (build / "samples.json").write_text(json.dumps(content))
    assert read_samples(str(build), "samples.json", 2.0) == ((), "its samples cannot be read")


def test_what_is_no_json_is_refused(build: Path) -> None:
    (build / "samples.json").write_bytes(b"\xff" * 10)
    assert read_samples(str(build), "samples.json", 2.0) == ((), "its samples cannot be read")
    (build / "samples.json").write_text("[" * 100_000)
    assert read_samples(str(build), "samples.json", 2.0) == ((), "its samples cannot be read")


def test_a_file_that_is_larger_than_asked_is_not_read(build: Path) -> None:
    assert read_samples(str(build), "samples.json", 2.0, largest_bytes=10) == (
        (),
        "there are too many samples",
    )


def test_what_is_missing_is_said(build: Path) -> None:
    assert read_samples(str(build), "gone.json", 2.0)[1] == (
        "the cache that has its samples is not there"
    )
