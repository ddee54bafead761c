"""The options of the one-word form that find its files: ``--search-dir`` and ``--all``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from turnkeyml.errors import UsageError
from turnkeyml.options import option

ALL = "--all"


@dataclass(frozen=True)
class SearchOptions:
    """Where ``turnkey FILE...`` looks for its files."""

    search_dir: Path | None = option(
        None,
        flags=("-s",),
        metavar="DIR",
        help="Look for the files here. [default: the working directory]",
        shorthand="--search-dir",
    )
    all: bool = option(
        False, help="Every script in --search-dir, or in the working directory.", shorthand=ALL
    )


def input_words(files: Sequence[str], options: SearchOptions) -> tuple[str, ...]:
    """Give the inputs that are meant, as ``-i`` takes them.

    Raises:
        UsageError: Neither files nor ``--all``, or both; or there is no such directory.
    """
    folder = options.search_dir
    if folder is not None and not folder.expanduser().is_dir():
        raise UsageError(f"There is no directory {str(folder)!r}, which --search-dir names.")
    if options.all:
        if files:
            raise UsageError("--all and files are given.", hint="Give one of them.")
        scripts = sorted(str(path) for path in _or_here(folder).glob("*.py") if path.is_file())
        if not scripts:
            raise UsageError(
                f"There is no script in {folder or 'the working directory'}.",
                hint="Name another directory with --search-dir; the names of scripts end in .py.",
            )
        return tuple(scripts)
    if not files:
        raise UsageError("No input is given.", hint="Name files, or give --all.")
    return tuple(files) if folder is None else tuple(str(_or_here(folder) / f) for f in files)


def _or_here(folder: Path | None) -> Path:
    return Path() if folder is None else folder.expanduser()
