"""What the tests of the executor `isolated` share."""

from __future__ import annotations

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
