"""Each mistake has one sentence that says what and where, one that says what to do, and a code."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from core_env import Ended, FakePlugins, run_here

from turnkeyml.corpora import models_dir
from turnkeyml.errors import ExitCode, UsageError

STAGES = "from turnkeyml.sequence import Sequence\n"
FILES = {
    "a.toy": "one 1\n",
    "empty.txt": "\n# a comment\n\n",
    "outer.txt": "inner.txt\n",
    "inner.txt": "outer.txt\n",
    "gone.txt": "gone.toy\n",
    "stages.py": STAGES + "sequence = Sequence('compile')\n",
    "two.py": STAGES + "a = Sequence('compile'); b = Sequence('shrink')\n",
    "none.py": "x = 1\n",
    "list.py": STAGES + "a = Sequence(['compile'])\n",
    "raising.py": "1 / 0\n",
    "leaving.py": "raise SystemExit('no')\n",
    "unknown.py": STAGES + "sequence = Sequence('shrnk')\n",
    "measuring.py": STAGES + "sequence = Sequence('benchmark')\n",
    "folder/x.none": "",
    "labels.py": "# labels: author:: name::x\n",
}


@pytest.fixture
def folder(toys: FakePlugins, tmp_path: Path) -> Path:
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    (tmp_path / "link.toy").symlink_to("nowhere")
    os.mkfifo(tmp_path / "pipe.toy")
    return tmp_path


def has_error(done: Ended, code: int, message: str, hint: str | None) -> None:
    """Check what was said: a line for what happened, and one for what to do."""
    assert done.code == code, done
    assert "Traceback" not in done.text
    lines = done.err.splitlines()
    said = [n for n, line in enumerate(lines) if line.startswith("Error: ")]
    assert said, done
    assert lines[said[0]] == f"Error: {message}"
    rest = lines[said[0] + 1 :]
    if hint is None:
        assert not rest or not rest[0].startswith("  "), done
    else:
        assert rest[0] == f"  {hint}"


USAGE: dict[str, tuple[list[str], str, str | None]] = {
    "a file instead of a tool": (
        ["find", "a.toy"],
        "'a.toy' stands where a tool is expected.",
        "Name inputs first: turnkey -i a.toy TOOL...",
    ),
    "a command that stands alone, in a chain": (
        ["-i", "a.toy", "find", "report"],
        "'report' stands alone and cannot be part of a chain.",
        "Run: turnkey report -h",
    ),
    "a list that names nothing": (
        ["-i", "empty.txt", "find"],
        "The lists given as inputs name no file.",
        "Write one file in each line of them.",
    ),
    "lists that contain each other": (
        ["-i", "outer.txt", "find"],
        "The lists of inputs contain each other: outer.txt -> inner.txt -> outer.txt.",
        "Take one of them out of another.",
    ),
    "a link to nothing": (["link.toy"], "There is no file 'link.toy'.", None),
    "a pipe": (
        ["pipe.toy"],
        "pipe.toy is no regular file.",
        "What comes through a pipe can be read only once.",
    ),
    "an empty name": (["-i", "", "find"], "The input '' names no file.", None),
    "hashes of nothing": (["::abcd"], "The input '::abcd' names no file.", None),
    "a pattern with hashes": (
        ["*.toy::abcd"],
        "'*.toy::abcd' has both a pattern and hashes.",
        "Give the file itself.",
    ),
    "all and files": (["a.toy", "--all"], "--all and files are given.", "Give one of them."),
    "all, where there is nothing": (
        ["--all", "-s", "folder"],
        "There is no script in folder.",
        "Name another directory with --search-dir; the names of scripts end in .py.",
    ),
    "no file at all": (
        ["--iterations", "3"],
        "No input is given.",
        "Name files, or give --all.",
    ),
    "a search directory that is not there": (
        ["a.toy", "--search-dir", "nowhere"],
        "There is no directory 'nowhere', which --search-dir names.",
        None,
    ),
    "a search directory that is a file": (
        ["a.toy", "-s", "a.toy"],
        "There is no directory 'a.toy', which --search-dir names.",
        None,
    ),
    "a cache directory that an unset variable names": (
        ["a.toy", "-d", ""],
        "Invalid value for '--cache-dir' / '-d': it is empty, and names nothing.",
        "See: turnkey FILE -h",
    ),
    "a list without an end": (
        ["a.toy", "--rt-args", "mood::[a,b"],
        "--rt-args: the list 'mood::[a,b' has no end.",
        "Write mood::[value1,value2], with a closing bracket.",
    ),
    "runtime arguments as one word": (
        ["a.toy", "--rt-args", "repeats::1 mood"],
        "The runtime 'toyrt' takes 'repeats' as int, not '1 mood'.",
        "Each argument is a word of its own, without quotes.",
    ),
    "a sequence file with a list for a step": (
        ["a.toy", "--sequence-file", "list.py"],
        "['compile'] is no step of a sequence.",
        "A step is the name of a tool or sequence, a Step, or a Sequence; several are given one "
        "after the other: Sequence('export-pytorch', 'optimize-onnx').",
    ),
    "two sequences": (
        ["a.toy", "--sequence", "toy-small", "--sequence-file", "stages.py"],
        "--sequence and --sequence-file are given.",
        "Give one of them.",
    ),
    "a sequence file that is not there": (
        ["a.toy", "--sequence-file", "nowhere.py"],
        "There is no sequence file 'nowhere.py'.",
        None,
    ),
    "a sequence file without a sequence": (
        ["a.toy", "--sequence-file", "none.py"],
        "The sequence file none.py defines no sequence.",
        "Write in it: from turnkeyml.sequence import Sequence; sequence = Sequence('TOOL', ...)",
    ),
    "a sequence file with two": (
        ["a.toy", "--sequence-file", "two.py"],
        "The sequence file two.py defines several: a, b.",
        "Call the one that is wanted sequence.",
    ),
    "a sequence file that raises": (
        ["a.toy", "--sequence-file", "raising.py"],
        "The sequence file raising.py cannot be run: ZeroDivisionError: division by zero",
        "It is a Python file that defines a turnkeyml.sequence.Sequence.",
    ),
    "a sequence file that leaves": (
        ["a.toy", "--sequence-file", "leaving.py"],
        "The sequence file leaving.py cannot be run: SystemExit: no",
        "It is a Python file that defines a turnkeyml.sequence.Sequence.",
    ),
    "a sequence file with a tool that is not there": (
        ["a.toy", "--sequence-file", "unknown.py"],
        "There is no tool 'shrnk'.",
        "Did you mean 'shrink'?",
    ),
    "a sequence that is none": (
        ["a.toy", "--sequence", "toy-smal"],
        "There is no sequence 'toy-smal'.",
        "Did you mean 'toy-small'?",
    ),
    "a part of a device that has none": (
        ["a.toy", "--device", "toydev::part2::c9"],
        "The part 'part2' of 'toydev' has no configuration 'c9'.",
        "It has no configurations.",
    ),
    "a device without a family": (
        ["a.toy", "--device", "::part1"],
        "'::part1' is no device.",
        "Write family, family::part or family::part::config.",
    ),
    "a runtime for another kind": (
        ["-i", "a.toy", "find", "benchmark", "--runtime", "toyrtx"],
        "There is no runtime 'toyrtx'.",
        "Did you mean 'toyrt'?",
    ),
    "a runtime argument twice": (
        ["a.toy", "--rt-args", "mood::a", "mood::b"],
        "--rt-args: 'mood' is given twice.",
        "Give it once; where it takes several values, they are mood::[value1,value2].",
    ),
    "a runtime argument of another type": (
        ["a.toy", "--rt-args", "loud::perhaps"],
        "The runtime 'toyrt' takes 'loud' as bool, not 'perhaps'.",
        None,
    ),
    "an executor that is not there": (
        ["a.toy", "--executor", "isolatd"],
        "There is no executor 'isolatd'.",
        "Did you mean 'isolated'?",
    ),
    "an executor argument that it does not take": (
        ["a.toy", "--executor-args", "speed::9"],
        "The executor 'in-process' has no argument 'speed'.",
        "It takes none.",
    ),
    "two executors": (
        ["a.toy", "--executor", "in-process", "--process-isolation"],
        "--executor and --process-isolation exclude each other.",
        "Give one of them.",
    ),
    "a time limit in this process": (
        ["a.toy", "--timeout", "3"],
        "--timeout needs a process that can be ended, and the executor 'in-process' runs inputs "
        "in its own.",
        "Add --process-isolation or --use-slurm.",
    ),
    "a memory limit in this process": (
        ["a.toy", "--memory-limit", "3GB"],
        "--memory-limit needs a process that can be ended, and the executor 'in-process' runs "
        "inputs in its own.",
        "Add --process-isolation or --use-slurm.",
    ),
    "a memory limit that is no size": (
        ["a.toy", "--process-isolation", "--memory-limit", "much"],
        "'much' is no size.",
        "Write it as 512MB, 8GB or 2GiB.",
    ),
    "a time limit that never ends": (
        ["a.toy", "--process-isolation", "--timeout", "inf"],
        "--timeout inf is no time.",
        "Give seconds.",
    ),
    "several jobs in one process": (
        ["a.toy", "--jobs", "2", "--executor", "in-process"],
        "--jobs 2 needs processes of their own, and 'in-process' has one.",
        "Leave out --executor, or name another one.",
    ),
    "an option without its value": (
        ["-i", "a.toy", "find", "benchmark", "--rt-args"],
        "The option --rt-args is given no value.",
        "Write what it is to be after it.",
    ),
    "a label that is none": (
        ["a.toy", "--labels", "author"],
        "'author' is no label.",
        "Write key::value or key::value1,value2.",
    ),
    "a label in a script that is none": (
        ["labels.py"],
        "In the labels of {folder}/labels.py, 'author::' is no label.",
        "Write key::value or key::value1,value2.",
    ),
    "a report in a format that is not there": (
        ["report", "--format", "cvs"],
        "There is no report format 'cvs'.",
        "Did you mean 'csv'?",
    ),
    "a build that is not there": (
        ["cache", "stats", "a_12345678"],
        "There is no build 'a_12345678' in the cache {folder}/cache.",
        "See: turnkey cache list",
    ),
    "a name that leads out of the cache": (
        ["cache", "delete", "../outside"],
        "There is no build '../outside' in the cache {folder}/cache.",
        "See: turnkey cache list",
    ),
    "no build to delete": (
        ["cache", "delete"],
        "No build is named.",
        "Name builds, or give --all.",
    ),
    "no build to clean": (
        ["cache", "clean"],
        "No build is named.",
        "Name builds, or give --all, --older-than or --max-size.",
    ),
    "an age that is none": (
        ["cache", "clean", "--older-than", "soon"],
        "'soon' is no duration.",
        "Give one like 30d, 12h or 2w.",
    ),
    "no build to measure": (
        ["cache", "benchmark"],
        "No build is named.",
        "Name builds, or give --all.",
    ),
    "nothing to measure": (
        ["cache", "benchmark", "--all"],
        "There are no builds in the cache {folder}/cache.",
        "Make some first: turnkey FILE --build-only",
    ),
    "a corpus that is not there": (
        ["models", "list", "nonsense"],
        "There is no corpus 'nonsense'.",
        "There are: diffusers, graph_convolutions, popular_on_huggingface, selftest, timm, "
        "torch_hub, torchvision, transformers.",
    ),
    "a plugin's name that is none": (
        ["plugins", "new", "My Plugin"],
        "'My Plugin' is no name for a plugin.",
        "Use small letters and digits, in words joined by hyphens, at most 40.",
    ),
    "a plugin that is there": (
        ["plugins", "new", "made", "--tool"],
        "turnkeyml-plugin-made exists.",
        "Remove it, or give another name.",
    ),
    "a plugin that is not installed": (
        ["plugins", "check", "nothing"],
        "No plugin 'nothing' is installed.",
        "There are: turnkeyml-core, toyplug.",
    ),
}


def models_are_there() -> bool:
    try:
        return models_dir().is_dir()
    except UsageError:
        return False


@pytest.mark.parametrize("case", USAGE)
def test_a_wrong_command_says_what_and_what_to_do(case: str, folder: Path) -> None:
    words, message, hint = USAGE[case]
    if words[0] == "models" and not models_are_there():
        pytest.skip("turnkey does not run from the checkout")
    (folder / "turnkeyml-plugin-made").mkdir()
    done = run_here(*words)
    has_error(done, ExitCode.USAGE, message.replace("{folder}", str(folder)), hint)
    assert not (folder / "cache").exists()
