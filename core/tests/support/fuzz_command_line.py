"""Command lines made at random from what is installed, and what each of them must keep to.

python core/tests/support/fuzz_command_line.py 600          # ten minutes with the toy tools
python core/tests/support/fuzz_command_line.py 600 --real   # with what is installed here
"""

from __future__ import annotations

import os
import shutil
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory, gettempdir

from hypothesis import strategies as st

from turnkeyml.cli.config import ConfigOptions
from turnkeyml.cli.searching import SearchOptions
from turnkeyml.options import OptionSpec, option_specs
from turnkeyml.plugins.records import ToolRole
from turnkeyml.plugins.registry import Registry
from turnkeyml.request import GLOBAL_OPTIONS, DefaultChainOptions
from turnkeyml.tool import ChainTool

_TEXT = st.text(
    st.characters(exclude_categories=("Cs",), exclude_characters="\0"), min_size=0, max_size=12
)
_ODD = st.sampled_from(
    [
        "", " ", "\n", "\t", "\x1b[31m", "\r", "\x07", "%s", "{0}", "{", "[red]", "[/]", "\\", "'",
        '"',
        "--", "-", "=", "::", ",", "*", "?", "[", "]", "**", "a=b", "a::b", "::::", "é", "日本",
        "\u202e", "\udcff", "\udce4.toy", "x" * 300, "y" * 70_000, "1" * 400, "NaN", "inf", "-inf",
        "1e400", "-1", "0", "1", "2", "3.5", "1_000", "0x10", "9" * 40, "True", "None", "null",
        "-h", "--help", "$(touch hacked)", "`touch hacked`", "; touch hacked", "| cat", "&",
        "\u0130", "\ufb01", "\ufeff",
    ]
)  # fmt: skip
# Absolute paths and parents are the user's to write to; here they would be of the machine.
ANY_TEXT = (_ODD | _TEXT).filter(lambda text: text[:1] not in ("/", "~") and ".." not in text)

PATHS = (
    "a.toy", "b.toy", "ü n.toy", "-dash.toy", "sub", "sub/c.toy", "sub/", "*.toy", "**/*.toy",
    "[ab].toy", "*.none", "list.txt", "loop.txt", "binary.txt", "folder.toy", "pipe.toy", "pipe",
    "dangling.toy", "circle.toy", "empty", "empty.toy", "a.toy::abcd", "a.toy::abcd,1234",
    "a.toy::", "a.toy::xyz", "::abcd", "nothing.toy", "a.py", "stages.py", "bad_stages.py",
    "good.yaml", "bad.yaml", "cache", "cache/other", "cache/nothing", "new_folder", "a.toy/below",
    "x" * 300 + ".toy",
)  # fmt: skip
WORDS_OF_MANAGEMENT = {
    "cache": ["list", "stats", "print", "delete", "clean", "report", "location", "benchmark"],
    "report": [], "models": ["location", "list"], "version": [], "system-info": [],
    "plugins": ["new"], "compare": [], "completion": ["bash", "zsh", "fish"],
}  # fmt: skip
FLAGS_OF_MANAGEMENT = (
    "-d", "--cache-dir", "--all", "--yes", "-y", "--json", "--older-than", "--max-size", "-r", "-o",
    "--report-dir", "--format", "-i", "--quiet", "-q", "--labels", "--skip-policy", "--rebuild",
    "--fail-on", "--markdown", "--into", "--tool", "--runtime", "--device", "--iterations", "-h",
)  # fmt: skip
VALUES_OF_MANAGEMENT = (
    "30d", "12h", "0s", "-1d", "500MB", "1GB", "csv", "jsonl", "html", "a_*", "*", "none", "failed",
    "never", "slower:5%", "slower", "my-tool", "selftest", "task::x", "1", "0",
)  # fmt: skip
HARMFUL = {
    "act", "--process-isolation", "--use-slurm", "--executor", "--jobs", "--sweep", "check",
    "--rt-version", "--rt-env",
}  # fmt: skip
"""Left out where something is run: they start processes, or do what they are told."""


@dataclass(frozen=True)
class Vocabulary:
    """What command lines consist of."""

    tools: tuple[str, ...]
    names: tuple[str, ...]
    before: tuple[OptionSpec, ...]
    one_word: tuple[OptionSpec, ...]
    of_tools: dict[str, tuple[OptionSpec, ...]] = field(default_factory=dict)


def vocabulary_of(registry: Registry) -> Vocabulary:
    """Take the words of everything that is installed."""
    of_tools = {}
    for record, tool in registry.loadable_tools(ChainTool, ToolRole.FIRST, ToolRole.STEP):
        of_tools[record.name] = option_specs(tool.Options)
    settings = [spec for cls in registry.settings_classes() for spec in option_specs(cls)]
    before = [spec for cls in (*GLOBAL_OPTIONS, ConfigOptions) for spec in option_specs(cls)]
    one_word = [
        spec for cls in (DefaultChainOptions, SearchOptions) for spec in option_specs(cls)
    ] + [spec for specs in of_tools.values() for spec in specs if spec.info.shorthand]
    devices = [
        "::".join([name, *more])
        for name, record in registry.devices.items()
        for more in ([], [*list(record.parts)[:1]], ["nopart"], ["a", "b", "c"])
    ]
    names = [*registry.runtimes, *devices, *registry.executors, "mood::x", "repeats::x", "loud"]
    return Vocabulary(
        (*registry.tools, *registry.aliases, *registry.sequences),
        tuple(names),
        (*before, *settings),
        tuple(one_word),
        of_tools,
    )


def _values(spec: OptionSpec, words: Vocabulary) -> st.SearchStrategy[str]:
    right: st.SearchStrategy[str]
    if spec.info.choices:
        right = st.sampled_from(spec.info.choices)
    elif spec.type in (int, float):
        right = st.integers(-2, 10**6).map(str) | st.floats(width=32).map(str)
    elif spec.type is Path:
        right = st.sampled_from(PATHS)
    else:
        right = st.sampled_from([*words.names, *words.tools, *PATHS])
    return right | right | ANY_TEXT


@st.composite
def _option(draw: st.DrawFn, specs: Sequence[OptionSpec], words: Vocabulary) -> list[str]:
    spec = draw(st.sampled_from(specs))
    flags = [*spec.flags, *([spec.off_flag] if spec.off_flag else [])]
    flag = draw(st.sampled_from(flags))
    if draw(st.integers(0, 9)) == 0:
        flag = flag[:-1]
    if not spec.takes_value and draw(st.integers(0, 9)):
        return [flag]
    count = draw(st.integers(0, 3)) if spec.many else draw(st.sampled_from([1, 1, 1, 1, 0, 2]))
    values = [draw(_values(spec, words)) for _ in range(count)]
    if values and draw(st.booleans()):
        return [f"{flag}={values[0]}", *values[1:]]
    return [flag, *values]


@st.composite
def _chain(draw: st.DrawFn, words: Vocabulary) -> list[str]:
    line: list[str] = []
    for option in draw(st.lists(_option(words.before, words), max_size=3)):
        line += option
    line += ["-i", *draw(st.lists(st.sampled_from(PATHS) | ANY_TEXT, min_size=0, max_size=3))]
    for tool in draw(st.lists(st.sampled_from(words.tools) | ANY_TEXT, max_size=4)):
        line.append(tool)
        specs = words.of_tools.get(tool) or words.before
        for option in draw(st.lists(_option(specs, words), max_size=3)):
            line += option
    return line


@st.composite
def _one_word(draw: st.DrawFn, words: Vocabulary) -> list[str]:
    line = draw(st.sampled_from([[], ["benchmark"]]))
    parts = st.lists(_option((*words.before, *words.one_word), words), max_size=4)
    files = draw(st.lists(st.sampled_from(PATHS) | ANY_TEXT, max_size=3))
    config = draw(st.sampled_from([[], [], ["--config", draw(st.sampled_from(PATHS))]]))
    rest = [*files, *config, *(word for option in draw(parts) for word in option)]
    return [*line, *rest]


@st.composite
def _management(draw: st.DrawFn) -> list[str]:
    name = draw(st.sampled_from(list(WORDS_OF_MANAGEMENT)))
    below = WORDS_OF_MANAGEMENT[name]
    line = [name, *([draw(st.sampled_from(below))] if below else [])]
    more = (
        st.sampled_from([*FLAGS_OF_MANAGEMENT, *VALUES_OF_MANAGEMENT, *PATHS, "a_0", "b_0"])
        | ANY_TEXT
    )
    return [*line, *draw(st.lists(more, max_size=5))]


WHOLE = tuple(
    tuple(line.split())
    for line in (
        "a.toy",
        "benchmark a.toy --iterations 2",
        "a.toy --device toydev::part1::c1 --runtime toyrt --rt-args mood::gay loud --explain",
        "a.toy --sequence toy-small -b --lean-cache",
        "a.toy --sequence-file stages.py -b --rebuild always",
        "-i a.toy b.toy find compile --level 2 shrink benchmark --iterations 2",
        "-d cache/other -i *.toy --skip-policy attempted find compile",
        "-i list.txt -d cache --verbosity static find compile benchmark",
        "--output new_folder -i a.toy find compile",
        "--config good.yaml",
        "a.toy --write-config new.yaml",
        "a.toy --output new_folder -b",
        "cache list --json",
        "cache stats a_* --json",
        "cache clean --older-than 1d --max-size 1MB",
        "cache delete a_* b_* --yes",
        "cache report -r sub",
        "cache benchmark --all --runtime toyrt --iterations 2",
        "report -d cache -r sub --format csv jsonl --json",
        "models list selftest --labels task::test",
        "system-info --json",
        "plugins new my-tool --tool --into sub",
    )
)


@st.composite
def _mutated(draw: st.DrawFn, words: Vocabulary) -> list[str]:
    """Take a command line that is right, and change a few of its words."""
    line = list(draw(st.sampled_from(WHOLE)))
    any_word = st.sampled_from([*words.tools, *words.names, *PATHS]) | ANY_TEXT
    for _ in range(draw(st.integers(0, 2))):
        at = draw(st.integers(0, len(line)))
        change = draw(st.sampled_from(["drop", "repeat", "replace", "insert", "join", "cut"]))
        if change == "insert" or at == len(line):
            line.insert(at, draw(any_word))
        elif change == "drop":
            del line[at]
        elif change == "repeat":
            line.insert(at, line[at])
        elif change == "replace":
            line[at] = draw(any_word)
        elif change == "join":
            line[at : at + 2] = ["=".join(line[at : at + 2])]
        else:
            line[at] = line[at][: draw(st.integers(0, len(line[at])))]
    return line


def command_lines(words: Vocabulary) -> st.SearchStrategy[list[str]]:
    """Make command lines: whole ones with mistakes in them, and words in any order."""
    anything = st.sampled_from(
        [
            *words.tools, *words.names, *PATHS, *FLAGS_OF_MANAGEMENT,
            *(flag for spec in (*words.before, *words.one_word) for flag in spec.flags),
        ]
    )  # fmt: skip
    chaos = st.lists(anything | ANY_TEXT, max_size=8)
    nearly = _mutated(words)
    return st.one_of(nearly, nearly, nearly, _chain(words), _one_word(words), _management(), chaos)


def safe(line: Sequence[str], *, dry: bool) -> list[str]:
    """Make a command line that plans only, or leave out what no test can let run."""
    if "check" in line:
        line = [word for word in line if word != "check"]
    if line and line[0] in WORDS_OF_MANAGEMENT:
        return list(line)
    if dry or any(word.partition("=")[0] in HARMFUL or word in HARMFUL for word in line):
        at = 1 if line[:1] == ["benchmark"] else 0
        return [*line[:at], "--dry-run", *line[at:]]
    return list(line)


@dataclass(frozen=True)
class World:
    """A folder with files of all sorts, a cache and a home."""

    root: Path
    here: Path
    home: Path
    template: Path
    given: frozenset[str]


def make_world(root: Path) -> World:
    """Write the files that command lines name."""
    here, home = root / "here", root / "home"
    (here / "sub").mkdir(parents=True)
    home.mkdir()
    for name in ("a.toy", "b.toy", "ü n.toy", "-dash.toy", "sub/c.toy"):
        (here / name).write_text("one 1\n")
    (here / "folder.toy").mkdir()
    os.mkfifo(here / "pipe.toy")
    os.mkfifo(here / "pipe")
    (here / "dangling.toy").symlink_to("nowhere")
    (here / "circle.toy").symlink_to("circle.toy")
    (here / "empty").touch()
    (here / "empty.toy").touch()
    (here / "list.txt").write_text("a.toy\n\nsub/*.toy\n")
    (here / "loop.txt").write_text("loop.txt\n")
    (here / "binary.txt").write_bytes(bytes(range(256)) * 4)
    (here / "a.py").write_text("x = 1\n")
    (here / "stages.py").write_text(
        "from turnkeyml.sequence import Sequence\ns = Sequence('compile')\n"
    )
    (here / "bad_stages.py").write_text("1 / 0\n")
    (here / "good.yaml").write_text("input: a.toy\ntools:\n- find\n- compile: {level: 2}\n")
    (here / "bad.yaml").write_text("input: [a.toy\n  tools: &x *x\n")
    given = frozenset(path.name for path in here.iterdir())
    return World(root, here, home, root / "template", given)


class Watch:
    """Notes what is written outside of a folder; Python tells it of every such call."""

    EVENTS = frozenset(
        f"os.{name}"
        for name in ("mkdir", "remove", "rename", "rmdir", "symlink", "link", "truncate")
    )
    _current: Watch | None = None
    _is_added = False

    def __init__(self, root: Path) -> None:
        self._root = os.path.realpath(root)
        self.outside: list[str] = []

    @contextmanager
    def watching(self) -> Iterator[Watch]:
        """Take notes in this block; there can be one such block at a time."""
        if not Watch._is_added:
            sys.addaudithook(Watch._hook)
            Watch._is_added = True
        Watch._current = self
        try:
            yield self
        finally:
            Watch._current = None

    @staticmethod
    def _hook(event: str, arguments: tuple[object, ...]) -> None:
        watch = Watch._current
        if watch is None:
            return
        if event == "open":
            path, _, flags = arguments
            if isinstance(flags, int) and flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT):
                watch._note(event, path)
        elif event in Watch.EVENTS:
            watch._note(event, arguments[0])

    def _note(self, event: str, path: object) -> None:
        if not isinstance(path, (str, bytes, os.PathLike)):
            return
        text = os.path.realpath(os.fsdecode(path)).replace(f"/proc/{os.getpid()}", "/proc/self")
        allowed = (self._root, "/dev/null", "/dev/shm", "/proc/self", f"{gettempdir()}/turnkey-")
        if "__pycache__" not in text and not text.startswith(allowed):
            self.outside.append(f"{event} {text}")


def restore(world: World) -> None:
    """Give the world its cache as it was, and take away what the last command has made."""
    for path in list(world.here.iterdir()):
        if path.name not in world.given:
            shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()
    for path in (world.here / "sub").iterdir():
        if path.name != "c.toy":
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    shutil.rmtree(world.here / "cache", ignore_errors=True)
    if world.template.exists():
        shutil.copytree(world.template, world.here / "cache", symlinks=True)


def main() -> None:
    """Make command lines for as long as the first argument says, in seconds."""
    import pytest

    sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parent / "toys")]
    from command_fuzz_run import CODES, fuzz_for

    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 600
    with (
        TemporaryDirectory(prefix="turnkey-fuzz-") as folder,
        pytest.MonkeyPatch.context() as patch,
    ):
        began = time.monotonic()
        count, found = fuzz_for(seconds, Path(folder), patch, real="--real" in sys.argv)
        print(f"{count} command lines in {time.monotonic() - began:.0f} s, {len(found)} complaints")
        print("by exit code:", dict(sorted(CODES.items())))
        for line, what in found:
            print(line, what)
    sys.exit(bool(found))


if __name__ == "__main__":
    main()
