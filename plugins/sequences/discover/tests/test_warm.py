"""A script in a fork of a process that is kept warm sees what it would see in a fresh one."""

from __future__ import annotations

import json
from pathlib import Path
from threading import Event

import pytest

from turnkeyml.execution.isolated.executor import IsolatedExecutor
from turnkeyml.execution.job_folder import read_report, write_job
from turnkeyml.execution.job_process import plan_for
from turnkeyml.executor import Ended, ExecutorSetup, JobSpec
from turnkeyml.inputs import Source
from turnkeyml.plugins.registry import load_registry
from turnkeyml.request import GlobalOptions, RunRequest
from turnkeyml.sequence import Step

LOOK = """
import json, os, random, sys, warnings
filters = [str(f[:2]) for f in warnings.filters]
import numpy, torch
out = {
    "threads": torch.get_num_threads(),
    "interop": torch.get_num_interop_threads(),
    "dtype": str(torch.get_default_dtype()),
    "grad": torch.is_grad_enabled(),
    "main": sys.modules["__main__"].__file__,
    "name": __name__,
    "argv": sys.argv,
    "path": sys.path,
    "cwd": os.getcwd(),
    "filters": filters,
    "variables": {
        k: v for k, v in os.environ.items() if not k.startswith(("TURNKEY_SLOT", "PYTEST_"))
    },
    "recursion": sys.getrecursionlimit(),
    "bad_fork": getattr(torch.cuda, "_is_in_bad_fork", lambda: None)(),
}
other = {"torch": torch.rand(1).item(), "numpy": numpy.random.rand(), "python": random.random()}
torch.manual_seed(1)
model = torch.nn.Linear(300, 300)
x = torch.ones(300, 300)
out["product"] = float(model(x).sum())
# Parallel regions need threads, which no fork inherits.
out["tasks"] = len(os.listdir("/proc/self/task")) > 1
model(x).sum().backward()
with open(NAME, "w") as file:
    json.dump([out, other], file)
"""

COMPILED = """
import torch
model = torch.nn.Sequential(torch.nn.Linear(8, 8), torch.nn.ReLU())
x = torch.rand(4, 8)
found = torch.compile(model)(x)
assert torch.allclose(found, model(x), atol=1e-5)
"""

LOADED = """
import multiprocessing, torch
from torch.utils.data import DataLoader, TensorDataset
data = TensorDataset(torch.arange(8.0).reshape(8, 1))
total = sum(batch[0].sum().item() for batch in DataLoader(data, batch_size=2, num_workers=2))
assert total == 28
with multiprocessing.get_context("fork").Pool(2) as pool:
    assert pool.map(abs, [-1, 2]) == [1, 2]
torch.nn.Linear(1, 1)(torch.ones(1, 1))
"""


def run(folder: Path, scripts: list[Path], **arguments: bool) -> dict:
    """Run scripts as isolated jobs with `discover --no-seed`; gives how each ended."""
    registry = load_registry()
    request = RunRequest(
        GlobalOptions(cache_dir=folder / "cache"), [Step("discover", {"seed": False})]
    )
    jobs = [
        JobSpec(path.stem, folder / "cache" / path.stem, Source(path), request) for path in scripts
    ]
    for job in jobs:
        write_job(job)

    class Queue:
        def take(self) -> JobSpec | None:
            return jobs.pop(0) if jobs else None

        def __len__(self) -> int:
            return len(jobs)

    plans = {".py": plan_for(request, ".py", registry)}
    setup = ExecutorSetup(registry, plans, folder / "cache", folder / "run")
    ends = {}
    for event in IsolatedExecutor(**arguments).run(Queue(), setup, Event()):
        if isinstance(event, Ended):
            assert event.end.message == ""
            report = read_report(event.job.folder)
            assert report is not None
            assert report.error is None
            ends[event.job.key] = report
    return ends


SETS = {
    "sets": "import os; os.environ['OMP_NUM_THREADS'] = '1'",
    "imports_what_sets": "from settings import *",
}
USES = """
import torch
torch.nn.Linear(1, 1)(torch.ones(1, 1))
assert torch.get_num_threads() == 1
"""


def write(folder: Path, name: str, text: str) -> Path:
    path = folder / f"{name}.py"
    path.write_text(text)
    return path


def write_look(folder: Path, name: str) -> Path:
    """Write a script that looks around, and notes what it sees beside itself."""
    return write(folder, name, LOOK.replace("NAME", repr(str(folder / f"{name}.json"))))


@pytest.fixture(scope="module")
def warm(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict]:
    """Scripts that were run one after the other in forks of one process, and how they ended."""
    folder = tmp_path_factory.mktemp("warm")
    write(folder, "settings", "import os\nos.environ['OMP_NUM_THREADS'] = '1'")
    scripts = [
        write_look(folder, "first"),
        write_look(folder, "second"),
        write(folder, "compiled", COMPILED),
        write(folder, "loaded", LOADED),
        *(write(folder, name, f"{text}\n{USES}") for name, text in SETS.items()),
    ]
    return folder, run(folder, scripts)


def test_a_fork_finds_what_a_fresh_process_finds(warm: tuple[Path, dict], tmp_path: Path) -> None:
    folder, _ = warm
    run(tmp_path, [write_look(tmp_path, "first")], fresh=True)
    fresh, _ = json.loads((tmp_path / "first.json").read_text())
    seen = [json.loads((folder / f"{name}.json").read_text()) for name in ("first", "second")]
    found = json.loads(json.dumps(seen[0][0]).replace(str(folder), str(tmp_path)))
    assert found == fresh
    assert fresh["tasks"], "the script did not see that torch uses threads"
    assert "kept warm for discover" in (folder / "run" / "slot-0.txt").read_text()
    # Nobody seeded these, so they differ, as those of fresh processes do.
    for name in ("torch", "numpy", "python"):
        assert seen[0][1][name] != seen[1][1][name]


@pytest.mark.parametrize("name", ["compiled", "loaded"])
def test_what_needs_threads_and_processes_works_in_a_fork(
    warm: tuple[Path, dict], name: str
) -> None:
    assert len(warm[1][name].models) == 1


@pytest.mark.parametrize("name", SETS)
def test_a_script_that_sets_variables_gets_its_way(warm: tuple[Path, dict], name: str) -> None:
    folder, found = warm
    assert len(found[name].models) == 1
    said = (folder / "run" / "slot-0.txt").read_text()
    assert f"{name}.py: in an interpreter of its own" in said
