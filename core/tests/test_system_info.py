"""What `turnkey system-info` says."""

from __future__ import annotations

import json
import platform
from importlib import metadata
from pathlib import Path

import pytest
from core_env import Environment, FakePlugins, run_here

from turnkeyml import system_info as module
from turnkeyml.errors import ExitCode
from turnkeyml.system_info import system_info


def test_it_says_what_turnkey_runs_on(toys: FakePlugins) -> None:
    toys.add({"tools": "wrong"}, distribution="hurtplug")
    facts = system_info(toys.registry())
    assert facts["turnkey"] == metadata.version("turnkeyml-core")
    assert facts["python"] == platform.python_version()
    assert facts["cores"] >= 1 and facts["memory_bytes"] > 1e8
    assert facts["plugins"] == {"toyplug": "1.0"}
    assert facts["libraries"]["click"] == metadata.version("click")
    assert "hurtplug" in facts["broken"][0]
    assert not {"pytest", "hypothesis"} & facts["libraries"].keys()


def test_the_libraries_are_those_that_the_packages_say_they_need(
    monkeypatch: pytest.MonkeyPatch, plugins: FakePlugins
) -> None:
    requires = {
        "fakeplug": [
            "lib-a>=1",
            "turnkeyml-lib",
            'lib-b; extra == "rtx"',
            'lib-t; extra == "test"',
        ],
        "turnkeyml-lib": ["lib-c", "turnkeyml-core", "lib-missing"],
        "turnkeyml-core": ["turnkeyml-lib"],
    }
    versions = {"lib-a": "1", "lib-b": "2", "lib-c": "3", "lib-t": "4"}

    def version(name: str) -> str:
        if name not in versions:
            raise metadata.PackageNotFoundError(name)
        return versions[name]

    plugins.add({})
    registry = plugins.registry()
    monkeypatch.setattr(metadata, "requires", requires.get)
    monkeypatch.setattr(metadata, "version", version)
    assert system_info(registry)["libraries"] == {"lib-a": "1", "lib-b": "2", "lib-c": "3"}


def test_printed_for_people_and_as_json(toys: FakePlugins) -> None:
    done = run_here("system-info")
    assert done.code == ExitCode.OK
    assert f"python      {platform.python_version()}\n" in done.out
    assert "plugins:\n  toyplug 1.0\n" in done.out
    assert json.loads(run_here("system-info", "--json").out)["plugins"] == {"toyplug": "1.0"}


def test_a_system_that_says_little_about_itself(
    monkeypatch: pytest.MonkeyPatch, plugins: FakePlugins
) -> None:
    def refuse(*arguments: object, **more: object) -> str:
        raise OSError

    monkeypatch.setattr(platform, "freedesktop_os_release", refuse)
    own = Path.read_text
    monkeypatch.setattr(
        Path,
        "read_text",
        lambda s, *a, **m: refuse() if str(s)[:6] == "/proc/" else own(s, *a, **m),
    )
    monkeypatch.setattr(module.os, "sysconf", refuse)
    facts = system_info(plugins.registry())
    assert facts["system"] == platform.platform()
    assert facts["memory_bytes"] is None
    monkeypatch.undo()


def test_no_library_is_imported_for_its_version(environment: Environment) -> None:
    environment.install_toys()
    for name in ("torch", "numpy"):
        environment.install(name, "raise SystemExit(name)")
    code = "from turnkeyml.cli.main import main; main()"
    done = environment.turnkey("system-info", "--json", code=code)
    assert done.code == 0, done.text
    assert json.loads(done.out)["plugins"]["toyplug-metadata"] == "1.0"
