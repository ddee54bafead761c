"""What a generated script consists of, and how it is written and checked."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

MODELS = Path(__file__).resolve().parent.parent
MARK = "Written by models/generate."
"""Stands in the docstring of every script that the generator owns."""

WIDTH = 100
SEED = "torch.manual_seed(0)"


@dataclass(frozen=True)
class Script:
    """One script of a corpus.

    Attributes:
        corpus: The corpus, which is its folder.
        name: The file's name without suffix.
        labels: What stands in the first line besides the corpus and the name, in order.
        source: Address of where the model was published.
        about: One paragraph that says what the model is.
        imports: Modules to import; ``torch`` and the parser come by themselves.
        parameters: Standard parameters that it parses, in order.
        body: The code after the parameters.
    """

    corpus: str
    name: str
    labels: Mapping[str, str]
    source: str
    about: str
    body: str
    imports: tuple[str, ...] = ()
    parameters: tuple[str, ...] = field(default=())

    @property
    def path(self) -> Path:
        """Give the place of the file, relative to the folder of the corpora."""
        return Path(self.corpus, f"{self.name}.py")

    def text(self) -> str:
        """Give the file's content."""
        labels = {"test_group": self.corpus, "name": self.name, **self.labels}
        first = "# labels: " + " ".join(f"{key}::{value}" for key, value in labels.items())
        about = textwrap.fill(self.about, WIDTH, break_long_words=False, break_on_hyphens=False)
        docstring = f'"""{self.source}\n\n{about}\n{MARK}\n"""'
        plain = sorted(
            {*(word for word in self.imports if not word.startswith("from ")), "import torch"}
        )
        imports = [*plain, *(word for word in self.imports if word.startswith("from "))]
        parts = [docstring, "", *sorted(imports, key=_import_order)]
        if self.parameters:
            parts.append("from turnkeyml.parser import parse")
        parts += ["", SEED, ""]
        if self.parameters:
            names = ", ".join(self.parameters)
            asked = ", ".join(f'"{name}"' for name in self.parameters)
            line = f"{names} = parse([{asked}])"
            if len(line) > WIDTH:
                line = f"{names} = parse(\n    [{asked}]\n)"
            parts += [line, ""]
        return "\n".join([first, *parts, self.body.strip("\n"), ""])


def _import_order(line: str) -> tuple[bool, str]:
    return line.startswith("from "), line.split()[1]


@dataclass(frozen=True)
class Difference:
    """A file that is not what the generator writes."""

    path: Path
    what: str


def find_owned(folder: Path) -> set[Path]:
    """Find the scripts in a corpus that the generator wrote, relative to their root."""
    return {
        path.relative_to(folder.parent)
        for path in folder.glob("*.py")
        if MARK in path.read_text("utf-8")
    }


def _by_path(scripts: Iterable[Script]) -> dict[Path, Script]:
    wanted: dict[Path, Script] = {}
    for script in scripts:
        if script.path in wanted:
            raise ValueError(f"{script.path} is in the list twice.")
        wanted[script.path] = script
    return wanted


def find_differences(corpus: str, scripts: Iterable[Script], folder: Path) -> list[Difference]:
    """Compare a corpus on disk with what the generator writes.

    Args:
        corpus: The name of the corpus.
        scripts: All its scripts.
        folder: The folder of the corpora.
    """
    wanted = _by_path(scripts)
    found = find_owned(folder / corpus)
    result = [Difference(path, "is not in the list any more") for path in found - set(wanted)]
    for path, script in wanted.items():
        if path not in found:
            there = (folder / path).exists()
            result.append(Difference(path, "was written by hand" if there else "is missing"))
        elif (folder / path).read_text("utf-8") != script.text():
            result.append(Difference(path, "differs"))
    return sorted(result, key=lambda difference: difference.path)


def write_scripts(corpus: str, scripts: Iterable[Script], folder: Path) -> list[Difference]:
    """Make a corpus on disk what the lists say, and give what was changed.

    Raises:
        ValueError: The list has a name twice.
        FileExistsError: A script of the list has the name of one that is written by hand.
    """
    wanted = _by_path(scripts)
    differences = find_differences(corpus, wanted.values(), folder)
    for difference in differences:
        path = folder / difference.path
        if difference.what == "was written by hand":
            raise FileExistsError(f"{difference.path} is in the list, but was written by hand.")
        if difference.path not in wanted:
            path.unlink()
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(wanted[difference.path].text(), "utf-8")
    return differences
