"""Say what is going on: a live view on a terminal, plain lines elsewhere."""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from turnkeyml.console import Console, format_seconds, plural, printable
from turnkeyml.execution.events import JobEvent, What
from turnkeyml.outcomes import Status, StepOutcome

if TYPE_CHECKING:
    from turnkeyml.execution.reports import JobReport
    from turnkeyml.executor import JobSpec
    from turnkeyml.plan import Plan

MONITOR_VARIABLE = "TURNKEY_BUILD_MONITOR"
DEBUG_VARIABLE = "TURNKEY_DEBUG"
_SHOWN_JOBS = 8
_OFF = ("false", "0", "no", "off")
_ON = ("true", "1", "yes", "on")


class View(Protocol):
    """Shows how far a command has come."""

    def __enter__(self) -> View: ...

    def __exit__(self, *details: object) -> None: ...

    def started(self, job: JobSpec, where: str) -> None:
        """A job has begun."""

    def tell(self, job: JobSpec, event: JobEvent) -> None:
        """Something has happened in it."""

    def ended(self, job: JobSpec, report: JobReport) -> None:
        """It has ended."""

    def pause(self) -> None:
        """Clear the view, so that something can be printed."""

    def resume(self) -> None:
        """Show it again."""


class NoProgress:
    """Shows nothing."""

    def __enter__(self) -> NoProgress:
        return self

    def __exit__(self, *details: object) -> None:
        return

    def started(self, job: JobSpec, where: str) -> None:
        """Nothing is shown."""

    def tell(self, job: JobSpec, event: JobEvent) -> None:
        """Nothing is shown."""

    def ended(self, job: JobSpec, report: JobReport) -> None:
        """Nothing is shown."""

    def pause(self) -> None:
        """Nothing is shown."""

    def resume(self) -> None:
        """Nothing is shown."""


class PlainProgress(NoProgress):
    """One line for each step that ends, or for each input where there are several.

    Args:
        console: Where to.
        total: How many inputs there are.
        done: How many of them an earlier command has ended with.
        every_step: Show steps also where there are several inputs.
    """

    def __init__(
        self, console: Console, total: int, done: int = 0, *, every_step: bool = False
    ) -> None:
        self._console = console
        self._total = total
        self._steps = every_step or total == 1
        self._places: dict[str, int] = {}
        self._begun: dict[str, float] = {}
        self._done = done

    def started(self, job: JobSpec, where: str) -> None:
        """Count the inputs, and say where one runs."""
        self._count(job)
        self._begun.setdefault(job.key, time.monotonic())
        if where:
            self._console.progress(f"{self._count(job)}{job.title}: {where}")

    def tell(self, job: JobSpec, event: JobEvent) -> None:
        """Print a step that has ended."""
        if event.what is not What.STEP_FINISHED or not self._steps:
            return
        if event.step is None or event.outcome is None:
            return
        what = job.title
        if event.step.model:
            # The hash is in the status; the name is enough here.
            what += f" {event.step.model.rpartition(' ')[0]}"
        good = event.outcome.status is Status.SUCCESSFUL
        end = "" if good else f": {event.outcome.status.value}"
        took = "as before" if event.outcome.reused else format_seconds(event.outcome.seconds)
        self._console.progress(f"{self._count(job)}{what}: {event.step.name} ({took}){end}")

    def ended(self, job: JobSpec, report: JobReport) -> None:
        """Print how an input has ended, where there are several."""
        if self._total == 1 or self._steps:
            return
        took = format_seconds(time.monotonic() - self._begun.get(job.key, time.monotonic()))
        self._console.progress(f"{self._count(job)}{job.title}: {summary_of(report)} ({took})")

    def _count(self, job: JobSpec) -> str:
        place = self._places.setdefault(job.key, self._done + len(self._places) + 1)
        return f"[{place}/{self._total}] " if self._total > 1 else ""


@dataclass
class _Running:
    """A job that runs, as it is shown."""

    job: JobSpec
    title: str
    plan: Plan | None
    done: dict[int, StepOutcome] = field(default_factory=dict)
    running: int | None = None
    step: str = ""
    since: float = field(default_factory=time.monotonic)


class LiveProgress:
    """A view that is redrawn in place: the chain of the model being worked on, and all inputs.

    Args:
        console: The terminal.
        total: How many inputs there are.
        done: How many of them an earlier command has ended with.
        plans: By suffix of the input.
    """

    def __init__(
        self, console: Console, total: int, done: int = 0, plans: Mapping[str, Plan] | None = None
    ) -> None:
        from rich.live import Live
        from rich.progress import (
            BarColumn,
            MofNCompleteColumn,
            Progress,
            TextColumn,
            TimeRemainingColumn,
        )

        screen = console.rich()
        self._bar = Progress(
            "inputs",
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[counts]}"),
            TimeRemainingColumn(),
            console=screen,
        )
        self._task = self._bar.add_task("inputs", total=total, completed=done, counts="")
        self._show_bar = total > 1
        self._plans = plans or {}
        self._running: dict[str, _Running] = {}
        self._counts: Counter[str] = Counter()
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

    def started(self, job: JobSpec, where: str) -> None:
        """Show a new input."""
        title = f"{job.title} ({where})" if where else job.title
        self._running[job.key] = _Running(job, title, self._plans.get(job.source.suffix))

    def tell(self, job: JobSpec, event: JobEvent) -> None:
        """Show what is done of it."""
        shown = self._running.get(job.key)
        if shown is None or event.step is None:
            return
        step = event.step
        if event.what is What.STEP_STARTED:
            if step.model:
                shown.title = f"{job.title}: {step.model}"
                shown.done = {n: done for n, done in shown.done.items() if n < step.number}
            shown.running, shown.step, shown.since = step.number, step.name, time.monotonic()
        elif event.outcome is not None:
            shown.done[step.number] = event.outcome
            shown.running = None

    def ended(self, job: JobSpec, report: JobReport) -> None:
        """Move the bar."""
        self._running.pop(job.key, None)
        self._counts["failed" if report.failed else "ok"] += 1
        counts = " ".join(f"{count} {word}" for word, count in sorted(self._counts.items())[::-1])
        self._bar.update(self._task, advance=1, counts=counts)

    def _render(self) -> Any:
        from rich.console import Group

        running = list(self._running.values())
        if len(running) == 1:
            rows = self._chain(running[0])
        else:
            rows = [_row(f"  ▸ {one.title}", one) for one in running[:_SHOWN_JOBS]]
            if len(running) > _SHOWN_JOBS:
                rows.append(_text(f"    and {len(running) - _SHOWN_JOBS} more", "dim"))
        if self._show_bar:
            rows.append(self._bar)
        return Group(*rows)

    def _chain(self, one: _Running) -> list[Any]:
        rows = [_text(one.title, "bold")]
        for step in one.plan.steps if one.plan is not None else ():
            if step.number in one.done:
                outcome = one.done[step.number]
                good = outcome.status is Status.SUCCESSFUL
                mark, style = ("✓", "green") if good else ("✗", "red")
                took = "as before" if outcome.reused else format_seconds(outcome.seconds)
            elif step.number == one.running:
                mark, style = "▸", "cyan"
                took = format_seconds(time.monotonic() - one.since)
            else:
                rows.append(_text(f"    {step.name}", "dim"))
                continue
            rows.append(_text(f"  {mark} {step.name}  {took}", style))
        return rows


def _row(title: str, one: _Running) -> Any:
    took = format_seconds(time.monotonic() - one.since)
    return _text(f"{title}  {one.step}  {took}" if one.step else f"{title}  {took}", "cyan")


def _text(text: str, style: str) -> Any:
    from rich.text import Text

    return Text(printable(text), style=style, no_wrap=True, overflow="ellipsis")


def summary_of(report: JobReport) -> str:
    """Say in a few words how an input has ended."""
    if report.error is not None:
        return f"failed: {report.error.message}"
    chosen = [model for model in report.models if model.selected]
    counts = Counter(model.status for model in chosen)
    words = [f"{count} {status.value}" for status, count in counts.items()]
    return f"{plural(len(chosen), 'model')}, {', '.join(words)}" if chosen else "no model"


def make_progress(
    console: Console,
    total: int,
    done: int = 0,
    *,
    verbosity: str = "auto",
    plans: Mapping[str, Plan] | None = None,
) -> View:
    """Choose the view that fits where the output goes.

    ``TURNKEY_BUILD_MONITOR=False`` shows nothing, ``TURNKEY_DEBUG=True`` lines that stay, unless
    ``verbosity`` says otherwise.

    Args:
        console: Where to.
        total: How many inputs there are.
        done: How many of them an earlier command has ended with.
        verbosity: ``auto``, ``dynamic``, ``static`` or ``quiet``.
        plans: By suffix of the input.
    """
    if verbosity == "auto":
        verbosity = "quiet" if is_off(MONITOR_VARIABLE) else choose_verbosity(console)
        every_step = is_on(DEBUG_VARIABLE)
    else:
        every_step = verbosity == "static"
    if verbosity == "quiet":
        return NoProgress()
    if verbosity == "dynamic":
        return LiveProgress(console, total, done, plans)
    return PlainProgress(console, total, done, every_step=every_step)


def choose_verbosity(console: Console) -> str:
    """Say what fits where the output goes: ``dynamic`` or ``static``."""
    return "dynamic" if console.is_live and not is_on(DEBUG_VARIABLE) else "static"


def is_off(variable: str) -> bool:
    """Tell whether an environment variable says no."""
    return os.environ.get(variable, "").strip().lower() in _OFF


def is_on(variable: str) -> bool:
    """Tell whether an environment variable says yes."""
    return os.environ.get(variable, "").strip().lower() in _ON
