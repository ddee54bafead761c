"""A played Slurm as tests see it, jobs that wait, and a session on its way."""

from __future__ import annotations

import json
import time
from pathlib import Path

from played_state import locked, write_json

from turnkeyml.execution.job_folder import write_job
from turnkeyml.executor import Ended, Started
from turnkeyml_plugin_slurm.settings import Patience
from turnkeyml_plugin_slurm.submission import MANIFEST

QUICK = Patience(
    poll_s=0.1, look_s=0.02, settle_s=0.15, completed_s=0.2, lost_s=0.25, retry_s=0.1,
    silent_s=20.0, cancel_s=5.0, watch_s=0.1,
)  # fmt: skip


class FakeCluster:
    """A Slurm that is played by a program, and does what a test says."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.folder.mkdir()

    def tell(self, **what):
        """Change what is to happen; None takes it back."""
        path = self.folder / "control.json"
        before = json.loads(path.read_text()) if path.exists() else {}
        after = {k: v for k, v in {**before, **what}.items() if v is not None}
        write_json(path, after)

    def change(self, name, **facts):
        """Change what is known of a job, by its key."""
        with locked(self.folder) as state:
            for job in state["jobs"]:
                if job["key"] == name:
                    job.update(facts)

    @property
    def jobs(self):
        path = self.folder / "state.json"
        return json.loads(path.read_text())["jobs"] if path.exists() else []

    def calls(self, *beginning):
        path = self.folder / "calls.jsonl"
        lines = path.read_text().splitlines() if path.exists() else []
        found = [json.loads(line) for line in lines]
        return [words for words in found if words[: len(beginning)] == list(beginning)]

    def submissions(self):
        return [words for words in self.calls("sbatch") if "--test-only" not in words]

    def states(self):
        return {job["key"]: job["state"] for job in self.jobs if job["key"] != "probe"}

    def finish(self, key):
        """Let a job that is held, or waits, end well."""
        for job in self.jobs:
            if job["key"] == key and job["state"] in ("RUNNING", "PENDING", "FAILED"):
                path = Path(job["folder"], "tasks", f"{job['index']}.ended.json")
                manifest = json.loads(Path(job["folder"], MANIFEST).read_text())
                entry = manifest["jobs"][job["index"]]
                text = json.loads(Path(entry["folder"], "job.json").read_text())
                report = {"source": text["source"], "models": [], "error": None, "notes": [],
                          "log": None}  # fmt: skip
                end = {"ending": "reported", "message": "", "hint": None, "peak_memory_bytes": None}
                write_json(path, {"schema": 1, "end": end, "report": report})
                self.change(key, state="COMPLETED")


class ListQueue:
    """Jobs in order, whose folders are ready when they are taken."""

    def __init__(self, jobs=(), *, untouched=()):
        self.jobs = list(jobs)
        self.untouched = set(untouched)

    def take(self):
        if not self.jobs:
            return None
        job = self.jobs.pop(0)
        if job.key not in self.untouched:
            write_job(job)
        return job

    def __len__(self):
        return len(self.jobs)


class Flag:
    """Whether the user wants an end."""

    def __init__(self):
        self.value = False

    def is_set(self):
        return self.value


class Run:
    """A session on its way, and what it has told."""

    def __init__(self, session, stopping):
        self.session = session
        self.stopping = stopping
        self.events = session.run()
        self.started = []
        self.where = {}
        self.ends = {}
        self.longest_wait_s = 0.0

    def until(self, is_true, seconds=20.0):
        """Go on until something is true."""
        end = time.monotonic() + seconds
        while not is_true():
            assert time.monotonic() < end, f"nothing came of it: {self.ends}"
            assert self.step(), f"it ended: {self.ends}"
        return self

    def step(self):
        begun = time.monotonic()
        try:
            event = next(self.events)
        except StopIteration:
            return False
        finally:
            self.longest_wait_s = max(self.longest_wait_s, time.monotonic() - begun)
        if isinstance(event, Started):
            self.started.append(event.job.key)
            if event.where:
                self.where[event.job.key] = event.where
        elif isinstance(event, Ended):
            assert event.job.key in self.started
            assert event.job.key not in self.ends, "it ended twice"
            self.ends[event.job.key] = event.end
        return True

    def to_the_end(self, seconds=30.0):
        end = time.monotonic() + seconds
        while self.step():
            assert time.monotonic() < end, f"it does not end: {self.ends}"
        return self

    def close(self):
        self.events.close()

    def die(self):
        """End as a process does that is killed: nothing is cleaned up."""
        self.session._abandon = lambda: None
        self.close()

    @property
    def endings(self):
        return {key: end.ending.value for key, end in self.ends.items()}
