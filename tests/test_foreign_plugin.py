"""A plugin as its author would write it from the documentation, installed from a wheel."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from turnkeyml.cache import Cache

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs/writing_a_plugin.md"
SCRIPT = ROOT / "examples/cli/scripts/hello_world.py"


def code_blocks() -> dict[str, str]:
    """Take the files of the page: a block belongs to the bold name above it."""
    text = PAGE.read_text("utf-8")
    found = re.findall(r"\*\*([\w.]+)\*\*(?:(?!```).)*```\w+\n(.*?)```", text, re.DOTALL)
    return dict(found)


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """Build a wheel of the plugin and install it into a folder of its own."""
    folder = tmp_path_factory.mktemp("plugin")
    package = folder / "src/turnkey_onnx_reference"
    package.mkdir(parents=True)
    blocks = code_blocks()
    assert set(blocks) == {"pyproject.toml", "plugin.py", "runtime.py"}
    (folder / "pyproject.toml").write_text(blocks["pyproject.toml"])
    (package / "__init__.py").touch()
    (package / "plugin.py").write_text(blocks["plugin.py"])
    (package / "runtime.py").write_text(blocks["runtime.py"])
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check"]
    build = [*pip, "wheel", "--no-deps", "--no-build-isolation", "-w", folder / "dist", folder]
    subprocess.run(build, check=True, capture_output=True)
    (wheel,) = (folder / "dist").glob("*.whl")
    target = folder / "site"
    install = [*pip, "install", "--no-deps", "--target", target, wheel]
    subprocess.run(install, check=True, capture_output=True)
    return target


def with_site(site: Path) -> dict[str, str]:
    return {"PYTHONPATH": os.pathsep.join([str(site), os.environ.get("PYTHONPATH", "")])}


def test_runtime_of_the_page_takes_part_in_plan_run_status_and_stats(turnkey, site):
    env = with_site(site)
    words = ["--runtime", "onnx-reference", "--rt-args", "verbose::0", "--iterations", "15"]
    planned = turnkey("-i", SCRIPT, "--dry-run", "discover", "benchmark", *words, env=env)
    assert planned.returncode == 0, planned.stderr
    assert "export-pytorch" in planned.stdout
    assert "default of benchmark: export-pytorch" in planned.stdout
    found = turnkey("-i", SCRIPT, "discover", "benchmark", *words, env=env)
    assert found.returncode == 0, found.stderr
    assert re.search(r"Successfully benchmarked on .+ \(onnx-reference v[\d.]+\)", found.stdout)
    assert re.search(r"operators: +\d", found.stdout)
    (build,) = Cache(turnkey.cache).builds()
    (result,) = yaml.safe_load(build.stats_file.read_text())["results"].values()
    assert result["runtime"] == "onnx-reference"
    assert result["rt_args"] == ["verbose::0"]
    assert result["iterations"] == 15
    assert result["verdict"] in ("valid", "noisy")
    assert result["operators"] >= 1


def test_plugin_is_listed_while_it_is_installed_and_gone_afterwards(turnkey, site):
    listed = turnkey("plugins", env=with_site(site))
    assert "turnkey-onnx-reference 1.0\n  runtimes: onnx-reference" in listed.stdout
    assert "onnx-reference" not in turnkey("plugins").stdout
    gone = turnkey("-i", SCRIPT, "discover", "benchmark", "--runtime", "onnx-reference")
    assert gone.returncode == 2
    assert "There is no runtime 'onnx-reference'." in gone.stderr


def test_argument_of_the_wrong_type_is_refused_before_anything_runs(turnkey, site):
    words = ["discover", "benchmark", "--runtime", "onnx-reference", "--rt-args", "verbose::much"]
    found = turnkey("-i", SCRIPT, *words, env=with_site(site))
    assert found.returncode == 2
    assert "takes 'verbose' as int, not 'much'" in found.stderr
    assert not turnkey.cache.exists()


def test_tool_of_the_page_counts_operators(tmp_path):
    text = PAGE.read_text("utf-8").split("## A tool", 1)[1]
    code = re.search(r"```python\n(.*?)```", text, re.DOTALL).group(1)
    names: dict = {}
    exec(code, names)

    from onnx import TensorProto, helper, save

    value = helper.make_tensor_value_info("x", TensorProto.FLOAT, [1])
    result = helper.make_tensor_value_info("y", TensorProto.FLOAT, [1])
    graph = helper.make_graph([helper.make_node("Relu", ["x"], ["y"])], "g", [value], [result])
    save(helper.make_model(graph), tmp_path / "m.onnx")

    class FakeState:
        def __init__(self):
            self.kept = {}
            self.stats = self

        def save(self, key, value):
            self.kept[key] = value

        def input_file(self):
            return tmp_path / "m.onnx"

    state = FakeState()
    assert names["CountOperators"]().run(state, None) is state
    assert state.kept == {"operators": 1}
