"""The workspace keeps its own rules."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

if sys.version_info >= (3, 11):
    import tomllib

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
from packages import find_packages  # noqa: E402

PACKAGES = find_packages()
SOURCES = sorted(path for package in PACKAGES for path in (ROOT / package / "src").rglob("*.py"))
MAX_LINES = 400


def project_of(package: Path) -> dict:
    return tomllib.loads((ROOT / package / "pyproject.toml").read_text("utf-8"))["project"]


def test_requirements_list_every_package():
    text = (ROOT / "requirements.txt").read_text("utf-8")
    listed = set(re.findall(r"^-e \./(\S+)", text, re.MULTILINE))
    assert listed == {package.as_posix() for package in PACKAGES}


@pytest.mark.parametrize("package", PACKAGES, ids=str)
def test_package_has_readme_types_marker_and_tests(package):
    folder = ROOT / package
    assert len((folder / "README.md").read_text("utf-8")) > 200
    assert list((folder / "src").glob("*/py.typed"))
    assert list((folder / "tests").rglob("test_*.py"))


@pytest.mark.parametrize("package", PACKAGES, ids=str)
def test_plugin_depends_on_no_other_plugin(package):
    names = project_of(package).get("dependencies", [])
    assert [name for name in names if name.startswith("turnkeyml-plugin-")] == []


def test_names_in_messages_are_names_of_packages():
    known = {project_of(package)["name"] for package in PACKAGES}
    file = ROOT / "core/src/turnkeyml/known_plugins.json"
    table = json.loads(file.read_text("utf-8"))
    named = {value for entries in table.values() for value in entries.values()}
    assert {name.partition("[")[0] for name in named} <= known


def test_everything_that_is_installed_is_in_the_messages():
    from turnkeyml.plugins.records import ToolRole
    from turnkeyml.plugins.registry import load_registry

    table = json.loads((ROOT / "core/src/turnkeyml/known_plugins.json").read_text("utf-8"))
    registry = load_registry()
    tools = {
        name
        for name, tool in registry.tools.items()
        if tool.role is not ToolRole.MANAGEMENT and tool.provider.distribution != "turnkeyml-core"
    }
    assert tools | set(registry.aliases) <= set(table["tool"])
    assert set(registry.sequences) <= set(table["sequence"])
    assert set(registry.runtimes) <= set(table["runtime"])
    assert set(registry.devices) <= set(table["device"])


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_module_is_short_and_says_what_it_is(path):
    text = path.read_text("utf-8")
    assert len(text.splitlines()) <= MAX_LINES
    docstring = ast.get_docstring(ast.parse(text))
    assert docstring
    assert docstring.partition("\n")[0].endswith((".", ",", ":")) or "\n" in docstring


def test_core_imports_no_heavy_package_anywhere():
    heavy = {"torch", "onnx", "onnxruntime", "numpy", "pandas", "transformers", "tensorrt"}
    found = []
    for path in (ROOT / "core/src").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                names = [node.module or ""]
            else:
                continue
            found += [(path.name, name) for name in names if name.partition(".")[0] in heavy]
    assert found == []


def test_links_between_pages_lead_somewhere():
    broken = []
    pages = [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("*/*/*/README.md")]
    for page in [*pages, ROOT / "core/README.md"]:
        for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text("utf-8")):
            if not (page.parent / target).exists():
                broken.append((str(page.relative_to(ROOT)), target))
    assert broken == []


def test_uninstalling_a_plugin_removes_exactly_its_names():
    """Registers all plugins but one, for each of them."""
    code = """
import json, sys
from importlib import metadata
from turnkeyml.plugins.registry import GROUP, load_registry
def names(registry):
    return sorted([*registry.tools, *registry.runtimes, *registry.sequences,
                   *(f for f, d in registry.devices.items() if d.ref is not None)])
everything = list(metadata.entry_points(group=GROUP))
table = {"all": names(load_registry(everything))}
for one in everything:
    table[one.name] = names(load_registry([e for e in everything if e is not one]))
print(json.dumps(table))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    table = json.loads(done.stdout)
    everything = set(table.pop("all"))
    gone = {plugin: everything - set(rest) for plugin, rest in table.items()}
    assert gone["onnxrt"] == {"ort"}
    assert gone["x86"] == {"x86", "arm"}
    assert gone["discover"] == {"discover"}
    assert gone["export_pytorch"] == {"export-pytorch", "verify-exporter"}
    assert gone["load_onnx"] == {"load-onnx"}
    assert gone["optimize_onnx"] == {"optimize-onnx"}
    assert gone["convert_fp16"] == {"convert-fp16"}
    assert gone["convert_fp32"] == {"convert-fp32"}
    assert gone["tensorrt"] == {"trt"}
    assert gone["openvino"] == {"openvino"}
    assert gone["build_trt_engine"] == {"build-trt-engine"}
    assert gone["sequences"] == {"onnx-fp32", "optimize-fp32", "optimize-fp16", "trt-fp16"}
    assert gone["parity"] == set()
    assert gone["benchmark"] == {"benchmark"}
    assert set.union(*gone.values()) == everything
