"""`turnkey plugins new`: the package that it makes passes its tests as it is."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest
from core_env import FakePlugins, run_here

from turnkeyml.errors import ExitCode
from turnkeyml.testing.scaffold import NewPackage, write_package

BOTH = NewPackage("my-npu", tool=True, runtime=True)


def names_in(folder: Path) -> set[str]:
    return {p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()}


def test_package_has_what_was_asked_for(tmp_path: Path) -> None:
    common = {
        "pyproject.toml",
        "README.md",
        "tests/test_conformance.py",
        "src/turnkeyml_plugin_one/__init__.py",
        "src/turnkeyml_plugin_one/plugin.py",
        "src/turnkeyml_plugin_one/py.typed",
    }
    for number, (tool, runtime) in enumerate([(True, False), (False, True), (True, True)]):
        parent = tmp_path / str(number)
        parent.mkdir()
        made = write_package(NewPackage("one", tool, runtime), parent)
        wanted = common | ({"src/turnkeyml_plugin_one/tool.py"} if tool else set())
        wanted |= {"src/turnkeyml_plugin_one/runtime.py"} if runtime else set()
        folder = parent / "turnkeyml-plugin-one"
        assert {path.as_posix() for path in made} == names_in(folder) == wanted
        for path in folder.rglob("*.py"):
            ast.parse(path.read_text("utf-8"))
        tests = (folder / "tests/test_conformance.py").read_text("utf-8")
        assert ("ToolConformance" in tests, "RuntimeConformance" in tests) == (tool, runtime)
        mapping: dict = {}
        exec((folder / "src/turnkeyml_plugin_one/plugin.py").read_text("utf-8"), mapping)
        assert ("tools" in mapping["implements"]) == tool
        assert ("runtimes" in mapping["implements"]) == runtime


def test_no_template_is_left_unfilled(tmp_path: Path) -> None:
    write_package(BOTH, tmp_path)
    for path in (tmp_path / BOTH.distribution).rglob("*"):
        if path.is_file():
            assert "$" not in path.read_text("utf-8"), path


def test_command_makes_the_package_here_and_says_what_comes_next(toys: FakePlugins) -> None:
    done = run_here("plugins", "new", "my-npu")
    assert done.code == ExitCode.OK, done
    assert Path("turnkeyml-plugin-my-npu/pyproject.toml").is_file()
    assert "  src/turnkeyml_plugin_my_npu/runtime.py\n" in done.out
    assert "  cd turnkeyml-plugin-my-npu\n  pip install -e '.[test]' && pytest\n" in done.out


def test_folder_that_is_there_is_left_as_it_is(toys: FakePlugins) -> None:
    own = Path("turnkeyml-plugin-my-npu")
    own.mkdir()
    done = run_here("plugins", "new", "my-npu", "--tool")
    assert done.code == ExitCode.USAGE
    assert "turnkeyml-plugin-my-npu exists." in done.err
    assert not list(own.iterdir())


def test_folder_may_be_elsewhere(toys: FakePlugins, tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    assert run_here("plugins", "new", "x", "--tool", "--into", "there").code == ExitCode.OK
    assert (tmp_path / "there/turnkeyml-plugin-x/README.md").is_file()
    assert run_here("plugins", "new", "y", "--into", "nowhere").code == ExitCode.USAGE


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("My-Npu", "'My-Npu' is no name for a plugin."),
        ("my_npu", "no name for a plugin"),
        ("-x", "No such option"),
        ("npu-", "no name for a plugin"),
        ("2fast", "no name for a plugin"),
        ("../evil", "no name for a plugin"),
        ("a" * 41, "at most 40"),
        ("", "no name for a plugin"),
        ("turnkeyml-plugin-npu", "Give 'npu'."),
        ("compile", "'compile' is a tool of toyplug already."),
        ("toy-small", "'toy-small' is a sequence of toyplug already."),
        ("toyrt", "'toyrt' is a runtime of toyplug already."),
        ("plugins", "'plugins' is a tool of turnkeyml-core already."),
        ("discover", "'discover' is a tool of turnkeyml-plugin-discover already."),
        ("ort", "'ort' is a runtime of turnkeyml-plugin-onnxrt already."),
    ],
)
def test_name_that_cannot_be_is_refused(name: str, said: str, toys: FakePlugins) -> None:
    before = set(Path.cwd().iterdir())
    done = run_here("plugins", "new", name)
    assert done.code == ExitCode.USAGE
    assert said in done.err
    assert set(Path.cwd().iterdir()) == before


def test_name_of_a_runtime_may_be_taken_by_a_tool(toys: FakePlugins) -> None:
    assert run_here("plugins", "new", "toyrt", "--tool").code == ExitCode.OK


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_folder_that_cannot_be_written_is_refused(toys: FakePlugins, tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    done = run_here("plugins", "new", "my-npu")
    tmp_path.chmod(0o700)
    assert done.code == ExitCode.USAGE
    assert "cannot be made: Permission denied" in done.err


def test_file_in_the_place_of_the_folder_above_is_refused(toys: FakePlugins) -> None:
    Path("file").touch()
    assert run_here("plugins", "new", "my-npu", "--into", "file").code == ExitCode.USAGE


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build wheels of three new packages, and install them into a folder of their own."""
    pytest.importorskip("hatchling")
    folder = tmp_path_factory.mktemp("new")
    packages = [
        NewPackage("kit-both", tool=True, runtime=True),
        NewPackage("kit-tool", tool=True, runtime=False),
        NewPackage("kit-rt", tool=False, runtime=True),
    ]
    for package in packages:
        write_package(package, folder)
        build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder / "dist"]
        subprocess.run(build, cwd=folder / package.distribution, check=True, capture_output=True)
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "install", "--no-deps"]
    wheels = sorted((folder / "dist").glob("*.whl"))
    install = [*pip, "--no-index", "--target", folder / "site", *wheels]
    subprocess.run(install, check=True, capture_output=True)
    return folder


def with_site(site: Path) -> dict[str, str]:
    return {
        **os.environ,
        "PYTHONPATH": str(site / "site"),
        "PYTEST_ADDOPTS": "",
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
    }


def test_new_packages_pass_their_own_tests(site: Path) -> None:
    files = sorted(site.glob("turnkeyml-plugin-*/tests/test_conformance.py"))
    assert len(files) == 3
    words = ["-q", "-p", "no:cacheprovider", "--import-mode=importlib", "-c", os.devnull]
    done = subprocess.run(
        [sys.executable, "-W", "error", "-m", "pytest", *words, "--rootdir", site, *files],
        env=with_site(site),
        cwd=site,
        capture_output=True,
        text=True,
        timeout=200,
    )
    assert done.returncode == 0, done.stdout
    assert "failed" not in done.stdout


def test_new_packages_are_listed_and_checked(site: Path) -> None:
    code = "from turnkeyml.cli.main import main; main()"
    words = ["plugins", "check", "turnkeyml-plugin-kit-tool", "turnkeyml_plugin_kit_rt"]
    for command, said in (
        (["plugins"], "turnkeyml-plugin-kit-both 0.1.0\n  tools: kit-both\n  runtimes: kit-both\n"),
        (words, " 0 FAILED, "),
    ):
        done = subprocess.run(
            [sys.executable, "-c", code, *command],
            env=with_site(site),
            capture_output=True,
            text=True,
            timeout=200,
        )
        assert said in done.stdout, done
