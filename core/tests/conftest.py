"""What the core's tests share."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

_SUPPORT = Path(__file__).parent / "support"
# Test modules and the processes they start find the fakes here.
for _folder in (_SUPPORT, _SUPPORT / "toys"):
    if str(_folder) not in sys.path:
        sys.path.insert(0, str(_folder))

from core_env import Environment, FakePlugins, core_site  # noqa: E402

settings.register_profile("turnkey", deadline=None, database=None, max_examples=50)
settings.load_profile("turnkey")


@pytest.fixture(autouse=True)
def unchanged_surroundings(
    tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Iterator[None]:
    """Keep the user's cache out of the tests, and see that none of them leaves anything behind."""
    before, folder, path = dict(os.environ), Path.cwd(), list(sys.path)
    cache = tmp_path_factory.getbasetemp() / "unnamed-cache"
    os.environ["TURNKEY_CACHE_DIR"] = str(cache)
    own = dict(os.environ)
    yield
    os.environ.pop("PYTEST_CURRENT_TEST", None)
    own.pop("PYTEST_CURRENT_TEST", None)
    changed = {k for k in {*own, *os.environ} if own.get(k) != os.environ.get(k)}
    left = cache.exists()
    os.environ.clear()
    os.environ.update(before)
    assert not changed, f"environment variables left behind: {sorted(changed)}"
    assert Path.cwd() == folder, "the working directory was left changed"
    assert sys.path == path, "sys.path was left changed"
    assert not left, "a test used the default cache instead of one of its own"


@pytest.fixture
def plugins(monkeypatch: pytest.MonkeyPatch) -> FakePlugins:
    """No plugin installed but the core's own; the test adds fakes."""
    return FakePlugins(monkeypatch)


@pytest.fixture
def toys(plugins: FakePlugins, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> FakePlugins:
    """The toy plugin installed, in a folder and with a cache of the test's own."""
    plugins.add_toys()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TURNKEY_CACHE_DIR", str(tmp_path / "cache"))
    # A run sets what its runtimes ask for, for good; this takes it back.
    monkeypatch.setenv("TOY_THREADS", "3")
    return plugins


@pytest.fixture
def weavers(toys: FakePlugins) -> FakePlugins:
    """Both toy plugins installed."""
    toys.add_weavers()
    return toys


@pytest.fixture(scope="session")
def shared_site(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The core and its dependencies in a folder of packages, and a place for their byte code."""
    return (
        core_site(tmp_path_factory.mktemp("core") / "site"),
        tmp_path_factory.mktemp("bytecode"),
    )


@pytest.fixture
def environment(shared_site: tuple[Path, Path], tmp_path: Path) -> Environment:
    """A Python of its own, with turnkey's core and nothing else installed."""
    site, bytecode = shared_site
    own, home = tmp_path / "packages", tmp_path / "home"
    own.mkdir()
    home.mkdir()
    return Environment(site, own, home, bytecode)
