"""Progress: one plain line for each step, or a view of the chain on a terminal."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from core_env import FakePlugins, run_here

from turnkeyml.console import Console
from turnkeyml.inputs import Source
from turnkeyml.outcomes import Status, StepOutcome
from turnkeyml.plan import Plan, make_plan
from turnkeyml.progress import LiveProgress, PlainProgress, make_progress
from turnkeyml.sequence import Step

SOURCE = Source(Path("/x/a-model-with-a-rather-long-name.toy"))


@pytest.fixture
def plan(toys: FakePlugins) -> Plan:
    return make_plan(["find", Step("compile"), "shrink"], ".toy", toys.registry())


class Terminal(io.StringIO):
    """A terminal that keeps what is written to it."""

    def isatty(self) -> bool:
        return True


def test_elsewhere_than_on_a_terminal_a_step_is_a_line(toys: FakePlugins) -> None:
    Path("a.toy").write_text("one 1\ntwo 2\n")
    Path("b.toy").write_text("three 3\n")
    done = run_here("-i", "a.toy", "b.toy", "find", "act", "--do", "boom-if-named", "--word", "two")
    lines = [line.split(" (")[0] + line.partition(")")[2] for line in done.err.splitlines()]
    assert lines[:5] == [
        "[1/2] a.toy: find",
        "[1/2] a.toy one: act",
        "[1/2] a.toy two: act: failed",
        "[2/2] b.toy: find",
        "[2/2] b.toy three: act",
    ]


def test_a_single_input_is_not_counted(toys: FakePlugins) -> None:
    Path("a.toy").write_text("one 1\n")
    assert run_here("-i", "a.toy", "find").err.startswith("a.toy: find (")


def test_the_view_is_chosen_by_where_the_output_goes(monkeypatch: pytest.MonkeyPatch) -> None:
    assert isinstance(make_progress(Console(io.StringIO(), io.StringIO()), 1), PlainProgress)
    monkeypatch.setenv("TERM", "xterm")
    assert isinstance(make_progress(Console(io.StringIO(), Terminal()), 1), LiveProgress)
    monkeypatch.setenv("TERM", "dumb")
    assert isinstance(make_progress(Console(io.StringIO(), Terminal()), 1), PlainProgress)


def shown(view: LiveProgress, screen: Console) -> list[str]:
    rich = screen.rich()
    with rich.capture() as captured:
        rich.print(view._render())
    return [line.rstrip() for line in captured.get().splitlines()]


@pytest.mark.parametrize("columns", [20, 80])
def test_the_live_view_marks_steps_as_done_running_and_to_come(
    plan: Plan, monkeypatch: pytest.MonkeyPatch, columns: int
) -> None:
    monkeypatch.setenv("TERM", "dumb-not")
    monkeypatch.setenv("COLUMNS", str(columns))
    monkeypatch.setenv("NO_COLOR", "1")
    screen = Console(io.StringIO(), io.StringIO())
    view = LiveProgress(screen, 2)
    view.turnkey_job_started(SOURCE, plan)
    find, compiling, _ = plan.steps
    view.turnkey_step_started(None, SOURCE, find)
    view.turnkey_step_finished(find, StepOutcome(Status.SUCCESSFUL, 1.25))
    view.turnkey_step_started(None, SOURCE, compiling)
    lines = shown(view, screen)
    assert all(len(line) <= columns for line in lines)
    assert lines[0].startswith("a-model-with-a-rath")
    assert lines[1] == "  ✓ find  1.2 s"
    assert lines[2].startswith("  ▸ compile  0.")
    assert lines[3] == "    shrink"
    view.turnkey_step_finished(compiling, StepOutcome(Status.FAILED, 0.1))
    assert shown(view, screen)[2] == "  ✗ compile  0.1 s"
    view.turnkey_job_finished(SOURCE)
    assert "1/2" in "".join(shown(view, screen)[4:]) or columns < 80


def test_names_from_files_cannot_control_the_live_view(plan: Plan) -> None:
    screen = Console(io.StringIO(), io.StringIO())
    view = LiveProgress(screen, 1)
    view.turnkey_job_started(Source(Path("/x/a\x1b[2J.toy")), plan)
    assert shown(view, screen)[0] == r"a\x1b[2J.toy"


def test_a_single_input_has_no_bar(plan: Plan) -> None:
    screen = Console(io.StringIO(), io.StringIO())
    view = LiveProgress(screen, 1)
    view.turnkey_job_started(SOURCE, plan)
    assert len(shown(view, screen)) == 1 + len(plan.steps)
