"""A first job that finds out whether a node sees what this host sees."""

from __future__ import annotations

import sys
import time
from collections.abc import Generator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from turnkeyml.errors import UsageError
from turnkeyml_plugin_slurm.background import pause
from turnkeyml_plugin_slurm.observer import Observer
from turnkeyml_plugin_slurm.settings import SCRIPT, Settings
from turnkeyml_plugin_slurm.slurm import Slurm, SlurmAwayError, SlurmRefusedError, TaskState
from turnkeyml_plugin_slurm.states import NO_COMMAND, NOT_SEEN, is_alive
from turnkeyml_plugin_slurm.submission import Submission
from turnkeyml_plugin_slurm.submitting import refusal, submit_words
from turnkeyml_plugin_slurm.tasks import refuse_hopeless

if TYPE_CHECKING:
    from turnkeyml.executor import JobSpec, Limits
    from turnkeyml_plugin_slurm.background import Background

_SHARE = "Give a cache that all nodes share, with -d."


class Probe:
    """Submits a job that writes into the cache what it sees.

    Args:
        slurm: Slurm's commands.
        settings: How jobs are run.
        background: Where Slurm's commands are called.
        observer: Asks Slurm how the job is.
    """

    def __init__(
        self, slurm: Slurm, settings: Settings, background: Background, observer: Observer
    ) -> None:
        self._slurm = slurm
        self._settings = settings
        self._patience = settings.patience
        self._background = background
        self._observer = observer

    def run(
        self, job: JobSpec, limits: Limits, cache_dir: Path, root: Path
    ) -> Generator[None, None, None]:
        """Wait until a node has answered.

        Args:
            job: One whose input and directory the node is to see.
            limits: Of the jobs to come.
            cache_dir: The cache.
            root: The folder of all submissions, in the cache.

        Raises:
            UsageError: It does not see them, or what it writes is not seen here.
        """
        extra = {"probe": [str(Path.cwd()), str(job.source.path)]}
        submission = yield from self._submit(root, extra, self._settings.arguments.of(limits))
        ended = yield from self._wait(submission)
        if ended is not None:
            found = yield from self._background.wait(
                lambda: self._slurm.explain(submission.name, ended.array_id, 0)
            )
            raise _not_seen(found or ended, cache_dir)
        answer = submission.end(0)
        submission.remove()
        missing = [path for path, is_there in answer.get("seen", {}).items() if not is_there]
        if missing:
            raise UsageError(
                f"The node {answer.get('node')} does not see {missing[0]}.",
                hint="Inputs, and the directory that the command is run in, must be shared with "
                "all nodes.",
            )

    def _submit(
        self, root: Path, extra: dict[str, list[str]], asked: list[str]
    ) -> Generator[None, None, Submission]:
        while True:
            submission = Submission.write(root, [], extra)
            # What it prints goes nowhere: if the folder is not there, Slurm would not begin it.
            words = submit_words(submission, asked, SCRIPT, output="/dev/null")
            try:
                number = yield from self._background.wait(partial(self._slurm.submit, words))
            except SlurmAwayError as error:
                submission.void()
                self._observer.bear_silence(error)
                yield from pause(self._patience.retry_s)
            except SlurmRefusedError as error:
                raise refusal(error) from error
            else:
                self._observer.heard()
                submission.keep_number(number)
                return submission

    def _wait(self, submission: Submission) -> Generator[None, None, TaskState | None]:
        """Wait for the answer; give what Slurm says of a job that ended without one."""
        submitted = time.monotonic()
        gone_at: float | None = None
        while 0 not in submission.ended():
            self._observer.look([submission.name])
            now = self._observer.taken_at
            state = self._observer.states.get((submission.name, 0))
            if state is not None and is_alive(state):
                refuse_hopeless(state)
                gone_at = None
            elif now > submitted:
                gone_at = now if gone_at is None else gone_at
                wait_s = self._patience.lost_s if state is None else self._patience.settle_s
                if now - gone_at >= wait_s:
                    return state or TaskState(submission.number or 0, "LOST")
            yield from pause(self._patience.look_s)
        return None


def _not_seen(state: TaskState, cache_dir: Path) -> UsageError:
    node = f"node {state.node}" if state.node else "node of a first job"
    if state.exit_code in NO_COMMAND:
        return UsageError(
            f"The {node} has no {sys.executable}.",
            hint="Install turnkey where all nodes see it.",
        )
    if state.exit_code == NOT_SEEN:
        return UsageError(f"The {node} does not see the cache {cache_dir}.", hint=_SHARE)
    if state.state == "COMPLETED":
        return UsageError(
            f"What the {node} writes into the cache {cache_dir} is not seen here.", hint=_SHARE
        )
    code = "" if state.exit_code is None else f", exit code {state.exit_code}"
    return UsageError(
        f"A first job, which was to see the cache from a node, ended as {state.state}{code}.",
        hint="Look whether Python and turnkey can be started there; --executor-args probe::false "
        "leaves this out.",
    )
