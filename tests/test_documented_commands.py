"""Every command and call that the documents show does what the table says of it."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parent.parent
TABLE = yaml.safe_load((ROOT / "tests/documented_commands.yaml").read_text("utf-8"))
ENTRIES = TABLE["commands"]
PAGE = ROOT / "docs/documented_commands.md"
DRIVER = ROOT / "tests/support/documented_driver.py"
DOCUMENTS = ROOT.parent / "shared/spec"

PARAMETERS = """\
import torch
from turnkeyml.parser import parse

torch.manual_seed(0)
batch_size, length = parse(["batch_size", "max_seq_length"])
print(batch_size, length)
model = torch.nn.Sequential(torch.nn.Embedding(10, 4), torch.nn.Linear(4, 2))
model(torch.zeros(batch_size, length, dtype=torch.long))
"""
FAILING = """\
import torch


class Refusing(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = torch.nn.Linear(2, 2)

    def forward(self, x):
        return self.layer(x) if float(x.sum()) > 0 else x


Refusing()(torch.ones(2))
"""
KERAS = "import tensorflow as tf\n\ntf.keras.Sequential()\n"
SELECTED = "hello_world.py\ntwo_models.py\nmax_depth.py\nmultiple_invocations.py\n"


def identify(entry: dict) -> str:
    return entry["printed"][0]


def make_folder(folder: Path) -> None:
    """Write the files that the documents take for granted."""
    import onnx

    scripts = ROOT / "examples/cli/scripts"
    shutil.copytree(scripts, folder / "scripts")
    shutil.copytree(ROOT / "examples/cli/extras", folder / "extras")
    shutil.copy(scripts / "hello_world.py", folder / "your_script.py")
    shutil.copy(scripts / "two_models.py", folder / "example.py")
    for name in ("selftest/linear.py", "selftest/twolayer.py", "transformers/bert.py"):
        (folder / "models" / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / "models" / name, folder / "models" / name)
    (folder / "parameters.py").write_text(PARAMETERS)
    (folder / "failing.py").write_text(FAILING)
    (folder / "extras/keras.py").write_text(KERAS)
    (folder / "selected_models.txt").write_text(SELECTED)
    for name in SELECTED.split():
        shutil.copy(scripts / name, folder / name)
    value, nodes = (
        onnx.helper.make_tensor_value_info,
        [onnx.helper.make_node("MatMul", ["x", "x"], ["y"])],
    )
    square = [4, 4]
    graph = onnx.helper.make_graph(
        nodes, "square", [value("x", 1, square)], [value("y", 1, square)]
    )
    opsets = [onnx.helper.make_opsetid("", 20)]
    model = onnx.helper.make_model(graph, opset_imports=opsets, ir_version=10)
    (folder / "examples/cli/onnx").mkdir(parents=True)
    for name in ("your_model.onnx", "examples/cli/onnx/sample.onnx"):
        onnx.save(model, folder / name)
    (folder / "home").mkdir()


def run_entries(entries: list[dict], folder: Path) -> dict[str, dict]:
    """Run entries in one process with one cache; gives what came of each."""
    make_folder(folder)
    (folder / "entries.json").write_text(json.dumps(entries))
    kept = {k: v for k, v in os.environ.items() if not k.startswith("TURNKEY_")}
    variables = {"TURNKEY_CACHE_DIR": str(folder / "cache"), "HOME": str(folder / "home")}
    done = subprocess.run(
        [sys.executable, str(DRIVER), "entries.json", "results.json"],
        cwd=folder,
        env={**kept, **variables},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=1500,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    results = json.loads((folder / "results.json").read_text())
    return {identify(entry): one for entry, one in zip(entries, results, strict=True)}


QUICK = [entry for entry in ENTRIES if not entry.get("slow")]
SLOW = [entry for entry in ENTRIES if entry.get("slow")]


@pytest.fixture(scope="module")
def quick(tmp_path_factory):
    folder = tmp_path_factory.mktemp("documented")
    return run_entries(QUICK, folder)


@pytest.fixture(scope="module")
def slow(tmp_path_factory):
    folder = tmp_path_factory.mktemp("documented-slow")
    return run_entries(SLOW, folder)


def check(entry: dict, result: dict) -> None:
    code, text = result["code"], result["text"]
    assert code == entry.get("exit", 0), text[-3000:]
    for wanted in entry.get("prints", []):
        filled = wanted
        for key, value in result["filled"].items():
            filled = filled.replace(key, value)
        assert filled in text, f"{filled!r} is not in:\n{text[-3000:]}"
    for unwanted in entry.get("absent", []):
        assert unwanted not in text, f"{unwanted!r} is in:\n{text[-3000:]}"
    assert result["makes"] == entry.get("makes", [])
    assert result["lacks"] == []
    if entry.get("exit") == 2:
        assert "Traceback" not in text


def skip_where_it_does_not_apply(entry: dict) -> None:
    needs = entry.get("needs")
    if needs == "no GPU" and Path("/dev/nvidiactl").exists():
        pytest.skip("there is an NVIDIA GPU, so this command may work")
    if needs == "no TensorFlow":
        from importlib.util import find_spec

        if find_spec("tensorflow"):
            pytest.skip("TensorFlow is installed")


@pytest.mark.timeout(1600)
@pytest.mark.parametrize("entry", QUICK, ids=identify)
def test_documented_command(entry, quick):
    skip_where_it_does_not_apply(entry)
    check(entry, quick[identify(entry)])


@pytest.mark.slow
@pytest.mark.timeout(1600)
@pytest.mark.parametrize("entry", SLOW, ids=identify)
def test_documented_command_that_takes_long(entry, slow):
    skip_where_it_does_not_apply(entry)
    check(entry, slow[identify(entry)])


def test_the_installed_program_is_what_is_tested(tmp_path):
    program = Path(sys.executable).with_name("turnkey")
    done = subprocess.run(
        [str(program), "COMMAND"], cwd=tmp_path, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 2
    assert done.stderr.startswith("Error: There is no tool 'COMMAND'.")


def test_each_entry_says_what_is_checked():
    names = set()
    for entry in ENTRIES:
        assert ("run" in entry) != ("python" in entry), entry
        assert set(entry["in"]) <= set(TABLE["documents"]), entry
        assert identify(entry) not in names, entry
        names.add(identify(entry))
        if "run" in entry:
            assert {"prints", "makes"} & set(entry), entry
        known = {
            "printed", "in", "run", "python", "cwd", "env", "exit", "prints", "makes", "lacks",
            "absent", "reason", "note", "slow", "needs",
        }  # fmt: skip
        assert set(entry) <= known, entry


PROGRAMS = re.compile(r"(?:turnkey|benchit|python|pip|export|cd|ls|benchmark)\s+\S")
FILES = re.compile(r"#\s*labels:? \w+::|implements = |self\.stats\.")
CALLS = re.compile(r"\b(?:benchmark_files|benchmark_model|build_model|parse)\(")
NAMES = re.compile(r"turnkey\.\w|from turnkeyml")


def shown_in(text: str) -> set[str]:
    """Find what looks like a command, an option or a call, in code blocks and code spans."""
    found, is_code = set(), False
    for line in text.splitlines():
        if line.strip().startswith("```"):
            is_code = not is_code
            continue
        spans = [line] if is_code else re.findall(r"`([^`\n]+)`", line)
        for span in map(str.strip, spans):
            is_command = PROGRAMS.match(span) or span.startswith("--") or NAMES.match(span)
            is_option = not is_code and re.match(r"-\w", span)
            if is_command or is_option or CALLS.search(span) or FILES.match(span):
                found.add(span)
    return found


def title_of(text: str) -> str:
    return text.partition("\n")[0].lstrip("# ").strip()


def test_the_table_has_every_command_of_the_documents():
    texts = [path.read_text("utf-8") for path in sorted(DOCUMENTS.glob("0*.txt"))]
    if not texts:
        pytest.skip("the documents are not beside this checkout")
    keys = {title: key for key, title in TABLE["documents"].items()}
    assert {title_of(text) for text in texts} == set(keys)
    missing = []
    for text in texts:
        key = keys[title_of(text)]
        listed = {p for entry in ENTRIES if key in entry["in"] for p in entry["printed"]}
        missing += [(key, one) for one in sorted(shown_in(text)) if one not in listed]
    assert not missing, "\n".join(map(str, missing))


def test_the_table_has_nothing_that_no_document_shows():
    texts = {title_of(t): t for t in (p.read_text("utf-8") for p in DOCUMENTS.glob("0*.txt"))}
    if not texts:
        pytest.skip("the documents are not beside this checkout")
    for entry in ENTRIES:
        said = "\n".join(texts[TABLE["documents"][key]] for key in entry["in"])
        for printed in entry["printed"]:
            assert printed in said, printed


def in_code(text: str) -> str:
    return f"`` {text} ``" if "`" in text else f"`{text}`"


def cell(text: str) -> str:
    return text.replace("|", "\\|")


def page() -> str:
    lines = [
        "# The commands that the documents show",
        "",
        "Five documents describe turnkey, at different ages of its life. Each command and call",
        "that they show is in these tables, with what is run for it here; the tests run them all.",
        "Hashes, paths and the program's name, once benchit, are those of today. The package is",
        "imported as `turnkeyml`, where a document writes `turnkey`.",
        "",
        "This page is made from tests/documented_commands.yaml by",
        "`python tests/test_documented_commands.py`.",
        "",
        "## What cannot run as it is written",
        "",
        "| shown | why | what is run instead, or checked |",
        "|---|---|---|",
    ]
    for entry in ENTRIES:
        if "reason" in entry:
            shown = "<br>".join(cell(in_code(p)) for p in entry["printed"])
            lines.append(f"| {shown} | {cell(entry['reason'])} {note_of(entry)}| {ran(entry)} |")
    for key, title in TABLE["documents"].items():
        lines += ["", f"## {title}", "", "| shown | run as | note |", "|---|---|---|"]
        for entry in ENTRIES:
            if key not in entry["in"] or "reason" in entry:
                continue
            shown = "<br>".join(cell(in_code(p)) for p in entry["printed"])
            lines.append(f"| {shown} | {ran(entry)} | {note_of(entry).strip()} |")
    return "\n".join(lines) + "\n"


def note_of(entry: dict) -> str:
    return f"{cell(entry['note'])} " if "note" in entry else ""


def ran(entry: dict) -> str:
    if "python" in entry:
        return "code"
    commands = [entry["run"]] if isinstance(entry["run"], str) else entry["run"]
    before = "".join(f"{key}={value} " for key, value in entry.get("env", {}).items())
    ends = f", exit code {entry['exit']}" if "exit" in entry else ""
    return "<br>".join(cell(in_code(before + command)) for command in commands) + ends


def test_the_page_is_that_of_the_table():
    assert PAGE.read_text("utf-8") == page(), "run: python tests/test_documented_commands.py"


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")
