from __future__ import annotations

import importlib.util
import sys
from dataclasses import replace
from pathlib import Path

import pytest

GENERATE = Path(__file__).resolve().parent.parent / "generate"


@pytest.fixture
def script(monkeypatch):
    monkeypatch.syspath_prepend(str(GENERATE))
    spec = importlib.util.spec_from_file_location("script", GENERATE / "script.py")
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "script", module)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def linear(script):
    return script.Script(
        corpus="corpus",
        name="linear",
        labels={"author": "me", "task": "test"},
        source="https://example.org",
        about="One layer.",
        parameters=("batch_size",),
        body="torch.nn.Linear(3, 3)(torch.rand(batch_size, 3))",
    )


def names(found):
    return [(difference.path.as_posix(), difference.what) for difference in found]


def test_what_was_written_does_not_differ(script, linear, tmp_path):
    assert names(script.write_scripts("corpus", [linear], tmp_path)) == [
        ("corpus/linear.py", "is missing")
    ]
    assert script.find_differences("corpus", [linear], tmp_path) == []


def test_a_changed_line_is_found_and_mended(script, linear, tmp_path):
    script.write_scripts("corpus", [linear], tmp_path)
    path = tmp_path / linear.path
    path.write_text(path.read_text("utf-8").replace("Linear(3, 3)", "Linear(3, 4)"), "utf-8")
    assert names(script.find_differences("corpus", [linear], tmp_path)) == [
        ("corpus/linear.py", "differs")
    ]
    script.write_scripts("corpus", [linear], tmp_path)
    assert path.read_text("utf-8") == linear.text()


def test_a_script_that_left_the_list_is_removed_and_one_by_hand_is_kept(script, linear, tmp_path):
    script.write_scripts("corpus", [linear], tmp_path)
    by_hand = tmp_path / "corpus/by_hand.py"
    by_hand.write_text('"""Mine."""\n', "utf-8")
    script.write_scripts("corpus", [], tmp_path)
    assert [path.name for path in (tmp_path / "corpus").iterdir()] == ["by_hand.py"]


def test_a_script_written_by_hand_is_never_overwritten(script, linear, tmp_path):
    path = tmp_path / linear.path
    path.parent.mkdir()
    path.write_text('"""Mine."""\n', "utf-8")
    with pytest.raises(FileExistsError, match="written by hand"):
        script.write_scripts("corpus", [linear], tmp_path)
    assert path.read_text("utf-8") == '"""Mine."""\n'


def test_the_same_name_twice_is_refused(script, linear, tmp_path):
    with pytest.raises(ValueError, match="twice"):
        script.write_scripts("corpus", [linear, replace(linear, about="Another.")], tmp_path)
