"""Places in the user's own code, found in tracebacks and in what exporters say."""

from __future__ import annotations

import functools
import importlib.util
import linecache
import re
import sysconfig
import traceback
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any

_PACKAGES = (
    "torch", "onnx", "onnxscript", "onnx_ir", "turnkeyml", "turnkeyml_torch", "turnkeyml_onnx",
)  # fmt: skip
_FLAT = str(Path(__file__).with_name("flat.py"))
"""What calls the model when it is exported."""
_CODE_LENGTH = 80
_FX_STACK = re.compile(r'File "(?P<file>[^"]+)", line (?P<line>\d+)')
"""As Python writes a stack, the innermost line last."""
_TRACED_STACK = re.compile(r"^(?P<file>/.*)\((?P<line>\d+)\): ", re.MULTILINE)
"""As the tracer does, the innermost line first."""


@dataclass(frozen=True)
class Place:
    """A line of code.

    Args:
        file: As Python knows it.
        line: From 1.
    """

    file: str
    line: int

    def __str__(self) -> str:
        code = linecache.getline(self.file, self.line).strip()
        if len(code) > _CODE_LENGTH:
            code = f"{code[: _CODE_LENGTH - 1]}…"
        where = f"{_short(self.file)}:{self.line}"
        return f"{where} (`{code}`)" if code else where


def place_of(error: BaseException) -> Place | None:
    """Find the line of the user's code, or of a model library, that an error comes from.

    Exporters raise most of their errors below the line at fault. Where they translate a graph that
    was captured before, the line stands in what they keep of the operator being translated.
    """
    for cause in chain_of(error):
        frames = list(traceback.walk_tb(cause.__traceback__))
        for frame, line in reversed(frames):
            if is_foreign(frame.f_code.co_filename):
                return Place(frame.f_code.co_filename, line)
        for frame, _ in reversed(frames):
            for place in _places_of_operators(frame):
                return place
    return None


def raised_in_own_code(error: BaseException) -> bool:
    """Tell whether an error was raised by a line of the user's code, or of a model library."""
    frames = list(traceback.walk_tb(error.__traceback__))
    return bool(frames) and is_foreign(frames[-1][0].f_code.co_filename)


def place_in_stack(text: str) -> Place | None:
    """Find the innermost line of the user's code in a stack as Python writes it."""
    return _first_foreign(reversed(list(_FX_STACK.finditer(text))))


def chain_of(error: BaseException) -> list[BaseException]:
    """Give an error and its causes, the innermost first."""
    chain = [error]
    while chain[0].__cause__ is not None and chain[0].__cause__ not in chain:
        chain.insert(0, chain[0].__cause__)
    return chain


def is_foreign(file: str) -> bool:
    """Tell whether a file is neither Python's, nor the exporters', nor turnkey's own."""
    if not Path(file).is_absolute():
        return False
    standard = file.startswith(f"{sysconfig.get_path('stdlib')}/")
    if standard and "-packages/" not in file:
        return False
    return not file.startswith(_own_folders())


@functools.cache
def _own_folders() -> tuple[str, ...]:
    specs = [importlib.util.find_spec(package) for package in _PACKAGES]
    folders = [
        folder
        for spec in specs
        if spec is not None
        for folder in spec.submodule_search_locations or ()
    ]
    return tuple(f"{folder}/" for folder in (*folders, Path(__file__).parent))


def _places_of_operators(frame: FrameType) -> Iterator[Place]:
    """Give the lines behind the operators that a frame of an exporter is busy with."""
    import torch

    node_of_torchscript: Any = torch._C.Node
    for value in list(frame.f_locals.values()):
        place = None
        if isinstance(value, torch.fx.Node):
            place = place_in_stack(str(value.meta.get("stack_trace") or ""))
        elif isinstance(value, node_of_torchscript):
            stack = str(value.sourceRange())
            place = _first_foreign(_TRACED_STACK.finditer(stack)) or place_in_stack(stack)
        if place is not None:
            yield place


def _first_foreign(lines: Iterable[re.Match[str]]) -> Place | None:
    for line in lines:
        if line["file"] == _FLAT:
            # Beyond it are those who asked for the export.
            return None
        if is_foreign(line["file"]):
            return Place(line["file"], int(line["line"]))
    return None


def _short(file: str) -> str:
    """Give a path from its package on if it is installed, else its name."""
    for folder in (sysconfig.get_path("purelib"), sysconfig.get_path("platlib")):
        if Path(file).is_relative_to(folder):
            return str(Path(file).relative_to(folder))
    return Path(file).name
