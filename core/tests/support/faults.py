"""Run a command again and again, and let it come to harm at every place where it writes.

Started with a file of JSON: ``home``, ``prepare`` (commands that make the cache as it is before),
``words`` (the command), ``heal`` (the commands that are run after the harm), ``harm`` (``kill``,
``full`` or ``full-once``), ``stride`` (try every so many places), ``code`` (as ``heal`` ends),
``tally`` (a file with the names of models that were run; none that had ended may be run again).
Each run is a process that is forked from this one, which has one thread and everything imported.
Prints JSON: how many places there were, and what went wrong.
"""

from __future__ import annotations

import errno
import importlib
import json
import os
import shutil
import signal
import sys
import traceback
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from builds import results_of, statuses_of

from turnkeyml.cli.main import run_command
from turnkeyml.console import Console
from turnkeyml.execution.command import JOBS
from turnkeyml.execution.deaths import trace_of
from turnkeyml.execution.events import EVENTS, EventReader
from turnkeyml.execution.journal import COMMANDS, Journal

_PRELOAD = (
    *("yaml", "filelock", "toyplug", "toyplug_tools", "toyplug_runtimes"),
    *("weaveplug", "weaveplug_tools", "turnkeyml.running", "turnkeyml.cli.cache_command"),
    *("turnkeyml.load_build", "turnkeyml.api", "turnkeyml.cache.locks"),
)
_TAKES_ROOM = ("open", "os.mkdir", "os.link")
_CHANGES = (*_TAKES_ROOM, "os.rename", "os.remove", "os.rmdir", "os.truncate", "os.symlink")
_CRASHED = 99


@dataclass(frozen=True)
class Run:
    """How a process ended, what it said, and how many writes it came to."""

    code: int
    text: str
    writes: int


class Fault:
    """Counts the changes to files below a folder, and strikes at one of them."""

    def __init__(self, folder: Path, place: int, harm: str, counter: Path) -> None:
        self._prefix = f"{folder}{os.sep}"
        self._place, self._harm, self._counter = place, harm, counter
        self.count = 0

    def __call__(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event not in (_CHANGES if self._harm == "kill" else _TAKES_ROOM):
            return
        path = os.fspath(arguments[0]) if not isinstance(arguments[0], int) else ""
        if isinstance(path, bytes) or not path.startswith(self._prefix):
            return
        if event == "open" and not (arguments[2] or 0) & (os.O_WRONLY | os.O_RDWR):
            return
        self.count += 1
        if self.count == self._place and self._harm == "kill":
            self._kill(event, path, arguments)
        full = self.count >= self._place if self._harm == "full" else self.count == self._place
        if self._place and full:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), path)

    def _kill(self, event: str, path: str, arguments: tuple[Any, ...]) -> None:
        if event == "open" and (arguments[2] or 0) & os.O_TRUNC:
            # As if it had been killed in the middle of writing.
            self._prefix = "\0"
            Path(path).write_bytes(b"schema: 1\nhalf of wh")
        os.kill(os.getpid(), signal.SIGKILL)


def fork(home: Path, work: Callable[[], int], fault: Fault | None = None) -> Run:
    """Do something in a process of its own."""
    out = home.parent / "out.txt"
    child = os.fork()
    if child == 0:
        code = _CRASHED
        try:
            os.chdir(home)
            target = os.open(out, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
            os.dup2(target, 1)
            os.dup2(target, 2)
            if fault is not None:
                sys.addaudithook(fault)
            code = work()
        except BaseException:  # noqa: BLE001 - whatever it is is looked at by the parent
            traceback.print_exc()
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            if fault is not None:
                out.with_name("writes.txt").write_text(str(fault.count))
            os._exit(code)
    _, status = os.waitpid(child, 0)
    writes = home.parent / "writes.txt"
    count = int(writes.read_text()) if fault is not None and writes.exists() else 0
    writes.unlink(missing_ok=True)
    text = out.read_text("utf-8", "replace")
    return Run(os.waitstatus_to_exitcode(status), text, count)


class Trial:
    """One command, harmed everywhere."""

    def __init__(self, plan: dict[str, Any]) -> None:
        self._plan = plan
        self._home = Path(plan["home"])
        self._cache = self._home / "cache"
        self._template = self._home.parent / "template"
        self.problems: list[str] = []

    def run(self) -> int:
        """Try all places; give how many there were."""
        for words in self._plan["prepare"]:
            self._edit_or_run(words)
        shutil.copytree(self._home, self._template, symlinks=True)
        counting = self._command(self._plan["words"], place=0)
        self._code = self._plan.get("code", 0)
        self._said = _failures_in(counting.text)
        for words in self._plan["heal"]:
            self._edit_or_run(words)
        self._right = self._outcome()
        places = range(1, counting.writes + 1, self._plan["stride"])
        for place in places:
            self._restore()
            self._try(place)
        return len(places)

    def _edit_or_run(self, words: Any) -> Run | None:
        if isinstance(words, dict):
            for name, text in words.items():
                (self._home / name).write_text(text)
            return None
        return self._command(words)

    def _command(self, words: list[str], place: int | None = None) -> Run:
        fault = None
        if place is not None:
            counter = self._home.parent / "writes.txt"
            fault = Fault(self._home, place, self._plan["harm"], counter)
        return fork(self._home, lambda: run_command(words, Console()), fault)

    def _restore(self) -> None:
        shutil.rmtree(self._home)
        shutil.copytree(self._template, self._home, symlinks=True)

    def _outcome(self) -> Any:
        """Give artifacts and statuses; of the steps, those of the last command."""
        words = self._plan["heal"][-1]
        statuses = {
            name: (status, {tool: how for tool, how in steps.items() if tool in words})
            for name, (status, steps) in statuses_of(self._cache).items()
        }
        return results_of(self._cache), statuses

    def _try(self, place: int) -> None:
        harmed = self._command(self._plan["words"], place)
        self._check_harmed(place, harmed)
        listed = self._command(["cache", "list"])
        if listed.code != 0 or "unreadable" in listed.text or "running" in listed.text:
            self._problem(place, "cache list", listed)
        settled = self._settled()
        for words in self._plan["heal"]:
            healed = self._edit_or_run(words)
            if healed is not None and healed.code != self._code:
                self._problem(place, "afterwards", healed)
            if healed is not None and _failures_in(healed.text) != self._said:
                self._problem(place, f"it does not say {self._said}", healed)
        for model, count in settled.items():
            if self._tally()[model] != count:
                self._problem(place, f"{model} had ended and was run again", harmed)
        try:
            right = self._outcome() == self._right
        except (AssertionError, OSError, ValueError):
            right = False
        if not right:
            self._problem(place, "what is there is wrong", harmed)

    def _tally(self) -> Counter[str]:
        path = self._home / str(self._plan.get("tally"))
        return Counter(path.read_text().split() if path.is_file() else ())

    def _settled(self) -> dict[str, int]:
        """Count how often models were run of which it is known that they have ended."""
        ended: set[str] = set()
        for folder in (self._cache / COMMANDS).glob("*"):
            journal = Journal(folder)
            journal.read()
            for _, report in journal.ended.values():
                ended |= {model.model.name for model in report.models}
            for job in set(journal.begun) - set(journal.ended):
                events = EventReader(folder / JOBS / job / EVENTS).read()
                found = [*trace_of(events).ended.values(), *journal.known[job].values()]
                ended |= {model.model.name for model in found}
        tally = self._tally()
        return {model: tally[model] for model in ended}

    def _check_harmed(self, place: int, run: Run) -> None:
        if self._plan["harm"] == "kill":
            if run.code != -signal.SIGKILL:
                self._problem(place, "it was not killed", run)
            return
        if run.code == _CRASHED or "Traceback (most recent call last)" in run.text:
            self._problem(place, "it crashed", run)
        elif run.code != 0 and "No space left on device" not in run.text:
            self._problem(place, "it does not say why it failed", run)

    def _problem(self, place: int, what: str, run: Run) -> None:
        self.problems.append(f"place {place}: {what} ({run.code}): {run.text[-1500:]}")


def _failures_in(text: str) -> list[str]:
    """Give the lines in which a command says what has failed."""
    _, found, rest = text.rpartition("Error: ")
    return rest.splitlines() if found and "went well" in rest else []


def main() -> None:
    for name in _PRELOAD:
        importlib.import_module(name)
    plan = json.loads(Path(sys.argv[1]).read_text("utf-8"))
    trial = Trial(plan)
    places = trial.run()
    print(json.dumps({"places": places, "problems": trial.problems}))


if __name__ == "__main__":
    main()
