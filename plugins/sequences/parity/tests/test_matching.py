"""Which output belongs to which."""

from __future__ import annotations

import pytest

from turnkeyml_plugin_parity.matching import match_outputs
from turnkeyml_plugin_parity.results import Unable


def matched(given, expected, order=None):
    return match_outputs(given, expected, order, "eager")


def test_names_decide_where_all_are_there_also_written_as_exporters_do():
    expected = {"logits": 1, "past.0.k": 2}
    given = {"past_0_k": "b", "extra": "c", "logits": "a"}
    assert matched(given, expected) == [("logits", "a", 1), ("past.0.k", "b", 2)]


def test_order_decides_where_names_say_nothing():
    assert matched({"y": "a", "z": "b"}, {"out_0": 1, "out_1": 2}) == [
        ("out_0", "a", 1),
        ("out_1", "b", 2),
    ]


def test_order_is_the_one_that_the_artifact_states():
    given, expected = {"z": "b", "y": "a"}, {"out_0": 1, "out_1": 2}
    assert [ours for _, ours, _ in matched(given, expected, ["y", "z"])] == ["a", "b"]
    assert [ours for _, ours, _ in matched(given, expected, ["y", "other"])] == ["b", "a"]


@pytest.mark.parametrize("count", [1, 3])
def test_other_counts_without_common_names_do_not_correspond(count):
    given = {f"y{n}": n for n in range(count)}
    with pytest.raises(Unable, match=f"{count} outputs stand against 2 of eager"):
        matched(given, {"out_0": 1, "out_1": 2})


def test_a_model_without_tensors_cannot_be_compared():
    with pytest.raises(Unable, match="eager gives no tensor"):
        matched({"y": 1}, {})


def test_names_that_become_one_do_not_decide():
    given = {"a.b": 1, "a_b": 2}
    assert matched(given, {"out_0": 3, "a_b": 4}) == [("out_0", 1, 3), ("a_b", 2, 4)]
