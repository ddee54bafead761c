"""What the tests of the executor `isolated` share."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from core_env import Environment
from isolated_sweep import Sweeper


@pytest.fixture
def sweep(environment: Environment, tmp_path: Path) -> Sweeper:
    """Scripts to run as isolated jobs, in a folder with a blank in its name."""
    folder = tmp_path / "a sweep"
    folder.mkdir()
    return Sweeper(environment, folder)


@pytest.fixture
def start():
    """Start Python programs that say when they are ready, and end them after the test."""
    started = []

    def go(code: str) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(
            [sys.executable, "-S", "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        started.append(process)
        assert process.stdout.readline() == b"ready\n"
        return process

    yield go
    for process in started:
        process.kill()
        process.communicate()
