"""Whether a script can be run where packages that it may import are imported already."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Set
from contextlib import suppress
from pathlib import Path

_SUFFIX = ".py"
_MOST_FILES = 200
_MOST_BYTES = 1 << 20

_READING = re.compile(r"environ\s*\.\s*(?:get|copy|items|keys|values)\s*\(")
_TELLTALES = (
    (re.compile(r"environ|putenv|unsetenv|dotenv"), "sets environment variables"),
    (re.compile(r"sys\s*\.\s*path\b(?!\s*\.\s*append\b)"), "changes where modules are found"),
    (re.compile(r"sys\s*\.\s*modules|meta_path|path_hooks"), "changes how modules are imported"),
    (re.compile(r"dlopen|CDLL|LoadLibrary"), "loads libraries by itself"),
)
"""What has another effect, or none, once packages are imported. Better once too often than once
too seldom: what it costs is the time of an import."""


def reason_for_fresh_process(script: Path, loaded: Set[str]) -> str:
    """Say why a script is to have an interpreter of its own; empty if it need not.

    Args:
        script: The input; only Python scripts are looked at, with the modules beside them that
            they import.
        loaded: Top-level packages that it would find imported.
    """
    if script.suffix.lower() != _SUFFIX:
        return ""
    for name in sorted(loaded):
        for path in (script.parent / f"{name}{_SUFFIX}", script.parent / name / "__init__.py"):
            if path != script and path.exists():
                return f"{path} has the name of an installed package"
    for path in _own_files(script):
        text = _READING.sub("", _text(path))
        for pattern, what in _TELLTALES:
            if pattern.search(text):
                return f"{path.name} {what}"
    return ""


def _own_files(script: Path) -> Iterator[Path]:
    """Give a script and the modules from its folder that it imports, and those that they import."""
    waiting, seen = [script], {script}
    while waiting and len(seen) < _MOST_FILES:
        path = waiting.pop()
        yield path
        for name in _imported(path):
            for file in _files_of(script.parent / name):
                if file not in seen:
                    seen.add(file)
                    waiting.append(file)


def _files_of(module: Path) -> list[Path]:
    """Give the file of a module, or those of a package, of which any may be imported."""
    with suppress(OSError, ValueError):
        file = module.with_name(f"{module.name}{_SUFFIX}")
        if file.is_file():
            return [file]
        if module.is_dir():
            return sorted(module.rglob(f"*{_SUFFIX}"))[:_MOST_FILES]
    return []


def _imported(path: Path) -> set[str]:
    """Give the top-level names that a file imports."""
    names: set[str] = set()
    # What Python does not understand is for the job to tell; this file then imports nothing.
    with suppress(SyntaxError, ValueError, RecursionError, MemoryError):
        for node in ast.walk(ast.parse(_text(path))):
            if isinstance(node, ast.Import):
                names |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                names.add(node.module.partition(".")[0])
    return names


def _text(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return file.read(_MOST_BYTES).decode("utf-8", "replace")
    except OSError:
        return ""
