"""Say what is going on: a live view on a terminal, plain lines elsewhere."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from turnkeyml.console import Console, format_seconds, printable
from turnkeyml.outcomes import Status
from turnkeyml.plugins.hookspecs import hookimpl

if TYPE_CHECKING:
    from turnkeyml.inputs import Source
    from turnkeyml.outcomes import StepOutcome
    from turnkeyml.plan import Plan, PlannedStep
    from turnkeyml.state import State


class PlainProgress:
    """One line for each step that ends."""

    def __init__(self, console: Console, total: int) -> None:
        self._console = console
        self._total = total
        self._job = 0

    def __enter__(self) -> PlainProgress:
        return self

    def __exit__(self, *details: object) -> None:
        return None

    @hookimpl
    def turnkey_job_started(self, source: Source) -> None:
        """Count the inputs."""
        self._job += 1

    @hookimpl
    def turnkey_step_finished(
        self, state: State | None, source: Source, step: PlannedStep, outcome: StepOutcome
    ) -> None:
        """Print the step."""
        count = f"[{self._job}/{self._total}] " if self._total > 1 else ""
        what = f"{source.path.name}" if state is None else f"{source.path.name} {state.model.name}"
        end = "" if outcome.status is Status.SUCCESSFUL else f": {outcome.status.value}"
        took = "as before" if outcome.reused else format_seconds(outcome.seconds)
        self._console.progress(f"{count}{what}: {step.name} ({took}){end}")


class LiveProgress:
    """A view that is redrawn in place: the chain of the model being worked on, and all inputs."""

    def __init__(self, console: Console, total: int) -> None:
        from rich.live import Live
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn

        screen = console.rich()
        self._bar = Progress(
            "inputs", BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(), console=screen
        )
        self._task = self._bar.add_task("inputs", total=total)
        self._show_bar = total > 1
        self._plan: Plan | None = None
        self._title = ""
        self._done: dict[int, StepOutcome] = {}
        self._running: int | None = None
        self._started = time.monotonic()
        self._live = Live(
            console=screen,
            get_renderable=self._render,
            refresh_per_second=8,
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
        )

    def __enter__(self) -> LiveProgress:
        self._live.start()
        return self

    def __exit__(self, *details: object) -> None:
        self._live.stop()

    def pause(self) -> None:
        """Clear the view, so that results can be printed."""
        self._live.stop()

    def resume(self) -> None:
        """Show the view again."""
        self._live.start()

    @hookimpl
    def turnkey_job_started(self, source: Source, plan: Plan) -> None:
        """Show a new input."""
        self._plan, self._title, self._done = plan, source.path.name, {}

    @hookimpl
    def turnkey_models_found(self, source: Source, states: Sequence[State]) -> None:
        """Nothing is shown until a model is worked on."""

    @hookimpl
    def turnkey_step_started(self, state: State | None, source: Source, step: PlannedStep) -> None:
        """Mark the step that runs."""
        if state is not None:
            self._title = f"{source.path.name}: {state.model.name} {state.model.short_hash}"
            self._done = {n: done for n, done in self._done.items() if n < step.number}
        self._running, self._started = step.number, time.monotonic()

    @hookimpl
    def turnkey_step_finished(self, step: PlannedStep, outcome: StepOutcome) -> None:
        """Mark the step as done."""
        self._done[step.number] = outcome
        self._running = None

    @hookimpl
    def turnkey_job_finished(self, source: Source) -> None:
        """Move the bar."""
        self._bar.advance(self._task)

    def _render(self) -> Any:
        from rich.console import Group
        from rich.text import Text

        rows: list[Any] = [
            Text(printable(self._title), style="bold", no_wrap=True, overflow="ellipsis")
        ]
        for step in self._plan.steps if self._plan is not None else ():
            rows.append(self._row(step))
        if self._show_bar:
            rows.append(self._bar)
        return Group(*rows)

    def _row(self, step: PlannedStep) -> Any:
        from rich.text import Text

        if step.number in self._done:
            outcome = self._done[step.number]
            good = outcome.status is Status.SUCCESSFUL
            mark, style = ("✓", "green") if good else ("✗", "red")
            took = "as before" if outcome.reused else format_seconds(outcome.seconds)
        elif step.number == self._running:
            mark, style = "▸", "cyan"
            took = format_seconds(time.monotonic() - self._started)
        else:
            return Text(f"    {step.name}", style="dim", no_wrap=True, overflow="ellipsis")
        text = f"  {mark} {step.name}  {took}"
        return Text(text, style=style, no_wrap=True, overflow="ellipsis")


def make_progress(console: Console, total: int) -> PlainProgress | LiveProgress:
    """Choose the view that fits where the output goes."""
    return LiveProgress(console, total) if console.is_live else PlainProgress(console, total)
