"""Chains through the installed command line."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
SUPPORT = Path(__file__).resolve().parent / "support"
# What several test modules share.
if str(SUPPORT) not in sys.path:
    sys.path.insert(0, str(SUPPORT))


def pytest_addoption(parser):
    parser.addoption("--update-golden", action="store_true", help="write golden files anew")


@pytest.fixture(scope="session")
def golden(request):
    """Compare text with a golden file, or write it."""

    def compare(name: str, text: str) -> None:
        path = ROOT / "tests/golden" / name
        if request.config.getoption("--update-golden"):
            path.write_text(text, "utf-8")
        assert text == path.read_text("utf-8")

    return compare


class Turnkey:
    """Runs the command with a cache of its own."""

    command = (sys.executable, "-c", "from turnkeyml.cli.main import main; main()")

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.cache = folder / "cache"

    def environment(self, **more: str) -> dict[str, str]:
        return {**os.environ, "TURNKEY_CACHE_DIR": str(self.cache), **more}

    def __call__(self, *words, env=None, timeout=240) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*self.command, *map(str, words)],
            cwd=self.folder,
            env=self.environment(**(env or {})),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=timeout,
        )

    def script(self, name: str, text: str) -> Path:
        path = self.folder / name
        path.write_text(text)
        return path


@pytest.fixture
def turnkey(tmp_path):
    return Turnkey(tmp_path)


@pytest.fixture(scope="session")
def shared(tmp_path_factory):
    """A cache that several tests read."""
    return Turnkey(tmp_path_factory.mktemp("shared"))
