"""What the page keeps of values, and what it calls columns."""

from __future__ import annotations

from typing import Any

import pytest

from turnkeyml_plugin_report_html.cells import LONGEST, cell_from, title_of


@pytest.mark.parametrize(
    ("value", "cell"),
    [
        (None, None), ("", None), (True, "yes"), (False, "no"), (0, 0), (-3, -3), (2**53, 2**53),
        (2**53 + 1, "9007199254740993"), (1.23456789, 1.23457), (0.0, 0.0),
        (float("nan"), "nan"), (float("inf"), "inf"), (["a", "b"], "a; b"), ([1, 2], "[1, 2]"),
        ({"x": [1]}, '{"x": [1]}'), ("ab" * 32, "abababababababab…"), ("ab" * 4, "abababab"),
        ("x" * (LONGEST + 1), "x" * LONGEST + "…"), (1234567.891, 1234570.0),
    ],
)  # fmt: skip
def test_cells(value: Any, cell: Any) -> None:
    assert cell_from(value) == cell
    assert type(cell_from(value)) is type(cell)


@pytest.mark.parametrize(
    ("name", "title", "unit"),
    [
        ("mean_latency_ms", "Mean latency", "ms"), ("throughput_ips", "Throughput", "inferences/s"),
        ("parameter_bytes", "Size of parameters", "bytes"), ("model_name", "Model", ""),
        ("failed_step", "Failed step", ""),
        ("export-pytorch.duration_s", "export-pytorch.duration", "s"),
        ("labels.my_s", "labels.my", "s"), ("s", "s", ""), ("_ms", "ms", ""), ("", "", ""),
    ],
)  # fmt: skip
def test_titles_have_their_units_apart(name: str, title: str, unit: str) -> None:
    assert (title_of(name)[0].strip(), title_of(name)[1]) == (title, unit)
