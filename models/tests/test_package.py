from __future__ import annotations

import ast
import importlib.metadata
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
import turnkeyml_models

MODELS = Path(__file__).resolve().parent.parent
CORPORA = {"selftest", "timm", "torch_hub", "torchvision", "transformers", "diffusers"}


def test_the_folder_holds_the_corpora():
    assert {path.name for path in turnkeyml_models.MODELS_DIR.iterdir()} >= CORPORA


def test_importing_the_package_loads_no_library():
    heavy = "{'torch', 'numpy', 'turnkeyml'}"
    code = f"import sys, turnkeyml_models; print(sorted({heavy} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_entry_point_gives_the_folder():
    (entry,) = [
        entry
        for entry in importlib.metadata.entry_points(group="turnkeyml.models")
        if entry.name == "corpora"
    ]
    assert entry.load() == turnkeyml_models.MODELS_DIR


def test_a_wheel_holds_every_script_in_the_package(tmp_path):
    pytest.importorskip("hatchling")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    done = subprocess.run(command, cwd=MODELS, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        inside = {name for name in archive.namelist() if name.endswith(".py")}
        package = ast.parse(archive.read("turnkeyml_models/__init__.py"))
    assert ast.get_docstring(package)
    scripts = {
        f"turnkeyml_models/{path.relative_to(MODELS).as_posix()}"
        for corpus in (*CORPORA, "graph_convolutions", "popular_on_huggingface")
        for path in (MODELS / corpus).glob("*.py")
    }
    assert scripts <= inside
    assert not any("/generate/" in name or "/dev/" in name for name in inside)


def test_a_wheel_unpacked_gives_its_own_folder(tmp_path):
    package = tmp_path / "turnkeyml_models"
    (package / "selftest").mkdir(parents=True)
    source = MODELS / "src/turnkeyml_models/__init__.py"
    (package / "__init__.py").write_text(source.read_text("utf-8"), "utf-8")
    code = "import turnkeyml_models; print(turnkeyml_models.MODELS_DIR)"
    command = [sys.executable, "-c", code]
    done = subprocess.run(
        command, capture_output=True, text=True, check=True, env={"PYTHONPATH": str(tmp_path)}
    )
    assert done.stdout.strip() == str(package)
