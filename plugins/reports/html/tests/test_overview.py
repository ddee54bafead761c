"""Counts over all rows."""

from __future__ import annotations

from typing import Any

from html_support import CACHE, failure, result

from turnkeyml.report import Row
from turnkeyml_plugin_report_html.overview import MOST_CAUSES, Overview, OverviewMaker, Stage


def overview_of(*rows: dict[str, Any]) -> Overview:
    maker = OverviewMaker()
    for values in rows:
        maker.add(Row(CACHE, values))
    return maker.overview()


def test_a_build_passes_a_stage_if_it_does_so_in_one_row() -> None:
    found = overview_of(
        result("a"), result("a", run="failed"), result("b", run="failed"), failure("c")
    )
    assert found.stages == (Stage("found", 3, 3), Stage("exported", 2, 3), Stage("run", 1, 2))
    assert (found.rows, found.builds, found.results, found.failed) == (4, 3, 3, 1)


def test_inputs_without_a_model_are_attempts_and_no_builds() -> None:
    found = overview_of(result("a"), failure("b", build_name="", found="failed"))
    assert (found.builds, found.attempts) == (1, 2)
    assert found.stages[0] == Stage("found", 1, 2)


def test_failures_of_one_kind_are_one_cause_with_an_example() -> None:
    found = overview_of(
        result("a"),
        failure("b", error="No operator 'x'.", cause="No operator ..."),
        failure("c", error="No operator 'y'.", cause="No operator ..."),
        failure("d", error="It ended.", cause="It ended.", failed_step="benchmark"),
    )
    first, second = found.causes
    assert (first.step, first.cause, first.rows) == ("export-pytorch", "No operator ...", 2)
    assert (first.example, first.example_name, first.example_error) == (1, "b", "No operator 'x'.")
    assert (second.rows, second.example) == (1, 3)


def test_what_was_interrupted_without_a_word_is_a_cause_too() -> None:
    row = failure("a", status="interrupted")
    del row["error"], row["cause"]
    assert overview_of(row).causes[0].cause == ""
    assert overview_of(row).failed == 1


def test_only_so_many_causes_are_kept_and_the_others_counted() -> None:
    rows = [failure(cause=f"cause {chr(97 + n % 26)}{n}") for n in range(MOST_CAUSES + 5)]
    found = overview_of(*rows)
    assert (len(found.causes), found.other_causes) == (MOST_CAUSES, 5)


def test_verdicts_are_counted_with_reasons_that_are_alike() -> None:
    found = overview_of(
        result("a"),
        result("b", verdict="noisy", verdict_reasons=["it waited 27% of the time", "it was hot"]),
        result("c", verdict="noisy", verdict_reasons=["it waited 3% of the time"]),
        failure(),
    )
    assert found.verdicts == {"noisy": 2, "valid": 1}
    assert [(one.reason, one.rows) for one in found.reasons] == [
        ("it waited N% of the time", 2),
        ("it was hot", 1),
    ]


def test_parity_is_counted_once_for_a_build_however_many_rows_it_has() -> None:
    def checked(name: str, difference: Any, status: str = "ok") -> dict[str, Any]:
        return {
            f"{name}.parity.status": status,
            f"{name}.parity.max_rel": difference,
            f"{name}.parity.tolerance": 1e-4,
        }

    found = overview_of(
        result("a", **checked("export-pytorch", 3e-6)),
        result("a", runtime="openvino", **checked("export-pytorch", 3e-6)),
        result("b", **checked("export-pytorch", 0.0)),
        result("c", **checked("export-pytorch", "inf", "mismatch")),
        result("d", **checked("export-pytorch", 0.5, "mismatch")),
    )
    (step,) = found.parity
    assert step.statuses == {"ok": 2, "mismatch": 2}
    assert step.exact == 1
    assert step.bins == ((-12, 1), (-1, 1))
    assert (step.tolerance, step.worst) == (1e-4, 0.5)
