"""Scripts run as isolated jobs, in a Python that has the core and one tool that runs them."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import signal
import subprocess
import textwrap
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core_env import SUPPORT, Environment

DRIVER = (
    f"import runpy; runpy.run_path({str(SUPPORT / 'isolated_driver.py')!r}, run_name='__main__')"
)

PLUGIN = """
implements = {{"tools": [{{
    "class": "rough_tools:Perform", "name": "perform", "role": "first", {more}
}}]}}
"""


@dataclass(frozen=True)
class Sweep:
    """What came of a sweep."""

    events: list[dict[str, Any]]
    err: str

    @property
    def ends(self) -> dict[str, dict[str, Any]]:
        """How each job ended, by the script's name without its suffix."""
        return {Path(e["ended"]).stem: e for e in self.events if "ended" in e}

    @property
    def endings(self) -> dict[str, str]:
        """The same in one word each."""
        return {name: end["ending"] for name, end in self.ends.items()}

    def value(self, name: str) -> Any:
        """What the driver said under this name."""
        return next(event[name] for event in self.events if name in event)


class Sweeper:
    """Runs scripts as isolated jobs; each process that they leave can be found."""

    def __init__(self, environment: Environment, folder: Path) -> None:
        self.environment = environment
        self.folder = folder
        self._mark = f"ROUGH_{secrets.token_hex(8)}"
        self._scripts: list[Path] = []
        environment._paths += [SUPPORT / "toys", SUPPORT]
        self.install()

    def install(self, more: str = "") -> None:
        """Install the tool that runs scripts, with more keys in its mapping."""
        for path in self.environment.own.glob("rough_plugin*"):
            for inner in path.iterdir() if path.is_dir() else ():
                inner.unlink()
            path.rmdir() if path.is_dir() else path.unlink()
        self.environment.install("rough-plugin", PLUGIN.format(more=more))

    def script(self, name: str, text: str) -> Path:
        """Write a script; all that were written are run, in order."""
        path = self.folder / f"{name}.py"
        path.write_text(textwrap.dedent(text), "utf-8")
        self._scripts.append(path)
        return path

    def command(self, before: str = "", **order: Any) -> list[str]:
        """Write the order down, and give the words that start the driver.

        Args:
            before: Python code that the driver's process runs first.
            order: For the driver.
        """
        file = self.folder / "order.json"
        content = {
            "sources": [str(path) for path in self._scripts],
            "steps": ["perform"],
            "folder": str(self.folder),
            **order,
        }
        file.write_text(json.dumps(content), "utf-8")
        return self.environment.command(str(file), code=f"{before}\n{DRIVER}")

    def variables(self, more: dict[str, str] | None = None) -> dict[str, str]:
        """The environment of all processes of the sweep."""
        return self.environment.environment({self._mark: "1", **(more or {})})

    def run(
        self, variables: dict[str, str] | None = None, cwd: Path | None = None, **order: Any
    ) -> Sweep:
        """Run the scripts, and see that no process of theirs is left."""
        done = subprocess.run(
            self.command(**order),
            env=self.variables(variables),
            cwd=cwd or self.folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=60,
        )
        assert self.left() == [], "processes are left behind"
        assert done.returncode == 0, done.stderr.decode()
        return Sweep([json.loads(line) for line in done.stdout.splitlines()], done.stderr.decode())

    @contextlib.contextmanager
    def started(self, **order: Any) -> Iterator[subprocess.Popen[bytes]]:
        """Start the sweep, and end whatever is left of it after the block."""
        process = subprocess.Popen(
            self.command(**order),
            env=self.variables(),
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
        with process:
            try:
                yield process
            finally:
                for pid in {process.pid, *self.left()}:
                    with contextlib.suppress(OSError):
                        os.kill(pid, signal.SIGKILL)

    def left(self) -> list[int]:
        """Give the processes of the sweep that are there now, the dead aside."""
        found = []
        for path in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                if f"{self._mark}=".encode() in (path / "environ").read_bytes():
                    found.append(int(path.name))
        return found

    def wait_until_nothing_is_left(self, seconds: float = 5.0) -> float:
        """Wait for the end of all processes; gives the seconds that it took."""
        start = time.monotonic()
        while self.left():
            assert time.monotonic() - start < seconds, f"still there: {self.left()}"
            time.sleep(0.01)
        return time.monotonic() - start


def wait_for(path: Path, seconds: float = 10.0) -> None:
    """Wait until a file is there."""
    deadline = time.monotonic() + seconds
    while not path.exists():
        assert time.monotonic() < deadline, f"{path.name} did not come"
        time.sleep(0.01)
