"""What is kept of checks, and their sum."""

from __future__ import annotations

import json

import numpy as np
import pytest
from parity_support import raw

from turnkeyml_plugin_parity.comparing import compare
from turnkeyml_plugin_parity.results import (
    SHOWN_OUTPUTS,
    Unable,
    entry_from_comparisons,
    status_of,
    summary_of,
)

ONE = np.float32([[1, 2], [3, 4]])


def comparison(name="y", factor=1.0, expected=ONE):
    return compare(name, raw(expected * np.float32(factor)), raw(expected), "", "eager")


def entry(status, **more):
    return {"status": status, "reason": f"because {status}", "reference": "eager (t 1)", **more}


def test_entry_has_the_extremes_and_names_the_worst_output():
    found = entry_from_comparisons([comparison("a", 1 + 1e-6), comparison("b", 1 + 2e-5)])
    assert found["status"] == "ok"
    assert found["reason"] == ""
    assert (found["outputs"], found["departing_outputs"], found["worst_output"]) == (2, 0, "b")
    assert found["max_rel"] == pytest.approx(2e-5, rel=0.05)
    assert (found["tolerance"], found["tolerance_dtype"]) == (1e-4, "float32")
    assert (found["cosine"], found["class_agreement"]) == (1.0, 1.0)
    assert [d["output"] for d in found["details"]] == ["b", "a"]
    json.dumps(found, allow_nan=False)


def test_one_departing_output_is_a_mismatch_with_its_reason():
    found = entry_from_comparisons([comparison("a"), comparison("b", 1.5), comparison("c")])
    assert found["status"] == "mismatch"
    assert found["reason"].startswith("output 'b' differs by up to 2")
    assert (found["departing_outputs"], found["worst_output"]) == (1, "b")


def test_only_the_worst_outputs_are_kept_in_detail():
    made = [comparison(f"y{n}", 1 + n * 1e-6) for n in range(30)]
    found = entry_from_comparisons(made)
    assert found["outputs"] == 30
    assert [d["output"] for d in found["details"]][:2] == ["y29", "y28"]
    assert len(found["details"]) == SHOWN_OUTPUTS


def test_outputs_that_decide_nothing_are_counted_beside_those_that_do():
    vague = comparison("noise", 1.5, expected=np.float32([1e-9]))
    found = entry_from_comparisons([vague, comparison("y")])
    assert (found["status"], found["undecided_outputs"]) == ("ok", 1)
    assert found["worst_output"] == "y"
    with pytest.raises(Unable, match="'noise' differs by up to 5e-10, relative 0.5, too little"):
        entry_from_comparisons([vague])


def test_outputs_of_zeros_alone_prove_nothing():
    zeros = np.zeros(3, np.float32)
    nothing = compare("head", raw(zeros), raw(zeros), "", "eager")
    with pytest.raises(Unable, match="Output 'head' is zero throughout, in eager too"):
        entry_from_comparisons([nothing])
    assert entry_from_comparisons([nothing, comparison("y")])["status"] == "ok"


@pytest.mark.parametrize("value", [np.zeros((0, 2), np.float32), np.float32([np.nan, np.nan])])
def test_outputs_without_a_value_prove_nothing(value):
    with pytest.raises(Unable, match="No output has a value that can be compared"):
        entry_from_comparisons([compare("y", raw(value), raw(value), "", "eager")])


@pytest.mark.parametrize(
    ("statuses", "overall", "departs_at"),
    [
        (["ok"], "ok", None),
        (["ok", "ok"], "ok", None),
        (["ok", "mismatch", "mismatch"], "mismatch", "b"),
        (["ok", "refused"], "refused", "b"),
        (["mismatch", "refused"], "mismatch", "a"),
        (["ok", "not checked"], "partly checked", None),
        (["not checked", "not checked"], "not checked", None),
        (["reference"], "not checked", None),
        (["reference", "ok"], "ok", None),
        (["nonsense"], "not checked", None),
        ([], "not checked", None),
    ],
)
def test_the_sum_is_never_better_than_its_parts(statuses, overall, departs_at):
    entries = {name: entry(status) for name, status in zip("abc", statuses, strict=False)}
    found = summary_of(entries)
    assert (found["status"], found["departs_at"]) == (overall, departs_at)


def test_sum_names_what_was_checked_and_where_the_largest_difference_is():
    first = entry("ok", max_rel=1e-6, tolerance=1e-4, worst_output="y")
    second = entry("ok", max_rel=1e-3, tolerance=5e-2, worst_output="z")
    found = summary_of({"export": first, "halve": second, "engine": entry("not checked")})
    assert found["checked"] == ["export", "halve"]
    assert found["not_checked"] == ["engine"]
    assert found["reason"] == "because not checked"
    assert found["reference"] == "eager (t 1)"
    assert (found["worst"]["step"], found["worst"]["worst_output"]) == ("halve", "z")


def test_status_of_something_else_is_not_checked():
    assert status_of({}).value == status_of({"status": ["ok"]}).value == "not checked"
