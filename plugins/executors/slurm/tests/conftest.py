"""What the tests of this package share: a Slurm that is played, jobs, and a plugin of toys."""

from __future__ import annotations

import os
import stat
import sys
from pathlib import Path

import pytest

from turnkeyml.executor import ExecutorSetup, JobSpec, Limits
from turnkeyml.inputs import Source
from turnkeyml.plugins.registry import load_registry
from turnkeyml.request import GlobalOptions, RunRequest
from turnkeyml_plugin_slurm.session import Session
from turnkeyml_plugin_slurm.settings import Settings
from turnkeyml_plugin_slurm.slurm import Slurm

SUPPORT = Path(__file__).parent / "slurm_support"
if str(SUPPORT) not in sys.path:
    sys.path.insert(0, str(SUPPORT))

from real_cluster import RealCluster  # noqa: E402
from slurm_cluster import QUICK, FakeCluster, Flag, ListQueue, Run  # noqa: E402


def pytest_configure(config):
    """Declare what only this package has."""
    config.addinivalue_line("markers", "slurm: needs the Slurm that .ci/slurm.sh starts")


@pytest.fixture
def cluster(tmp_path, monkeypatch):
    """A played Slurm, first on the PATH."""
    programs = tmp_path / "bin"
    programs.mkdir()
    for name in ("sbatch", "squeue", "scancel", "scontrol", "sacct"):
        path = programs / name
        code = f"import sys; sys.path[0] = {str(SUPPORT)!r}; import fake_slurm; fake_slurm.main()"
        path.write_text(f'#!/bin/sh\nexec {sys.executable} -S -c "{code}" {name} "$@"\n')
        path.chmod(path.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{programs}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("FAKE_SLURM", str(tmp_path / "slurm"))
    return FakeCluster(tmp_path / "slurm")


@pytest.fixture
def toys(tmp_path, monkeypatch):
    """The plugin of toys, installed for all processes that are started from here."""
    site = tmp_path / "site"
    info = site / "slurm_toys-1.0.dist-info"
    info.mkdir(parents=True)
    info.joinpath("METADATA").write_text("Metadata-Version: 2.1\nName: slurm-toys\nVersion: 1.0\n")
    info.joinpath("entry_points.txt").write_text("[turnkeyml.plugins]\ntoys = slurm_toys\n")
    site.joinpath("slurm_toys.py").write_text(
        (SUPPORT / "toys" / "slurm_toys.py").read_text("utf-8"), "utf-8"
    )
    path = os.pathsep.join(filter(None, [str(site), os.environ.get("PYTHONPATH")]))
    monkeypatch.setenv("PYTHONPATH", path)
    return site


@pytest.fixture
def folder(tmp_path):
    path = tmp_path / "cache" / ".commands" / "c0ffee"
    path.mkdir(parents=True)
    return path


@pytest.fixture
def make_job(tmp_path, folder):
    """Makes jobs whose input is a file that says how it behaves."""

    def make(key, text="model a\n", *, timeout_s=60.0, memory_bytes=None, **more):
        path = tmp_path / "inputs" / f"{key}.act"
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
        request = RunRequest(GlobalOptions(cache_dir=tmp_path / "cache"), ["play"], title="play")
        limits = Limits(timeout_s, memory_bytes)
        return JobSpec(key, folder / "jobs" / key, Source(path), request, limits, **more)

    return make


@pytest.fixture
def setup_of(tmp_path, folder):
    def make(jobs=None):
        return ExecutorSetup(load_registry([]), {}, tmp_path / "cache", folder, jobs)

    return make


@pytest.fixture
def begin(setup_of):
    """Begins a session over a queue of jobs."""
    runs = []

    def start(jobs, *, untouched=(), patience=QUICK, n=None, **settings):
        stopping = Flag()
        queue = jobs if isinstance(jobs, ListQueue) else ListQueue(jobs, untouched=untouched)
        chosen = Settings(**{"probe": False, "patience": patience, **settings})
        session = Session(Slurm(), chosen, queue, setup_of(n), stopping)
        runs.append(Run(session, stopping))
        return runs[-1]

    yield start
    for run in runs:
        run.close()


@pytest.fixture
def real(monkeypatch, toys):
    """A real Slurm, whose daemons tests may disturb."""
    folder = os.environ.get("TURNKEY_TEST_SLURM")
    if not folder:
        pytest.skip("no Slurm of the tests' own: .ci/slurm.sh start DIR, then . DIR/env.sh")
    monkeypatch.setenv("SLURM_CONF", str(Path(folder, "slurm.conf")))
    cluster = RealCluster(Path(folder))
    cluster.wait_until_idle()
    return cluster
