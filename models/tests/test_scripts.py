from __future__ import annotations

import ast
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

from turnkeyml.labels import read_labels
from turnkeyml.parser import STANDARD_ARGS

MODELS = Path(__file__).resolve().parent.parent
CORPORA = (
    "diffusers",
    "graph_convolutions",
    "popular_on_huggingface",
    "selftest",
    "timm",
    "torch_hub",
    "torchvision",
    "transformers",
)
SCRIPTS = sorted(path for corpus in CORPORA for path in (MODELS / corpus).glob("*.py"))
LIBRARIES = {
    "diffusers",
    "numpy",
    "timm",
    "torch",
    "torch_geometric",
    "torchvision",
    "transformers",
}


@cache
def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text("utf-8"), path.name)


def calls_of(path: Path, name: str) -> list[ast.Call]:
    return [
        node
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.Call) and ast.unparse(node.func) == name
    ]


def offenders(rule) -> list[str]:
    return [path.relative_to(MODELS).as_posix() for path in SCRIPTS if not rule(path)]


def test_there_are_over_a_thousand_scripts_in_eight_corpora():
    assert len(SCRIPTS) > 1000
    assert {path.parent.name for path in SCRIPTS} == set(CORPORA)


def test_every_script_compiles_without_a_warning():
    for path in SCRIPTS:
        compile(path.read_text("utf-8"), str(path), "exec")


def test_labels_stand_in_the_first_line_and_name_the_script():
    def rule(path: Path) -> bool:
        labels = read_labels(path)
        return (
            {"test_group", "name", "author", "task"} <= set(labels)
            and labels["name"] == (path.stem,)
            and labels["test_group"][0].removesuffix("_big").removesuffix("_failing")
            == path.parent.name
        )

    assert offenders(rule) == []


def test_a_docstring_says_where_the_model_comes_from():
    def rule(path: Path) -> bool:
        text = ast.get_docstring(tree_of(path)) or ""
        return text.startswith("https://") or "Made for testing." in text

    assert offenders(rule) == []


def test_parameters_are_standard_ones_and_land_in_names_of_their_own():
    def rule(path: Path) -> bool:
        for node in ast.walk(tree_of(path)):
            if not isinstance(node, ast.Assign) or not isinstance(node.value, ast.Call):
                continue
            if ast.unparse(node.value.func) != "parse":
                continue
            asked = ast.literal_eval(node.value.args[0])
            target = node.targets[0]
            names = target.elts if isinstance(target, ast.Tuple) else [target]
            if asked != [ast.unparse(name) for name in names] or set(asked) - set(STANDARD_ARGS):
                return False
        return len(calls_of(path, "parse")) <= 1

    assert offenders(rule) == []


def test_every_script_but_a_few_tests_takes_parameters():
    without = offenders(lambda path: calls_of(path, "parse"))
    assert {Path(name).parent.name for name in without} <= {"selftest"}


def test_every_parameter_is_used():
    def rule(path: Path) -> bool:
        read = {
            node.id
            for node in ast.walk(tree_of(path))
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)
        }
        asked = [
            name for call in calls_of(path, "parse") for name in ast.literal_eval(call.args[0])
        ]
        return set(asked) <= read

    assert offenders(rule) == []


def test_every_script_seeds_before_it_makes_anything():
    assert offenders(lambda path: len(calls_of(path, "torch.manual_seed")) == 1) == []


def test_scripts_import_only_what_the_requirements_give():
    given = {*LIBRARIES, *sys.stdlib_module_names, "turnkeyml"}

    def rule(path: Path) -> bool:
        for node in tree_of(path).body:
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                names = [node.module or ""]
            else:
                continue
            if {name.partition(".")[0] for name in names} - given:
                return False
        return True

    assert offenders(rule) == []


def test_no_script_hides_a_module():
    # A script's folder comes first on the path of its process.
    taken = {*sys.stdlib_module_names, *LIBRARIES, "onnx", "packaging", "regex", "requests", "yaml"}
    assert offenders(lambda path: path.stem not in taken) == []


def test_names_are_unique_whatever_the_case():
    seen: dict[tuple[str, str], Path] = {}
    for path in SCRIPTS:
        assert seen.setdefault((path.parent.name, path.stem.lower()), path) is path


def test_lines_fit_on_a_page():
    def rule(path: Path) -> bool:
        lines = path.read_text("utf-8").splitlines()[1:]
        return all(len(line) <= 100 or "://" in line for line in lines)

    assert offenders(rule) == []


def test_what_is_checked_in_is_what_the_generator_writes():
    command = [sys.executable, str(MODELS / "generate"), "--check"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("corpus", CORPORA)
def test_authors_and_tasks_are_plain_words(corpus):
    for path in (MODELS / corpus).glob("*.py"):
        labels = read_labels(path)
        for values in labels.values():
            assert all(value == value.lower() for value in values), path
