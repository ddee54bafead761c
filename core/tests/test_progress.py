"""Progress: a line for each step or input, or a view that is redrawn in place on a terminal."""

from __future__ import annotations

import io
import re
from pathlib import Path

import pytest
from core_env import FakePlugins, run_here
from toy_jobs import done, failed_model, finished, found, job_of, model_of, report_of, started

from turnkeyml.console import Console
from turnkeyml.errors import ExitCode
from turnkeyml.execution.reports import JobError
from turnkeyml.inputs import Source
from turnkeyml.outcomes import Status, StepOutcome
from turnkeyml.plan import Plan, make_plan
from turnkeyml.progress import (
    LiveProgress,
    NoProgress,
    PlainProgress,
    make_progress,
    summary_of,
)
from turnkeyml.sequence import Step

LONG = "a-model-with-a-rather-long-name.toy"
FAILED = StepOutcome(Status.FAILED, 0.1, "no")


class Terminal(io.StringIO):
    """A terminal that keeps what is written to it."""

    def isatty(self) -> bool:
        return True


@pytest.fixture
def plans(toys: FakePlugins) -> dict[str, Plan]:
    return {".toy": make_plan(["find", Step("compile"), "shrink"], ".toy", toys.registry())}


def screen_of(columns: int, monkeypatch: pytest.MonkeyPatch) -> Console:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", str(columns))
    monkeypatch.setenv("NO_COLOR", "1")
    return Console(io.StringIO(), io.StringIO())


def shown(view: LiveProgress, screen: Console) -> list[str]:
    rich = screen.rich()
    with rich.capture() as captured:
        rich.print(view._render())
    return [line.rstrip() for line in captured.get().splitlines()]


def lines_of(err: str) -> list[str]:
    """Give lines of progress without how long things took."""
    return [re.sub(r" \((\d[^()]* (s|min|h)|as before)\)", "", line) for line in err.splitlines()]


# Lines that stay


def test_one_input_has_a_line_for_each_step(toys: FakePlugins) -> None:
    Path("a.toy").write_text("one 1\ntwo 2\n")
    told = run_here("-i", "a.toy", "find", "act", "--do", "boom-if-named", "--word", "two")
    assert lines_of(told.err)[:3] == [
        "a.toy: find",
        "a.toy one: act",
        "a.toy two: act: failed",
    ]


def test_several_inputs_have_a_line_each(toys: FakePlugins) -> None:
    Path("a.toy").write_text("one 1\ntwo 2\n")
    Path("b.toy").write_text("three 3\n")
    Path("c.toy").write_text("refuse No.\n")
    words = ["a.toy", "b.toy", "c.toy", "find", "act", "--do", "boom-if-named", "--word", "two"]
    told = run_here("-i", *words)
    assert lines_of(told.err)[:2] == [
        "[1/3] a.toy: 2 models, 1 successful, 1 failed",
        "[2/3] b.toy: 1 model, 1 successful",
    ]
    assert "[3/3] c.toy: failed: No." in told.err


def test_steps_of_several_inputs_are_shown_if_asked_for(toys: FakePlugins) -> None:
    Path("a.toy").write_text("one 1\n")
    Path("b.toy").write_text("three 3\n")
    told = run_here("--verbosity", "static", "-i", "a.toy", "b.toy", "find", "compile")
    assert lines_of(told.err) == [
        "[1/2] a.toy: find",
        "[1/2] a.toy one: compile",
        "[2/2] b.toy: find",
        "[2/2] b.toy three: compile",
    ]


def test_debugging_shows_steps_too(toys: FakePlugins, monkeypatch: pytest.MonkeyPatch) -> None:
    Path("a.toy").write_text("one 1\n")
    Path("b.toy").write_text("three 3\n")
    monkeypatch.setenv("TURNKEY_DEBUG", "True")
    told = run_here("-i", "a.toy", "b.toy", "find")
    assert lines_of(told.err) == ["[1/2] a.toy: find", "[2/2] b.toy: find"]


@pytest.mark.parametrize(
    ("words", "variables", "is_shown"),
    [
        ([], {}, True),
        (["--verbosity", "quiet"], {}, False),
        ([], {"TURNKEY_BUILD_MONITOR": "False"}, False),
        ([], {"TURNKEY_BUILD_MONITOR": "0"}, False),
        ([], {"TURNKEY_BUILD_MONITOR": "True"}, True),
        ([], {"TURNKEY_BUILD_MONITOR": "nonsense"}, True),
        (["--verbosity", "static"], {"TURNKEY_BUILD_MONITOR": "False"}, True),
    ],
)
def test_progress_is_left_out_if_asked_for(
    words: list[str],
    variables: dict[str, str],
    is_shown: bool,
    toys: FakePlugins,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    Path("a.toy").write_text("one 1\n")
    told = run_here(*words, "-i", "a.toy", "find", "compile")
    assert told.code == ExitCode.OK
    assert bool(told.err) == is_shown
    assert "Model successfully built!" in told.out


def test_a_view_that_is_asked_for_where_there_is_no_terminal_harms_nothing(
    toys: FakePlugins,
) -> None:
    Path("a.toy").write_text("one 1\n")
    Path("b.toy").write_text("three 3\n")
    told = run_here("--verbosity", "dynamic", "-i", "a.toy", "b.toy", "find", "compile")
    assert told.code == ExitCode.OK
    assert told.out.count("Model successfully built!") == 2
    assert "\x1b" not in told.text


def test_a_step_that_was_spared_says_so() -> None:
    err = io.StringIO()
    view = PlainProgress(Console(io.StringIO(), err), 1)
    view.tell(job_of(), finished("compile", 2, "one", StepOutcome(Status.SUCCESSFUL, 0, None)))
    reused = StepOutcome(Status.SUCCESSFUL, 0.0, reused=True)
    view.tell(job_of(), finished("compile", 2, "one", reused))
    assert err.getvalue() == "a.toy one: compile (0.0 s)\na.toy one: compile (as before)\n"


def test_where_a_job_runs_is_said() -> None:
    err = io.StringIO()
    view = PlainProgress(Console(io.StringIO(), err), 7, done=4)
    view.started(job_of("b.toy"), "Slurm job 12 on node3")
    view.started(job_of("c.toy"), "")
    view.ended(job_of("c.toy"), report_of())
    assert lines_of(err.getvalue()) == [
        "[5/7] b.toy: Slurm job 12 on node3",
        "[6/7] c.toy: no model",
    ]


def test_a_job_that_goes_on_after_a_death_keeps_its_number() -> None:
    err = io.StringIO()
    view = PlainProgress(Console(io.StringIO(), err), 3)
    for name in ("a.toy", "b.toy", "a.toy"):
        view.started(job_of(name), "here")
    numbers = [line.split(":")[0] for line in err.getvalue().splitlines()]
    assert numbers == ["[1/3] a.toy", "[2/3] b.toy", "[1/3] a.toy"]


def test_names_with_control_characters_are_shown_escaped() -> None:
    err = io.StringIO()
    view = PlainProgress(Console(io.StringIO(), err), 2)
    job = job_of(source=Source(Path("/x/a\x1b[2J\r.toy")))
    view.started(job, "node\x07")
    view.ended(job, report_of(error=JobError("It said \x1b]0;pwned\x07")))
    assert "\x1b" not in err.getvalue()
    assert "\x07" not in err.getvalue()
    assert r"a\x1b[2J\r.toy" in err.getvalue()


def test_an_input_is_summed_up_in_a_few_words() -> None:
    ok, bad = model_of("one"), failed_model("two")
    left_out = model_of("three", Status.SKIPPED)
    assert summary_of(report_of(ok, bad, ok)) == "3 models, 2 successful, 1 failed"
    assert summary_of(report_of(left_out)) == "1 model, 1 skipped"
    assert summary_of(report_of(model_of("one", selected=False))) == "no model"
    broken = JobError("It crashed.", "Look.", "crashed")
    assert summary_of(report_of(ok, error=broken)) == "failed: It crashed."


# Which view


@pytest.mark.parametrize(
    ("term", "variables", "verbosity", "expected"),
    [
        (None, {}, "auto", PlainProgress),
        ("xterm", {}, "auto", LiveProgress),
        ("dumb", {}, "auto", PlainProgress),
        ("xterm", {"TURNKEY_DEBUG": "1"}, "auto", PlainProgress),
        ("xterm", {"TURNKEY_DEBUG": "0"}, "auto", LiveProgress),
        ("xterm", {"TURNKEY_BUILD_MONITOR": "off"}, "auto", NoProgress),
        ("xterm", {"TURNKEY_BUILD_MONITOR": "off"}, "dynamic", LiveProgress),
        ("xterm", {"TURNKEY_DEBUG": "1"}, "dynamic", LiveProgress),
        ("xterm", {}, "static", PlainProgress),
        ("xterm", {}, "quiet", NoProgress),
        (None, {}, "dynamic", LiveProgress),
    ],
)
def test_the_view_is_chosen_by_where_the_output_goes_and_what_the_user_wants(
    term: str | None,
    variables: dict[str, str],
    verbosity: str,
    expected: type,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name, value in {"TERM": term or "xterm", **variables}.items():
        monkeypatch.setenv(name, value)
    console = Console(io.StringIO(), Terminal() if term else io.StringIO())
    assert type(make_progress(console, 1, verbosity=verbosity)) is expected


# The view that is redrawn


@pytest.mark.parametrize("columns", [20, 40, 80])
def test_the_live_view_marks_steps_as_done_running_and_to_come(
    plans: dict[str, Plan], monkeypatch: pytest.MonkeyPatch, columns: int
) -> None:
    screen = screen_of(columns, monkeypatch)
    view, job = LiveProgress(screen, 2, plans=plans), job_of(LONG)
    view.started(job, "")
    view.tell(job, started("find", 1))
    view.tell(job, finished("find", 1))
    view.tell(job, started("compile", 2, "one"))
    lines = shown(view, screen)
    assert all(len(line) <= columns for line in lines)
    assert lines[0].startswith("a-model-with-a-rath")
    assert lines[1] == "  ✓ find  1.2 s"
    assert lines[2].startswith("  ▸ compile  0.")
    assert lines[3] == "    shrink"
    view.tell(job, finished("compile", 2, "one", FAILED))
    assert shown(view, screen)[2] == "  ✗ compile  0.1 s"
    view.ended(job, report_of(model_of("one")))
    assert "1/2 1 ok" in "".join(shown(view, screen)) or columns < 80


def test_the_next_model_begins_with_the_steps_that_follow(
    plans: dict[str, Plan], monkeypatch: pytest.MonkeyPatch
) -> None:
    screen = screen_of(80, monkeypatch)
    view, job = LiveProgress(screen, 1, plans=plans), job_of()
    view.started(job, "")
    for event in (
        finished("find", 1),
        found(model_of("one"), model_of("two")),
        finished("compile", 2, "one"),
        finished("shrink", 3, "one"),
        done(model_of("one")),
        started("compile", 2, "two"),
    ):
        view.tell(job, event)
    lines = shown(view, screen)
    assert lines[0] == "a.toy: two 12345678"
    assert lines[1].startswith("  ✓ find")
    assert lines[2].startswith("  ▸ compile")
    assert lines[3] == "    shrink"


def test_names_from_files_cannot_control_the_live_view(
    plans: dict[str, Plan], monkeypatch: pytest.MonkeyPatch
) -> None:
    screen = screen_of(80, monkeypatch)
    view = LiveProgress(screen, 1, plans=plans)
    job = job_of(source=Source(Path("/x/a\x1b[2J[red].toy")))
    view.started(job, "[bold]node\x07")
    assert shown(view, screen)[0] == r"a\x1b[2J[red].toy ([bold]node\x07)"
    view.tell(job, started("compile", 2, "on\x1be"))
    assert "\x1b" not in "".join(shown(view, screen))


def test_a_single_input_has_no_bar(plans: dict[str, Plan], monkeypatch: pytest.MonkeyPatch) -> None:
    screen = screen_of(80, monkeypatch)
    view = LiveProgress(screen, 1, plans=plans)
    view.started(job_of(), "")
    assert len(shown(view, screen)) == 1 + len(plans[".toy"].steps)


@pytest.mark.parametrize("columns", [20, 40, 120])
def test_of_a_hundred_jobs_that_run_a_few_are_shown_and_the_rest_counted(
    plans: dict[str, Plan], monkeypatch: pytest.MonkeyPatch, columns: int
) -> None:
    screen = screen_of(columns, monkeypatch)
    view = LiveProgress(screen, 500, 100, plans)
    jobs = [job_of(f"{n}-{LONG}") for n in range(100)]
    for job in jobs:
        view.started(job, "")
        view.tell(job, started("compile", 2, "one"))
    lines = shown(view, screen)
    assert len(lines) == 8 + 1 + 1
    assert all(len(line) <= columns for line in lines)
    assert lines[0].startswith("  ▸ 0-a-model-with")
    assert lines[8] == "    and 92 more"
    for n, job in enumerate(jobs):
        view.ended(job, report_of(failed_model("two") if n % 10 == 0 else model_of("one")))
    (line,) = shown(view, screen)
    if columns == 120:
        assert "200/500" in line
        assert "90 ok 10 failed" in line


def test_events_of_a_job_that_has_ended_are_let_go(
    plans: dict[str, Plan], monkeypatch: pytest.MonkeyPatch
) -> None:
    screen = screen_of(80, monkeypatch)
    view = LiveProgress(screen, 2, plans=plans)
    view.started(job_of(), "")
    view.ended(job_of(), report_of())
    view.tell(job_of(), started("compile", 2, "one"))
    assert len(shown(view, screen)) == 1


def test_the_bar_is_last_and_says_how_much_is_left(
    plans: dict[str, Plan], monkeypatch: pytest.MonkeyPatch
) -> None:
    screen = screen_of(100, monkeypatch)
    view = LiveProgress(screen, 4, plans=plans)
    for name in ("a.toy", "b.toy"):
        view.started(job_of(name), "")
    view.ended(job_of("a.toy"), report_of(failed_model("one")))
    bar = shown(view, screen)[-1]
    assert re.search(r"^inputs .* 1/4 1 failed +-?[\d:-]+$", bar), bar


def test_an_input_of_which_no_plan_is_known_is_shown_all_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    screen = screen_of(80, monkeypatch)
    view = LiveProgress(screen, 1)
    view.started(job_of(), "somewhere")
    view.tell(job_of(), started("compile", 2, "one"))
    assert shown(view, screen) == ["a.toy: one 12345678"]
