"""The inputs of a command: files, globs, lists in ``.txt`` files, ``file::hash,hash``."""

from __future__ import annotations

import difflib
import glob
import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from turnkeyml.errors import UsageError
from turnkeyml.execution import json_values
from turnkeyml.labels import Labels, matches, read_labels

_HASH = re.compile(r"[0-9a-fA-F]{4,64}\Z")
_GLOB = re.compile(r"[*?\[]")
_LIST_SUFFIX = ".txt"
_LABELLED_SUFFIX = ".py"


@dataclass(frozen=True)
class Source:
    """One input file.

    Args:
        path: Absolute.
        hashes: The models of it that are wanted, as (beginnings of) hashes; empty means all.
        labels: What its first line says.
        parameters: Values that a sweep gives to the script's own parameters, by name.
    """

    path: Path
    hashes: tuple[str, ...] = ()
    labels: Labels = field(default_factory=dict)
    parameters: Mapping[str, str] = field(default_factory=dict)

    @property
    def title(self) -> str:
        """The file's name, with the parameters that tell it from others of a sweep."""
        values = " ".join(f"{name}={value}" for name, value in self.parameters.items())
        return f"{self.path.name} {values}" if values else self.path.name

    @property
    def suffix(self) -> str:
        """The file's suffix in lower case, which decides what tool starts the chain."""
        return self.path.suffix.lower()

    def to_json(self) -> dict[str, Any]:
        """Give it as JSON values."""
        return {
            "path": os.fsdecode(self.path),
            "hashes": list(self.hashes),
            "labels": {key: list(values) for key, values in self.labels.items()},
            "parameters": dict(self.parameters),
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Source:
        """Read back what `to_json` gave.

        Raises:
            MALFORMED: It is something else.
        """
        text, items, entries = json_values.text, json_values.items, json_values.entries
        return cls(
            Path(text(data["path"])),
            items(text, data["hashes"]),
            entries(partial(items, text), data["labels"]),
            entries(text, data["parameters"]),
        )

    def selects(self, digest: str) -> bool:
        """Tell whether the user wants the model with this hash."""
        return not self.hashes or any(digest.startswith(wanted.lower()) for wanted in self.hashes)


def find_sources(
    words: Sequence[str], *, labels: Labels | None = None, tool_names: Iterable[str] = ()
) -> tuple[Source, ...]:
    """Resolve what the user gave as inputs, in order, each file once.

    Args:
        words: Files, globs, ``.txt`` lists, ``file::hash,hash``.
        labels: Keep only scripts that have these labels.
        tool_names: For the message when a word is a mistyped tool.

    Raises:
        UsageError: A word names nothing, or the labels match nothing.
    """
    found: dict[Path, Source] = {}
    names = tuple(tool_names)
    for word in words:
        for source in _expand(word, Path.cwd(), names, ()):
            known = found.get(source.path)
            found[source.path] = source if known is None else _union(known, source)
    sources = tuple(found.values())
    if labels:
        kept = tuple(source for source in sources if matches(source.labels, labels))
        if not kept:
            wanted = " ".join(f"{key}::{','.join(values)}" for key, values in labels.items())
            raise UsageError(
                f"None of the {len(sources)} inputs has the labels {wanted}.",
                hint="Labels stand in the first line of a script: # labels: key::value",
            )
        return kept
    return sources


def _union(first: Source, second: Source) -> Source:
    """Join two mentions of one file: what either selects is wanted."""
    everything = not first.hashes or not second.hashes
    hashes = () if everything else tuple(dict.fromkeys([*first.hashes, *second.hashes]))
    return Source(first.path, hashes, first.labels)


def _expand(
    word: str, folder: Path, tools: tuple[str, ...], lists: tuple[Path, ...]
) -> Iterator[Source]:
    text, separator, hashes = word.partition("::")
    wanted = tuple(part for part in hashes.split(",") if part)
    for part in wanted:
        if not _HASH.match(part):
            raise UsageError(
                f"In {word!r}, {part!r} is no hash.",
                hint="After '::' come hashes as the status shows them, separated by commas.",
            )
    if not text:
        raise UsageError(f"The input {word!r} names no file.")
    path = folder / _expand_home(text)
    try:
        is_file, is_folder, is_other = path.is_file(), path.is_dir(), path.exists()
    except OSError as error:
        raise _unreadable(text, error) from error
    if is_file:
        yield from _from_file(_resolved(path), wanted, tools, lists)
    elif is_folder:
        raise UsageError(
            f"{text} is a directory.",
            hint=f"Give the files in it, for example {text.rstrip('/')}/*.py",
        )
    elif is_other:
        raise UsageError(
            f"{text} is no regular file.", hint="What comes through a pipe can be read only once."
        )
    elif _GLOB.search(text):
        if separator:
            raise UsageError(
                f"{word!r} has both a pattern and hashes.", hint="Give the file itself."
            )
        names = sorted(glob.glob(str(path), recursive=True))  # noqa: PTH207 - the pattern may be absolute
        files = [Path(name) for name in names if Path(name).is_file()]
        if not files:
            raise UsageError(f"No file matches {text!r}.")
        for file in files:
            yield from _from_file(_resolved(file), (), tools, lists)
    else:
        raise _missing(text, tools, lists)


def _resolved(path: Path) -> Path:
    """Follow links, as Python does for scripts, unless what they lead to has no such suffix.

    A downloaded model is often a link ``model.onnx`` to a file that is named by its digest.
    """
    found = path.resolve()
    return found if found.suffix.lower() == path.suffix.lower() else path.absolute()


def _expand_home(text: str) -> Path:
    try:
        return Path(text).expanduser()
    except RuntimeError:
        # There is no such user, so it is a name like any other.
        return Path(text)


def _unreadable(name: object, error: OSError) -> UsageError:
    return UsageError(f"The input {name} cannot be read: {error.strerror or error}.")


def _missing(text: str, tools: tuple[str, ...], lists: tuple[Path, ...]) -> UsageError:
    where = f" (listed in {lists[-1]})" if lists else ""
    near = difflib.get_close_matches(text, tools, n=1, cutoff=0.7)
    if near and not Path(text).suffix:
        return UsageError(f"There is no file {text!r}.", hint=f"Did you mean the tool {near[0]!r}?")
    parent = _expand_home(text).parent
    siblings: list[str] = []
    with suppress(OSError):
        # A link that leads nowhere is what is missing, and not what may have been meant.
        siblings = [p.name for p in parent.iterdir() if p.exists()]
    near = difflib.get_close_matches(Path(text).name, siblings, n=1, cutoff=0.75)
    hint = f"Did you mean {str(parent / near[0])!r}?" if near else None
    return UsageError(f"There is no file {text!r}{where}.", hint=hint)


def _from_file(
    path: Path, hashes: tuple[str, ...], tools: tuple[str, ...], lists: tuple[Path, ...]
) -> Iterator[Source]:
    suffix = path.suffix.lower()
    try:
        labels = read_labels(path) if suffix == _LABELLED_SUFFIX else {}
        text = path.read_text("utf-8", errors="replace") if suffix == _LIST_SUFFIX else ""
    except OSError as error:
        raise _unreadable(path, error) from error
    if suffix != _LIST_SUFFIX:
        yield Source(path, hashes, labels)
        return
    if path in lists:
        chain = " -> ".join(p.name for p in (*lists, path))
        raise UsageError(
            f"The lists of inputs contain each other: {chain}.",
            hint="Take one of them out of another.",
        )
    for line in text.splitlines():
        word = line.strip()
        if word and not word.startswith("#"):
            # A list usually lies beside its files; else its paths are those of the command line.
            folder = path.parent if _is_beside(path, word.partition("::")[0]) else Path.cwd()
            yield from _expand(word, folder, tools, (*lists, path))


def _is_beside(path: Path, text: str) -> bool:
    if glob.glob(text, root_dir=path.parent, recursive=True):  # noqa: PTH207
        return True
    # A name may look like a pattern, and be too long for a file.
    with suppress(OSError, ValueError):
        return (path.parent / text).exists()
    return False
