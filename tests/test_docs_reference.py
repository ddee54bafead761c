"""The generated reference says what the code says, and what chains leave."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest
import yaml

if sys.version_info < (3, 11):
    pytest.skip("the tables are TOML", allow_module_level=True)

import tomllib

from turnkeyml.cache import Cache

ROOT = Path(__file__).resolve().parent.parent
SCRIPTS = ROOT / "docs/scripts"
if str(SCRIPTS) not in sys.path:
    sys.path.insert(0, str(SCRIPTS))

import generate_reference  # noqa: E402

TABLES = tomllib.loads((SCRIPTS / "reference.toml").read_text("utf-8"))
SOURCES = [
    path
    for folder in (ROOT / "core/src", ROOT / "plugins")
    for path in folder.rglob("*.py")
    if "tests" not in path.relative_to(ROOT).parts and ".nox" not in path.parts
]


def test_reference_is_what_the_code_says():
    assert generate_reference.stale_pages() == [], "run: python docs/scripts/generate_reference.py"


def test_all_environment_variables_are_described():
    text = "\n".join(path.read_text("utf-8") for path in SOURCES)
    # Names of variables stand in quotes; TURNKEY_SLOT_ and the like are marks between processes.
    found = set(re.findall(r"[\"'](TURNKEY_[A-Z_]+[A-Z])[\"']", text))
    assert found - {"TURNKEY_VERSION"} == set(TABLES["environment"])


def kind_of(value: object) -> str:
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "truth"
    kinds = {int: "whole", float: "number", str: "text", list: "list", dict: "mapping"}
    return kinds[type(value)]


def misfits(entry: dict, *tables: dict) -> list[str]:
    """Name statistics that no table has, or has with another type."""
    known = {key: row[0] for table in tables for key, row in table.items()}
    found = []
    for key, value in entry.items():
        allowed = set(known.get(key, "").split(" or "))
        kind = kind_of(value)
        if kind not in allowed and not (kind == "whole" and "number" in allowed):
            found.append(f"{key}: {kind}, described as {known.get(key, 'nothing')}")
    return found


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """Run chains that leave most statistics there are."""
    import os
    import subprocess

    folder = tmp_path_factory.mktemp("statistics")
    script = ROOT / "models/selftest/cnn.py"
    chain = [
        "discover", "export-pytorch", "verify-exporter", "optimize-onnx", "convert-fp16",
        "benchmark", "--iterations", "64", "benchmark", "--runtime", "torch-eager",
        "--iterations", "10",
    ]  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-c", "from turnkeyml.cli.main import main; main()", "-i", script, *chain],
        cwd=folder,
        env={**os.environ, "TURNKEY_CACHE_DIR": str(folder / "cache")},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=240,
    )
    assert done.returncode == 0, done.stderr
    (build,) = Cache(folder / "cache").builds()
    return build


def test_statistics_of_a_build_are_described_with_their_types(built):
    stats = yaml.safe_load(built.stats_file.read_text("utf-8"))
    tables = TABLES["statistics"]
    found = {"model": misfits(stats["model"], tables["model"])}
    for step in stats["steps"].values():
        found[step["tool"]] = misfits(step, tables["step"], tables.get(step["tool"], {}))
    for result in stats["results"].values():
        found[result["runtime"]] = misfits(result, tables["result"])
    for chain in stats["chains"].values():
        found["chain"] = misfits(chain, tables["chain"])
    assert {name: wrong for name, wrong in found.items() if wrong} == {}
    assert len(stats["results"]) == 2


def test_files_of_a_build_and_its_cache_are_described(built):
    patterns = [
        re.escape(name)
        .replace("NAME", re.escape(built.name))
        .replace("TOOL", r"[\w-]+?(_\d+)?")
        .replace("DIGITS", r"[\w]+")
        .replace("DIGEST", r"[0-9a-f]+")
        .replace("KEY", r"[0-9a-f]{8}")
        .replace("RUNTIME", r"[\w-]+")
        + ("" if not name.endswith("/") else ".*")
        for name in [*TABLES["files"], *TABLES["files_other_tools"]]
    ]
    files = [p.relative_to(built.path).as_posix() for p in built.path.rglob("*") if p.is_file()]
    unknown = [file for file in files if not any(re.fullmatch(p, file) for p in patterns)]
    assert unknown == []
    hidden = {path.name + "/" for path in built.cache.iterdir() if path.name.startswith(".")}
    assert hidden <= set(TABLES["cache_files"])


def test_statistics_that_are_saved_by_name_are_described():
    """Finds in the sources what no chain on this machine leaves."""
    known = {key for table in TABLES["statistics"].values() for key in table}
    saved = {
        key
        for path in SOURCES
        if "example" not in str(path)
        for key in re.findall(
            r"stats\.save(?:_model_eval_stat)?\(\s*\"([a-z_0-9]+)\"", path.read_text("utf-8")
        )
    }
    assert saved - known - {"nodes"} == set()
